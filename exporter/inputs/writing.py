"""The one door by which a system's database is changed: SQLite, one short transaction at a time, each within limits."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import make_url

from exporter.core.errors import Missing, ReadError, Refused, SchemaMismatch, TimedOut, TooLarge
from exporter.core.secret import Secret
from exporter.inputs.dialects import STEPS
from exporter.inputs.meanings import PRIMARY, sqlite_meaning
from exporter.inputs.sql import INSIDE, Row
from exporter.inputs.worker import Worker

T = TypeVar("T")

WAITING = 64
"""Changes that may wait for their turn."""

UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)


class Change:
    """What a change is given: statements, within its transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, /, **values: object) -> list[Row]:
        """The rows of a SELECT with `:name` parameters, which must be few."""
        return self._connection.execute(statement, values).fetchall()

    def run(self, statement: str, /, **values: object) -> int:
        """Carries a statement out; the number of the row it added, where it did."""
        return self._connection.execute(statement, values).lastrowid or 0


class Writing:
    """Changes of an SQLite database that is there, one after the other, on a thread and connections of their own."""

    def __init__(self, url: Secret, timeout: float) -> None:
        """`timeout` in seconds, for waiting and writing together. Nothing is touched before the first change."""
        self._path = Path(make_url(url.reveal()).database or "").expanduser()
        self._timeout = timeout
        self._limit = timeout * INSIDE
        self._worker = Worker(f"writes {self._path}")
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def change(self, work: Callable[[Change], T]) -> T:
        """What the work gives, all of whose statements are carried out, or none of them; it runs on a thread, with the
        database locked for other writers from the beginning.

        Raises a ReadError for whatever a database can do wrong, TimedOut among them, and TooLarge where more than
        WAITING changes wait already; what the work itself raises undoes it and is raised.
        """
        if self._waiting >= WAITING:
            raise TooLarge(f"{self._path}: {WAITING} changes wait already")
        self._waiting += 1
        abandoned = Event()
        patience = asyncio.timeout(self._timeout)
        try:
            async with patience, self._turn:
                return await self._worker.run(lambda: self._changed(work, abandoned.is_set))
        except TimeoutError:
            if not patience.expired():
                raise
        finally:
            abandoned.set()
            self._waiting -= 1
        raise TimedOut(f"{self._path}: not changed within {self._timeout:g} s")

    async def close(self) -> None:
        """Ends the thread."""
        self._worker.close()

    def _changed(self, work: Callable[[Change], T], abandoned: Callable[[], bool]) -> T:
        try:
            with closing(self._connected()) as connection:
                connection.set_progress_handler(abandoned, STEPS)
                connection.execute("BEGIN IMMEDIATE")
                made = work(Change(connection))
                if abandoned():  # whoever asked was told that it failed
                    raise TimedOut(f"{self._path}: not changed in time")
                connection.execute("COMMIT")
                return made
        except sqlite3.Error as error:
            if (found := self._meaning(error)) is None:
                raise
        raise found

    def _connected(self) -> sqlite3.Connection:
        """A connection of its own for each change, which takes what it did not commit with it when it is closed."""
        address = f"file:{quote(os.fsencode(self._path.absolute()))}?mode=rw"
        return sqlite3.connect(address, uri=True, timeout=self._limit, isolation_level=None)

    def _meaning(self, error: Any) -> ReadError | None:
        code = getattr(error, "sqlite_errorcode", 0) & PRIMARY
        if code == sqlite3.SQLITE_CONSTRAINT or "has no column named" in str(error):
            return SchemaMismatch(f"{self._path}: {error}")
        if code not in UNWRITABLE:
            return sqlite_meaning(error, self._path, self._limit)
        if not self._path.exists():
            return Missing(f"{self._path}: no such file")
        return Refused(f"{self._path}: {error}: may this user write to it, and in its directory?")
