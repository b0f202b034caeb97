"""Connections over real sockets that come to stay: who asks for nothing is hung up on, and who is too many at once."""

import asyncio
import resource
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from exporter.core.address import address
from exporter.runtime.hub import MOST as STREAMS
from exporter.web import door
from exporter.web.gate import Gate, Terms
from exporter.web.server import application, serving
from tests.fakes import until
from tests.web.examples import Example
from tests.web.terms import issued
from tests.web.test_streams import opened, told

ANYWHERE = [address("127.0.0.1:0")]
ASKED = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
ANSWER = b"studio-exporter is healthy.\n"
SOON = 0.05
"""Seconds: nothing has to happen before."""

LATER = 0.5
"""Seconds: one request has to come before."""

PLENTY = 1_000_000


class Caller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self) -> bytes:
        """The answer to a request; what came of it where there is none."""
        self.writer.write(ASKED)
        try:
            async with asyncio.timeout(10):
                return await self.reader.readuntil(ANSWER)
        except asyncio.IncompleteReadError as error:
            return error.partial
        except ConnectionError:
            return b""

    async def rest(self) -> bytes:
        """All that comes until the other side hangs up."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def leave(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


class House:
    """A main listener, and who has called."""

    def __init__(self) -> None:
        self.example, self.callers = Example(), list[Caller]()
        self.port = 0

    @asynccontextmanager
    async def open(self, context: ssl.SSLContext | None = None) -> AsyncIterator["House"]:
        gate = Gate(lambda: Terms(context))
        app = application(self.example.served())
        async with serving(app, ANYWHERE, gate=gate, turned=lambda count: self.example.traffic.turn("main", count)) as [
            url
        ]:
            self.port = urlsplit(url).port or 0
            yield self
            for caller in self.callers:
                await caller.leave()

    async def call(self, first: bytes = b"") -> Caller:
        caller = Caller(*await asyncio.open_connection("127.0.0.1", self.port))
        self.callers.append(caller)
        caller.writer.write(first)
        return caller

    @property
    def turned(self) -> int:
        return self.example.traffic.turned["main"]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House().open() as made:
        yield made


# who asks for nothing


@pytest.mark.parametrize("said", [b"", b"GET /metrics HTTP/1.1\r\nHost:", b"\r\n\r\n"])
async def test_who_says_no_whole_head_is_hung_up_on(said: bytes, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEAD", SOON)
    assert await (await house.call(said)).rest() == b""


async def test_who_has_asked_once_stays_for_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEAD", LATER)
    caller = await house.call()
    assert ANSWER in await caller.ask()
    assert await (await house.call()).rest() == b""
    assert ANSWER in await caller.ask()


async def test_who_has_nothing_more_to_ask_is_hung_up_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "IDLE", LATER)
    assert (await (await house.call(ASKED)).rest()).endswith(ANSWER)
    assert await (await house.call(b"GET /")).rest() == b""


async def test_who_does_not_read_is_hung_up_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "UNREAD", SOON)
    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.setblocking(False)
        before = opened()
        await asyncio.get_running_loop().sock_connect(caller, ("127.0.0.1", house.port))
        await until(lambda: opened() > before)
        await asyncio.get_running_loop().sock_sendall(caller, ASKED.replace(b"/-/healthy", b"/catalogue") * 500)
        await until(lambda: opened() == before)


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", ASKED])
async def test_who_speaks_no_tls_is_hung_up_on(
    said: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "HANDSHAKE", SOON)
    issued(tmp_path, trustme.CA())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    async with House().open(context) as house:
        assert ANSWER not in await (await house.call(said)).rest()
    assert caplog.messages == []


# too many


async def test_those_too_many_are_closed_at_once_counted_and_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "room", lambda: (2, PLENTY))
    async with House().open() as house:
        assert house.turned == 0
        first, second = await house.call(), await house.call()
        assert ANSWER in await first.ask()
        assert ANSWER in await second.ask()
        assert await (await house.call()).rest() == await (await house.call()).rest() == b""
        assert ANSWER in await first.ask()
        assert house.turned == 2
        at = f"127.0.0.1:{house.port}"
        assert caplog.messages == [f"{at}: connections are closed at once: there are 2, or few descriptors are left"]
        await second.leave()
        async with asyncio.timeout(10):
            while ANSWER not in await (await house.call()).ask():
                pass


async def test_a_handshake_is_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "room", lambda: (1, PLENTY))
    issued(tmp_path, trustme.CA())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    async with House().open(context) as house:
        await house.call()
        assert await (await house.call()).rest() == b""
        assert house.turned == 1


async def test_the_last_descriptors_are_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "room", lambda: (PLENTY, 3))
    async with House().open() as house:
        assert await (await house.call()).rest() == b""
        assert house.turned == 1


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (256, (128, 224)),
        (1024, (512, 896)),
        (1 << 20, (512 + STREAMS, (1 << 20) - 256)),
        (resource.RLIM_INFINITY, (512 + STREAMS, sys.maxsize - 256)),
    ],
)
def test_a_low_limit_of_the_system_is_kept_to(
    limit: int, expected: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert door.room() == expected


async def test_without_descriptors_connections_wait_and_the_log_says_so_once(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "PAUSE", 0.001)
    limits, now = resource.getrlimit(resource.RLIMIT_NOFILE), asyncio.get_running_loop().time
    knocking = socket.create_connection(("127.0.0.1", house.port))  # the system takes it
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        await until(lambda: caplog.messages)
        later = now() + 20 * door.PAUSE
        await until(lambda: now() > later)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    house.callers.append(caller := Caller(*await asyncio.open_connection(sock=knocking)))
    assert ANSWER in await caller.ask()
    assert caplog.messages == [f"127.0.0.1:{house.port}: connections wait: too many open files"]


async def test_the_page_says_how_many_were_closed(house: House) -> None:
    page = await told(house.example)
    assert 'studio_exporter_connections_refused_total{listener="main"} 0.0' in page
