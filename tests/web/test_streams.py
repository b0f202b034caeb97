"""Listeners of streams over real connections that are up to no good, or up to nothing: none is held on to, and none
costs the others."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.core.event import Event
from exporter.runtime import hub, itself
from exporter.runtime.board import Board
from exporter.runtime.exposition import Format
from exporter.runtime.itself import Itself
from exporter.web import streams
from tests.fakes import until
from tests.web.apis import stream
from tests.web.examples import Example
from tests.web.test_apis import BEARER, TOKEN, Desk, listeners, swept

LARGE = Event("large", {"text": "x" * 200_000})
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
TEXT, CLOSE, PING, MORE = 1, 8, 9, 0
FIN = 0x80
GOODBYE = struct.pack("!BBIH", FIN | CLOSE, 0x80 | 2, 0, 1000)
SSE, WEBSOCKET = "/events", "/events/ws"


def framed(first: int, content: bytes = b"", length: int | None = None) -> bytes:
    """A frame of a client, masked with zeros, that says it is that long."""
    size = len(content) if length is None else length
    said = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BQ", 0x80 | 127, size)
    return bytes([first]) + said + bytes(4) + content


class Peer:
    """The other side of a stream, down to its bytes; it reads only what a test has it read."""

    def __init__(self, desk: Desk, path: str = WEBSOCKET, version: str = "1.1") -> None:
        self.desk, self.path, self.version = desk, path, version
        self.socket = socket.socket()
        self.socket.setblocking(False)

    async def follow(self) -> "Peer":
        """Asks for the stream, and is listened to by the time it returns."""
        before, loop = listeners(self.desk), asyncio.get_running_loop()
        await loop.sock_connect(self.socket, (self.desk.own.host, self.desk.own.port))
        upgrade = UPGRADE if self.path == WEBSOCKET else ""
        head = f"GET {self.path} HTTP/{self.version}\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n{upgrade}\r\n"
        await self.send(head.encode())
        await until(lambda: listeners(self.desk) == before + 1)
        return self

    async def send(self, content: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, content)

    async def rest(self) -> bytes:
        """Everything that is on its way to it, up to the end of the connection."""
        found = bytearray()
        async with asyncio.timeout(10):
            while chunk := await asyncio.get_running_loop().sock_recv(self.socket, 1 << 20):
                found += chunk
        return bytes(found)

    def vanish(self) -> None:
        """Is gone without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """At the end, no task and no descriptor is left of what the test did."""
    async with Desk().serving() as made:
        made.example.traffic.hub._clock = made.example.time.clock
        tasks, descriptors = len(asyncio.all_tasks()), opened()
        yield made
        await until(lambda: len(asyncio.all_tasks()) <= tasks and opened() <= descriptors)


def opened() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def channel(desk: Desk) -> hub.Channel:
    return next(each for each in desk.example.traffic.hub.channels if each.stream.name == "events")


async def filled(desk: Desk) -> None:
    """Everything between the server and a peer that does not read is full, and the listener's queue, too."""
    for _ in range(200):
        desk.example.traffic.hub.publish("vfx", "main", [LARGE])
        await asyncio.sleep(0)
    await until(lambda: channel(desk).dropped > 0)


async def told(example: Example) -> str:
    """What the exporter says of itself."""
    board = Board(itself.FAMILIES)
    await Itself(board, example.time.clock, example.traffic, lambda: example.reload).refresh()
    return board.page(Format.OPENMETRICS).body.decode()


# who reads


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, 300_000])
async def test_what_is_written_straight_away_is_what_clients_understand(desk: Desk, size: int) -> None:
    text = "\u00e9" + "x" * (size - len(hub.messaged(Event("e", {"text": ""}))) - 2)
    events = [Event("e", {"text": text}), Event("f", {"text": ""}), Event("g", {"text": text})]
    async with (
        desk.session.ws_connect(desk.at(WEBSOCKET), headers=BEARER, max_msg_size=0) as following,
        desk.session.get(desk.at(SSE), headers=BEARER) as answer,
    ):
        await until(lambda: [each.waiting for each in channel(desk).listeners] == [True, True])
        desk.example.traffic.hub.publish("vfx", "main", events[:1])
        desk.example.traffic.hub.publish("vfx", "main", events[1:])
        await until(lambda: not any(each.queue for each in channel(desk).listeners))
        async with asyncio.timeout(10):
            assert [await following.receive_str() for _ in events] == [hub.messaged(each) for each in events]
            frames = [(await answer.content.readuntil(b"\n\n")).decode() for _ in events]
        assert [each.rpartition("\nid: ")[0] for each in frames] == [hub.framed(each) for each in events]
    await until(lambda: swept(desk) == 0)


async def test_a_websocket_resumes_as_well(desk: Desk) -> None:
    events = [Event(name, {}) for name in "abc"]
    desk.example.traffic.hub.publish("vfx", "main", events)
    last = {"Last-Event-ID": channel(desk).ring[-3].id}
    async with desk.session.ws_connect(desk.at(WEBSOCKET), headers={**BEARER, **last}) as following:
        assert [await following.receive_str() for _ in events[1:]] == [hub.messaged(each) for each in events[1:]]
    await until(lambda: swept(desk) == 0)


async def test_a_body_without_chunks_gets_none(desk: Desk) -> None:
    peer = await Peer(desk, SSE, "1.0").follow()
    await until(lambda: all(each.waiting for each in channel(desk).listeners))
    desk.example.traffic.hub.publish("vfx", "main", [Event("e", {})])
    await until(lambda: not any(each.queue for each in channel(desk).listeners))
    desk.example.traffic.hub.close("vfx")
    _, _, body = (await peer.rest()).partition(b"\r\n\r\n")
    assert body == channel(desk).ring[-1].frame
    peer.vanish()


async def test_who_asks_for_the_head_of_a_stream_follows_nothing() -> None:
    async with Desk(head=True).serving() as desk:
        status, body, headers = await desk.ask("HEAD", desk.at(SSE), headers=BEARER)
        assert (status, body, headers["Content-Type"]) == (200, "", "text/event-stream; charset=utf-8")
        await until(lambda: listeners(desk) == 0)


@pytest.mark.parametrize("path", [SSE, WEBSOCKET])
async def test_who_reads_late_gets_what_waited_in_its_order(desk: Desk, path: str) -> None:
    peer = await Peer(desk, path).follow()
    events = [Event(f"event-{number:02}", {"text": "x" * 20_000}) for number in range(hub.QUEUE)]
    for each in events:
        desk.example.traffic.hub.publish("vfx", "main", [each])
        await asyncio.sleep(0)
    rest = asyncio.create_task(peer.rest())
    await until(lambda: all(each.waiting and not each.queue for each in channel(desk).listeners))
    desk.example.traffic.hub.close("vfx")
    assert re.findall(rb"event-\d\d", await rest) == [each.name.encode() for each in events]
    assert channel(desk).dropped == 0
    peer.vanish()


async def test_a_bug_in_the_form_of_an_event_is_none_of_who_publishes_it(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event) -> str:
        raise LookupError("a bug of a test")

    faulty = replace(stream(), frame=broken)
    async with Desk(streams=(faulty,)).serving() as desk:
        events = await Peer(desk, SSE).follow()
        things = await Peer(desk, "/things/stream").follow()
        await until(lambda: all(each.waiting for one in desk.example.traffic.hub.channels for each in one.listeners))
        desk.example.traffic.hub.publish("vfx", "main", [Event("e", {})])
        await until(lambda: swept(desk) == 1)
        desk.example.traffic.hub.close("vfx")
        assert b"event: e\n" in await events.rest()
        assert "a request to the API of vfx: a bug, please report it" in caplog.text
        events.vanish()
        things.vanish()


# who does not read


@pytest.mark.parametrize("path", [SSE, WEBSOCKET])
async def test_who_never_reads_is_let_go_counted_and_hung_up_on(desk: Desk, path: str) -> None:
    before = opened()
    peer = await Peer(desk, path).follow()
    await filled(desk)
    [stuck] = channel(desk).listeners
    assert len(stuck.queue) == hub.QUEUE
    desk.example.time.advance(hub.STALLED - 1)
    assert swept(desk) == 1
    desk.example.time.advance(1)
    assert swept(desk) == 0
    await until(lambda: opened() <= before + 1)  # its own: it has not read yet
    page = await told(desk.example)
    assert 'studio_exporter_stream_stalled_total{source="vfx",stream="events"} 1.0' in page
    assert f'studio_exporter_stream_dropped_total{{source="vfx",stream="events"}} {channel(desk).dropped}.0' in page
    peer.vanish()


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(GOODBYE, id="goodbye"),
        pytest.param(b"\xff" * 1000, id="garbage"),
        pytest.param(framed(FIN | PING, b"x" * 125) * 4000, id="pings"),
    ],
)
async def test_who_does_not_read_but_speaks_is_hung_up_on(
    desk: Desk, last: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PING", 0.1)
    before = opened()
    peer = await Peer(desk).follow()
    await filled(desk)
    sending = asyncio.create_task(peer.send(last))
    await until(lambda: swept(desk) == 0 and opened() <= before + 1)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    peer.vanish()


@pytest.mark.parametrize("full", [False, True])
async def test_who_answers_no_ping_is_hung_up_on(desk: Desk, full: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING", 0.1)
    before = opened()
    peer = await Peer(desk).follow()
    if full:
        await filled(desk)
    await until(lambda: swept(desk) == 0 and opened() <= before + 1)
    peer.vanish()


@pytest.mark.parametrize("path", [SSE, WEBSOCKET])
async def test_who_vanishes_is_forgotten(desk: Desk, path: str, caplog: pytest.LogCaptureFixture) -> None:
    for last in (b"", framed(FIN | PING, b"x" * 125) * 20 if path == WEBSOCKET else b""):
        peer = await Peer(desk, path).follow()
        await peer.send(last)
        await asyncio.sleep(0)
        peer.vanish()
        await until(lambda: swept(desk) == 0)
    assert caplog.records == []


async def test_a_closing_server_waits_for_nobody_who_does_not_read() -> None:
    before = opened()
    async with asyncio.timeout(10), Desk().serving(grace=60) as desk:
        peers = [await Peer(desk, path).follow() for path in (SSE, WEBSOCKET) * 2]
        await filled(desk)
        peers += [await Peer(desk, path).follow() for path in (SSE, WEBSOCKET)]
    await until(lambda: opened() <= before + len(peers))
    for peer in peers:
        peer.vanish()


# who sends what nobody asked for


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(b"\xff" * 1000, 1002, id="garbage"),
        pytest.param(framed(FIN | TEXT, b"x" * 100, length=1 << 40), 1009, id="huge"),
        pytest.param(framed(FIN | TEXT, length=(1 << 64) - 1), 1009, id="the hugest"),
        pytest.param(framed(TEXT, b"x" * 100) + framed(MORE, b"x" * 100) * 100, 1009, id="endless"),
        pytest.param(framed(FIN | TEXT, b"\xff\xfe"), 1007, id="no text"),
        pytest.param(framed(FIN | MORE, b"x"), 1002, id="more of nothing"),
        pytest.param(framed(PING, b"x"), 1002, id="half a ping"),
        pytest.param(framed(FIN | CLOSE, b"\x00\x01"), 1002, id="an odd goodbye"),
        pytest.param(GOODBYE, 1000, id="goodbye"),
    ],
)
async def test_a_websocket_that_says_what_it_may_not_is_closed(desk: Desk, sent: bytes, code: int) -> None:
    peer = await Peer(desk).follow()
    await peer.send(sent)
    assert (await peer.rest()).endswith(struct.pack("!BBH", FIN | CLOSE, 2, code))
    await until(lambda: listeners(desk) == 0)
    peer.vanish()


@pytest.mark.parametrize(
    "flood", [pytest.param(framed(FIN | PING), id="pings"), pytest.param(framed(FIN | TEXT, b"x"), id="texts")]
)
async def test_a_flood_is_read_slowly_and_the_others_are_served_meanwhile(desk: Desk, flood: bytes) -> None:
    peer = await Peer(desk).follow()
    await peer.send(flood * 20_000)
    for _ in range(10):
        assert (await desk.ask("GET", desk.at("/things"), headers={**BEARER, "Connection": "close"}))[0] == 200
    desk.example.traffic.hub.publish("vfx", "main", [LARGE])
    pongs = await asyncio.get_running_loop().sock_recv(peer.socket, 1 << 20)
    assert pongs.count(struct.pack("!BB", FIN | 10, 0)) < 2000
    peer.vanish()
    desk.example.traffic.hub.publish("vfx", "main", [LARGE])  # whatever it is told finds that it is gone
    await until(lambda: swept(desk) == 0)
