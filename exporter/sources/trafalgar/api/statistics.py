"""What the history of the render jobs comes to: how long they stayed in a status, and how many came when."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from exporter.sources.trafalgar import render
from exporter.sources.trafalgar.api.records import clean
from exporter.sources.trafalgar.times import stamp

MICRO = 1_000_000
HOUR = 3600 * MICRO
WINDOWS: Mapping[str, int] = {"1h": HOUR, "6h": 6 * HOUR, "24h": 24 * HOUR, "7d": 7 * 24 * HOUR}
"""How far back from now the windows of submissions reach, in microseconds."""

TERMINAL = frozenset({"completed", "failed", "cancelled", "aborted", "errored", "error"})


class Past(NamedTuple):
    """Of one job, times in microseconds: its status; how long it stayed in each, but for the last, in
    their order; since when it is in the last; when it was updated; when it ended, None where it has not."""

    status: str
    spans: Mapping[str, int]
    last: str
    since: int
    updated: int
    ended: int | None


@dataclass(slots=True)
class Stay:
    """The jobs that ever were in a status: how many and when one of them was updated last; how many are in it now; the
    seconds that were spent in it, and those who are in it still, as their number and the sum of when they began."""

    count: int = 0
    active: int = 0
    updated: int | None = None
    seconds: float = 0.0
    open: int = 0
    begun: int = 0

    def total(self, now: int) -> float:
        """All seconds spent in it until now (microseconds)."""
        return self.seconds + max(self.open * now - self.begun, 0) / MICRO

    def average(self, now: int) -> float | None:
        """The same for one job; None where there is none."""
        among = self.count or self.active
        return self.total(now) / among if among else None


@dataclass(slots=True)
class Farm:
    """The jobs of a farm: their number, by status too, how many ended and the seconds that those took, and when the
    first and the last of them was submitted."""

    first: int
    last: int
    total: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    ended: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Came:
    """Jobs that were submitted in a window: how many, how many of them ended, and the seconds that those took."""

    total: int
    ended: int
    seconds: float

    @property
    def average(self) -> float | None:
        """The seconds that one took from its submission to its end."""
        return self.seconds / self.ended if self.ended else None


@dataclass(frozen=True, slots=True)
class Statistics:
    """By status and by farm, each in the order in which it was met; and, for the windows, when the jobs were submitted,
    in order, with the sums of ended jobs and their time before each. None of it is written to any more."""

    statuses: Mapping[str, Stay] = field(default_factory=dict)
    farms: Mapping[str, Farm] = field(default_factory=dict)
    created: "array[int]" = field(default_factory=lambda: array("q"))
    ended: "array[int]" = field(default_factory=lambda: array("q", [0]))
    took: list[int] = field(default_factory=lambda: [0])  # microseconds of ten thousand years each are no 64 bits

    def windows(self, now: int) -> Iterator[tuple[str, Came]]:
        """What came in each window until now (microseconds)."""
        for name, span in WINDOWS.items():
            place = bisect_left(self.created, now - span)
            took = self.took[-1] - self.took[place]
            yield name, Came(len(self.created) - place, self.ended[-1] - self.ended[place], took / MICRO)


NO_STATISTICS = Statistics()


def past(entry: render.Entry, job: render.Job) -> Past:
    """The past of a job, as the system completed it when it read its store; statuses without blanks, in lower case."""
    created = _micros(job.created)
    status = folded(entry.status)
    updated = _time(entry.updated_at, created) if entry.updated_at else created
    history = sorted(_history(entry, status, created), key=lambda change: change[1]) or [(status, created)]
    if history[-1][0] != status:
        history.append((status, updated))
    spans: dict[str, int] = {}
    for (name, begun), (_, end) in pairwise(history):
        spans[name] = spans.get(name, 0) + end - begun
    ended = None if entry.completed_at is None else _time(entry.completed_at, updated)
    if ended is None and status in TERMINAL:
        ended = updated
    return Past(status, spans, *history[-1], updated, ended)


def folded(word: object) -> str:
    """The word of a status or a farm as the statistics have it."""
    return ("" if word is None else clean(str(word))).strip().lower() or "unknown"


def _history(entry: render.Entry, status: str, created: int) -> Iterator[tuple[str, int]]:
    for change in entry.status_history if isinstance(entry.status_history, list) else ():
        if isinstance(change, render.Change):
            name = status if change.status is None else folded(change.status)
            yield name, created if change.timestamp is None else _time(change.timestamp, created)


def _time(value: object, otherwise: int) -> int:
    found = stamp(value)
    return otherwise if found is None else _micros(found)


def _micros(seconds: float) -> int:
    return round(seconds * MICRO)


def statistics(jobs: Iterable[tuple[render.Job, str, Past]]) -> Statistics:
    """What the jobs come to, given each with its farm, in the order in which they were submitted."""
    statuses: dict[str, Stay] = {}
    farms: dict[str, Farm] = {}
    found = Statistics(statuses, farms)
    for job, farm_name, past in jobs:
        name = folded(farm_name)
        created = _micros(job.created)
        _stayed(statuses, past)
        farm = farms.setdefault(name, Farm(created, created))
        farm.total += 1
        farm.first, farm.last = min(farm.first, created), max(farm.last, created)
        farm.statuses[past.status] = farm.statuses.get(past.status, 0) + 1
        took = 0 if past.ended is None else max(past.ended - created, 0)
        if past.ended is not None:
            farm.ended += 1
            farm.seconds += took / MICRO
        found.created.append(created)
        found.ended.append(found.ended[-1] + (past.ended is not None))
        found.took.append(found.took[-1] + took)
    return found


def _stayed(statuses: dict[str, Stay], past: Past) -> None:
    """One more job. The last status of one that ended lasts until then, of another until now."""
    closing = past.ended is not None and past.ended >= past.since
    names = dict.fromkeys(past.spans)
    if past.ended is None or closing:
        names[past.last] = None
    for name in names:
        stay = statuses.setdefault(name, Stay())
        stay.count += 1
        span = past.spans.get(name, 0) + ((past.ended or 0) - past.since if closing and name == past.last else 0)
        stay.seconds += span / MICRO
        if past.ended is None and name == past.last:
            stay.open += 1
            stay.begun += past.since
    statuses.setdefault(past.status, Stay()).active += 1
    for name in {**names, past.status: None}:
        stay = statuses[name]
        stay.updated = past.updated if stay.updated is None else max(stay.updated, past.updated)
