"""One loop per part; a loop ends only by being cancelled."""

import asyncio
import logging
from typing import Any
from zlib import crc32

from exporter.core.part import Part, Taken
from exporter.core.source import Source
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.guard import Failure, guarded
from exporter.runtime.render import Block
from exporter.runtime.standing import Outcome, Standing

log = logging.getLogger(__name__)
FIRST_RETRY = 1.0


async def attempt(source: Source, part: Part[Any], board: Board, clock: Clock) -> Outcome:
    """Reads a part and renders what it found if that is new; whatever goes wrong becomes a reason."""
    at, tick = clock.now(), clock.monotonic()

    async def work() -> tuple[Taken[Any], dict[str, Block] | None]:
        async with asyncio.timeout(part.schedule.timeout):
            taken = await part.read(at)
        before = board.standing(source.name, part.name)  # as it is now: it may have grown stale meanwhile
        if before.taken is not None and taken.value is before.taken.value and not before.stale:
            return taken, None
        return taken, await asyncio.to_thread(board.render, source.name, part, taken.value)

    result = await guarded(f"source {source.name}, part {part.name}", work())
    found, blocks = (result, None) if isinstance(result, Failure) else result
    return Outcome(at, tick, clock.monotonic() - tick, found, blocks)


async def follow(source: Source, part: Part[Any], board: Board, clock: Clock) -> None:
    """Reads a part for ever: at once, then every interval; while it fails, from a second on, doubling."""
    while True:
        before, lost = board.standing(source.name, part.name), over_limit(board, source)
        outcome = await attempt(source, part, board, clock)
        standing = board.post(source.name, part.name, outcome)
        report(source, before, standing)
        report_limit(source, lost, over_limit(board, source))
        await clock.sleep(pause(source, standing, clock.monotonic() - outcome.tick))


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
