"""Runs and jobs that came to their end, as the ledger counts them: golden files, and whatever befalls a file."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exporter.core.finish import SECOND
from exporter.domains.ingest import Ingest
from exporter.sources.trafalgar import KIND, Config
from tests.sources.counting import OVERLAP, Counting, counting
from tests.sources.trafalgar.files import NOW, given, written
from tests.sources.trafalgar.test_ingest import media
from tests.sources.trafalgar.test_render import job

STORE = "state.sqlite"


def time(after: float) -> str:
    """A time so many seconds after NOW."""
    return (datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=after)).isoformat()


def run(name: str, ended: float | None, show: str | None = "IOR", *, ok: bool = True, **more: Any) -> dict[str, Any]:
    """A run that took ten minutes and ended so many seconds after NOW."""
    report = {"processed": [media(show)] if show else [], "invalid": [] if ok else [["/bad", "why"]]}
    times = {
        "started_at": time((ended or 0) - 600),
        "completed_at": None if ended is None else time(ended),
    }
    return {"id": name, **times, "report": report, **more}


def ended(status: str, at: float | None, **more: Any) -> dict[str, Any]:
    return job(status=status, created_at=time(-3600), completed_at=None if at is None else time(at), **more)


class Registry:
    """A registry of runs that changes, and what is counted of it."""

    def __init__(self, path: Path, found: Counting) -> None:
        self.path = path
        self.found = found

    async def says(self, *runs: Any, now: float = NOW) -> dict[str, tuple[int, int, int]]:
        written(self.path, list(runs))
        await self.found.read("ingest", now)
        return self.found.lanes("ingest")


@pytest.fixture
async def registry(tmp_path: Path) -> Any:
    path = tmp_path / "runs.json"
    async with counting(KIND, Config(ingest_registry=path), tmp_path / STORE) as found:
        yield Registry(path, found)


async def test_the_golden_registry_opens_its_account_at_0_with_the_streaks_it_has(tmp_path: Path) -> None:
    path = given("ingest_runs.normal.json")
    runs = [one for one in json.loads(path.read_text()) if one["completed_at"]]
    newest_first = sorted(runs, key=lambda one: str(one["completed_at"]), reverse=True)
    streak = next(place for place, one in enumerate(newest_first) if not one["report"]["invalid"])
    async with counting(KIND, Config(ingest_registry=path), tmp_path / STORE) as found:
        await found.read("ingest", NOW)
        account = found.account("ingest")
    assert {(lane.finished, lane.failed) for lane in account.lanes.values()} == {(0, 0)}
    assert account.streak.length == streak
    newest = max(datetime.fromisoformat(one["completed_at"]) for one in runs)
    assert account.mark == round(newest.timestamp() * SECOND)
    assert "unknown" in account.lanes
    shows = {one["report"]["processed"][0]["media_info"]["show_code"] for one in runs if one["report"]["processed"]}
    assert {*account.lanes} == shows | {"unknown"}


async def test_each_golden_run_counts_once_where_it_comes_after_the_account(tmp_path: Path) -> None:
    """One after the other, in the order in which they ended, as the system would have written them."""
    runs = [one for one in json.loads(given("ingest_runs.normal.json").read_text()) if one["completed_at"]]
    runs.sort(key=lambda one: datetime.fromisoformat(one["completed_at"]))
    path = written(tmp_path / "runs.json", [])
    begin = datetime.fromisoformat(runs[0]["completed_at"]).timestamp()
    async with counting(KIND, Config(ingest_registry=path), tmp_path / STORE) as found:
        await found.read("ingest", begin - 1)
        for upto in range(0, len(runs) + 60, 60):
            shown = runs[:upto]
            written(path, shown)
            now = datetime.fromisoformat(shown[-1]["completed_at"]).timestamp() if shown else begin
            await found.read("ingest", now)
        account, lanes = found.account("ingest"), found.lanes("ingest")
    failures = sum(bool(one["report"]["invalid"]) for one in runs)
    assert sum(finished for finished, _, _ in lanes.values()) == len(runs)
    assert sum(failed for _, failed, _ in lanes.values()) == failures
    assert account.late == 0
    timed = sum(sum(lane.counts) for lane in account.lanes.values())
    assert timed == len(runs) - failures


async def test_a_run_counts_when_it_has_ended_and_in_its_show(registry: Registry) -> None:
    going, old = run("b", None, "ATL"), run("a", -60)
    assert await registry.says(old, going) == {"IOR": (0, 0, 0), "ATL": (0, 0, 0)}
    lanes = await registry.says(old, run("b", 5, "ATL", ok=False), run("c", 6, None, ok=False), now=NOW + 15)
    assert lanes == {"IOR": (0, 0, 0), "ATL": (1, 1, 1), "unknown": (1, 1, 1)}
    again = await registry.says(old, run("b", 5, "ATL", ok=False), run("b", 20, "ATL"), now=NOW + 30)
    assert again == {"IOR": (0, 0, 0), "ATL": (2, 1, 0), "unknown": (1, 1, 1)}
    atlas = registry.found.account("ingest").lanes["ATL"]
    assert (atlas.failing, atlas.last_failure) == ("b", round((NOW + 5) * SECOND))
    assert (atlas.duration, sum(atlas.counts), atlas.untimed) == (600 * SECOND, 1, 0)


async def test_an_end_before_the_beginning_and_an_unknown_beginning_have_no_duration(registry: Registry) -> None:
    await registry.says()
    odd = [run("a", 1, started_at=time(9)), run("b", 2, started_at=None), run("c", 3, started_at="soon")]
    assert await registry.says(*odd, now=NOW + 15) == {"IOR": (3, 0, 0)}
    assert registry.found.account("ingest").lanes["IOR"].untimed == 3


async def test_the_same_run_twice_is_one_and_with_another_time_another(registry: Registry) -> None:
    await registry.says(run("z", -9))
    twice = [run("a", 1, ok=False), run("a", 1, ok=False), run("a", 2)]
    assert await registry.says(*twice, now=NOW + 15) == {"IOR": (2, 1, 0)}
    for step in (2 * OVERLAP, 4 * OVERLAP):  # they sink below the floor, and are still no more than two
        await registry.says(*twice, run(f"new {step}", step), now=NOW + step)
    assert registry.found.account("ingest").late == 0
    assert registry.found.lanes("ingest") == {"IOR": (4, 1, 0)}


async def test_what_is_imported_with_old_times_does_not_count_and_is_told(registry: Registry) -> None:
    await registry.says(run("a", -1))
    old = [run(f"old {number}", -OVERLAP - 60 - number) for number in range(3)]
    assert await registry.says(run("a", -1), *old, now=NOW + 15) == {"IOR": (0, 0, 0)}
    assert registry.found.account("ingest").late == 3
    await registry.says(run("a", -1), *old, run("b", 20), now=NOW + 30)
    assert registry.found.lanes("ingest") == {"IOR": (1, 0, 0)}
    assert registry.found.account("ingest").late == 3


async def test_whatever_befalls_the_file_nothing_counts_twice(registry: Registry) -> None:
    await registry.says(run("z", -9))
    new = [run("a", 1, ok=False), run("b", 2, ok=False)]
    counted = {"IOR": (2, 2, 2)}
    assert await registry.says(*new, now=NOW + 15) == counted
    registry.path.unlink()
    assert await registry.found.fails("ingest", NOW + 30)
    written(registry.path, '[{"id": "a", "compl')
    assert await registry.found.fails("ingest", NOW + 45)
    assert registry.found.lanes("ingest") == counted
    assert await registry.says(now=NOW + 60) == counted
    assert await registry.says(*new, now=NOW + 75) == counted
    assert await registry.says(*new, run("c", 80), now=NOW + 90) == {"IOR": (3, 2, 0)}
    assert registry.found.account("ingest").late == 0


async def test_a_clock_that_steps_disorders_nothing(registry: Registry) -> None:
    await registry.says()
    runs: list[dict[str, Any]] = []
    for number, now in enumerate((15, 30, -3600, -3585, 45, 60)):
        runs.append(run(str(number), 15.0 * number + 10, ok=number % 2 == 0))
        await registry.says(*runs, now=NOW + now)
    assert registry.found.lanes("ingest") == {"IOR": (6, 3, 1)}
    assert registry.found.account("ingest").late == 0


async def test_a_run_of_the_future_counts_once(registry: Registry) -> None:
    await registry.says(run("z", -9))
    ahead = run("ahead", 86400, ok=False)
    for now in (15.0, 30.0, 90000.0, 90015.0):
        assert await registry.says(run("z", -9), ahead, now=NOW + now) == {"IOR": (1, 1, 1)}
    assert registry.found.account("ingest").lanes["IOR"].last_failure == round((NOW + 15) * SECOND)


async def test_what_happened_while_nobody_read_is_counted_and_what_is_unchanged_is_not_written(tmp_path: Path) -> None:
    path, config = written(tmp_path / "runs.json", [run("a", -5)]), Config(ingest_registry=tmp_path / "runs.json")
    async with counting(KIND, config, tmp_path / STORE) as found:
        await found.read("ingest", NOW)
    written(path, [run("a", -5), run("b", 600, ok=False), run("c", 7200, ok=False)])
    async with counting(KIND, config, tmp_path / STORE) as found:
        await found.read("ingest", NOW + 86400)
        first = found.account("ingest")
        assert found.lanes("ingest") == {"IOR": (2, 2, 2)}
        for later in range(1, 4):
            await found.read("ingest", NOW + 86400 + 15 * later)
        assert found.account("ingest") is first


async def test_an_account_that_is_lost_opens_anew_with_the_history_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "runs.json", [run(str(number), -9000 + number, ok=number < 5) for number in range(12)])
    for store in ("one", "two"):
        async with counting(KIND, Config(ingest_registry=path), tmp_path / store) as found:
            await found.read("ingest", NOW)
            assert found.lanes("ingest") == {"IOR": (0, 0, 7)}
            assert found.account("ingest").under == 0


async def test_an_empty_registry_is_one(registry: Registry) -> None:
    assert await registry.says() == {}
    written(registry.path, {"runs": {}})
    assert (await registry.found.read("ingest", NOW + 15)).value == Ingest({}, {}, {}, None)
    assert registry.found.lanes("ingest") == {}


async def test_the_golden_store_of_jobs(tmp_path: Path) -> None:
    path = given("render_jobs.normal.json")
    jobs = json.loads(path.read_text())
    async with counting(KIND, Config(render_jobs=path), tmp_path / STORE) as found:
        await found.read("render", NOW)
        taken = await found.read("render", NOW + 15)
    statuses = Counter(one["status"].lower() for one in jobs)
    terminal = statuses["completed"] + sum(statuses[word] for word in ("failed", "aborted", "error", "errored"))
    finishes = taken.value.finishes
    assert len(finishes) + finishes.untimed == terminal > 0
    assert {*found.lanes("render")} == {one["farm"] for one in jobs}
    known = {one["job_id"]: one for one in jobs}
    for finish in finishes.since(0):
        one = known[finish.key]
        assert finish.ok == (one["status"].lower() == "completed")
        if one["completed_at"]:
            assert finish.at == round(datetime.fromisoformat(one["completed_at"]).timestamp() * SECOND)


@pytest.mark.parametrize(
    ("status", "lane"),
    [
        ("completed", (1, 0, 0)),
        (" Completed ", (1, 0, 0)),
        *((word, (1, 1, 1)) for word in ("failed", "ABORTED", "error", "errored")),
        *((word, (0, 0, 0)) for word in ("cancelled", "running", "queued", "melted")),
    ],
)
async def test_how_a_job_ends(tmp_path: Path, status: str, lane: tuple[int, int, int]) -> None:
    path, going = tmp_path / "jobs.json", job(status="running")
    async with counting(KIND, Config(render_jobs=written(path, [going])), tmp_path / STORE) as found:
        await found.read("render", NOW)
        written(path, [going | {"status": status, "completed_at": time(5)}])
        taken = await found.read("render", NOW + 15)
        assert found.lanes("render") == {"deadline": lane}
        assert taken.skipped == {}


FAILED, LATE = {"status": "failed", "timestamp": time(2)}, {"status": "error", "timestamp": time(3)}


@pytest.mark.parametrize(
    ("record", "at"),
    [
        ({"completed_at": time(1), "status_history": [FAILED], "updated_at": time(9)}, 1),
        ({"completed_at": str(int(NOW) + 4), "updated_at": time(9)}, 4),
        ({"completed_at": "soon", "status_history": [LATE, FAILED], "updated_at": time(9)}, 3),
        ({"status_history": [{"status": "running", "timestamp": time(4)}, FAILED], "updated_at": time(9)}, 2),
        ({"status_history": [{"status": "failed"}, 5], "updated_at": time(9)}, 9),
        ({"status_history": {"failed": time(2)}, "updated_at": time(9)}, 9),
    ],
)
async def test_when_a_job_ended(tmp_path: Path, record: dict[str, Any], at: int) -> None:
    path = written(tmp_path / "jobs.json", [])
    async with counting(KIND, Config(render_jobs=path), tmp_path / STORE) as found:
        await found.read("render", NOW)
        written(path, [job(status="failed") | record])
        await found.read("render", NOW + 15)
        assert found.account("render").lanes["deadline"].last_failure == round((NOW + at) * SECOND)


async def test_a_job_that_ended_nobody_knows_when_is_on_record_and_its_finish_is_not(tmp_path: Path) -> None:
    path = written(tmp_path / "jobs.json", [])
    async with counting(KIND, Config(render_jobs=path), tmp_path / STORE) as found:
        await found.read("render", NOW)
        written(path, [job(status="failed"), job(status="completed", completed_at="?", updated_at=[]), 7])
        taken = await found.read("render", NOW + 15)
        assert (taken.records, taken.skipped) == (2, {"type": 1, "missing": 2})
        assert taken.value.jobs == {("deadline", "failed"): 1, ("deadline", "completed"): 1}
        assert found.lanes("render") == {"deadline": (0, 0, 0)}


async def test_of_two_records_of_a_job_the_one_that_counts_finishes(tmp_path: Path) -> None:
    path = written(tmp_path / "jobs.json", [])
    older = ended("failed", 1, job_id="j") | {"created_at": time(-9000)}
    async with counting(KIND, Config(render_jobs=path), tmp_path / STORE) as found:
        await found.read("render", NOW)
        written(path, [ended("completed", 2, job_id="j"), older])
        await found.read("render", NOW + 15)
        assert found.lanes("render") == {"deadline": (1, 0, 0)}
        assert found.account("render").lanes["deadline"].duration == 3602 * SECOND


async def test_the_rotation_of_the_store_counts_nothing_twice(tmp_path: Path) -> None:
    path = written(tmp_path / "jobs.json", [])
    jobs = [ended("completed", 1), ended("failed", 2)]
    async with counting(KIND, Config(render_jobs=path), tmp_path / STORE) as found:
        await found.read("render", NOW)
        for now in (15, 45):
            written(path, jobs)
            await found.read("render", NOW + now)
            path.rename(tmp_path / "jobs.json.bak")
            assert await found.fails("render", NOW + now + 1)
        written(path, jobs[:1])  # pruned by the history limit
        await found.read("render", NOW + 75)
        assert found.lanes("render") == {"deadline": (2, 1, 1)}
        assert found.account("render").late == 0
