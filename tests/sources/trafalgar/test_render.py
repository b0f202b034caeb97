"""The rules of contract b.2, one by one, on files."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from exporter.core.family import OTHER
from exporter.core.part import Taken
from exporter.domains.render import Render
from exporter.sources.trafalgar import Config
from tests.sources.trafalgar.files import NOW, opened, rendered, written

REQUEST = {"dcc": "nuke", "scene": "/a.nk", "frames": "1001-1050", "output": "/out", "farm": "deadline"}
CREATED, RUNNING, UPDATED = "2026-05-11T08:00:00+00:00", "2026-05-11T08:10:00+00:00", "2026-05-11T08:20:00+00:00"
CREATED_AT, RUNNING_AT, UPDATED_AT = 1778486400.0, 1778487000.0, 1778487600.0
NUMBERS = itertools.count()


def job(**more: Any) -> dict[str, Any]:
    return {
        "job_id": f"j-{next(NUMBERS)}",
        "farm": "deadline",
        "status": "queued",
        "request": REQUEST,
        "created_at": CREATED,
    } | more


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in job().items() if key != name}


def asked(**more: Any) -> dict[str, Any]:
    return job(request=REQUEST | more)


async def taken(path: Path, *jobs: Any) -> Taken[Render]:
    return await rendered(written(path / "jobs.json", list(jobs)))


async def facts(path: Path, *jobs: Any) -> Render:
    return (await taken(path, *jobs)).value


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("submitted", "submitted"),
        ("QUEUED", "queued"),
        (" Running ", "running"),
        ("paused", "paused"),
        ("completed", "completed"),
        ("failed", "failed"),
        ("Aborted", "failed"),
        ("error", "failed"),
        ("errored", "failed"),
        ("cancelled", "cancelled"),
        ("melted", OTHER),
        ("", OTHER),
        (None, OTHER),
        (5, OTHER),
        ([], OTHER),
    ],
)
async def test_status_words_become_those_of_the_domain(tmp_path: Path, word: Any, status: str) -> None:
    assert (await facts(tmp_path, job(status=word))).jobs == {("deadline", status): 1}


async def test_a_job_without_a_status_is_none_of_the_known(tmp_path: Path) -> None:
    assert (await facts(tmp_path, without("status"))).jobs == {("deadline", OTHER): 1}


@pytest.mark.parametrize(("farm", "label"), [("Tractor ", "Tractor "), (7, "7"), ("", "unknown")])
async def test_the_farm_is_taken_as_it_is_stored(tmp_path: Path, farm: Any, label: str) -> None:
    assert (await facts(tmp_path, job(farm=farm))).jobs == {(label, "queued"): 1}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (without("job_id"), "missing"),
        (without("farm"), "missing"),
        (without("created_at"), "missing"),
        (without("request"), "missing"),
        (job(created_at="nope"), "invalid"),
        (job(created_at=""), "invalid"),
        (job(created_at=[CREATED]), "invalid"),
        (job(request="x"), "type"),
        (job(request=[REQUEST]), "type"),
        (job(request={}), "missing"),
        (asked(dcc="cinema4d"), "invalid"),
        (asked(dcc=5), "invalid"),
        (asked(scene=" "), "invalid"),
        (asked(output=""), "invalid"),
        (asked(output=None), "missing"),
        (asked(frames=None), "invalid"),
        (asked(frames=""), "invalid"),
        (asked(frames="1-"), "invalid"),
        (asked(frames="10-1"), "invalid"),
        (asked(frames="1-10x0"), "invalid"),
        (asked(frames="1-10,,12"), "invalid"),
        (asked(frames="all"), "invalid"),
        ("str", "type"),
        (None, "type"),
    ],
)
async def test_a_record_the_store_would_skip_costs_itself_alone(tmp_path: Path, bad: Any, reason: str) -> None:
    found = await taken(tmp_path, job(), bad, job())
    assert (found.records, found.skipped) == (2, {reason: 1})
    assert found.value.jobs == {("deadline", "queued"): 2}


@pytest.mark.parametrize("dcc", ["maya", "Nuke ", "houdini", "blender", "max"])
@pytest.mark.parametrize("frames", ["1", "-5", "-10--1", "1-10", "1-10x2, 20", 7])
async def test_requests_the_store_takes(tmp_path: Path, dcc: str, frames: Any) -> None:
    assert (await taken(tmp_path, asked(dcc=dcc, frames=frames))).records == 1


async def test_frames_may_be_left_out(tmp_path: Path) -> None:
    assert (await taken(tmp_path, job(request={"dcc": "max", "scene": "a", "output": "b"}))).records == 1


async def test_of_records_of_one_job_the_one_created_last_counts_then_the_later_in_the_file(tmp_path: Path) -> None:
    def same(status: str, created: str) -> dict[str, Any]:
        return job(job_id="j", status=status, created_at=created)

    later = await facts(tmp_path, same("completed", UPDATED), same("queued", CREATED))
    assert later.jobs == {("deadline", "completed"): 1}
    tie = await facts(tmp_path, same("completed", CREATED), same("queued", CREATED))
    assert tie.jobs == {("deadline", "queued"): 1}


@pytest.mark.parametrize("status", ["submitted", "queued"])
async def test_a_job_waits_since_it_was_created(tmp_path: Path, status: str) -> None:
    jobs = [
        job(status=status, created_at=CREATED),
        job(status=status, created_at=RUNNING),
        job(status="paused", created_at=1),
    ]
    found = await facts(tmp_path, *jobs, job(status=status, farm="mock", created_at=UPDATED_AT))
    assert found.oldest_waiting == {"deadline": CREATED_AT, "mock": UPDATED_AT}
    assert found.oldest_running == {}


def change(status: Any, timestamp: Any) -> dict[str, Any]:
    return {"status": status, "timestamp": timestamp}


@pytest.mark.parametrize(
    ("more", "since"),
    [
        ({"status_history": [change("queued", CREATED), change("running", RUNNING)]}, RUNNING_AT),
        (
            {"status_history": [change("Running", UPDATED), change("paused", UPDATED), change("running", RUNNING)]},
            UPDATED_AT,
        ),
        ({"status_history": [change("running", RUNNING_AT)], "updated_at": UPDATED}, RUNNING_AT),
        ({"status_history": [change("running", None)], "updated_at": UPDATED}, CREATED_AT),
        ({"status_history": [change("running", "nope"), None, "x", [], {}], "updated_at": UPDATED}, UPDATED_AT),
        ({"status_history": [change("queued", RUNNING)], "updated_at": UPDATED}, UPDATED_AT),
        ({"status_history": {"running": RUNNING}, "updated_at": UPDATED}, UPDATED_AT),
        ({"status_history": None, "updated_at": "nope"}, CREATED_AT),
        ({}, CREATED_AT),
    ],
)
async def test_a_job_runs_since_it_last_began_to(tmp_path: Path, more: dict[str, Any], since: float) -> None:
    found = await facts(tmp_path, job(status="running", **more))
    assert found.oldest_running == {"deadline": since}
    assert found.oldest_waiting == {}


async def test_the_longest_running_job_of_each_farm(tmp_path: Path) -> None:
    def running(farm: str, created: str) -> dict[str, Any]:
        return job(status="running", farm=farm, created_at=created)

    found = await facts(
        tmp_path, running("a", UPDATED), running("a", CREATED), running("b", RUNNING), running("a", RUNNING)
    )
    assert found.oldest_running == {"a": CREATED_AT, "b": RUNNING_AT}


async def test_times_in_the_future_are_no_oldest_until_they_have_passed(tmp_path: Path) -> None:
    soon, later = NOW + 60, NOW + 120
    jobs = [
        job(created_at=soon),
        job(status="running", farm="mock", created_at=later),
        job(farm="mock", created_at=CREATED),
    ]
    async with opened(Config(render_jobs=written(tmp_path / "jobs.json", jobs))) as source:
        (part,) = source.parts
        found = [(await part.read(now)).value for now in (NOW, NOW + 59, soon, later, later + 1)]
    assert [value.oldest_waiting for value in found] == [{"mock": CREATED_AT}] * 2 + [
        {"mock": CREATED_AT, "deadline": soon}
    ] * 3
    assert [value.oldest_running for value in found] == [{}] * 3 + [{"mock": later}] * 2
    assert found[0] is found[1]
    assert found[3] is found[4]


@pytest.mark.parametrize("value", ["{}", '{"jobs": []}', "5", "null"])
async def test_any_other_document_is_empty_and_can_be_seen_to_be(tmp_path: Path, value: str) -> None:
    found = await rendered(written(tmp_path / "jobs.json", value))
    assert found.value == Render({}, {}, {})
    assert (found.records, found.skipped) == (0, {"type": 1})
