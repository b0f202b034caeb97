"""Finishes from tables in pages, in the order of time: one statement a table, one read of the database a page.

A page begins where the one before ended, by time and key, so that it costs the rows it brings however long the table.
SQLite keeps times as text, and where that names a zone it need not sort as the time it means. Such rows are taken for a
table of their own, in the order of what they mean. No index has that, so they are looked for rarely until there is one.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

from exporter.core.finish import SECOND, Ask, Batch, Finish
from exporter.inputs.sql import Query, Row
from exporter.inputs.zones import odd, utc

T = TypeVar("T")

PAGE = 50_000
"""Rows of a page. PostgreSQL sorts the whole table for each page of a few thousand; for these it does so rarely."""

MOST_AHEAD = 10_000
"""After so many finishes dated in the future a read ends: they would all be read again each time until then."""

LOOKS = 10
"""Times that rows out of order are looked for while a finish may be late, as long as none was found."""

AHEAD = "-14 hours"
"""How far before its time a text may sort: no zone is further from UTC."""

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # as databases compare
LAST = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001
"""What sorts after it is no time: in SQLite other text, in PostgreSQL infinity."""


@dataclass(frozen=True, slots=True)
class Table:
    """Where finishes are read: `select` has no condition, and `key` and `time` are its first columns. `finish` makes
    one of a row, or None of one that tells of none. `only` is a condition on the rows. `odd` says that it is what of
    another table is out of order there."""

    select: str
    key: str
    time: str
    finish: Callable[[Row], Finish | None]
    only: str | None = None
    odd: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table goes on: after the row of this time and key, as the database has them; a place without a key is
    before the first row of its time."""

    at: Any
    key: Any = None


@dataclass(frozen=True, slots=True)
class Page:
    """Finishes, and where each table goes on; None is the place of one that has no more. `odd` says whether any row
    was out of order."""

    finishes: Sequence[Finish]
    places: Sequence[Place | None]
    odd: bool = False

    @property
    def last(self) -> bool:
        """Whether no table has more."""
        return all(place is None for place in self.places)


@dataclass(frozen=True, slots=True)
class Kept:
    """How a system keeps its finishes: the tables, as they are now, and what an account of them is opened with."""

    tables: Callable[[Query], Sequence[Table]]
    opening: Callable[[Query, Ask], Batch]


class Read(Protocol):
    """Has work done on a database, as `exporter.inputs.sql.Database.read` does."""

    def __call__(self, work: Callable[[Query], T], /) -> Awaitable[T]: ...


def moment(micros: int) -> datetime:
    """Microseconds of the epoch as the naive UTC datetime that databases compare with."""
    return EPOCH + timedelta(microseconds=micros)


def apart(query: Query, tables: Sequence[Table]) -> Sequence[Table]:
    """The tables as they are read: in SQLite what is out of order in each of them apart from the rest."""
    if query.dialect != "sqlite":
        return tables
    return [part for table in tables for part in (_in_order(table), _out_of_order(table))]


def _in_order(table: Table) -> Table:
    only = "" if table.only is None else f" and {table.only}"
    return replace(table, only=f"not ({odd(table.time)} and {utc(table.time)} is not null){only}")


def _out_of_order(table: Table) -> Table:
    """`at` is what the times of `found` mean; the rows of the table stand behind it."""
    only = "" if table.only is None else f" and {table.only}"
    found = f"{table.select} where {table.time} >= datetime(:at, '{AHEAD}') and {odd(table.time)}{only}"
    select = f"select {table.key}, {utc(table.time)} as at, found.* from ({found}) found"  # noqa: S608  # text of ours
    return Table(select, table.key, utc(table.time), lambda row: table.finish(row[2:]), odd=True)


def begin(tables: Sequence[Table], floor: int, look: bool = True) -> Page:
    """The places before the first rows at or above a floor; from whole seconds on, as MariaDB keeps them, and before
    them, as text of SQLite has no fraction where it is 0. Without a look there is nothing out of order."""
    place = Place(moment(floor - floor % SECOND - 1))
    return Page((), [place if look or not table.odd else None for table in tables])


def statement(table: Table, place: Place) -> str:
    """The rows from a place on, in the order of time and key.

    Not as a row value, `(time, key) > (…)`: for that MariaDB uses no index.
    """
    after = "" if place.key is None else f" and ({table.time} > :at or {table.key} > :key)"
    only = "" if table.only is None else f" and {table.only}"
    span = f"{table.time} >= :at{after} and {table.time} <= :last{only}"
    return f"{table.select} where {span} order by {table.time}, {table.key}"


def turned(query: Query, tables: Sequence[Table], places: Sequence[Place | None]) -> Page:
    """The next page: of every table the rows up to the earliest end of one that has more.

    Further the tables do not go: the newest finish of one must not make another's too late that were not read yet.
    """
    most = min(PAGE, query.rows)
    found = [
        [] if place is None else fetched(query, table, place, most) for table, place in zip(tables, places, strict=True)
    ]
    edge = min((rows[-1][1] for rows in found if len(rows) == most), default=None)
    finishes: list[Finish] = []
    rest: list[Place | None] = []
    for table, place, rows in zip(tables, places, found, strict=True):
        taken = rows if edge is None else [row for row in rows if row[1] <= edge]
        finishes += filter(None, map(table.finish, taken))
        more = len(rows) == most or len(taken) < len(rows)
        rest.append((Place(taken[-1][1], taken[-1][0]) if taken else place) if more else None)
    return Page(finishes, rest, any(table.odd and rows for table, rows in zip(tables, found, strict=True)))


def fetched(query: Query, table: Table, place: Place, most: int) -> list[Row]:
    """Rows of one table from a place on."""
    values = {"at": place.at, "last": LAST} | ({} if place.key is None else {"key": place.key})
    return query.page(statement(table, place), most, **values)


def everything(query: Query, tables: Sequence[Table], floor: int) -> list[Finish]:
    """All finishes at or above a floor, as of one snapshot."""
    tables = apart(query, tables)
    page = begin(tables, floor)
    found: list[Finish] = []
    while not page.last:
        page = turned(query, tables, page.places)
        found += page.finishes
    return found


class Cursor:
    """How far a database was read is the floor of who asks; kept here is when rows out of order were looked for, and
    whether there were any."""

    def __init__(self, read: Read, kept: Kept) -> None:
        self._read = read
        self._kept = kept
        self._looked: int | None = None
        self._odd = False

    async def batches(self, ask: Ask) -> AsyncGenerator[Batch, None]:
        """What was written since the floor, page by page, each of a snapshot of its own and within a time of its own;
        at the opening, all at once."""
        if ask.floor is None:
            yield await self._read(lambda query: self._kept.opening(query, ask))
            return
        look = self._odd or self._looked is None or not 0 <= ask.now - self._looked < ask.overlap // LOOKS
        page: Page | None = None
        ahead = 0
        while page is None or not (page.last or ahead >= MOST_AHEAD):
            page = await self._read(partial(self._next, page, ask.floor, look))
            self._odd = self._odd or page.odd
            ahead += sum(finish.at > ask.now for finish in page.finishes)
            yield Batch(page.finishes)
        if look:
            self._looked = ask.now

    def _next(self, before: Page | None, floor: int, look: bool, query: Query) -> Page:
        tables = apart(query, self._kept.tables(query))
        return turned(query, tables, (before or begin(tables, floor, look)).places)


def key_text(key: object) -> str:
    """A primary key for people: a UUID, a text, a number, or bytes in hexadecimal."""
    return key.hex() if isinstance(key, bytes) else str(key)
