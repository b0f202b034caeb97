"""Where an application is reached: its addresses, and the connections that come in there, none of which stays for
nothing and which are never too many."""

import asyncio
import logging
import os
import resource
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from ssl import SSLContext
from types import MappingProxyType
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from exporter.core.address import Address
from exporter.runtime.hub import MOST as STREAMS

log = logging.getLogger(__name__)
protocol = logging.getLogger(f"{__name__}.protocol")

MOST = 512
"""Connections at a time, besides those that follow streams."""

SPARE = 256
"""Descriptors that are left to files and databases; an eighth of all where there are few."""

HANDSHAKE = 10.0
"""Seconds that a handshake of TLS may take."""

HEAD = 10.0
"""Seconds until the first request of a connection must have come, up to the end of its head."""

IDLE = 75.0
"""Seconds that a connection stays for another request; longer than those who scrape once a minute are away."""

UNREAD = 60.0
"""Seconds that an answer waits for somebody who reads nothing of it, where the system can tell."""

PAUSE = 1.0
"""Seconds until connections are taken again where the system has none to give."""

SILENCE = 60.0
"""Seconds between two lines in the log: callers must not be able to fill it."""


SIGNED: Mapping[str, str] = MappingProxyType({"Server": "studio-exporter", "X-Content-Type-Options": "nosniff"})
"""Headers of every answer: who serves, without the versions of what it is made of."""


def unheeded(_: int) -> None:
    """Nobody counts."""


class Connection(web.RequestHandler):
    """One connection, which is hung up on where no request comes."""

    __slots__ = ("_patience",)

    def __init__(self, server: web.Server) -> None:
        loop = asyncio.get_running_loop()
        silent = None  # no log of requests, which aiohttp's types know nothing of
        super().__init__(server, loop=loop, keepalive_timeout=IDLE, logger=protocol, access_log=silent)  # type: ignore[arg-type]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins to wait for a request."""
        super().connection_made(transport)
        hang_up = cast("asyncio.Transport", transport).abort
        self._patience = asyncio.get_running_loop().call_later(HEAD, hang_up)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Waits no longer."""
        self._patience.cancel()
        super().connection_lost(exc)

    def heard(self) -> None:
        """A request has come: from now on aiohttp looks after it."""
        self._patience.cancel()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to what is no request, which no application is asked to sign."""
        answer = super().handle_error(request, status, exc, message)
        answer.headers.update(SIGNED)
        return answer


@web.middleware
async def hearing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Has a connection stay that a request came from."""
    cast("Connection", request.protocol).heard()
    return await handler(request)


class Door:
    """The addresses at which an application is reached. `turned` is told how many connections were closed at once, and
    at the beginning that there was none."""

    def __init__(self, runner: web.AppRunner, turned: Callable[[int], None]) -> None:
        self._runner = runner
        self._server = cast("web.Server", runner.server)  # it is set up
        self._turned = turned
        self._most, self._last = room()
        self._listening: list[socket.socket] = []
        self._arriving: set[asyncio.Task[None]] = set()
        self._quiet = 0.0

    @classmethod
    async def of(cls, app: web.Application, grace: float, turned: Callable[[int], None] = unheeded) -> "Door":
        """That of an application, which is reached nowhere yet; at the end, requests under way get `grace` seconds."""
        app.middlewares.insert(0, hearing)
        runner = web.AppRunner(app, shutdown_timeout=grace)
        await runner.setup()
        return cls(runner, turned)

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        """Where it is reached, as the sockets say it."""
        return [each.getsockname()[:2] for each in self._listening]

    async def listen(self, at: Address, context: SSLContext | None = None) -> str | None:
        """Listens on one address more, over TLS where there is a context; gives why it cannot."""
        try:
            found = await bound(at)
        except (OSError, UnicodeError) as error:  # names that do not resolve, or cannot, are among them
            code = getattr(error, "errno", None) or 0
            why = os.strerror(code) if code > 0 else "that name does not resolve"
            return f"cannot listen on {at}: {why.lower()}"
        for each in found:
            self._listening.append(each)
            self._open(each, context)
        self._turned(0)
        return None

    async def close(self) -> None:
        """Lets nobody in any more, and ends."""
        for each in self._listening:
            asyncio.get_running_loop().remove_reader(each)
            each.close()
        self._listening.clear()
        for task in self._arriving:
            task.cancel()
        await asyncio.gather(*self._arriving, return_exceptions=True)
        await self._runner.cleanup()

    def _open(self, listening: socket.socket, context: SSLContext | None) -> None:
        if listening in self._listening:
            asyncio.get_running_loop().add_reader(listening, self._answer, listening, context)

    def _answer(self, listening: socket.socket, context: SSLContext | None) -> None:
        """Takes one connection. Servers of asyncio take all that come, and say so a hundred times where they cannot."""
        loop = asyncio.get_running_loop()
        try:
            connection, _ = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):  # whoever it was is gone
            return
        except OSError as error:
            self._say("connections wait: %s", (error.strerror or "").lower())
            loop.remove_reader(listening)
            loop.call_later(PAUSE, self._open, listening, context)
            return
        there = len(self._arriving) + len(self._server.connections)
        if there >= self._most or connection.fileno() >= self._last:
            connection.close()
            self._turned(1)
            self._say("connections are closed at once: there are %d, or few descriptors are left", there)
            return
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(UNREAD * 1000))
        task = loop.create_task(self._welcome(connection, context))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _welcome(self, connection: socket.socket, context: SSLContext | None) -> None:
        """Serves a connection."""
        with suppress(OSError):  # who speaks no TLS, or not in time, or is gone
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self._server),
                connection,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE if context else None,
            )

    def _say(self, words: str, found: object) -> None:
        """Says what happens at the addresses, unless something was said just now."""
        if (now := asyncio.get_running_loop().time()) >= self._quiet:
            self._quiet = now + SILENCE
            log.warning(f"%s: {words}", ", ".join(str(Address(*each)) for each in self.addresses), found)


def room() -> tuple[int, int]:
    """How many connections one application may have, and the first descriptor that is none of theirs: the system gives
    the lowest that is free, so that those above are left to others. One application never has more than half."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        limit = sys.maxsize
    return min(MOST + STREAMS, limit // 2), limit - min(SPARE, limit // 8)


async def bound(at: Address) -> Sequence[socket.socket]:
    """Sockets that listen at an address, one for each family that its name has; raises OSError and UnicodeError."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, at.host, at.port, start_serving=False)
    with closing(server), ExitStack() as opened:
        found = [opened.enter_context(each.dup()) for each in server.sockets]
        for each in found:
            each.listen()
        opened.pop_all()
        return found


def url(host: str, port: int, scheme: str = "http") -> str:
    """Where a browser on this machine reaches a bound socket."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # read from a socket, not bound here
    return f"{scheme}://[{near}]:{port}" if ":" in near else f"{scheme}://{near}:{port}"


def worth_a_line(record: logging.LogRecord) -> bool:
    """Whether the log should have it: not what is no HTTP, for then any caller could fill the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


protocol.addFilter(worth_a_line)
