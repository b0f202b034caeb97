"""Which of the indexes that a source wants its database has, and how the database goes about its statements now.

Nothing is ever created here: what would create it is text for the people whose database it is.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from exporter.core.source import Index
from exporter.inputs.paging import PAGE
from exporter.inputs.sql import Database, Query, Row


@dataclass(frozen=True, slots=True)
class Wanted:
    """An index on the first columns of a table; `statement`, with its values, is what it is wanted for."""

    table: str
    columns: tuple[str, ...]
    spares: str
    statement: str
    values: Mapping[str, object] = field(default_factory=dict)
    vital: bool = False


# only whole ones that keep an order, and can be used
EXISTING: Mapping[str, str] = {
    "sqlite": """
        select i.name, c.name from pragma_index_list(:of) i, pragma_index_info(i.name) c
        where i.partial = 0 order by i.name, c.seqno
    """,
    "postgresql": """
        select i.relname, a.attname
        from pg_index x
            join pg_class t on t.oid = x.indrelid
            join pg_class i on i.oid = x.indexrelid
            join pg_am m on m.oid = i.relam and m.amname = 'btree'
            cross join unnest(x.indkey::int2[]) with ordinality k (attnum, place)
            left join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum
        where t.relname = :of and pg_table_is_visible(t.oid) and x.indpred is null and x.indisvalid
            and k.place <= x.indnkeyatts
        order by i.relname, k.place
    """,
    "mysql": """
        select index_name, case when sub_part is null then column_name end from information_schema.statistics
        where table_schema = database() and table_name = :of and index_type = 'BTREE'
        order by index_name, seq_in_index
    """,
}
"""Names of indexes and, in their order, of their columns; null for what is no column."""

EXPLAIN: Mapping[str, str] = {"sqlite": "explain query plan", "postgresql": "explain", "mysql": "explain"}
CREATE: Mapping[str, str] = {"postgresql": "create index concurrently"}
"""Without blocking writers; SQLite has no such thing, and MariaDB no need of it."""


async def indexes(database: Database, wanted: Callable[[Query], Sequence[Wanted]]) -> Sequence[Index]:
    """What is there of the indexes wanted, from a database that is opened for this alone."""

    def look(query: Query) -> Sequence[Index]:
        return [_looked_up(query, database.describe(), each) for each in wanted(query)]

    try:
        return await database.read(look)
    finally:
        await database.close()


def _looked_up(query: Query, place: str, wanted: Wanted) -> Index:
    columns = ", ".join(wanted.columns)
    name = "_".join((wanted.table, *wanted.columns))
    create = CREATE.get(query.dialect, "create index")
    explained = f"{EXPLAIN[query.dialect]} {wanted.statement}"
    return Index(
        place=place,
        table=wanted.table,
        columns=wanted.columns,
        spares=wanted.spares,
        vital=wanted.vital,
        there=any(found[: len(wanted.columns)] == wanted.columns for found in existing(query, wanted.table)),
        statement=f"{create} {name} on {wanted.table} ({columns});",
        plan=tuple(STEP[query.dialect](row) for row in query.page(explained, PAGE, **wanted.values)),
    )


def existing(query: Query, table: str) -> Sequence[tuple[str | None, ...]]:
    """The columns of each index of a table."""
    found: defaultdict[str, list[str | None]] = defaultdict(list)
    for name, column in query(EXISTING[query.dialect], of=table):
        found[name].append(column)
    return [tuple(columns) for columns in found.values()]


def _mysql_step(row: Row) -> str:
    """MySQL has a column of partitions, and one of a share, more than MariaDB."""
    _, _, table, kind, _, key, _, _, rows, extra = row if len(row) == MARIADB else (*row[:3], *row[4:10], row[-1])
    return f"{table}: {kind}, key {key or 'none'}, about {rows} rows{f'; {extra}' if extra else ''}"


MARIADB = 10
STEP: Mapping[str, Callable[[Row], str]] = {
    "sqlite": lambda row: str(row[-1]),
    "postgresql": lambda row: str(row[0]),
    "mysql": _mysql_step,
}
"""A row of a plan as text."""
