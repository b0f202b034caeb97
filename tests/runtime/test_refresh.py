"""Loops: each part is read on its own time, and whatever one does leaves the others alone."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from exporter.core.errors import Malformed, Unreachable
from exporter.core.part import Schedule, Taken
from exporter.core.source import Limits, Source
from exporter.runtime import standing
from exporter.runtime.board import Board
from exporter.runtime.exposition import Format
from exporter.runtime.refresh import attempt, follow, pause
from tests.fakes import START, Time, gauge, giving, hanging, part, source, things, until

SOON = Schedule(interval=10, timeout=0.05, max_stale=100)


def board(*sources: Source, limits: Limits | None = None) -> Board:
    families = {family.name: family for each in sources for part in each.parts for family in part.families}
    at = Board([*families.values(), *standing.FAMILIES])
    for each in sources:
        at.add(each, limits or Limits(), opened=START)
    return at


@asynccontextmanager
async def following(at: Board, time: Time) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(follow(s, p, at, time.clock)) for s in at.sources for p in s.parts]
        yield
        for task in tasks:
            task.cancel()


def text(at: Board) -> str:
    return at.page(Format.TEXT).body.decode()


async def test_an_unchanged_value_is_not_rendered_again() -> None:
    rendered: list[object] = []

    def points(facts: Any) -> Any:
        rendered.append(facts)
        return facts

    family = replace(gauge(), points=points)
    counting = part(giving(value := [(("x",), 1)]), family)
    each = source("a", counting)
    at, clock = board(each), Time().clock
    for _ in range(3):
        at.post("a", "main", await attempt(each, counting, at, clock))
    assert rendered == [value]


async def test_an_unchanged_value_that_had_grown_stale_is_shown_again() -> None:
    each = source("a", main := part(giving([(("x",), 1)])))
    at, time = board(each), Time()
    at.post("a", "main", await attempt(each, main, at, time.clock))
    at.expire(1000)
    assert "studio_test_things" not in text(at)
    at.post("a", "main", await attempt(each, main, at, time.clock))
    assert "studio_test_things{" in text(at)


async def test_an_unchanged_value_that_grows_stale_while_it_is_read_is_shown_again() -> None:
    facts = things(x=1)
    gate = asyncio.Event()
    gate.set()

    async def read(now: float) -> Taken[Any]:
        await gate.wait()
        return Taken(facts, "a test")

    each = source("a", main := part(read))
    at, time = board(each), Time()
    at.post("a", "main", await attempt(each, main, at, time.clock))
    gate.clear()
    reading = asyncio.create_task(attempt(each, main, at, time.clock))
    await asyncio.sleep(0)
    at.expire(1000)
    gate.set()
    at.post("a", "main", await reading)
    assert "studio_test_things{" in text(at)


async def test_a_bug_in_a_family_is_a_failed_read_and_not_a_dead_loop(caplog: pytest.LogCaptureFixture) -> None:
    each = source("a", main := part(giving([(("too", "many"), 1)])))
    at = board(each)
    outcome = await attempt(each, main, at, Time().clock)
    assert at.post("a", "main", outcome).failure is not None
    assert 'studio_source_error{part="main",reason="bug",source="a"} 1.0' in text(at)
    assert any(record.exc_info for record in caplog.records)


async def test_parts_are_read_at_once_and_then_every_interval() -> None:
    seen: list[float] = []

    async def read(now: float) -> Taken[Any]:
        seen.append(now - START)
        return Taken(things(x=now), "a test")

    time, each = Time(), source("a", part(read, schedule=SOON))
    at = board(each)
    async with following(at, time):
        await until(lambda: time.sleeping)
        first = pause(each, at.standing("a", "main"), 0)
        assert 5 <= first <= 10
        for step in (first, 10, 10):
            time.advance(step)
            await until(lambda: time.sleeping)
    assert seen == pytest.approx([0, first, first + 10, first + 20])


def test_parts_that_start_together_are_spread() -> None:
    sources = [source(f"s{i}", part(giving([]), schedule=Schedule(interval=60))) for i in range(20)]
    at = board(*sources)
    for each in sources:
        at.post(each.name, "main", _good())
    pauses = {round(pause(each, at.standing(each.name, "main"), 0), 3) for each in sources}
    assert len(pauses) == 20
    assert all(30 <= found <= 60 for found in pauses)


def _good() -> Any:
    return standing.Outcome(START, 0, 0.1, Taken((), "a test"), {})


async def test_a_failing_part_is_tried_again_from_a_second_on_doubling_and_never_given_up() -> None:
    time, each = Time(), source("a", part(giving(Unreachable("nobody there")), schedule=SOON))
    at = board(each)
    async with following(at, time):
        for wait in (1, 2, 4, 8, 10, 10, 10):
            await until(lambda: time.sleeping)
            reads = at.standing("a", "main").reads
            time.advance(wait - 0.01)
            assert time.sleeping
            time.advance(0.01)
            await until(lambda: at.standing("a", "main").reads == reads + 1)  # noqa: B023  # asked at once


async def test_a_part_that_comes_back_is_read_within_its_interval(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    down = [Malformed("torn at byte 7")] * 20
    time, each = Time(), source("a", part(giving(things(x=1), *down, things(x=2)), schedule=SOON))
    at = board(each)
    async with following(at, time):
        for _ in range(22):
            await until(lambda: time.sleeping)
            time.advance(10)
        await until(lambda: at.standing("a", "main").up and at.standing("a", "main").reads > 21)
    assert 'thing="x"} 2.0' in text(at)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "source a, part main: malformed: torn at byte 7",
        "source a, part main: reads again after 20 failed attempts",
    ]


async def test_each_fault_shows_under_its_own_reason_and_the_others_are_served() -> None:
    async def garbage(now: float) -> Any:
        return "no Taken at all"

    good = source("good", part(giving(things(x=1)), schedule=SOON))
    bad = source(
        "bad",
        part(hanging, name="hanging", schedule=SOON),
        part(giving(Unreachable("gone")), name="raising", schedule=SOON),
        part(garbage, name="garbage", schedule=SOON),
        part(giving([((str(i),), i) for i in range(1_000_000)]), gauge("studio_many"), name="many", schedule=SOON),
    )
    at, time = board(good, bad), Time()
    async with following(at, time):
        await until(lambda: at.ready)
        page = text(at)
        for reason, name in {"timeout": "hanging", "unreachable": "raising", "bug": "garbage"}.items():
            assert f'studio_source_error{{part="{name}",reason="{reason}",source="bad"}} 1.0' in page
        assert 'studio_source_dropped_samples{reason="limit",source="bad"} 1e+06' in page
        assert "studio_many" not in page
        assert 'studio_test_things{source="good",thing="x"} 1.0' in page
        for round_ in range(2, 5):
            time.advance(10)
            await until(lambda: at.standing("good", "main").reads == round_)  # noqa: B023  # asked at once


async def test_a_cap_that_bites_is_in_the_log_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    many = [((str(i),), i) for i in range(5)]
    each = source("a", part(giving(many, many, things(x=1)), schedule=SOON))
    at, time = board(each, limits=Limits(series_per_source=3)), Time()
    async with following(at, time):
        for reads in (1, 2, 3):
            await until(lambda: time.sleeping and at.standing("a", "main").reads == reads)  # noqa: B023  # asked at once
            time.advance(10)
    assert caplog.messages == [
        "source a: 5 samples are over limits.series_per_source and not on the page",
        "source a: all of its series are on the page again",
    ]


async def test_a_part_with_a_lasting_bug_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    broken = [[((str(i), "too many"), 1)] for i in range(5)]
    each = source("a", part(giving(*broken, things(x=1), things(x=2)), schedule=SOON))
    at, time = board(each), Time()
    async with following(at, time):
        for reads in range(1, 7):
            await until(lambda: time.sleeping and at.standing("a", "main").reads == reads)  # noqa: B023  # asked at once
            time.advance(10)
    assert caplog.messages == [
        "source a, part main: a bug, please report it",
        "source a, part main: bug: a bug in the exporter (ValueError); its log has the traceback",
        "source a, part main: reads again after 5 failed attempts",
    ]


async def test_cancelling_one_loop_leaves_its_siblings() -> None:
    a, b = (source(name, part(giving(things(x=1)), schedule=SOON)) for name in "ab")
    at, time = board(a, b), Time()
    async with asyncio.TaskGroup() as group:
        first, second = (group.create_task(follow(s, s.parts[0], at, time.clock)) for s in (a, b))
        await until(lambda: at.ready)
        first.cancel()
        await until(first.done)
        time.advance(10)
        await until(lambda: at.standing("b", "main").reads == 2)
        assert at.standing("a", "main").reads == 1
        second.cancel()
