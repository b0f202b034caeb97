"""One loop per part; a loop ends only by being cancelled."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from exporter.core.event import Event
from exporter.core.part import Part, Taken
from exporter.core.source import Source
from exporter.runtime.accounts import Accounts
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.guard import Failure, guarded
from exporter.runtime.hub import Hub
from exporter.runtime.render import Block
from exporter.runtime.standing import Outcome, Standing

log = logging.getLogger(__name__)
FIRST_RETRY = 1.0


class Rest:
    """The rest between two reads of a part, which `end` cuts short."""

    def __init__(self) -> None:
        self._early: asyncio.Timeout | None = None

    def end(self) -> None:
        """Has the part read at once, if it is not being read."""
        if self._early:
            self._early.reschedule(0)
            self._early = None

    async def take(self, seconds: float, least: float, clock: Clock) -> None:
        """Rests for so many seconds, and for `least` of them whoever wants the next read: callers must not be able to
        make a source busy."""
        begun = clock.monotonic()
        try:
            async with asyncio.timeout(None) as self._early:
                await clock.sleep(seconds)
        except TimeoutError:
            pass  # it is due
        finally:
            self._early = None
        if (left := least - (clock.monotonic() - begun)) > 0:
            await clock.sleep(left)


@dataclass(frozen=True, slots=True)
class Aside:
    """What else becomes of a read, and what brings it about: finished work goes to `accounts`, changes to `hub`; `rest`
    is ended where the part is to be read at once."""

    accounts: Accounts | None = None
    hub: Hub | None = None
    rest: Rest = field(default_factory=Rest)


async def attempt(
    source: Source, part: Part[Any], board: Board, clock: Clock, accounts: Accounts | None = None
) -> Outcome:
    """Reads a part, renders what it found if that is new, compares it with what was before, and has finished work
    counted; whatever goes wrong becomes a reason. Without `accounts` nothing is counted."""
    at, tick = clock.now(), clock.monotonic()
    where, last = f"source {source.name}, part {part.name}", board.standing(source.name, part.name).failure

    async def work() -> tuple[Taken[Any], dict[str, Block] | None]:
        async with asyncio.timeout(part.schedule.timeout):
            taken = await part.read(at)
        before = board.standing(source.name, part.name)  # as it is now: it may have grown stale meanwhile
        if before.taken is not None and taken.value is before.taken.value and not before.stale:
            return taken, None
        return taken, await asyncio.to_thread(board.render, source.name, part, taken.value)

    result = await guarded(where, work(), before=last)
    if isinstance(result, Failure):
        return Outcome(at, tick, clock.monotonic() - tick, result)
    taken, blocks = result
    changed = changes(part, board.standing(source.name, part.name), taken)
    events = await guarded(f"{where}, its events", changed, before=last)
    taking = accounts.take(source, part, taken.value, (at, tick)) if accounts else None
    counted = await guarded(where, taking, before=last) if taking else None
    spent = clock.monotonic() - tick
    told, unannounced = ((), events) if isinstance(events, Failure) else (events, None)
    return Outcome(at, tick, spent, taken, blocks, counted, told, unannounced)


async def changes(part: Part[Any], before: Standing, now: Taken[Any]) -> Sequence[Event]:
    """What changed in a part since it was last read; what is there at the first read has not changed."""
    events, last = part.events, before.taken
    if events is None or last is None or last.value is now.value:
        return ()
    return await asyncio.to_thread(lambda: tuple(events(last.value, now.value)))


async def follow(source: Source, part: Part[Any], board: Board, clock: Clock, aside: Aside | None = None) -> None:
    """Reads a part for ever: at once, then every interval; while it fails, from a second on, doubling."""
    also = aside or Aside()
    while True:
        before, lost = board.standing(source.name, part.name), over_limit(board, source)
        outcome = await attempt(source, part, board, clock, also.accounts)
        standing = board.post(source.name, part.name, outcome)
        if also.hub:
            also.hub.publish(source.name, part.name, outcome.events)
        report(source, before, standing)
        report_limit(source, lost, over_limit(board, source))
        wait = pause(source, standing, clock.monotonic() - outcome.tick)
        await also.rest.take(wait, min(FIRST_RETRY, part.schedule.interval / 2, wait), clock)


def pause(source: Source, standing: Standing, spent: float) -> float:
    """Seconds until the next read, `spent` seconds after the last one began.

    The second read comes early by a share of the interval that depends on the names alone, so that sources started
    together are not read together for ever.
    """
    interval = standing.part.schedule.interval
    if standing.failing:
        return min(FIRST_RETRY * 2.0 ** min(standing.failing - 1, 30), interval)
    if standing.reads == 1:
        interval *= 0.5 + crc32(f"{source.name}/{standing.part.name}".encode()) / 2**33
    return max(interval - spent, min(FIRST_RETRY, interval / 2))


def report(source: Source, before: Standing, now: Standing) -> None:
    """Says in the log what turned; a part that goes on failing for the same reason says nothing new."""
    where = f"source {source.name}, part {now.part.name}"
    if now.failure and (before.failure is None or before.failure.reason != now.failure.reason):
        log.warning("%s: %s: %s", where, now.failure.reason, now.failure.message)
    elif now.up and before.failure:
        log.info("%s: reads again after %d failed attempts", where, before.failing)


def over_limit(board: Board, source: Source) -> int:
    """Samples of a source that are not on the page because of its cap on series."""
    return board.facts(source.name).dropped.get("limit", 0)


def report_limit(source: Source, before: int, now: int) -> None:
    """Says in the log when the cap begins to bite, and when it no longer does."""
    if now and not before:
        log.warning("source %s: %d samples are over limits.series_per_source and not on the page", source.name, now)
    elif before and not now:
        log.info("source %s: all of its series are on the page again", source.name)
