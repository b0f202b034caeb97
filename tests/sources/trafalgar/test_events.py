"""What becomes of runs and jobs, as those who follow them are told."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from exporter.core.event import Event
from exporter.core.part import Part
from exporter.core.source import Source
from exporter.inputs.documents import Skip
from exporter.sources.trafalgar import Config, ingest
from exporter.sources.trafalgar.api import jobs, records, runs
from exporter.sources.trafalgar.api.routes import STREAMS, job_frame, message, run_frame
from tests.sources.trafalgar.files import GOLDEN, NOW, given, opened, written

FRAMES = GOLDEN / "responses_fastapi0165"
RUNS, JOBS = STREAMS


def part(source: Source) -> Part[Any]:
    (found,) = source.parts
    return found


async def values(path: Path, key: str, contents: Iterable[object]) -> list[Any]:
    """What the part finds when the file holds one thing after the other."""
    found = []
    written(path, "[]")
    config = Config(path) if key == "ingest_registry" else Config(render_jobs=path)
    async with opened(config) as source:
        for place, content in enumerate(contents):
            written(path, content)
            found.append((await part(source).read(NOW + 15 * place)).value)
    return found


def names(events: Iterable[Event]) -> list[tuple[str, str]]:
    return [
        (event.name, event.payload["run" if "run" in event.payload else "job"][which])
        for event in events
        for which in ("id" if "run" in event.payload else "job_id",)
    ]


async def test_a_run_that_ends_and_one_that_goes_are_told_as_recorded(tmp_path: Path) -> None:
    recorded = json.loads((FRAMES / "ingest_stream_singleton_service.json").read_text())
    steps = {step["step"]: step["sse_frames"] for step in recorded["steps"]}
    before = json.loads(given("ingest_runs.normal.json").read_text())
    ended = [
        {**one, "completed_at": "2026-05-11T09:30:00+00:00"} if one.get("id") == "run-00419" else one for one in before
    ]
    without = [one for one in ended if one.get("id") != "run-00419"]
    first, second, third = await values(tmp_path / "runs.json", "ingest_registry", (before, ended, without))
    assert list(runs.events(first, first)) == []
    updated = [*runs.events(first, second)]
    removed = [*runs.events(second, third)]
    assert [*map(RUNS.frame, updated)] == steps["newest running run completes, then poll"]
    assert [*map(RUNS.frame, removed)] == [steps["that run deleted from the file, then poll"][-1]]
    assert {RUNS.message(event) for event in (*updated, *removed)} <= {*recorded["ws_frames"]}
    assert RUNS.opening is RUNS.greeting is None


async def test_new_runs_are_told_the_newest_first_as_recorded(tmp_path: Path) -> None:
    recorded = json.loads((FRAMES / "ingest_stream_singleton_service.json").read_text())
    frames = recorded["steps"][0]["sse_frames"]
    new = {json.loads(frame.removeprefix("data: "))["run"]["id"] for frame in frames}
    after = json.loads(given("ingest_runs.normal.json").read_text())
    before = [one for one in after if one.get("id") not in new]
    one, other = await values(tmp_path / "runs.json", "ingest_registry", (before, after))
    assert [run_frame(event) for event in runs.events(one, other)] == frames


async def test_of_runs_with_one_id_the_first_counts(tmp_path: Path) -> None:
    one, two = {"id": "a", "started_at": "2026-05-11T08:00:00"}, {"id": "a", "started_at": "2026-05-11T09:00:00"}
    contents: tuple[object, ...] = ([one, two], [two, one], [two], [two, one], [])
    found = await values(tmp_path / "runs.json", "ingest_registry", contents)
    told = [names(runs.events(before, after)) for before, after in pairwise(found)]
    assert told == [[("run.updated", "a")], [], [], [("run.removed", "a")]]


async def test_what_the_api_does_not_show_is_no_event(tmp_path: Path) -> None:
    contents = ([{"id": "a", "run_id": "x"}], [{"id": "a", "run_id": "y", "warnings": ["w"], "completed_at": "soon"}])
    before, after = await values(tmp_path / "runs.json", "ingest_registry", contents)
    assert list(runs.events(before, after)) == []


def job(name: str, status: str, hour: int, **more: object) -> dict[str, object]:
    return {
        "job_id": name,
        "farm": "mock",
        "status": status,
        "created_at": f"2026-05-11T{hour:02}:00:00+00:00",
        "request": {"dcc": "maya", "scene": "/s.ma", "frames": "1-10", "output": "/r", "farm": "mock"},
        **more,
    }


async def test_jobs_go_before_others_come_and_these_come_in_their_order(tmp_path: Path) -> None:
    contents = (
        [job("a", "queued", 1), job("b", "queued", 2), job("c", "queued", 3)],
        [job("d", "queued", 5), job("c", "running", 3), job("e", "queued", 4)],
    )
    before, after = await values(tmp_path / "jobs.json", "render_jobs", contents)
    assert names(jobs.events(before, after)) == [
        ("job.removed", "a"),
        ("job.removed", "b"),
        ("job.updated", "c"),
        ("job.created", "e"),
        ("job.created", "d"),
    ]


def stored(shown: Mapping[str, Any], **more: object) -> dict[str, object]:
    """A job as the store has it, of what the API showed."""
    rest = {key: value for key, value in shown.items() if key != "submitted_at"}
    return {**rest, "created_at": shown["submitted_at"], **more}


async def test_frames_of_jobs_are_those_recorded(tmp_path: Path) -> None:
    recorded = json.loads((FRAMES / "render_stream.json").read_text())
    frames = [frame for frame in recorded["sse"]["frames"] if frame.startswith("event: job.")]
    payloads = [json.loads(frame.partition("data: ")[2]) for frame in frames]
    created = [payload["job"] for payload in payloads if payload["event"] == "job.created"]
    states: list[list[object]] = [[], [stored(created[0])]]
    states += [[stored(payload["job"])] for payload in payloads if payload["event"] == "job.updated"]
    last = states[-1][0]
    states += [[last, stored(created[1])], [last, *map(stored, created[1:3])], [*map(stored, created[1:4])]]
    found = await values(tmp_path / "jobs.json", "render_jobs", states)
    told = [event for before, after in pairwise(found) for event in jobs.events(before, after)]
    assert [*map(JOBS.frame, told)] == frames
    assert [*map(JOBS.message, told)] == [json.dumps(one, separators=(",", ":")) for one in payloads]


async def test_a_new_listener_gets_all_jobs_as_recorded(tmp_path: Path) -> None:
    recorded = json.loads((FRAMES / "render_stream.json").read_text())
    late = recorded["late_sse_frames"][0]
    shown = json.loads(late.partition("data: ")[2])
    contents: tuple[object, ...] = ([], [stored(one) for one in shown["jobs"]])
    empty, found = await values(tmp_path / "jobs.json", "render_jobs", contents)
    assert JOBS.opening
    assert JOBS.greeting
    said = JOBS.opening(found)
    assert said.partition("data: ")[0] == late.partition("data: ")[0] == "event: jobs.snapshot\n"
    assert json.loads(said.partition("data: ")[2]) == shown
    assert json.loads(JOBS.greeting(found)) == json.loads(recorded["late_ws"]["frames"][0])
    for nothing in (empty, None):
        assert json.loads(JOBS.opening(nothing).partition("data: ")[2]) == {"event": "jobs.snapshot", "jobs": []}


def test_text_of_any_kind_stays_on_one_line() -> None:
    event = Event("job.created", {"event": "job.created", "job": {"message": "a\nb\r\u2028ü"}})
    assert job_frame(event).count("\n") == 1
    assert json.loads(message(event)) == event.payload
    assert "ü" in message(event)


RECORDS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2)), max_size=12)


def kept(found: Sequence[tuple[str, int]], size: int) -> records.Records:
    shelves = [
        records.Shelf.of([(name, json.dumps([name, number]).encode()) for name, number in found[start : start + size]])
        for start in range(0, len(found), size)
    ]
    return records.Records.of(lambda record: str(json.loads(record)[0]), shelves)


def first(found: Iterable[tuple[str, int]]) -> dict[str, int]:
    return dict(reversed([*found]))


@for_all(RECORDS, RECORDS, st.integers(1, 4), st.integers(1, 4))
def test_what_changed_turns_the_one_into_the_other(
    one: list[tuple[str, int]], other: list[tuple[str, int]], size: int, others: int
) -> None:
    before, after = kept(one, size), kept(other, others)
    told = [*records.changed(before, after)]
    assert records.same(before, after) == (one == other)
    assert [json.loads(after.record(place)) for place in range(len(after))] == [[*pair] for pair in other]
    was, now = first(one), first(other)
    found = {name: json.loads(after.find(name) or b"null") for name in was.keys() | now.keys()}
    assert sorted(told) == sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    assert len(told) == len({*told})
    assert found == {name: [name, now[name]] if name in now else None for name in was.keys() | now.keys()}


def test_what_cannot_be_written_as_it_is_is_written_as_it_can_be() -> None:
    report = ingest.Report(invalid=[["\ud800", 1 << 70], {"\udfffa": float("inf")}])
    found = msgspec.msgpack.decode(records.packed(ingest.Entry(id="a", report=report)))
    assert found["report"]["invalid"] == [["?", str(1 << 70)], {"?a": float("inf")}]
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Skip):
        records.packed(ingest.Entry(id="a", report=ingest.Report(invalid=deep)))


async def test_runs_at_the_end_of_the_calendar_have_events_too(tmp_path: Path) -> None:
    early = {"id": "a", "started_at": "0001-01-01T00:00:00+14:00", "completed_at": "9999-12-31T23:59:59-14:00"}
    before, after = await values(tmp_path / "runs.json", "ingest_registry", ([{"id": "b"}], [{"id": "b"}, early]))
    assert names(runs.events(before, after)) == [("run.created", "a")]
    assert runs.kept(after).window.last_success_at == "9999-12-31T23:59:59+00:00"
