"""Stand-ins small enough to be read at a glance: a clock that is told the time, and parts that do what a test says."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from exporter.core.family import Family, MetricType, Point
from exporter.core.part import Part, Schedule, Taken
from exporter.core.source import Source
from exporter.runtime.clock import Clock

START = 1_800_000_000.0
Read = Callable[[float], Awaitable[Taken[Any]]]


class Time:
    """A clock that stands still until it is moved; sleepers wake when it passes their time."""

    def __init__(self, start: float = START) -> None:
        self.passed = 0.0
        self.step = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self.clock = Clock(lambda: self.step + self.passed, lambda: self.passed, self._sleep)

    @property
    def sleeping(self) -> int:
        """How many wait for this clock."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def _sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.passed + seconds, next(self._order), future))
        await future

    def advance(self, seconds: float) -> None:
        """Moves the clock; who waits for a moment up to then is woken."""
        self.passed += seconds
        while self._sleepers and self._sleepers[0][0] <= self.passed:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)


async def until(condition: Callable[[], object], within: float = 10.0) -> None:
    """Gives way to everything else until the condition holds; AssertionError when it does not in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0)


def gauge(name: str = "studio_test_things", labels: tuple[str, ...] = ("thing",), **more: Any) -> Family[Any]:
    """A gauge whose facts are its points."""
    return declared("gauge", name, labels, **more)


def declared(kind: MetricType, name: str, labels: tuple[str, ...], about: str = "About.", **more: Any) -> Family[Any]:
    """A family whose facts are its points."""
    return Family(kind, name, about, lambda facts: facts, labels, **more)


def giving(*values: Any) -> Read:
    """A read that gives one value after the other, then the last one for ever; an exception is raised."""
    queue = list(values)

    async def read(now: float) -> Taken[Any]:
        value = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(value, BaseException):
            raise value
        return value if isinstance(value, Taken) else Taken(value, "a test")

    return read


async def hanging(now: float) -> Taken[Any]:
    """A read that never returns."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def part(read: Read, *families: Family[Any], name: str = "main", schedule: Schedule | None = None) -> Part[Any]:
    return Part(name, read, families or (gauge(),), schedule or Schedule())


def source(name: str, *parts: Part[Any], **more: Any) -> Source:
    return Source(name, "test", parts, **more)


def things(**counts: float) -> Iterable[Point]:
    """Points of the gauge: one thing each."""
    return [((thing,), count) for thing, count in counts.items()]
