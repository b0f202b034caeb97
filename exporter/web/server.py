"""The HTTP server: its routes, what stands around every request, and the addresses it listens on."""

import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from exporter.core.errors import ConfigError, Problem
from exporter.core.family import OTHER
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.guard import Failure, guarded
from exporter.runtime.itself import Reload, Traffic
from exporter.web import admin, catalogue, metrics, status
from exporter.web.frame import Frame

log = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LARGEST_BODY = 64 * 1024
GRACE = 5.0
"""Seconds that requests under way may take to end when the server stops."""


@dataclass(frozen=True, slots=True)
class Served:
    """What the listeners read. `started` is epoch seconds; `loaded` says how the configuration was last loaded;
    `reloading` loads it anew and is None where `/-/reload` is not enabled."""

    board: Board
    traffic: Traffic
    clock: Clock
    started: float
    catalogue: catalogue.Catalogue
    loaded: Callable[[], Reload]
    reloading: admin.Reloading | None = None


def application(served: Served) -> web.Application:
    """All routes of the main listener. Every answer comes from what the board holds already."""
    frame = Frame.load()
    around = [recording(served.traffic, served.clock), catching]
    app = web.Application(middlewares=around, client_max_size=LARGEST_BODY)
    app.add_routes(status.routes(frame, served.board, served.clock, served.started, served.loaded))
    app.add_routes(catalogue.routes(frame, served.catalogue))
    app.add_routes(metrics.routes(served.board))
    app.add_routes(admin.routes(served.board, served.reloading))
    app.on_response_prepare.append(sign)
    return app


def template(request: web.Request) -> str:
    """The route of a request, as it was declared: one of few, whatever callers ask for."""
    resource = request.match_info.route.resource
    return OTHER if resource is None else resource.canonical


def recording(traffic: Traffic, clock: Clock) -> Middleware:
    """Counts and times every request that was understood as one."""

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = clock.monotonic()
        method = request.method if request.method in METHODS else OTHER
        try:
            answer = await handler(request)
        except web.HTTPException as refusal:
            traffic.record(template(request), method, refusal.status, clock.monotonic() - begun)
            raise
        traffic.record(template(request), method, answer.status, clock.monotonic() - begun)
        return answer

    return record


@web.middleware
async def catching(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A bug is an answer too: 500, with nothing of it but in the log."""
    answer = await guarded(f"a request for {template(request)}", handler(request), passing=(web.HTTPException,))
    return web.Response(status=500, text="500: a bug; the log has it\n") if isinstance(answer, Failure) else answer


async def sign(_: web.Request, response: web.StreamResponse) -> None:
    """Headers of every answer: who serves, without the versions of what it is made of."""
    response.headers["Server"] = "studio-exporter"
    response.headers["X-Content-Type-Options"] = "nosniff"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; `host` is None for every interface, of IPv4 and IPv6."""

    host: str | None
    port: int

    def __str__(self) -> str:
        host = self.host or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def address(text: str) -> Address:
    """`127.0.0.1:10210`, `localhost:10210`, `[::1]:10210`, and `:10210` or `[::]:10210` for every interface.

    ValueError says what is wrong with it. Port 0 is any that is free.
    """
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s:/\[\]@]*)):([0-9]{1,5})", text, re.ASCII)
    if not found:
        raise ValueError(f"expected host:port, [IPv6 address]:port or :port, found {text!r}")
    if (port := int(found[3])) > 65535:
        raise ValueError(f"expected a port from 0 to 65535, found {text!r}")
    host = found[1] or found[2]
    return Address(None if host in ("", "::") else host, port)


@asynccontextmanager
async def serving(
    app: web.Application, addresses: Sequence[Address], grace: float = GRACE
) -> AsyncIterator[Sequence[str]]:
    """Listens on all of the addresses and gives the URLs it is reached at; at the end it takes no new requests and
    waits `grace` seconds for those under way.

    Raises ConfigError with every address that cannot be listened on; then it listens on none.
    """
    protocol = logging.getLogger(f"{__name__}.protocol")
    protocol.addFilter(worth_a_line)
    runner = web.AppRunner(app, access_log=None, logger=protocol, shutdown_timeout=grace)
    await runner.setup()
    try:
        problems = [problem for at in addresses if (problem := await listen(runner, at))]
        if problems:
            raise ConfigError(problems)
        yield [url(*bound[:2]) for bound in runner.addresses]
    finally:
        await runner.cleanup()


async def listen(runner: web.AppRunner, at: Address) -> Problem | None:
    try:
        await web.TCPSite(runner, at.host, at.port).start()
    except (OSError, UnicodeError) as error:  # names that do not resolve, or cannot, are among them
        code = getattr(error, "errno", None) or 0
        why = os.strerror(code) if code > 0 else "that name does not resolve"
        return Problem("--web.listen-address", None, f"cannot listen on {at}: {why.lower()}")
    return None


def url(host: str, port: int) -> str:
    """Where a browser on this machine reaches a bound socket."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # read from a socket, not bound here
    return f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}"


def worth_a_line(record: logging.LogRecord) -> bool:
    """Whether the log should have it: not what is no HTTP, for then any caller could fill the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
