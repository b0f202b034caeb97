"""The rules of contract b.1, one by one, on files."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.core.part import Taken
from exporter.domains.finished import Finished
from exporter.domains.ingest import Ingest
from exporter.sources.trafalgar import Config, ingest
from tests.sources.trafalgar.files import NOW, ingested, opened, written

INFO = {"show_code": "IOR", "episode": "E1", "scene": "S1", "shot": "SH1", "descriptor": "plate", "extension": "exr"}
DONE = "2026-05-11T08:30:00Z"


def media(show: Any = "IOR", **more: Any) -> dict[str, Any]:
    return {"path": "/a.exr", "bucket": "in", "key": "a.exr", "media_info": INFO | {"show_code": show}} | more


def run(**more: Any) -> dict[str, Any]:
    return {"id": "r", "started_at": "2026-05-11T08:00:00+00:00", "completed_at": DONE} | more


def report(processed: Any = (), invalid: Any = ()) -> dict[str, Any]:
    return run(report={"processed": processed, "invalid": invalid, "warnings": []})


async def taken(path: Path, value: Any, now: float = NOW) -> Taken[Ingest]:
    return await ingested(written(path / "runs.json", value), now)


async def facts(path: Path, *runs: Any) -> Ingest:
    return (await taken(path, list(runs))).value


async def test_the_id_is_id_or_run_id_and_a_run_without_either_is_skipped(tmp_path: Path) -> None:
    ids = [{"id": "a"}, {"id": 7}, {"id": 0, "run_id": "b"}, {"run_id": "c"}]
    none: list[dict[str, Any]] = [{}, {"id": ""}, {"id": None, "run_id": 0}, {"id": [], "run_id": {}}]
    found = await taken(tmp_path, ids + none)
    assert (found.records, found.skipped) == (4, {"missing": 4})
    assert found.value.runs == {("unknown", "running"): 4}


async def test_what_is_no_object_is_skipped(tmp_path: Path) -> None:
    found = await taken(tmp_path, [run(), None, "run", 1, 1.5, True, [run()]])
    assert (found.records, found.skipped) == (1, {"type": 6})


async def test_one_id_may_stand_twice(tmp_path: Path) -> None:
    assert (await facts(tmp_path, run(), run())).runs == {("unknown", "succeeded"): 2}


@pytest.mark.parametrize("completed", [None, "", "yesterday", 1778490000, [], {}])
async def test_a_run_whose_completion_cannot_be_read_is_running_whatever_its_status(
    tmp_path: Path, completed: Any
) -> None:
    assert (await facts(tmp_path, run(completed_at=completed, status="completed"))).runs == {("unknown", "running"): 1}


async def test_a_status_word_makes_no_completed_run_fail(tmp_path: Path) -> None:
    assert (await facts(tmp_path, run(status="failed"))).runs == {("unknown", "succeeded"): 1}


@pytest.mark.parametrize(
    ("invalid", "count"),
    [
        ([], 0),
        ([["/p", "why"]], 1),
        ([{"path": "/p", "reason": "r"}, "ab"], 2),
        ([["/p"], ["/p", "why", 3], "abc", "a", {}, 12, None], 0),
        ({"ab": 1, "abc": 2}, 1),
        ("abcd", 0),
        (12, 0),
        (None, 0),
    ],
)
async def test_an_invalid_file_is_whatever_unpacks_into_two(tmp_path: Path, invalid: Any, count: int) -> None:
    found = await facts(tmp_path, report(invalid=invalid))
    assert found.runs == {("unknown", "failed" if count else "succeeded"): 1}
    assert found.files == {("unknown", "invalid"): count}


async def test_a_run_that_goes_on_has_not_failed_yet(tmp_path: Path) -> None:
    found = await facts(tmp_path, report(invalid=[["/p", "why"]]) | {"completed_at": None})
    assert found.runs == {("unknown", "running"): 1}


@pytest.mark.parametrize(
    "dropped",
    [
        media(path=""),
        media(bucket=None),
        media(key=0),
        {"path": "/p", "bucket": "b", "media_info": INFO},
        {"path": "/p", "bucket": "b", "key": "k"},
        media(media_info=None),
        media(media_info=[INFO]),
        *(media(media_info={name: value for name, value in INFO.items() if name != left_out}) for left_out in INFO),
        None,
        "file",
        [],
    ],
)
async def test_a_processed_file_counts_when_it_says_where_it_is_and_what(tmp_path: Path, dropped: Any) -> None:
    found = await facts(tmp_path, report([dropped, media()]))
    assert found.files == {("IOR", "processed"): 1, ("IOR", "invalid"): 0}
    assert found.runs == {("IOR", "succeeded"): 1}


@pytest.mark.parametrize("processed", [{"a": media()}, "files", 3, None, True])
async def test_processed_files_that_are_no_list_are_none(tmp_path: Path, processed: Any) -> None:
    assert (await facts(tmp_path, report(processed))).files == {("unknown", "invalid"): 0}


@pytest.mark.parametrize("odd", [None, "report", [], 5])
async def test_a_report_that_is_no_object_says_nothing(tmp_path: Path, odd: Any) -> None:
    assert (await facts(tmp_path, run(report=odd))).runs == {("unknown", "succeeded"): 1}


@pytest.mark.parametrize(
    ("shows", "show"),
    [
        (["A"], "A"),
        (["B", "A", "A"], "A"),
        (["B", "A", "A", "B"], "B"),
        (["A", "B", "B", "A"], "A"),
        ([12], "12"),
        ([None, ""], "unknown"),
        ([], "unknown"),
    ],
)
async def test_the_show_of_a_run_is_the_commonest_of_its_files_the_first_of_those_that_tie(
    tmp_path: Path, shows: list[Any], show: str
) -> None:
    assert (await facts(tmp_path, report([media(show) for show in shows]))).runs == {(show, "succeeded"): 1}


async def test_processed_files_count_for_their_own_show_and_invalid_ones_for_that_of_the_run(tmp_path: Path) -> None:
    found = await facts(tmp_path, report([media("A"), media("A"), media("B")], [["/p", "why"]]))
    assert found.files == {("A", "processed"): 2, ("B", "processed"): 1, ("A", "invalid"): 1}


def started(hours: list[int | None], **more: Any) -> list[dict[str, Any]]:
    return [run(started_at=hour if hour is None else f"2026-05-{hour:02}T00:00:00", **more) for hour in hours]


async def test_the_window_is_the_ten_newest_by_start(tmp_path: Path) -> None:
    old = started(list(range(1, 8)), completed_at=None)
    new = started(list(range(10, 20)))
    assert (await facts(tmp_path, *old, *new)).recent == {"succeeded": 10}
    assert (await facts(tmp_path, *new[:4], *old)).recent == {"succeeded": 4, "running": 6}


async def test_runs_that_started_together_are_taken_in_the_order_of_the_file(tmp_path: Path) -> None:
    together = [run(completed_at=None)] * 4 + [run()] * 9
    assert (await facts(tmp_path, *together)).recent == {"running": 4, "succeeded": 6}
    assert (await facts(tmp_path, *together, run(started_at="2026-05-11T08:00:01Z"))).recent == {
        "running": 4,
        "succeeded": 6,
    }


async def test_a_run_without_a_start_stands_in_year_one(tmp_path: Path) -> None:
    unknown = started([None] * 3, completed_at=None)
    first = [run(started_at="0001-01-01T00:00:00")]
    assert (await facts(tmp_path, *unknown, *started(list(range(1, 9))))).recent == {"succeeded": 8, "running": 2}
    assert (await facts(tmp_path, *first, *unknown, *started(list(range(1, 9))))).recent == {
        "succeeded": 9,
        "running": 1,
    }


async def test_the_oldest_running_run_is_the_first_started_of_those_not_completed(tmp_path: Path) -> None:
    runs = [*started([3, 2, 4, None], completed_at=None), *started([1])]
    assert (await facts(tmp_path, *runs)).oldest_running == 1777680000.0  # 2026-05-02T00:00:00Z
    assert (await facts(tmp_path, *started([None], completed_at=None))).oldest_running is None


async def test_a_start_in_the_future_is_no_oldest_until_it_has_passed(tmp_path: Path) -> None:
    path = written(tmp_path / "runs.json", [run(started_at="2026-05-11T10:00:00Z", completed_at=None)])
    start = NOW + 3600
    async with opened(Config(ingest_registry=path)) as source:
        (part,) = source.parts
        before = [(await part.read(now)).value for now in (NOW, NOW + 1)]
        after = [(await part.read(now)).value for now in (start, start + 1)]
    assert [value.oldest_running for value in before + after] == [None, None, start, start]
    assert before[0] is before[1]
    assert after[0] is after[1]


async def test_a_past_start_is_the_oldest_whatever_else_starts_in_the_future(tmp_path: Path) -> None:
    runs = started([10, 30], completed_at=None)
    assert (await facts(tmp_path, *runs)).oldest_running == 1778371200.0  # 2026-05-10T00:00:00Z


@pytest.mark.parametrize("value", [{"runs": [run()]}, {"version": 2, "runs": [run()], "by": "me"}, [run()]])
async def test_the_list_may_stand_under_runs(tmp_path: Path, value: Any) -> None:
    assert (await taken(tmp_path, value)).records == 1


@pytest.mark.parametrize("value", [{}, {"runs": None}, {"runs": {"id": "a"}}, 42, "text", None, True])
async def test_any_other_document_is_empty_and_can_be_seen_to_be(tmp_path: Path, value: Any) -> None:
    found = await taken(tmp_path, value if isinstance(value, dict) else json.dumps(value))
    assert found.value == Ingest({}, {}, {}, None)
    assert (found.records, found.skipped) == (0, {"type": 1})


def test_facts_keep_nothing_of_a_run_but_counts() -> None:
    runs: list[ingest.Run] = [("r", None, None, "running", "A", {"A": 1}, 0)] * 3
    assert ingest.facts([ingest.tally(runs)]) == Ingest(
        {("A", "running"): 3}, {("A", "invalid"): 0, ("A", "processed"): 3}, {"running": 3}, None, Finished((), ("A",))
    )


STARTS = st.lists(st.none() | st.integers(0, 9).map(float), max_size=40)


@given(STARTS, st.integers(1, 7), st.integers(1, 40))
def test_the_newest_are_those_of_all_however_the_file_is_cut(starts: list[float | None], size: int, most: int) -> None:
    runs: list[ingest.Run] = [("r", start, None, str(place), "A", {}, 0) for place, start in enumerate(starts)]
    tallies = [ingest.tally(runs[first : first + size]) for first in range(0, len(runs), size)]
    found = [status for _, _, status in ingest.newest(tallies, most)]
    expected = sorted(runs, key=lambda run: ingest.YEAR_ONE if run[1] is None else run[1], reverse=True)
    assert found == [run[3] for run in expected[:most]]
