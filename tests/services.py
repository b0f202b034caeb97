"""Real databases for tests: servers as the environment names them, a database for each test, and networks that fail."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import pytest
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

Server = Literal["postgresql", "mariadb"]
SERVERS: tuple[Server, ...] = ("postgresql", "mariadb")
ADDRESSES = {
    "postgresql": ("STUDIO_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/postgres"),
    "mariadb": ("STUDIO_TEST_MARIADB", "mysql://root@127.0.0.1:3306/"),
}
DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}


def needs(server: Server) -> str:
    """The URL of a server, which answers: where none does the test is skipped, or fails if services are required."""
    variable, usual = ADDRESSES[server]
    url = os.environ.get(variable, usual)
    try:
        with connected(url, connect_timeout=5):
            return url
    except OperationalError as error:
        missing = f"no {server} at {make_url(url)!r} ({variable}): {error.orig}"
    if os.environ.get("STUDIO_REQUIRE_SERVICES") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def connected(url: str, **arguments: Any) -> Iterator[Connection]:
    """A connection of the test's own, each statement of which is committed at once."""
    parsed = make_url(url)
    driver = DRIVERS[parsed.drivername.split("+")[0]]
    engine = create_engine(
        parsed.set(drivername=driver), isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args=arguments
    )
    with engine.connect() as connection:
        yield connection


def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Does as it is told and gives the rows of the last statement, if it has any."""
    with connected(url) as connection:
        results = [connection.exec_driver_sql(statement) for statement in statements]
        return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []


@contextmanager
def own_database(server: Server) -> Iterator[str]:
    """The URL of an empty database that is there for this test alone."""
    url, name = needs(server), f"studio_{uuid4().hex}"
    execute(url, f"create database {name}")
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        execute(url, f"drop database {name}" + (" with (force)" if server == "postgresql" else ""))


@contextmanager
def statements(*words: str) -> Iterator[list[str]]:
    """The statements that have one of these words, as they are sent."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if any(word in statement for word in words):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@contextmanager
def writing(program: str, *arguments: str) -> Iterator[None]:
    """Another process writes for as long as this lasts: a program that prints `writing` once it does."""
    with subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        try:
            yield
        finally:
            writer.kill()


@dataclass
class Wire:
    """A network between a client and a server, as the client finds it at `host` and `port`."""

    host: str
    port: int = 0
    accepted: int = 0
    whole: bool = True
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    streams: list[asyncio.StreamWriter] = field(default_factory=list)

    def freeze(self) -> None:
        """From now on nothing gets through, and nobody is told."""
        self.flowing.clear()

    def thaw(self) -> None:
        """What was held back gets through, and all that follows."""
        self.flowing.set()

    def cut(self) -> None:
        """Ends all connections, and new ones as soon as they are made."""
        self.whole = False
        for stream in self.streams:
            stream.close()

    def mend(self) -> None:
        """New connections get through again."""
        self.whole = True

    def url(self, url: str) -> str:
        """The URL of the server, through this wire."""
        return make_url(url).set(host=self.host, port=self.port).render_as_string(hide_password=False)

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Carries bytes one way until an end is closed."""
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await self.flowing.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def wired(url: str) -> AsyncIterator[Wire]:
    """A wire to a server."""
    target, wire = make_url(url), Wire("127.0.0.1")
    wire.thaw()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire.accepted += 1
        wire.streams.append(writer)
        if not wire.whole:
            writer.close()
            return
        there, back = await asyncio.open_connection(target.host, target.port)
        wire.streams.append(back)
        await asyncio.gather(wire.pump(reader, back), wire.pump(there, writer))

    server = await asyncio.start_server(accept, wire.host, 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        wire.thaw()
        wire.cut()
        for stream in wire.streams:
            with suppress(ConnectionError):
                await stream.wait_closed()


@asynccontextmanager
async def mute() -> AsyncIterator[int]:
    """The port of a server that accepts connections and never says a word."""
    streams: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        streams.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for stream in streams:
            stream.close()
            with suppress(ConnectionError):
                await stream.wait_closed()
