"""What differs between SQLite, PostgreSQL and MariaDB or MySQL: connecting, limits, binds, what their errors mean."""

import math
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from exporter.core.errors import Malformed, Missing, ReadError, Refused, Unreachable
from exporter.core.secret import Secret, misread
from exporter.inputs.meanings import mysql_meaning, postgresql_meaning, sqlite_meaning

BACKENDS = {
    "sqlite": "sqlite",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}
DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
EXTRAS = {"postgresql": ("psycopg", "postgres"), "mysql": ("pymysql", "mysql")}
STEPS = 10_000
"""SQLite asks every so many steps of its machine (about 0.1 ms) whether the time is over."""


def url_problem(url: Secret) -> str | None:
    """Why a database URL cannot be used, without showing it; None if it can."""
    try:
        parsed = make_url(url.reveal())
    except (ArgumentError, ValueError):
        return "expected a database URL such as sqlite:////path/file.db, postgresql://user@host/name or mysql://user@host/name"
    scheme = _scheme(parsed)
    backend = BACKENDS.get(scheme)
    if backend is None:
        return f"expected a URL of sqlite, postgresql, mysql or mariadb, found {scheme!r}"
    if backend == "sqlite":
        no_file = parsed.database in (None, "", ":memory:")
        return "expected the path of a file, as in sqlite:////path/file.db" if no_file else None
    if problem := misread(url, parsed.host, parsed.database):
        return problem
    if not parsed.database:
        return f"expected the name of a database, as in {scheme}://user@host/name"
    package, extra = EXTRAS[backend]
    if find_spec(package) is None:
        return f"needs the package {package}: pip install 'studio-exporter[{extra}]'"
    return None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to talk to one database.

    `place` is where it is, for people; `begin` opens a read-only snapshot; `opening` tells a fresh connection what must
    be known before; `identity` changes when the place holds another database; `meaning` is None for what is a bug of
    ours; `socket` is the file descriptor of a connection that only the network can end.
    """

    name: str
    place: str
    begin: str
    engine: Callable[[], Engine]
    meaning: Callable[[Any], ReadError | None]
    opening: Callable[[Connection], Iterator[str]] = lambda _: iter(())
    identity: Callable[[], object] = lambda: None
    bind: Callable[[object], object] = lambda value: value
    socket: Callable[[Connection], int | None] = lambda _: None
    interrupts: bool = False

    @contextmanager
    def limited(self, connection: Connection, over: Callable[[], bool]) -> Iterator[None]:
        """SQLite stops by itself when the time is over; the servers were told their limits when they were opened."""
        if not self.interrupts:
            yield
            return
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(over, STEPS)
        try:
            yield
        finally:
            driver.set_progress_handler(None, 0)

    def translated(self, error: Exception) -> ReadError | None:
        """What an error that came out of the driver is in the words of this package; None for what is a bug of ours."""
        match error:
            case DBAPIError():
                return self.meaning(error.orig)
            case ImportError():
                return Unreachable(f"{self.place}: its driver cannot be used: {error}")
            case RuntimeError() if "cryptography" in str(error):  # PyMySQL says so of the logins of MySQL 8
                return Refused(f"{self.place}: {error}: pip install cryptography, or connect by TLS")
        return None


def dialect_of(url: Secret, limit: float) -> Dialect:
    """The dialect of a URL without problems; `limit` in seconds is the longest a statement may take."""
    parsed = make_url(url.reveal())
    return MAKERS[BACKENDS[_scheme(parsed)]](parsed, limit)


def _scheme(url: URL) -> str:
    """`postgresql` of `postgresql+asyncpg://`: the drivers are ours to choose."""
    return url.drivername.split("+")[0]


def _place(url: URL) -> str:
    host = f"[{url.host}]" if url.host and ":" in url.host else url.host or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"{_scheme(url)}://{host}{port}/{url.database or ''}"


def _engine(url: URL, arguments: Mapping[str, object], **more: Any) -> Callable[[], Engine]:
    """Engines without a pool: who reads keeps one connection."""
    made: Callable[[], Engine] = partial(
        create_engine, url, connect_args=dict(arguments), poolclass=NullPool, hide_parameters=True, **more
    )
    return made


# SQLite


def _sqlite(url: URL, limit: float) -> Dialect:
    path = Path(url.database or "").expanduser()

    def connect() -> sqlite3.Connection:
        # never `immutable`: it misses what is in the WAL, and reads nonsense while somebody writes
        address = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=limit, isolation_level=None, check_same_thread=False)
        # one bad cell must not make the table unreadable
        connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        return connection

    return Dialect(
        name="sqlite",
        place=f"sqlite:///{path}",
        begin="BEGIN",
        engine=_engine(URL.create(DRIVERS["sqlite"]), {}, creator=connect),
        opening=lambda _: iter(("PRAGMA query_only = 1",)),
        identity=lambda: _inode(path),
        bind=_sqlite_value,
        meaning=lambda error: sqlite_meaning(error, path, limit),
        interrupts=True,
    )


def _inode(path: Path) -> object:
    """What tells a file from the one that took its place."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(f"{path}: no such file") from None
    except PermissionError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    except OSError as error:
        raise Unreachable(f"{path}: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):  # to open a pipe would wait for ever
        raise Malformed(f"{path}: not a file")
    return found.st_dev, found.st_ino


def _sqlite_value(value: object) -> object:
    """Times as SQLAlchemy stores them in SQLite, 26 characters, so that they compare as text."""
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


# PostgreSQL


def _postgresql(url: URL, limit: float) -> Dialect:
    milliseconds = max(1, math.ceil(limit * 1000))
    arguments = {
        "connect_timeout": max(2, math.ceil(limit)),  # libpq takes less for 2
        "application_name": "studio-exporter",
        "client_encoding": "utf8",  # or text of a database without an encoding would come as bytes
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": milliseconds,
    }
    query = _libpq(url)
    ours = {name: value for name, value in arguments.items() if name not in query}
    # a generic plan can be a hundred times worse than the one for these values
    ours["prepare_threshold"] = None
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    # of the transaction, not of the session: behind a pooler the session belongs to others too
    local = "".join(f"; SET LOCAL {name} = {milliseconds}" for name in limits)
    place = _place(url)
    return Dialect(
        name="postgresql",
        place=place,
        begin=f"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL timezone = 'UTC'{local}",
        engine=_engine(url.set(drivername=DRIVERS["postgresql"], query=query), ours, use_native_hstore=False),
        opening=_lenient_times,
        meaning=lambda error: postgresql_meaning(error, place),
        socket=lambda connection: _driver(connection).fileno(),
    )


def _libpq(url: URL) -> dict[str, str | tuple[str, ...]]:
    """The parameters of a URL as libpq knows them; of asyncpg's only `ssl` has a counterpart."""
    if not url.drivername.endswith("+asyncpg"):
        return dict(url.query)
    return {"sslmode": url.query["ssl"]} if "ssl" in url.query else {}


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _lenient_times(connection: Connection) -> Iterator[str]:
    """Times that Python has no room for (infinity, before Christ) become NULL instead of failing the whole query."""
    from psycopg import DataError  # only where it is configured
    from psycopg.types import datetime as loaders

    def lenient(loader: type[Any]) -> type[Any]:
        def load(self: Any, data: Any) -> Any:
            try:
                return loader.load(self, data)
            except DataError:
                return None

        return type(f"Lenient{loader.__name__}", (loader,), {"load": load})

    adapters = _driver(connection).adapters
    adapters.register_loader("timestamp", lenient(loaders.TimestampLoader))
    adapters.register_loader("timestamptz", lenient(loaders.TimestamptzLoader))
    adapters.register_loader("date", lenient(loaders.DateLoader))
    return iter(())


# MariaDB and MySQL


def _mysql(url: URL, limit: float) -> Dialect:
    seconds = max(1, math.ceil(limit))
    arguments = {
        "connect_timeout": seconds,
        "read_timeout": seconds + 1,  # the limit in the server comes first, and says more
        "write_timeout": seconds,
        "charset": "utf8mb4",
        "program_name": "studio-exporter",
    }

    def opening(connection: Connection) -> Iterator[str]:
        yield "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        mariadb = getattr(connection.dialect, "is_mariadb", False)
        most = f"max_statement_time = {limit:.3f}" if mariadb else f"max_execution_time = {math.ceil(limit * 1000)}"
        yield f"SET SESSION time_zone = '+00:00', lock_wait_timeout = {seconds}, {most}"

    place = _place(url)
    kept = {name: value for name, value in url.query.items() if name.startswith("ssl") or name == "unix_socket"}
    return Dialect(
        name="mysql",
        place=place,
        begin="START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        engine=_engine(url.set(drivername=DRIVERS["mysql"], query=kept), arguments),
        opening=opening,
        meaning=lambda error: mysql_meaning(error, place),
    )


MAKERS: Mapping[str, Callable[[URL, float], Dialect]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mysql": _mysql,
}
