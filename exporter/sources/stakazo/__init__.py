"""Stakazo, the publishing backend: its database, on SQLite, PostgreSQL or MariaDB.

Four parts, each failing alone. `queue` and `campaigns` are read at the configured interval. `content`, above all
distinct clips and scores, costs more than the rest together and says what changes slowly: it is read every tenth
interval, on a connection of its own, so that the queue never waits for it. `schema` fails while the tables lack
something: facts that depend on that are absent from the other parts, which serve the rest.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Generic, TypeVar

from exporter.core.errors import SchemaMismatch
from exporter.core.family import Family, over
from exporter.core.finish import Pipeline
from exporter.core.part import Part, Schedule, Taken
from exporter.core.secret import Secret
from exporter.core.source import Context, Index, Kind, Source
from exporter.core.units import Sound
from exporter.domains import campaigns as campaigns_domain
from exporter.domains import publishing
from exporter.inputs.dialects import url_problem
from exporter.inputs.indexes import indexes
from exporter.inputs.paging import Cursor
from exporter.inputs.sql import Database, Query
from exporter.sources.stakazo import events
from exporter.sources.stakazo.api import API
from exporter.sources.stakazo.columns import Columns, columns
from exporter.sources.stakazo.finishes import kept, wanted
from exporter.sources.stakazo.logs import Logs
from exporter.sources.stakazo.reading import Backlog, Found, Stock, campaigns, content, queue

T = TypeVar("T")

SLOWER = 10
"""Intervals between two reads of `content` and `schema`."""

LONGER = 3
"""Times the timeout that a read of `content` may take."""

PLATFORMS = ("instagram", "tiktok", "youtube", "other")
"""The platforms Stakazo publishes to: they have their names before any that rows bring (contract a)."""

QUEUE: tuple[Family[Backlog], ...] = over(publishing.QUEUE, lambda value: value.facts)
CONTENT: tuple[Family[Stock], ...] = over(publishing.CONTENT, lambda value: value.facts)


@dataclass(frozen=True, slots=True)
class Config:
    """The URL of the database; suffixes of async drivers (`+asyncpg`, `+aiosqlite`) are accepted."""

    database: Annotated[Secret, Sound(url_problem)] = field(metadata={"env": "DATABASE_URL"})


class _Tables:
    """What is known of the schema: looked up once, again after it turned out wrong, and whenever `schema` is read."""

    def __init__(self) -> None:
        self._columns: Columns | None = None

    def known(self, query: Query) -> Columns:
        if self._columns is None:
            self._columns = columns(query)
        return self._columns

    def forget(self) -> None:
        self._columns = None

    @contextmanager
    def doubted(self) -> Iterator[None]:
        """Whoever finds something missing has the schema looked up anew."""
        try:
            yield
        except SchemaMismatch:
            self.forget()
            raise


class _Line:
    """One connection, for parts that take turns on it: who waits spends the time of his own read."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._turn = asyncio.Lock()

    async def read(self, work: Callable[[Query], T]) -> T:
        async with self._turn:
            return await self.database.read(work)


class _Reader(Generic[T]):
    """A part's read: the value is the same object until something it says changes."""

    def __init__(self, line: _Line, tables: _Tables, take: Callable[[Query, Columns, float], Found[T]]) -> None:
        self._line = line
        self._tables = tables
        self._take = take
        self._last: T | None = None

    async def read(self, now: float) -> Taken[T]:
        with self._tables.doubted():
            found = await self._line.read(lambda query: self._take(query, self._tables.known(query), now))
        if self._last is None or found.facts != self._last:
            self._last = found.facts
        return Taken(self._last, self._line.database.describe(), found.records, found.skipped)

    async def look(self, now: float) -> Taken[T]:
        """The same, after a new look at the schema."""
        self._tables.forget()
        return await self.read(now)


def whole(query: Query, found: Columns, now: float) -> Found[Columns]:
    """The schema itself. Raises SchemaMismatch, which names all that is missing."""
    if missing := found.missing():
        raise SchemaMismatch(f"{'; '.join(missing)}: what depends on it is absent")
    return Found(found, sum(map(len, found.found.values())))


def source(config: Config, context: Context) -> Source:
    """Four parts over two connections."""
    usual = context.schedule
    rare = replace(usual, interval=usual.interval * SLOWER, max_stale=usual.max_stale * SLOWER)
    long = replace(rare, timeout=usual.timeout * LONGER)
    tables = _Tables()

    def opened(schedule: Schedule) -> Database:
        return Database(config.database, schedule.timeout, context.limits.rows_per_query)

    quick, slow = _Line(opened(usual)), _Line(opened(long))

    async def read(work: Callable[[Query], T]) -> T:
        with tables.doubted():
            return await quick.read(work)

    async def look(now: float) -> Sequence[Index]:
        return await indexes(opened(usual), lambda query: [*wanted(Logs(query, columns(query)), now)])

    async def close() -> None:
        await quick.database.close()
        await slow.database.close()

    cursor = Cursor(read, kept(tables.known))
    publish: Pipeline[Backlog] = Pipeline(
        "publish", quick.database.describe(), lambda _, ask: cursor.batches(ask), PLATFORMS, label="platform"
    )
    parts = (
        Part("queue", _Reader(quick, tables, queue).read, QUEUE, usual, publish, events.queue),
        Part(
            "campaigns",
            _Reader(quick, tables, campaigns).read,
            campaigns_domain.FAMILIES,
            usual,
            events=events.campaigns,
        ),
        Part("content", _Reader(slow, tables, content).read, CONTENT, long, events=events.content),
        Part("schema", _Reader(quick, tables, whole).look, (), rare),
    )
    return Source(context.name, "stakazo", parts, {"platform": PLATFORMS}, close, look, API)


KIND = Kind(config=Config, source=source, summary="Stakazo: publishing queue, clips and campaigns (SQL database).")
