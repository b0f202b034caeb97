"""Databases as Stakazo leaves them: the recorded SQLite files, and the same rows on PostgreSQL and MariaDB."""

import asyncio
import json
import lzma
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from exporter.core.family import Value
from exporter.core.part import Part, Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.domains import campaigns, publishing
from exporter.runtime import standing
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.exposition import Format
from exporter.runtime.guard import Failure
from exporter.runtime.lint import lint
from exporter.runtime.refresh import attempt
from exporter.sources.stakazo import KIND, Config
from tests.services import DRIVERS, needs, own_database
from tests.sources.stakazo.tables import COLUMNS, Dialect, Flavour, as_stored, statements

GOLDEN = Path(__file__).parents[2] / "golden" / "stakazo"
NOW = 1763812800.0  # 2025-11-22T12:00:00Z, when the answers were recorded
SCHEDULE = Schedule(interval=15.0, timeout=30.0, max_stale=150.0)

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows of the tables, as the recorded SQLite files hold them."""
Samples = dict[str, dict[tuple[str, ...], Value]]
"""By family, values by labels."""
Make = Callable[..., str]
"""Makes a database and gives its URL: `make(rows, flavour, **types)`."""


def golden(scenario: str, at: Path) -> Path:
    """A recorded database, unpacked into a directory."""
    name = "stakazo.sqlite" if scenario == "normal" else f"stakazo_{scenario}.sqlite"
    (at / name).write_bytes(lzma.decompress((GOLDEN / f"{name}.xz").read_bytes()))
    return at / name


def answers() -> dict[str, dict[str, dict[str, Any]]]:
    """The recorded answers, by `scenario.backend` and endpoint; those that were errors are not there."""
    found: dict[str, dict[str, dict[str, Any]]] = json.loads((GOLDEN / "responses.json").read_text())
    return found


def rows_of(path: Path) -> Rows:
    """Everything in the tables that are read."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        return {table: [dict(row) for row in connection.execute(f"select * from {table}")] for table in COLUMNS}
    finally:
        connection.close()


@contextmanager
def editing(url: str) -> Iterator[Connection]:
    """A connection that writes, as the system itself would."""
    engine = create_engine(make_url(url).set(drivername=DRIVERS[dialect_of(url)]), poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def dialect_of(url: str) -> Dialect:
    found: Dialect = "postgresql" if url.startswith("postgres") else "mysql" if url.startswith("mysql") else "sqlite"
    return found


def filled(url: str, rows: Rows, flavour: Flavour = "create_all", **types: str) -> str:
    """The tables and rows, put into an empty database."""
    dialect = dialect_of(url)
    with editing(url) as connection:
        if dialect == "postgresql":
            connection.exec_driver_sql("set timezone = 'UTC'")
        for statement in statements(dialect, flavour, **types):
            connection.exec_driver_sql(statement)
        for table, columns in COLUMNS.items():
            found = rows.get(table, ())
            if dialect != "sqlite":
                found = [as_stored(table, row, flavour) for row in found]
            if found:
                values = ", ".join(f":{name}" for name in columns)
                connection.execute(text(f"insert into {table} values ({values})"), [dict(row) for row in found])
    return url


@contextmanager
def made(dialect: Dialect, directory: Path) -> Iterator[Make]:
    """Makes databases of their own, dropped at the end.

    Skips the test where there is no server, or fails it if there must be one.
    """
    with ExitStack() as databases:

        def place() -> str:
            if dialect == "sqlite":
                return f"sqlite:///{directory / uuid4().hex}.sqlite"
            return databases.enter_context(own_database("mariadb" if dialect == "mysql" else "postgresql"))

        if dialect != "sqlite":
            needs("mariadb" if dialect == "mysql" else "postgresql")
        yield lambda rows, flavour="create_all", **types: filled(place(), rows, flavour, **types)


@asynccontextmanager
async def opened(url: str, limits: Limits | None = None) -> AsyncIterator[Source]:
    source: Source = KIND.source(Config(Secret(url)), Context("publishing", SCHEDULE, limits or Limits()))
    try:
        yield source
    finally:
        await source.close()


def part(source: Source, name: str) -> Part[Any]:
    return next(each for each in source.parts if each.name == name)


async def page(source: Source, limits: Limits | None = None) -> tuple[str, dict[str, tuple[str, str]]]:
    """The page after one read of each part, which must be valid; and by part, why it failed."""
    board = Board([*publishing.FAMILIES, *campaigns.FAMILIES, *standing.FAMILIES])
    board.add(source, limits or Limits(), NOW)
    failures = {}
    for each in source.parts:
        outcome = await attempt(source, each, board, Clock(lambda: NOW, lambda: 0.0, asyncio.sleep))
        board.post(source.name, each.name, outcome)
        if isinstance(outcome.found, Failure):
            failures[each.name] = outcome.found.reason, outcome.found.message
    found = board.page(Format.TEXT).body.decode()
    assert [*lint(found, False)] == []
    return found, failures


def samples(families: Iterable[Any], facts: Any) -> Samples:
    """What the families say of the facts; None is no sample."""
    points = {family.name: [point for point in family.points(facts) if point[1] is not None] for family in families}
    for name, found in points.items():
        assert len(dict(found)) == len(found), f"{name} says something twice"
    return {name: dict(found) for name, found in points.items()}


async def read(url: str, now: float = NOW) -> Samples:
    """What the three parts that have families say."""
    found: Samples = {}
    async with opened(url) as source:
        for each in source.parts:
            if each.families:
                found |= samples(each.families, (await each.read(now)).value)
    return found
