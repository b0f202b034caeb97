"""Databases: one connection on one thread each, reads in one read-only transaction, limits inside the database."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from threading import Event
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

from exporter.core.errors import TimedOut, TooLarge
from exporter.core.secret import Secret
from exporter.inputs.dialects import Dialect, dialect_of
from exporter.inputs.worker import Worker

T = TypeVar("T")
Row = tuple[Any, ...]

INSIDE = 0.9
"""The share of a read's time that the database is told: its own answer comes before nobody waits any longer."""


class Query:
    """What work on a database is given: statements to rows, until the read's time is over."""

    def __init__(self, connection: Connection, dialect: Dialect, rows: int, over: Callable[[], bool]) -> None:
        self._connection = connection
        self._dialect = dialect
        self._rows = rows
        self._over = over

    @property
    def dialect(self) -> str:
        """`sqlite`, `postgresql` or `mysql` (MariaDB too)."""
        return self._dialect.name

    def __call__(self, statement: str, /, **values: object) -> list[Row]:
        """The rows of a SELECT with `:name` parameters and no LIMIT. Times are given as naive UTC datetimes.

        Raises TooLarge past the cap on rows: the database is asked for one row more, and not for all of them.
        """
        found = self.page(statement, self._rows + 1, **values)
        if len(found) > self._rows:
            raise TooLarge(f"{self._dialect.place}: a query gave more than {self._rows} rows (limits.rows_per_query)")
        return found

    def page(self, statement: str, most: int, /, **values: object) -> list[Row]:
        """The first rows of such a SELECT, at most so many."""
        if self._over():
            raise TimedOut(f"{self._dialect.place}: the time of the read was over before its last statement")
        bound = {name: self._dialect.bind(value) for name, value in values.items()}
        clause = _clause(f"{statement}\nlimit :rows_at_most")
        return [tuple(row) for row in self._connection.execute(clause, {**bound, "rows_at_most": most})]

    @property
    def rows(self) -> int:
        """The most rows that one query may give."""
        return self._rows


class Database:
    """A database as its URL says, read one read at a time; `timeout` is in seconds, `rows` the most a query may give.

    The URL has no problems (`exporter.inputs.dialects.url_problem`). Nothing is touched before the first read.
    """

    def __init__(self, url: Secret, timeout: float, rows: int) -> None:
        self._limit = timeout * INSIDE
        self._dialect = dialect_of(url, self._limit)
        self._timeout = timeout
        self._rows = rows
        self._worker = Worker(f"database {self.describe()}")
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._cord: socket.socket | None = None
        self._identity: object = None

    def describe(self) -> str:
        """Where it is, without user, password and parameters."""
        return self._dialect.place

    async def read(self, work: Callable[[Query], T]) -> T:
        """What the work makes of its queries, all of one snapshot; it runs on a thread, and twice if it must.

        Raises a ReadError for whatever a database can do wrong; a connection that was lost while it was idle (the
        server was restarted) is made anew within the same read.
        """
        tick = asyncio.get_running_loop().time
        deadline, abandoned = tick() + self._limit, Event()
        patience = asyncio.timeout(self._timeout)
        try:
            async with patience:
                try:
                    return await self._worker.run(
                        lambda: self._read(work, lambda: abandoned.is_set() or tick() > deadline)
                    )
                except asyncio.CancelledError:
                    abandoned.set()
                    self._cut()
                    raise
        except TimeoutError:
            if not patience.expired():
                raise
        raise TimedOut(f"{self.describe()}: no answer within {self._timeout:g} s")

    async def close(self) -> None:
        """Ends the connection, unless a read is stuck on it: then it ends with that."""
        with suppress(TimedOut):
            await self._worker.run(self._disconnect)
        self._worker.close(last=self._disconnect)

    def _read(self, work: Callable[[Query], T], over: Callable[[], bool]) -> T:
        try:
            return self._attempt(work, over)
        except (DBAPIError, ImportError, RuntimeError) as error:
            if (found := self._dialect.translated(error)) is None:
                raise
        raise found  # out here it has no context: the driver's errors hold all parts of the URL

    def _attempt(self, work: Callable[[Query], T], over: Callable[[], bool]) -> T:
        used = self._reusable()
        try:
            return self._transact(work, over)
        except DBAPIError as error:
            if not (used and error.connection_invalidated):
                raise
        return self._transact(work, over)

    def _reusable(self) -> bool:
        """Whether there is a connection from an earlier read; one to a file that was replaced or removed is not."""
        with self._dropped_on_failure():
            identity = self._dialect.identity()
        if identity != self._identity:
            self._disconnect()
        self._identity = identity
        return self._connection is not None

    def _transact(self, work: Callable[[Query], T], over: Callable[[], bool]) -> T:
        with self._dropped_on_failure():
            connection = self._connected()
            with self._dialect.limited(connection, over):
                connection.exec_driver_sql(self._dialect.begin)
                found = work(Query(connection, self._dialect, self._rows, over))
                connection.exec_driver_sql("ROLLBACK")
                return found

    @contextmanager
    def _dropped_on_failure(self) -> Iterator[None]:
        """A connection on which anything failed is not used again."""
        good = False
        try:
            yield
            good = True
        finally:
            if not good:
                self._disconnect()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._engine = self._engine or self._dialect.engine()
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            line = self._dialect.socket(self._connection)
            self._cord = None if line is None else socket.socket(fileno=os.dup(line))
            for statement in self._dialect.opening(self._connection):
                self._connection.exec_driver_sql(statement)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        cord, self._cord = self._cord, None
        if cord is not None:
            cord.close()
        if connection is not None:
            with suppress(DBAPIError):
                connection.invalidate()  # a polite goodbye would wait for a server that hangs
                connection.close()

    def _cut(self) -> None:
        """Frees the thread from a server that does not answer, where the driver itself would wait for ever."""
        if (cord := self._cord) is not None:
            with suppress(OSError):  # it was closed a moment ago
                cord.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=256)
def _clause(statement: str) -> TextClause:
    """A statement, read once for its parameters; there are few of them, made of constants."""
    return text(statement)


def naive(at: float) -> datetime:
    """Epoch seconds as the naive UTC datetime that databases compare with."""
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
