"""Streams: what changed reaches everyone who follows it, and nobody who does not read holds anything up."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from exporter.core.event import Event
from exporter.core.part import Taken
from exporter.core.source import Limits, Source
from exporter.runtime import hub
from exporter.runtime.board import Board
from exporter.runtime.guard import Failure
from exporter.runtime.hub import Entry, Hub, Listener
from exporter.runtime.refresh import Aside, attempt, follow
from tests.fakes import Time, gauge, giving, part, source, until
from tests.web.apis import System


def made(time: Time | None = None, most: int = 10) -> Hub:
    """A hub with the streams of one source: `things`, and `events` of all of its parts."""
    found = Hub((time or Time()).clock, most)
    found.add(System().source("vfx", ()))
    return found


def events(*names: str) -> Sequence[Event]:
    return [Event(name, {"event": name}) for name in names]


def listening(to: Hub, stream: str = "things", last: str = "") -> Listener:
    listener = to.listen("vfx", stream, last, at="main")
    assert listener
    return listener


def names(entries: Sequence[Entry] | None) -> list[str]:
    assert entries is not None
    return [entry.event.name for entry in entries]


def channel(of: Hub, stream: str = "things") -> hub.Channel:
    return next(each for each in of.channels if each.stream.name == stream)


async def test_everyone_gets_every_event_in_order_and_encoded_once() -> None:
    at = made()
    one, other, all_of_it = listening(at), listening(at), listening(at, "events")
    at.publish("vfx", "main", events("a", "b"))
    at.publish("vfx", "main", events("c"))
    at.publish("vfx", "main", [])
    at.publish("elsewhere", "main", events("d"))
    first, second = await one.take(), await other.take()
    assert names(first) == names(second) == names(await all_of_it.take()) == ["a", "b", "c"]
    assert first
    assert second
    assert first[0].frame is second[0].frame
    assert first[0].message is second[0].message
    assert first[0].frame == b'event: a\ndata: {"event": "a"}\nid: ' + first[0].id.encode() + b"\n\n"


async def test_events_of_another_part_are_for_the_stream_of_all_of_them() -> None:
    at = made()
    things, everything = listening(at), listening(at, "events")
    at.publish("vfx", "other", events("a"))
    found = await everything.take()
    assert names(found) == ["a"]
    assert found
    assert found[0].frame.startswith(b'event: a\ndata: {"event":"a"}\nid: ')
    assert found[0].message == '{"event":"a","data":{"event":"a"}}'
    assert not things.queue


async def test_who_waits_is_woken() -> None:
    at = made()
    waiting = asyncio.create_task(listening(at).take())
    await asyncio.sleep(0)
    at.publish("vfx", "main", events("a"))
    assert names(await waiting) == ["a"]


async def test_a_slow_listener_loses_the_oldest_and_that_is_counted() -> None:
    at = made()
    slow, quick = listening(at), listening(at)
    for number in range(100):
        at.publish("vfx", "main", events(str(number)))
        assert names(await quick.take()) == [str(number)]
    assert names(await slow.take()) == [str(number) for number in range(36, 100)]
    assert (channel(at).events, channel(at).dropped) == (100, 36)


async def test_many_events_at_once_are_counted_and_the_last_are_kept() -> None:
    at = made()
    listener = listening(at)
    at.publish("vfx", "main", events(*map(str, range(5000))))
    assert names(await listener.take()) == [str(number) for number in range(4936, 5000)]
    assert (channel(at).events, channel(at).dropped, len(channel(at).ring)) == (5000, 4936, hub.RING)
    last = channel(at).ring[-2].id
    assert names(listening(at, last=last).missed) == ["4999"]
    assert listening(at, last=last.split("-")[0] + "-17").missed is None


async def test_who_comes_back_gets_what_they_missed() -> None:
    at = made()
    at.publish("vfx", "main", events("a", "b", "c"))
    ids = [entry.id for entry in channel(at).ring]
    assert names(listening(at, last=ids[0]).missed) == ["b", "c"]
    assert names(listening(at, last=ids[2]).missed) == []
    assert names(listening(at, last=ids[0].split("-")[0] + "-0").missed) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "last", ["", "x", "1-1", "{mark}", "{mark}-", "{mark}--1", "{mark}-4", "{mark}-²", "{mark}-" + "9" * 99]
)
async def test_an_id_that_is_none_of_ours_is_no_id(last: str) -> None:
    at = made()
    at.publish("vfx", "main", events("a", "b", "c"))
    mark = channel(at).ring[0].id.split("-")[0]
    assert listening(at, last=last.format(mark=mark)).missed is None


async def test_ids_of_an_earlier_process_are_known_for_what_they_are() -> None:
    at, later = made(Time(1000.0)), made(Time(1000.5))
    for each in (at, later):
        each.publish("vfx", "main", events("a"))
    assert listening(later, last=channel(at).ring[0].id).missed is None


async def test_what_has_left_the_buffer_is_not_resumed_from() -> None:
    at = made()
    at.publish("vfx", "main", events("first"))
    first = channel(at).ring[0].id
    at.publish("vfx", "main", events(*map(str, range(hub.RING))))
    assert len(names(listening(at, last=first).missed)) == hub.RING
    at.publish("vfx", "main", events("one more"))
    assert listening(at, last=first).missed is None


async def test_there_is_room_for_so_many_and_for_another_when_one_has_left() -> None:
    at = made(most=4)
    listening(at)
    leaving = listening(at, "events")
    assert at.listen("vfx", "things") is None
    at.leave(leaving)
    assert at.listen("vfx", "things") is not None
    assert at.listen("vfx", "nothing") is None
    assert at.listen("other", "things") is None


async def test_the_listeners_of_one_source_leave_room_for_those_of_others() -> None:
    at = made(most=12)
    for name in ("music", "decoys"):
        at.add(System().source(name, ()))
    follower = partial(at.listen, stream="things")
    for name, room in (("vfx", 6), ("music", 3), ("decoys", 2)):
        taken = [bool(follower(name)) for _ in range(20)]
        assert taken == [True] * room + [False] * (20 - room)
    at.drop("vfx")
    assert at.listen("decoys", "events") is not None


async def test_who_heard_nothing_for_long_is_told_so() -> None:
    time = Time()
    at = made(time)
    listener = listening(at)
    waiting = asyncio.create_task(listener.take())
    await asyncio.sleep(0)
    time.advance(hub.KEEPALIVE - 1)
    at.sweep()
    await asyncio.sleep(0)
    assert not waiting.done()
    time.advance(1)
    at.sweep()
    assert await waiting == []


async def test_who_does_not_read_is_let_go_and_counted() -> None:
    time = Time()
    at = made(time)
    stuck, reader = listening(at), listening(at)
    hung_up: list[str] = []
    stuck.abort = lambda: hung_up.append("stuck")
    for _ in range(4):
        at.publish("vfx", "main", events("a"))
        assert names(await reader.take()) == ["a"]
        at.sweep()
        time.advance(hub.STALLED / 3)
    assert hung_up == ["stuck"]
    assert channel(at).listeners == {reader}
    assert channel(at).stalled == 1
    assert await stuck.take() is None


async def test_who_leaves_is_hung_up_on_soon_after() -> None:
    at = made()
    listener = listening(at)
    hung_up = asyncio.Event()
    listener.abort = hung_up.set
    at.leave(listener)
    async with asyncio.timeout(5):
        await hung_up.wait()


async def test_who_is_gone_is_found_within_a_second() -> None:
    at = made()
    listener = listening(at)
    listener.gone = lambda: True
    at.sweep()
    assert await listener.take() is None


async def test_a_source_that_goes_ends_its_streams() -> None:
    at = made()
    listener = listening(at)
    waiting = asyncio.create_task(listener.take())
    await asyncio.sleep(0)
    at.drop("vfx")
    assert await waiting is None
    assert at.channels == ()
    at.leave(listener)
    listener.end()


async def test_a_closing_address_ends_its_streams_and_hangs_up_soon_after() -> None:
    at = made()
    here, there = listening(at), at.listen("vfx", "things", at="vfx")
    assert there
    hung_up = asyncio.Event()
    here.abort = hung_up.set
    at.close("main")
    assert await here.take() is None
    assert not there.closed
    async with asyncio.timeout(5):
        await hung_up.wait()


def test_a_source_without_an_api_or_events_has_no_streams() -> None:
    at = Hub()
    at.add(source("plain", part(giving(()))))
    bare = System().api(streams=())
    at.add(Source("quiet", "test", (part(giving(())),), api=bare))
    assert at.channels == ()


# from reads to events


def board(*sources: Source) -> Board:
    at = Board([gauge()])
    for each in sources:
        at.add(each, Limits(), opened=0)
    return at


async def test_events_come_from_comparing_values_whether_or_not_anybody_asks() -> None:
    time = Time()
    values: list[Any] = [(), (("a", 1),), (("a", 1),), (("a", 2), ("b", 1)), ()]
    each = System().source("vfx", *values, read=giving(*(Taken(value, "a test") for value in values)))
    at, streams = board(each), Hub(time.clock)
    streams.add(each)
    listener = streams.listen("vfx", "things")
    assert listener
    task = asyncio.create_task(follow(each, each.parts[0], at, time.clock, Aside(hub=streams)))
    for reads in range(1, 6):
        await until(lambda: time.sleeping and at.standing("vfx", "main").reads == reads)  # noqa: B023  # asked at once
        time.advance(15)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    found = names(await listener.take())
    assert found[:3] == ["thing.created", "thing.updated", "thing.created"]
    assert found[3:] == ["thing.removed", "thing.removed"]


async def test_a_bug_in_events_is_a_failed_read_whose_values_are_served(caplog: pytest.LogCaptureFixture) -> None:
    def broken(before: Any, after: Any) -> Any:
        raise LookupError("a bug of a test")

    main = replace(part(giving([(("x",), 1)], [(("x",), 2)])), events=broken)
    each = source("a", main)
    at = board(each)
    for reads in (1, 2):
        outcome = await attempt(each, main, at, Time().clock)
        standing = at.post("a", "main", outcome)
        assert standing.up is (reads == 1)
    assert isinstance(outcome.unannounced, Failure)
    assert standing.failure
    assert standing.failure.reason == "bug"
    assert at.reading("a").values == {"main": [(("x",), 2)]}
    assert "a bug of a test" in caplog.text
