"""A part is the unit of reading: one loop, one standing, one last good value."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from exporter.core.event import Event
from exporter.core.family import Family
from exporter.core.finish import Pipeline

V = TypeVar("V")

SKIPS: tuple[str, ...] = ("encoding", "invalid", "missing", "type")
"""Why a record was left out: text that cannot be decoded; an impossible value; a field that must be there is not;
not the kind of thing it should be (a number where an object belongs)."""


@dataclass(frozen=True, slots=True)
class Taken(Generic[V]):
    """What one read brought.

    `value` is compared by identity with the one before: the same object means that nothing changed.
    `origin` says for people where it came from, without secrets; `records` were read, `skipped` left out, by reason.
    """

    value: V
    origin: str
    records: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often a part is read, how long a read may take, and how long its last good value is served; seconds."""

    interval: float = 15.0
    timeout: float = 10.0
    max_stale: float = 150.0


@dataclass(frozen=True, slots=True)
class Part(Generic[V]):
    """`read(now)` takes epoch seconds and gives what it found, or raises a `ReadError`. `finishes` is the work of which
    it sees the end, which the ledger counts. `events(before, after)` is what changed between two of its values; it is
    empty where nothing did."""

    name: str
    read: Callable[[float], Awaitable[Taken[V]]]
    families: tuple[Family[V], ...]
    schedule: Schedule
    finishes: Pipeline[V] | None = None
    events: Callable[[V, V], Iterable[Event]] | None = None
