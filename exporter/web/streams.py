"""Streams: server-sent events and WebSocket over the hub, for as long as the other side reads."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, WSMsgType, web

from exporter.core.api import Access, Reading, Stream
from exporter.runtime.hub import Entry, Hub, Listener, present

BUFFER = 64 * 1024
"""Bytes on their way to a listener, in the socket and before it; more wait in its queue."""

PING = 30.0
"""Seconds between two pings of a WebSocket; half of that without an answer, and it is closed."""

LARGEST_MESSAGE = 4 * 1024
"""Bytes of a message of a listener, whose messages mean nothing."""

PACE = 0.01
"""Seconds between two messages of a listener: a flood waits in its socket, and costs nobody else a turn."""

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # of nginx, which would keep events back
}


def upgrading(request: web.Request) -> bool:
    """Whether a request wants to become a WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


def foreign(request: web.Request, access: Access) -> bool:
    """Whether a page of another origin opens this WebSocket: browsers ask nobody before they do."""
    origin = request.headers.get("Origin")
    if origin is None or "*" in access.cors or origin in access.cors:
        return False
    return urlsplit(origin).netloc.lower() != request.host.lower()


async def follow(
    request: web.Request,
    stream: Stream,
    follower: tuple[Hub, Listener],
    reading: Reading,
    headers: Mapping[str, str],
) -> web.StreamResponse:
    """Sends what the listener gets until the stream or the connection ends, below these headers."""
    value, (hub, listener) = reading.values.get(stream.part), follower
    try:
        if upgrading(request):
            return await conversed(request, stream, listener, value)
        answer = web.StreamResponse(headers={**HEADERS, **headers})
        return await told(request, answer, stream, listener, value)
    finally:
        hub.leave(listener)


async def told(
    request: web.Request, answer: web.StreamResponse, stream: Stream, listener: Listener, value: object
) -> web.StreamResponse:
    """Server-sent events."""
    answer.force_close()
    await answer.prepare(request)
    if request.method == "HEAD":
        return answer
    narrow(request, listener, chunk if "Transfer-Encoding" in answer.headers else frames)
    missed = listener.missed
    first = frames(missed or ())
    if missed is None and stream.opening:
        first = f"{stream.opening(value)}\n\n".encode()
    keepalive = f"{stream.keepalive}\n\n".encode()
    with suppress(ConnectionError):
        await answer.write(first)
        while (entries := await listener.take()) is not None:
            await answer.write(frames(entries) or keepalive)
        await answer.write_eof()
    return answer


async def conversed(request: web.Request, stream: Stream, listener: Listener, value: object) -> web.StreamResponse:
    """A WebSocket: what comes in is read, for its pongs and its end, and means nothing."""
    socket_ = web.WebSocketResponse(
        heartbeat=PING, max_msg_size=LARGEST_MESSAGE, compress=False, timeout=0.5, autoping=False
    )
    await socket_.prepare(request)
    narrow(request, listener, packets, lambda: socket_.closed)
    reading = asyncio.create_task(drained(socket_, listener))
    try:
        with suppress(ConnectionError):
            if listener.missed is None and stream.greeting:
                await socket_.send_str(stream.greeting(value))
            for entry in listener.missed or ():
                await socket_.send_str(entry.message)
            while (entries := await listener.take()) is not None:
                for entry in entries:
                    await socket_.send_str(entry.message)
            await socket_.close(code=WSCloseCode.GOING_AWAY)
    finally:
        reading.cancel()
    return socket_


async def drained(incoming: web.WebSocketResponse, listener: Listener) -> None:
    """Reads until the other side is gone, and answers its pings."""
    with suppress(ConnectionError):
        async for message in incoming:
            if message.type is WSMsgType.PING:
                await incoming.pong(message.data)
            await asyncio.sleep(PACE)
    listener.end()


def narrow(
    request: web.Request,
    listener: Listener,
    whole: Callable[[Sequence[Entry]], bytes],
    closed: Callable[[], bool] = present,
) -> None:
    """Keeps little under way to a listener that does not read, and lets the hub end it: also where it is `closed`, and
    the farewell waits for the other side to read. With nothing under way the hub writes events itself, as `whole` makes
    them."""
    transport = request.transport
    if transport is None:
        listener.end()
        return

    def gone() -> bool:
        return transport.is_closing() or closed()

    def straight(entries: Sequence[Entry]) -> bool:
        if gone() or transport.get_write_buffer_size():
            return False
        transport.write(whole(entries))
        return True

    transport.set_write_buffer_limits(high=BUFFER)
    if connection := transport.get_extra_info("socket"):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    listener.abort, listener.gone, listener.straight = transport.abort, gone, straight


def frames(entries: Sequence[Entry]) -> bytes:
    """Events as server-sent events."""
    return b"".join(entry.frame for entry in entries)


def chunk(entries: Sequence[Entry]) -> bytes:
    """The same in a body that comes in chunks (RFC 9112, section 7.1)."""
    body = frames(entries)
    return b"%x\r\n%b\r\n" % (len(body), body)


def packets(entries: Sequence[Entry]) -> bytes:
    """Events as messages of a WebSocket."""
    return b"".join(entry.packet for entry in entries)
