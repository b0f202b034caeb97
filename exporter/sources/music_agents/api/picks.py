"""Which rows of the dashboard's tables are read for the JSON of old, and how: the newest, each cell cut short."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from exporter.inputs.sql import Query, Row
from exporter.sources.music_agents.api.plain import plain, unpacked
from exporter.sources.music_agents.api.rows import Event, Metric, Project, Sample, Session

KEPT = 1000
"""Rows of `events`, of each type of `metrics`, and of the projects: the newest ones."""

MOST = 10_000
"""Rows of `metrics`, and of `agent_metrics`, whatever they are rows of."""

SESSIONS = 50
SAMPLES = 10
SEVERE = 50
"""The rows that an answer shows of `training_sessions`, of each agent and of each severity (contract 1.3, 1.6, 1.7)."""

LONGEST = 4096
"""Characters of a cell."""

COUNTED = ("agent_metrics", "events", "metrics", "system_health", "training_sessions")

COLUMNS = """
    select tables.name, columns.name from sqlite_master as tables, pragma_table_info(tables.name) as columns
    where tables.type = 'table'
"""
COUNT = "(select count(*) from {})"
LAST = "(select max(id) from {})"
NEWEST = "select {cells} from {table} order by timestamp desc, id desc"
STARTED = "select {cells} from {table} order by start_time desc, id desc"
ADDED = "select {cells} from {table} order by rowid desc"
OF_SEVERITY = "select {cells} from {table} where severity = '{word}' order by timestamp desc, id desc"
OF_TYPE = """
    select {cells} from (
        select *, row_number() over (partition by metric_type order by timestamp desc, id desc) as place from {table}
    ) where place <= {most} order by place
"""
OF_AGENT = """
    select {cells} from (
        select *, row_number() over (partition by agent_id order by timestamp desc, id) as place from {table}
    ) where place <= {most} order by place
"""


@dataclass(frozen=True, slots=True)
class Pick:
    """Rows of one table: as what they are shown, by which statement they are found and the columns it needs (other
    versions of the system have not all of them, and then no row is shown), at most how many, and which columns hold
    JSON. Where rows are only ever added to the table, `grows`, they are read again when some were."""

    table: str
    kind: type[msgspec.Struct]
    statement: str
    needed: frozenset[str]
    most: int = KEPT
    packed: tuple[str, ...] = ()
    grows: bool = True
    word: str = ""


_EVENT = frozenset(("id", "severity", "timestamp"))
PICKS: Mapping[str, Pick] = {
    "events": Pick("events", Event, NEWEST, _EVENT, packed=("metadata",)),
    **{
        word: Pick("events", Event, OF_SEVERITY, _EVENT, SEVERE, ("metadata",), word=word)
        for word in ("critical", "error", "warning")
    },
    "sessions": Pick("training_sessions", Session, STARTED, frozenset(("id", "start_time")), SESSIONS, grows=False),
    "metrics": Pick("metrics", Metric, OF_TYPE, frozenset(("id", "metric_type", "timestamp")), MOST),
    "samples": Pick("agent_metrics", Sample, OF_AGENT, frozenset(("agent_id", "id", "timestamp")), MOST, ("metadata",)),
    "projects": Pick("storyboard_projects", Project, ADDED, frozenset(("id",)), grows=False),
}


@dataclass(frozen=True, slots=True)
class Picked:
    """What a pick brought: its rows, what they are shown as, and how many rows its table had and which was the last."""

    rows: list[Row]
    shown: tuple[msgspec.Struct, ...]
    extent: Row


@dataclass(frozen=True, slots=True)
class Extents:
    """How many rows each table has, and the id of the last one, None where there is no such table or column."""

    columns: Mapping[str, frozenset[str]]
    found: Mapping[str, Row]


def extents(query: Query) -> Extents:
    """A look at the tables, which reads no row."""
    columns: defaultdict[str, set[str]] = defaultdict(set)
    for table, column in query.page(COLUMNS, MOST):
        columns[table].add(column)
    counts = (COUNT.format(name) if name in columns else "null" for name in COUNTED)
    last = (LAST.format(name) if "id" in columns[name] else "null" for name in COUNTED)
    (row,) = query.page(f"select {', '.join((*counts, *last))}", 1)
    found = dict(zip(COUNTED, zip(row[: len(COUNTED)], row[len(COUNTED) :], strict=True), strict=True))
    return Extents({name: frozenset(found) for name, found in columns.items()}, found)


def picked(query: Query, pick: Pick, at: Extents, before: Picked | None, doubted: bool) -> Picked:
    """The rows, or those from before where they still are the same; `doubted` are those that may have been changed in
    their place. What is shown is the very same object where nothing was."""
    extent = at.found.get(pick.table, ())
    if before is not None and pick.grows and before.extent == extent and not doubted:
        return before
    columns = at.columns.get(pick.table, frozenset())
    found = _rows(query, pick, columns) if pick.needed <= columns else []
    if before is not None and before.rows == found:
        return Picked(before.rows, before.shown, extent)
    return Picked(found, _shown(pick, found), extent)


def _rows(query: Query, pick: Pick, columns: Iterable[str]) -> list[Row]:
    per = SAMPLES if pick.statement == OF_AGENT else KEPT
    cells = _cells(pick.kind, columns)
    return query.page(pick.statement.format(cells=cells, table=pick.table, most=per, word=pick.word), pick.most)


def _cells(kind: type[msgspec.Struct], present: Iterable[str]) -> str:
    """The columns in the order of the fields; null where there is none, and not the whole of a cell without end."""
    cut = "case when typeof({0}) in ('text', 'blob') then substr({0}, 1, {1}) else {0} end"
    return ", ".join(cut.format(name, LONGEST) if name in present else "null" for name in kind.__struct_fields__)


def _shown(pick: Pick, found: Iterable[Row]) -> tuple[msgspec.Struct, ...]:
    reads = [unpacked if name in pick.packed else plain for name in pick.kind.__struct_fields__]
    return tuple(pick.kind(*(read(cell) for read, cell in zip(reads, row, strict=True))) for row in found)
