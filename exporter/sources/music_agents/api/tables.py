"""What the JSON of old shows of the dashboard's tables: their newest rows, as many as could be asked for."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any

from exporter.core.finish import Finish
from exporter.core.part import Taken
from exporter.domains.training import IDLE, Sessions
from exporter.inputs.sql import Query
from exporter.sources.music_agents.api.answers import LogLine
from exporter.sources.music_agents.api.picks import PICKS, Extents, Picked, extents, picked
from exporter.sources.music_agents.api.rows import Event, Metric, Project, Sample, Session
from exporter.sources.music_agents.database import Dashboard
from exporter.sources.music_agents.times import epoch

WHOLE = 20
"""Reads after which all rows are read again, in case that one was changed in its place, which the system never does."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The newest rows, newest first by their times as text: of events, with their times (epoch seconds, None where it
    has none) and as lines of a log, and of those of each severity, of sessions, of metrics by type, of samples by
    agent, and of projects; and how many rows each table has, None where there is no such table."""

    counts: Mapping[str, int | None] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    times: tuple[float | None, ...] = ()
    lines: tuple[LogLine, ...] = ()
    severe: Mapping[str, tuple[Event, ...]] = field(default_factory=dict)
    sessions: tuple[Session, ...] = ()
    metrics: Mapping[str, tuple[Metric, ...]] = field(default_factory=dict)
    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)
    projects: tuple[Project, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """The value of the part: what is measured, and what only the JSON shows."""

    facts: Sessions
    tables: Tables

    @property
    def finishes(self) -> tuple[Finish, ...]:
        return self.facts.finishes


NOTHING = Recorded(Sessions({}, running=False, phase=IDLE, oldest_running=None, events={}, errors={}), Tables())
"""What there is where no database is configured."""


class Book:
    """The dashboard's database, and what was made of it when it was last read."""

    def __init__(self, dashboard: Dashboard, zone: tzinfo) -> None:
        self._dashboard = dashboard
        self._zone = zone
        self._reads = 0
        self._picked: Mapping[str, Picked] = {}
        self._tables = Tables()
        self._last: Recorded | None = None

    async def read(self, now: float) -> Taken[Recorded]:
        """What the database says at `now` (epoch seconds); the same value until it changes. Raises a ReadError."""
        taken, tables = await self._dashboard.look(now, self._look)
        last = self._last
        if last is None or last.facts is not taken.value or last.tables is not tables:
            self._last = last = Recorded(taken.value, tables)
        return Taken(last, taken.origin, taken.records, taken.skipped)

    def _look(self, query: Query) -> Tables:
        at = extents(query)
        self._reads += 1
        before, doubted = self._picked, self._reads % WHOLE == 0
        found = {name: picked(query, pick, at, before.get(name), doubted) for name, pick in PICKS.items()}
        made = tables(at, found, self._tables)
        if made.events is not self._tables.events:
            times = tuple(time(event, self._zone) for event in made.events)
            made = replace(made, times=times, lines=tuple(map(line, made.events)))
        same = before and all(found[name].shown is before[name].shown for name in found)
        if not same or made.counts != self._tables.counts:
            self._tables = made
        self._picked = found
        return self._tables


def tables(at: Extents, found: Mapping[str, Picked], before: Tables) -> Tables:
    """The tables of what was picked; the times and lines are those from before."""
    shown: dict[str, Any] = {name: each.shown for name, each in found.items()}  # Any: each has a type of its own
    return Tables(
        counts={name: extent[0] for name, extent in at.found.items()},
        events=shown["events"],
        times=before.times,
        lines=before.lines,
        severe={word: shown[word] for word in ("critical", "error", "warning")},
        sessions=shown["sessions"],
        metrics=_grouped(shown["metrics"], "metric_type"),
        samples=_grouped(shown["samples"], "agent_id"),
        projects=shown["projects"],
    )


def _grouped(found: tuple[Any, ...], name: str) -> dict[str, tuple[Any, ...]]:
    groups: defaultdict[Any, list[Any]] = defaultdict(list)
    for row in found:
        groups[getattr(row, name)].append(row)
    return {key: tuple(group) for key, group in groups.items() if isinstance(key, str)}


def time(event: Event, zone: tzinfo) -> float | None:
    """When an event happened, or was written down where its time is none, in epoch seconds; None where nobody can
    tell."""
    at = epoch(event.timestamp, zone)
    return epoch(event.created_at, zone) if at is None else at


def line(event: Event) -> LogLine:
    """An event as a line of the log: its time of day, and `success` for what is only information."""
    status = "success" if event.severity == "info" else event.severity
    return LogLine(event.agent_id, event.message, status, clock(event.timestamp), event.event_type)


def clock(timestamp: Any) -> Any:  # Any: the cell of a table
    """The time of day of a time in ISO 8601; anything else as it is."""
    try:
        return f"{datetime.fromisoformat(timestamp):%H:%M:%S}"
    except (TypeError, ValueError):
        return timestamp
