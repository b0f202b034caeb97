"""The numbers of the system itself: what it answered when it had read the same files."""

import json
from collections import Counter
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from exporter.core.errors import Malformed
from exporter.domains.ingest import Ingest
from exporter.domains.render import QUEUED, RUNNING, SUBMITTED, Render
from exporter.inputs.slices import Slice, Wanted, slices
from exporter.sources.trafalgar import ingest
from tests.sources.trafalgar.files import answer, given, ingested, rendered

STATUSES = {"succeeded": "successful", "failed": "failed", "running": "running"}


def counts(facts: Ingest) -> dict[str, int]:
    """The window as the system's JSON has it."""
    said = {word: facts.recent.get(status, 0) for status, word in STATUSES.items()}
    return {"total": sum(facts.recent.values())} | said


@pytest.mark.parametrize(
    ("name", "response"),
    [
        ("normal", "normal_metrics.json"),
        *(
            (name, f"metrics_ingest_{name}.json")
            for name in (
                *("failure_streak", "all_failed", "running_then_failed", "edge_entries", "naive_timestamps"),
                *("empty_list", "empty_mapping", "scalar"),
            )
        ),
    ],
)
async def test_the_window_of_the_newest_runs_is_the_one_recorded(name: str, response: str) -> None:
    found = await ingested(given(f"ingest_runs.{name}.json"))
    assert counts(found.value) == answer(response)["body"]["ingest"]["counts"]


async def test_where_the_system_crashed_on_a_run_without_a_start_the_answer_is_right() -> None:
    assert answer("metrics_ingest_null_started_at_mixed.json")["status"] == 500
    found = (await ingested(given("ingest_runs.null_started_at_mixed.json"))).value
    assert counts(found) == {"total": 2, "successful": 1, "failed": 0, "running": 1}
    assert found.oldest_running is None


async def test_where_the_system_crashed_on_a_number_for_a_start_the_answer_is_right(tmp_path: Path) -> None:
    recorded = json.loads((given("x").parents[1] / "responses" / "registry_numeric_started_at.json").read_text())
    assert recorded["response"]["status"] == 500
    (tmp_path / "runs.json").write_text(recorded["input"])
    assert counts((await ingested(tmp_path / "runs.json")).value) == {
        "total": 1,
        "successful": 0,
        "failed": 0,
        "running": 1,
    }


async def test_where_the_system_showed_zeros_or_crashed_a_broken_file_is_an_error() -> None:
    size = given("ingest_runs.malformed.json").stat().st_size
    with pytest.raises(Malformed, match=rf"ingest_runs\.malformed\.json: not valid JSON at byte {size}: "):
        await ingested(given("ingest_runs.malformed.json"))
    assert answer("metrics_ingest_not_utf8.json")["status"] == 500
    with pytest.raises(Malformed, match="not valid JSON at byte 13: not UTF-8"):
        await ingested(given("ingest_runs.not_utf8.json"))


async def test_what_was_left_out_of_the_edge_entries_is_told() -> None:
    found = await ingested(given("ingest_runs.edge_entries.json"))
    assert (found.records, found.skipped) == (7, {"type": 2, "missing": 1})


@pytest.mark.parametrize("response", ["ingest_runs_default.json", "ingest_runs_edge_entries.json"])
def test_each_run_is_judged_as_the_system_did(response: str) -> None:
    name = "edge_entries" if "edge" in response else "normal"
    rows: dict[str, ingest.Run] = {}
    with given(f"ingest_runs.{name}.json").open("rb") as file:
        found = slices(file.read, Wanted(ingest.Entry, "runs"), name)
        for entry in chain.from_iterable(each.records for each in found if isinstance(each, Slice)):
            if isinstance(entry, ingest.Entry) and (entry.id or entry.run_id):
                # as the system does: where an id stands twice, its API gives the first
                rows.setdefault(str(entry.id or entry.run_id), ingest.run(entry))
    recorded = {one["id"]: one for one in reversed(answer(response)["body"])}
    assert len(recorded) > 5
    for identity, run in recorded.items():
        name, started, completed, status, _, processed, invalid = rows[identity]
        assert name == identity
        assert (completed is None) == (run["completed_at"] is None)
        assert started == datetime.fromisoformat(run["started_at"]).timestamp()
        assert (status == "running") == (run["status"] == "running")
        assert sum(processed.values()) == run["report"]["processed_count"]
        assert invalid == run["report"]["invalid_count"]


async def test_every_run_and_file_of_the_normal_registry_is_counted() -> None:
    found = await ingested(given("ingest_runs.normal.json"))
    runs = json.loads(given("ingest_runs.normal.json").read_text())
    reports = [run["report"] for run in runs]
    results: Counter[str] = Counter()
    for (_, result), count in found.value.files.items():
        results[result] += count
    assert found.records == len(runs) == sum(found.value.runs.values()) == 420
    assert results == {name: sum(len(report[name]) for report in reports) for name in ("processed", "invalid")}
    running = [datetime.fromisoformat(run["started_at"]).timestamp() for run in runs if not run["completed_at"]]
    assert found.value.oldest_running == min(running)
    assert found.origin == f"{given('ingest_runs.normal.json')} ({found.origin.split(' (')[1]}"
    assert "(485159 bytes, modified " in found.origin


def by(facts: Render, place: int) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for labels, count in facts.jobs.items():
        sums[labels[place]] += count
    return dict(sums)


@pytest.mark.parametrize(
    ("name", "response", "skipped"),
    [
        ("normal", "normal_metrics.json", {}),
        ("some_invalid", "render_some_invalid_records.json", {"invalid": 2, "type": 2}),
    ],
)
async def test_render_jobs_are_those_recorded(name: str, response: str, skipped: dict[str, int]) -> None:
    found = await rendered(given(f"render_jobs.{name}.json"))
    recorded = answer(response)["body"]["render"]
    assert sum(found.value.jobs.values()) == recorded["jobs"]
    assert by(found.value, 1) == recorded["by_status"]
    assert by(found.value, 0) == recorded["by_farm"]
    assert found.skipped == skipped


async def test_a_store_that_is_no_list_is_empty_as_recorded(tmp_path: Path) -> None:
    (tmp_path / "jobs.json").write_text('{"jobs": []}')
    found = await rendered(tmp_path / "jobs.json")
    assert answer("render_store_not_a_list.json")["body"]["render"] == {"jobs": 0, "by_status": {}, "by_farm": {}}
    assert (found.value, found.skipped) == (Render({}, {}, {}), {"type": 1})


async def test_jobs_by_farm_and_status_are_those_recorded() -> None:
    found = (await rendered(given("render_jobs.normal.json"))).value
    adapters = answer("render_jobs_metrics.json")["body"]["adapters"]
    del adapters["studiofarm"]  # its jobs had been asked for anew, of a farm that answered `queued`
    wanted = {(farm, status): count for farm, one in adapters.items() for status, count in one["statuses"].items()}
    assert {cell: count for cell, count in found.jobs.items() if cell[0] != "studiofarm"} == wanted


def oldest(jobs: list[dict[str, Any]], statuses: set[str], time: Any) -> dict[str, float]:
    times: dict[str, list[float]] = {}
    for job in jobs:
        if job["status"] in statuses:
            times.setdefault(job["farm"], []).append(datetime.fromisoformat(time(job)).timestamp())
    return {farm: min(found) for farm, found in times.items()}


async def test_the_oldest_jobs_of_the_normal_store() -> None:
    jobs = json.loads(given("render_jobs.normal.json").read_text())
    found = (await rendered(given("render_jobs.normal.json"))).value
    assert found.oldest_waiting == oldest(jobs, {SUBMITTED, QUEUED}, lambda job: job["created_at"])
    assert found.oldest_running == oldest(jobs, {RUNNING}, lambda job: job["status_history"][-1]["timestamp"])
    assert len(found.oldest_waiting) == 5
