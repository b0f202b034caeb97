"""The ledger's store: a SQLite file or a database of a server, a transaction for each batch, one exporter at a time."""

import math
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from exporter.core.finish import SECOND
from exporter.core.secret import Secret, misread
from exporter.ledger import rows
from exporter.ledger.account import Account, Delta
from exporter.ledger.schema import STEPS, Step, written
from exporter.ledger.trouble import LedgerError, meaning

LEASE = 120 * SECOND
"""Microseconds for which nobody else may take the store over from an exporter that says nothing."""

RENEWAL = LEASE // 3

BACKENDS = {
    "sqlite": "sqlite",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}
DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
EXTRAS = {"postgresql": ("psycopg", "postgres"), "mysql": ("pymysql", "mysql")}
READING = {
    "sqlite": "BEGIN",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "mysql": "START TRANSACTION READ ONLY",
}
WRITING = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN", "mysql": "START TRANSACTION"}

INSERT_ACCOUNT, UPDATE_ACCOUNT = text(rows.INSERT_ACCOUNT), text(rows.UPDATE_ACCOUNT)
INSERT_LANE, DELETE_LANE = text(rows.INSERT_LANE), text(rows.DELETE_LANE)
INSERT_SEEN, UPDATE_SEEN, DELETE_SEEN = text(rows.INSERT_SEEN), text(rows.UPDATE_SEEN), text(rows.DELETE_SEEN)
EXTEND = text("update ledger_lease set owner = :owner, host = :host, pid = :pid, expires = :expires where id = 1")

Key = tuple[str, str]
"""Source and pipeline."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the store: a word that is this process's own, its host and number; `alive` says of the number of a
    process of this host whether it runs."""

    token: str
    host: str
    pid: int
    alive: Callable[[int], bool]


def url_problem(url: Secret) -> str | None:
    """Why a URL cannot be used for the store, without showing it; None if it can."""
    try:
        parsed = make_url(url.reveal())
    except (ArgumentError, ValueError):
        return "expected a database URL such as sqlite:////var/lib/studio-exporter/state.sqlite"
    backend = BACKENDS.get(parsed.drivername.split("+")[0])
    if backend is None:
        return f"expected a URL of sqlite, postgresql, mysql or mariadb, found {parsed.drivername.split('+')[0]!r}"
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        return "expected the path of a file, as in sqlite:////var/lib/studio-exporter/state.sqlite"
    if backend != "sqlite" and (problem := misread(url, parsed.host, parsed.database)):
        return problem
    package, extra = EXTRAS.get(backend, ("sqlite3", ""))
    if find_spec(package) is None:
        return f"needs the package {package}: pip install 'studio-exporter[{extra}]'"
    return None


class Store:
    """Everything here blocks, and belongs to one thread; times are microseconds. Whatever fails raises LedgerError and
    leaves the store as it was, or as it was to become: what was to be written has to be read again."""

    def __init__(self, url: Secret, owner: Owner, timeout: float = 5.0, steps: Sequence[Step] = STEPS) -> None:
        """`timeout` is how many seconds to wait for a lock or a server."""
        parsed = make_url(url.reveal())
        self._dialect = BACKENDS[parsed.drivername.split("+")[0]]
        self._url = parsed.set(drivername=DRIVERS[self._dialect])
        self._path = Path(parsed.database or "").expanduser() if self._dialect == "sqlite" else None
        self.place = str(self._path or _place(self._url, self._dialect))
        self._owner = owner
        self._timeout = timeout
        self._steps = steps
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._cord: socket.socket | None = None
        self._file: object = None
        self._ids: dict[Key, int] = {}
        self.held_until = 0
        self.created: int | None = None

    # opening

    def open(self, now: int) -> None:
        """Makes the tables or brings them to this version, and takes the lease over if it may."""
        if self._path is not None:
            self._examine()
        with self._transaction(WRITING) as connection:
            self._migrate(connection, now)
            self._take(connection, now)
            self.created = int(_value(connection, "created"))

    def _examine(self) -> None:
        """A file that is torn, or another program's, is left alone; another one is told to keep a log of writes."""
        with self._transaction(READING) as connection:
            ((verdict,),) = connection.exec_driver_sql("PRAGMA quick_check(1)").fetchall()
            tables = [name for (name,) in connection.exec_driver_sql("select name from sqlite_master")]
        if verdict != "ok":
            raise LedgerError("corrupt", f"ledger {self.place}: it is damaged ({verdict}); move it away to begin anew")
        if tables and "ledger_meta" not in tables:
            raise LedgerError(
                "schema", f"ledger {self.place}: it is another program's; give the state a file of its own"
            )
        with self._translated():
            self._connected().exec_driver_sql("PRAGMA journal_mode = WAL")

    def _migrate(self, connection: Connection, now: int) -> None:
        version = self._version(connection)
        if version > len(self._steps):
            known = f"this one knows version {len(self._steps)}, and it is of version {version}"
            raise LedgerError("schema", f"ledger {self.place}: a newer exporter wrote it ({known}); run that one")
        for step in self._steps[version:]:
            for statement in written(step, self._dialect):
                connection.exec_driver_sql(statement)
        if version == 0:
            connection.execute(text("insert into ledger_meta (name, value) values ('created', :at)"), {"at": str(now)})

    def _version(self, connection: Connection) -> int:
        if not inspect(connection).has_table("ledger_meta"):
            return 0
        found = _value(connection, "version")
        if not found.isdecimal():
            raise LedgerError("schema", f"ledger {self.place}: its version is {found[:20]!r}, expected a number")
        return int(found)

    # the lease

    def _take(self, connection: Connection, now: int) -> None:
        """Takes the lease if it is ours, free, past its end, or that of a process of this host that is no more."""
        owner, host, pid, expires = self._lease(connection)
        here = host == self._owner.host and (pid == self._owner.pid or not self._owner.alive(pid))
        if owner != self._owner.token and expires > now and not here:
            raise LedgerError(
                "leased",
                f"ledger {self.place}: another exporter has it (process {pid} on {host}); it is free once that ends, "
                f"or {(expires - now) // SECOND + 1} s from now if it says nothing until then",
            )
        self._extend(connection, now)

    def _hold(self, connection: Connection, now: int) -> None:
        """Makes sure, in the transaction that writes, that nobody took the lease over."""
        owner, host, pid, _ = self._lease(connection)
        if owner != self._owner.token:
            raise LedgerError("leased", f"ledger {self.place}: another exporter took it over (process {pid} on {host})")
        self._extend(connection, now)

    def _lease(self, connection: Connection) -> tuple[str, str, int, int]:
        lock = "" if self._dialect == "sqlite" else " for update"
        statement = f"select owner, host, pid, expires from ledger_lease where id = 1{lock}"  # noqa: S608  # constants
        ((owner, host, pid, expires),) = connection.execute(text(statement)).fetchall()
        return owner, host, pid, expires

    def _extend(self, connection: Connection, now: int) -> None:
        who = self._owner
        connection.execute(EXTEND, {"owner": who.token, "host": who.host, "pid": who.pid, "expires": now + LEASE})
        self.held_until = now + LEASE

    def renew(self, now: int) -> None:
        """Says that this exporter still is there, if it has said nothing for a third of the lease."""
        if self.held_until - LEASE > now or now >= self.held_until - LEASE + RENEWAL:
            with self._transaction(WRITING) as connection:
                self._hold(connection, now)

    def release(self, now: int) -> None:
        """Gives the lease back, if it is ours, and closes."""
        with self._transaction(WRITING) as connection:
            self._hold(connection, now)
            connection.execute(text("update ledger_lease set expires = 0 where id = 1"))
        self.close()

    def close(self) -> None:
        """Ends the connection; the next call makes another."""
        connection, self._connection = self._connection, None
        cord, self._cord = self._cord, None
        if cord is not None:
            cord.close()
        if connection is not None:
            with suppress(DBAPIError):
                connection.invalidate()  # to end what was begun politely would wait for a server that hangs
                connection.close()

    def cut(self) -> None:
        """Frees the thread from a server that does not answer, where its driver would wait for ever. The one thing here
        that any thread may do."""
        if (cord := self._cord) is not None:
            with suppress(OSError):  # it was closed a moment ago
                cord.shutdown(socket.SHUT_RDWR)

    @property
    def size(self) -> int | None:
        """Bytes of the file and of what belongs to it; None where there is none."""
        if self._path is None:
            return None
        sizes = [_size(self._path.with_name(self._path.name + suffix)) for suffix in ("", "-wal", "-shm")]
        return None if sizes[0] is None else sum(size or 0 for size in sizes)

    # accounts

    def load(self, key: Key) -> Account | None:
        """The account of a source's pipeline as it was last committed; None where there is none. Needs no lease."""
        with self._transaction(READING) as connection:
            return self._loaded(connection, key)

    def _loaded(self, connection: Connection, key: Key) -> Account | None:
        found = connection.execute(
            text("select * from ledger_account where source = :source and pipeline = :pipeline"), _named(key)
        ).mappings()
        if (row := found.one_or_none()) is None:
            return None
        this = {"account": row["id"]}
        lanes = connection.execute(text("select * from ledger_lane where account = :account order by number"), this)
        seen = connection.execute(text("select unit, at, t, ok, lane from ledger_seen where account = :account"), this)
        self._ids[key] = row["id"]
        return rows.account_of(dict(row), [dict(lane) for lane in lanes.mappings()], seen.all())

    def commit(self, key: Key, account: Account, delta: Delta, now: int) -> None:
        """Writes what is new in an account, all of it or nothing."""
        with self._transaction(WRITING) as connection:
            self._hold(connection, now)
            number = self._written(connection, key, account, delta)
            if lanes := rows.lane_rows(number, account, delta):
                connection.execute(DELETE_LANE, lanes)
                connection.execute(INSERT_LANE, lanes)
            if seen := rows.seen_rows(number, account, delta):
                connection.execute(INSERT_SEEN, seen)
            if moved := [{"account": number, "unit": unit, "at": at} for unit, at in delta.moved.items()]:
                connection.execute(UPDATE_SEEN, moved)
            if delta.rose:
                connection.execute(DELETE_SEEN, {"account": number, "floor": account.floor})
        self._ids[key] = number

    def _written(self, connection: Connection, key: Key, account: Account, delta: Delta) -> int:
        """Writes the row of an account and gives its number."""
        if delta.opened:
            ((number,),) = connection.execute(text("select coalesce(max(id), 0) + 1 from ledger_account")).fetchall()
            connection.execute(INSERT_ACCOUNT, {"id": number, **_named(key), **rows.account_row(account)})
            return int(number)
        number = self._ids[key]
        values = {"id": number, "before": account.revision - 1, **rows.account_row(account)}
        done = connection.execute(UPDATE_ACCOUNT, values)
        if done.rowcount != 1:
            raise LedgerError("leased", f"ledger {self.place}: somebody else wrote the account of {'/'.join(key)}")
        return number

    # the connection

    @contextmanager
    def _transaction(self, begin: Mapping[str, str]) -> Iterator[Connection]:
        """One transaction; a connection on which anything failed is not used again, which undoes what was begun."""
        good = False
        try:
            with self._translated():
                connection = self._begun(begin[self._dialect])
                yield connection
                connection.exec_driver_sql("COMMIT")
                good = True
        finally:
            if not good:
                self.close()

    def _begun(self, begin: str) -> Connection:
        used = self._connection is not None and self._unmoved()
        connection = self._connected()
        try:
            connection.exec_driver_sql(begin)
        except DBAPIError as error:
            if not (used and error.connection_invalidated):
                raise
            self.close()  # the server was restarted while the connection was idle
            connection = self._connected()
            connection.exec_driver_sql(begin)
        return connection

    def _unmoved(self) -> bool:
        """Whether the file is the one that was opened; LedgerError if not."""
        if self._path is not None and _identity(self._path) != self._file:
            self.close()
            raise LedgerError("gone", f"ledger {self.place}: it was deleted or replaced while the exporter ran")
        return True

    def _connected(self) -> Connection:
        if self._connection is None:
            self._engine = self._engine or self._made()
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if self._dialect == "postgresql":
                driver: Any = self._connection.connection.driver_connection
                self._cord = socket.socket(fileno=os.dup(driver.fileno()))
            for statement in self._opening():
                self._connection.exec_driver_sql(statement)
            self._file = None if self._path is None else _identity(self._path)
        return self._connection

    def _made(self) -> Engine:
        if self._path is not None:
            path = self._path
            return create_engine(
                "sqlite+pysqlite://",
                creator=lambda: sqlite3.connect(
                    path, timeout=self._timeout, isolation_level=None, check_same_thread=False
                ),
                poolclass=NullPool,
            )
        seconds = max(2, math.ceil(self._timeout))
        arguments = {"connect_timeout": seconds, **_arguments(self._dialect, seconds)}
        ours = {name: value for name, value in arguments.items() if name not in self._url.query}
        return create_engine(self._url, connect_args=ours, poolclass=NullPool)

    def _opening(self) -> Iterator[str]:
        milliseconds = max(1, math.ceil(self._timeout * 1000))
        if self._dialect == "sqlite":
            # with less, a power cut may take back what was scraped already, and the counter would fall
            yield "PRAGMA synchronous = FULL"
        elif self._dialect == "postgresql":
            yield from (f"SET {limit} = {milliseconds}" for limit in ("statement_timeout", "lock_timeout"))
        else:
            yield f"SET SESSION innodb_lock_wait_timeout = {max(1, math.ceil(self._timeout))}"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if (found := meaning(error.orig, self.place)) is None:
                raise
            raise found from None  # the driver's error names the URL's parts
        except RuntimeError as error:
            if "cryptography" not in str(error):  # PyMySQL says so of the logins of MySQL 8
                raise
            advice = f"{error}: pip install cryptography, or connect by TLS"
            raise LedgerError("unreachable", f"ledger {self.place}: {advice}") from None


def _arguments(dialect: str, seconds: int) -> Mapping[str, str | int]:
    """What a driver is told of a server that may wait so many seconds for a lock: a network that swallows what is sent
    is found out, too."""
    if dialect == "postgresql":
        return {
            "application_name": "studio-exporter",
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": seconds * 1000,
        }
    return {"charset": "utf8mb4", "read_timeout": seconds + 1, "write_timeout": seconds}


def _place(url: URL, scheme: str) -> str:
    port = f":{url.port}" if url.port else ""
    return f"{scheme}://{url.host or 'localhost'}{port}/{url.database or ''}"


def _identity(path: Path) -> object:
    """What tells a file from the one that took its place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _value(connection: Connection, name: str) -> str:
    found = connection.execute(text("select value from ledger_meta where name = :name"), {"name": name}).scalar()
    return "" if found is None else str(found)


def _named(key: Key) -> dict[str, str]:
    return {"source": key[0], "pipeline": key[1]}
