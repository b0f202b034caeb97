"""Trafalgar in the simulated studio: its story, and the files that tell it."""

import copy
import json
from collections import Counter
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from exporter.demo import trafalgar
from exporter.demo.shows import SHOWS, shots
from exporter.demo.studio import Studio
from exporter.demo.trafalgar import (
    INGEST_REGISTRY,
    JOBS_KEPT,
    PROJECTS,
    RECONCILE,
    RENDER_JOBS,
    RUNS_KEPT,
    SLOTS,
    Ingest,
    Render,
)
from exporter.demo.world import DAY, PACE, Agenda, Clock, chance

GOLDEN = Path(__file__).parents[1] / "golden" / "trafalgar" / "inputs"
BEGAN = 1_800_000_000.0
ENDS = {"completed", "failed", "cancelled"}


class Live:
    """The two halves of Trafalgar under a clock that is told the time."""

    def __init__(self, seed: int = 1, began: float = BEGAN, **keep: int) -> None:
        self.agenda = Agenda(Clock(began, PACE))
        every = shots(chance(seed, "shots"))
        self.ingest = Ingest(self.agenda, chance(seed, "ingest"), every, **keep)
        self.render = Render(self.agenda, chance(seed, "render"), every, **keep)
        self.now = began
        self.agenda.advance(began)

    def go_on(self, seconds: float) -> None:
        self.now += seconds
        self.agenda.advance(self.now)


def epoch(text: str | None) -> float:
    assert text is not None
    time = datetime.fromisoformat(text)
    assert time.utcoffset() is not None
    return time.timestamp()


def shape(value: Any) -> Any:
    """Keys and types, all the way down; of a list, those of its items."""
    if isinstance(value, dict):
        return tuple(sorted((key, shape(item)) for key, item in value.items()))
    if isinstance(value, list):
        return frozenset(shape(item) for item in value)
    return type(value).__name__


def leaves(shaped: Any) -> set[Any]:
    """The (key, type) pairs of a shape, to compare shapes whose lists hold different mixtures."""
    if isinstance(shaped, frozenset):
        return set().union(*map(leaves, shaped)) if shaped else set()
    if isinstance(shaped, tuple):
        own = {(key, inner if isinstance(inner, str) else type(inner).__name__) for key, inner in shaped}
        return own.union(*(leaves(inner) for _, inner in shaped))
    return {shaped}


def show_of(run: Any) -> str:
    (show,) = {file["media_info"]["show_code"] for file in run["report"]["processed"]}
    return str(show)


def relative(value: Any, began: float) -> Any:
    """The same with every time as seconds from the beginning."""
    if isinstance(value, dict):
        return {key: relative(item, began) for key, item in value.items()}
    if isinstance(value, list):
        return [relative(item, began) for item in value]
    if isinstance(value, str) and value.endswith("+00:00"):
        return round(epoch(value) - began, 3)
    return value


def test_the_same_seed_tells_the_same_story_at_any_time() -> None:
    one, two = Live(seed=7), Live(seed=7, began=BEGAN + 12_345_678)
    for _ in range(30):
        one.go_on(20)
        two.go_on(20)
    assert relative(one.ingest.runs, BEGAN) == relative(two.ingest.runs, BEGAN + 12_345_678)
    assert relative(one.render.jobs, BEGAN) == relative(two.render.jobs, BEGAN + 12_345_678)
    assert relative(one.ingest.runs, BEGAN) != relative(Live(seed=8).ingest.runs, BEGAN)


@pytest.mark.parametrize("seed", range(5))
def test_the_past_is_some_days_of_work(seed: int) -> None:
    live = Live(seed)
    runs, jobs = live.ingest.runs, live.render.jobs
    assert len(runs) == RUNS_KEPT
    assert len(jobs) == JOBS_KEPT
    assert 2 * DAY < BEGAN - epoch(runs[0]["started_at"]) < 5 * DAY
    assert {file["media_info"]["show_code"] for run in runs for file in run["report"]["processed"]} == set(SHOWS)
    assert {job["farm"] for job in jobs} == set(SLOTS)
    assert {"completed", "failed", "cancelled"} <= {job["status"] for job in jobs}
    failed = sum(bool(run["report"]["invalid"]) for run in runs)
    assert 0.05 * len(runs) < failed < 0.4 * len(runs)


def test_records_have_the_shape_of_real_ones() -> None:
    live = Live()
    for now, golden in ((live.ingest.runs, "ingest_runs.normal.json"), (live.render.jobs, "render_jobs.normal.json")):
        real = leaves(shape(json.loads((GOLDEN / golden).read_text())))
        assert leaves(shape(now)) - real <= {("completed_at", "NoneType")}
    real_job = json.loads((GOLDEN / "render_jobs.normal.json").read_text())[0]
    assert all(job.keys() == real_job.keys() for job in live.render.jobs)
    assert all(job["request"].keys() == real_job["request"].keys() for job in live.render.jobs)


def test_runs_start_go_on_and_end() -> None:
    live = Live()
    seen: dict[str, dict[str, Any]] = {}
    for _ in range(300):
        live.go_on(2)
        for run in live.ingest.runs:
            before = seen.get(run["id"])
            if run == before:
                continue
            assert before is None or before["completed_at"] is None
            started, report = epoch(run["started_at"]), run["report"]
            assert started <= live.now
            assert show_of(run) in SHOWS
            assert all(len(pair) == 2 for pair in report["invalid"])
            if run["completed_at"]:
                assert started <= epoch(run["completed_at"]) <= live.now
            else:
                assert not report["invalid"]
            seen[run["id"]] = copy.deepcopy(run)
    fresh = [run for run in seen.values() if epoch(run["started_at"]) > BEGAN]
    assert len(fresh) > 30
    assert sum(run["completed_at"] is not None for run in fresh) > 20


def test_a_show_fails_many_times_in_a_row_now_and_then() -> None:
    ended = sorted((run for run in Live().ingest.runs if run["completed_at"]), key=lambda run: run["completed_at"])
    outcomes = {show: [bool(run["report"]["invalid"]) for run in ended if show_of(run) == show] for show in SHOWS}
    streaks = [len(list(streak)) for ends in outcomes.values() for failed, streak in groupby(ends) if failed]
    assert 3 <= max(streaks) < 30
    assert not all(ends[-1] for ends in outcomes.values())


def test_jobs_go_through_their_statuses_in_order() -> None:
    live = Live()
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for _ in range(300):
        live.go_on(2)
        seen |= {(job["job_id"], job["status"]): copy.deepcopy(job) for job in live.render.jobs}
    words = ["submitted", "queued", "running"]
    for job in seen.values():
        statuses = [step["status"] for step in job["status_history"]]
        times = [epoch(step["timestamp"]) for step in job["status_history"]]
        assert times == sorted(times)
        assert times[-1] <= live.now
        assert job["status"] == statuses[-1]
        assert job["created_at"] == job["status_history"][0]["timestamp"]
        assert job["updated_at"] == job["status_history"][-1]["timestamp"]
        assert (job["completed_at"] == job["updated_at"]) == (job["status"] in ENDS)
        assert (job["message"] is not None) == (job["status"] == "failed")
        path = statuses[:-1] if statuses[-1] in ENDS else statuses
        assert path == words[: len(path)]
        assert statuses[-1] not in {"completed", "failed"} or path == words
    assert {job["status"] for job in seen.values()} == {*words, *ENDS}


def test_a_farm_runs_no_more_jobs_than_it_has_slots_and_some_wait() -> None:
    live, waited = Live(), 0
    for _ in range(500):
        live.go_on(2)
        running = Counter(job["farm"] for job in live.render.jobs if job["status"] == "running")
        assert all(running[farm] <= slots for farm, slots in SLOTS.items())
        waited += any(job["status"] == "queued" for job in live.render.jobs)
    assert waited > 50


def test_pruning_bounds_both_for_as_long_as_it_lives() -> None:
    live, most = Live(keep=20), 0
    for _ in range(24 * 60):
        live.go_on(60)
        most = max(most, len(live.ingest.runs), len(live.render.jobs))
    assert live.now - BEGAN == DAY
    assert most <= 20 + 40  # what goes on is kept besides
    assert len(json.dumps(live.ingest.runs)) < 100_000
    assert int(live.ingest.runs[-1]["id"].removeprefix("run-")) > 5000


def test_only_what_ended_is_pruned() -> None:
    live = Live(keep=0)
    for _ in range(100):
        live.go_on(20)
    assert live.ingest.runs
    assert live.render.jobs
    before = {run["id"] for run in live.ingest.runs if not run["completed_at"]}
    live.go_on(0.001)
    assert before <= {run["id"] for run in live.ingest.runs}


def test_a_rewrite_is_torn_while_it_pauses(tmp_path: Path) -> None:
    path, between = tmp_path / "runs.json", []
    trafalgar.rewrite(path, '["before"]')
    trafalgar.rewrite(path, '["after", 1]', lambda: between.append(path.read_text()))
    assert between == ['["afte']
    assert json.loads(path.read_text()) == ["after", 1]


def test_a_replaced_file_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    for text in ("[]", "[1]"):
        trafalgar.replace(path, text)
        assert path.read_text() == text
        assert [*tmp_path.iterdir()] == [path]


def test_files_are_written_when_something_changed_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trafalgar, "TORN", 0.3)
    paused: list[tuple[float, str]] = []
    registry, store, records = tmp_path / INGEST_REGISTRY, tmp_path / RENDER_JOBS, tmp_path / RECONCILE
    files = (registry, store, records)

    def wait(seconds: float) -> bool:
        (torn,) = (text for path in (registry, records) if not whole(text := path.read_text()))
        paused.append((seconds, torn))
        return False

    agenda = Agenda(Clock(BEGAN, PACE))
    with trafalgar.live(Studio(agenda, 1, tmp_path, wait)) as write:
        agenda.advance(BEGAN)
        write()
        assert len(json.loads(registry.read_text())) == RUNS_KEPT
        assert len(json.loads(store.read_text())) == JOBS_KEPT
        assert json.loads(records.read_text()).keys() == {"shotgrid", "filesystem", "s3"}
        for path in files:
            path.unlink()
        write()
        assert not any(path.exists() for path in files)
        for second in range(0, 300, 5):
            agenda.advance(BEGAN + second)
            write()
        assert len(json.loads(registry.read_text())) == RUNS_KEPT
        assert len(json.loads(store.read_text())) == JOBS_KEPT
        assert whole(records.read_text())
    assert {torn[:2] for _, torn in paused} == {"[{", '{"'}
    assert all(0 < seconds < 1 for seconds, _ in paused)


def whole(text: str) -> bool:
    """Whether it is all of a JSON document."""
    with suppress(json.JSONDecodeError):
        json.loads(text)
        return True
    return False


def test_the_names_on_record_are_somebody_elses_as_well(tmp_path: Path) -> None:
    with trafalgar.live(Studio(Agenda(Clock(BEGAN)), 1, tmp_path, lambda _: False)):
        names = json.loads((tmp_path / PROJECTS).read_text())
    assert names == sorted(names)
    assert 0 < len({*names} & {*SHOWS.values()}) < len(names)


def test_the_store_is_written_as_upstream_writes_it(tmp_path: Path) -> None:
    agenda = Agenda(Clock(BEGAN, PACE))
    with trafalgar.live(Studio(agenda, 1, tmp_path, lambda _: False)) as write:
        agenda.advance(BEGAN)
        write()
    text = (tmp_path / RENDER_JOBS).read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True)
