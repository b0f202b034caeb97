"""The dashboard's SQLite database, in both generations of its schema (contract 2.6 and 6)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import TypeVar

from exporter.core.errors import SchemaMismatch
from exporter.core.family import OTHER
from exporter.core.finish import Finish, instant
from exporter.core.part import Taken
from exporter.domains.training import COMPLETED, IDLE, RUNNING, SESSION, Sessions
from exporter.inputs.sql import Database, Query, Row
from exporter.sources.music_agents.times import epoch, moment

T = TypeVar("T")

COLUMNS = """
    select tables.name, columns.name
    from sqlite_master as tables, pragma_table_info(tables.name) as columns
    where tables.type = 'table' and tables.name in ('agent_metrics', 'events', 'training_sessions')
"""
STATUSES = "select status, count(*), max(id) from training_sessions group by status"
TIMED = """
    select id, lower(status), start_time, {end_time}, {phase}
    from training_sessions where lower(status) in ('completed', 'failed', 'running')
"""
LEVELS = "select severity, count(*) from events group by severity"
ERRORS = """
    select agent_id, error_count from agent_metrics where id in (
        select max(id) from agent_metrics where id > (
            select case when count(*) > 0 then 12 else 0 end from events where id <= 2 and event_type = 'system_start'
        )
        group by agent_id
    )
"""
"""The newest row of each agent. Where the first of all events say that the system began by making up sample data, the
first row of each of its 12 agents is made up too."""

NEEDED = {"training_sessions": ("id", "start_time", "status"), "events": ("id", "severity")}
RECORDED = {"agent_metrics": ("id", "agent_id", "error_count"), "events": ("event_type",)}
"""What is needed besides where there is a table agent_metrics."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the statements gave; `timed` are the sessions that run and those that ended. `errors` is None where the
    schema has no place for it."""

    statuses: list[Row]
    timed: list[Row]
    levels: list[Row]
    errors: list[Row] | None


class Dashboard:
    """The dashboard's database, and what it said when it was last read."""

    def __init__(self, database: Database, zone: tzinfo) -> None:
        self._database = database
        self._zone = zone
        self._last: Sessions | None = None

    async def read(self, now: float) -> Taken[Sessions]:
        """What the database says at `now` (epoch seconds); the same value until it changes. Raises a ReadError."""
        return (await self.look(now, lambda _: None))[0]

    async def look(self, now: float, more: Callable[[Query], T]) -> tuple[Taken[Sessions], T]:
        """The same, and what else is made of the same snapshot."""
        found, besides = await self._database.read(lambda query: (rows(query), more(query)))
        skipped: Counter[str] = Counter()
        value = sessions(found, self._zone, now, skipped)
        if self._last is None or value != self._last:
            self._last = value
        records = sum(value.sessions.values()) + sum(value.events.values()) + len(found.errors or ())
        return Taken(self._last, self._database.describe(), records, dict(skipped)), besides


def rows(query: Callable[[str], list[Row]]) -> Rows:
    """Four statements over the tables there are, five with agent_metrics. Raises SchemaMismatch, which names what is
    missing."""
    columns: dict[str, set[str]] = {}
    for table, column in query(COLUMNS):
        columns.setdefault(table, set()).add(column)
    recorded = "agent_metrics" in columns
    for needed in (NEEDED, RECORDED) if recorded else (NEEDED,):
        _check(columns, needed)
    known = {name: name if name in columns["training_sessions"] else "null" for name in ("end_time", "phase")}
    return Rows(
        statuses=query(STATUSES),
        timed=query(TIMED.format(**known)),
        levels=query(LEVELS),
        errors=query(ERRORS) if recorded else None,
    )


def _check(columns: Mapping[str, set[str]], needed: Mapping[str, tuple[str, ...]]) -> None:
    for table, names in needed.items():
        if table not in columns:
            known = ", ".join(sorted(columns)) or "none that is known"
            raise SchemaMismatch(f"expected a table {table}, found {known}")
        for name in names:
            if name not in columns[table]:
                found = ", ".join(sorted(columns[table]))
                raise SchemaMismatch(f"expected a column {name} in the table {table}, found {found}")


def sessions(found: Rows, zone: tzinfo, now: float, skipped: Counter[str]) -> Sessions:
    """The facts at `now`; `skipped` gets the rows that cannot be used, by reason.

    The newest session is the one with the greatest id, since ids follow the order of writing, and times, which are
    text, need not. The phase of a running one is `_other` where the schema has none.
    """
    newest = max((row[2] for row in found.statuses), default=None)
    running = [row for row in found.timed if row[1] == RUNNING]
    phases = {row[0]: row[4] for row in running}
    return Sessions(
        sessions=_counts(found.statuses),
        running=newest in phases,
        phase=_word(phases[newest]) if newest in phases else IDLE,
        oldest_running=_oldest(running, zone, now, skipped),
        events=_counts(found.levels),
        errors=_errors(found.errors or [], skipped),
        finishes=tuple(_finishes((row for row in found.timed if row[1] != RUNNING), zone, skipped)),
    )


def _counts(found: list[Row]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for word, count, *_ in found:
        counts[_word(word)] += count
    return dict(counts)


def _word(value: object) -> str:
    return value.lower() if isinstance(value, str) else OTHER


def _oldest(found: list[Row], zone: tzinfo, now: float, skipped: Counter[str]) -> float | None:
    times = []
    for _, _, value, _, _ in found:
        if (time := epoch(value, zone)) is None:
            skipped[_unreadable(value)] += 1
        elif time <= now:
            times.append(time)
    return min(times, default=None)


def _finishes(found: Iterable[Row], zone: tzinfo, skipped: Counter[str]) -> Iterator[Finish]:
    """A session is told from what its row was before by its end as it is written, whatever zone that is taken to be
    in; one whose end cannot be read is left out."""
    for number, status, started, ended, _ in found:
        if (at := instant(moment(ended, zone))) is None:
            skipped[_unreadable(ended)] += 1
        else:
            began = instant(moment(started, zone))
            duration = None if began is None or began > at else at - began
            yield Finish(str(number), at, SESSION, status == COMPLETED, duration, attempt=ended)


def _unreadable(value: object) -> str:
    """Why a time is none."""
    return "missing" if value is None else "invalid" if isinstance(value, str) else "type"


def _errors(found: list[Row], skipped: Counter[str]) -> dict[str, int]:
    errors = {}
    for agent, count in found:
        if agent is None or count is None:
            skipped["missing"] += 1
        elif not isinstance(agent, str) or not isinstance(count, int):
            skipped["type"] += 1
        else:
            errors[agent] = count
    return errors
