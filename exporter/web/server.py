"""The HTTP server: its routes, what stands around every request, and the addresses it listens on."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from exporter.core.address import Address
from exporter.core.errors import ConfigError, Problem
from exporter.core.family import OTHER
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.guard import Failure, guarded
from exporter.runtime.hub import Hub
from exporter.runtime.itself import Reload, Traffic
from exporter.web import admin, catalogue, metrics, status
from exporter.web.apis import LARGEST_BODY, ROUTE, STARTING, Apis, Due, Kept, nothing_due, response
from exporter.web.door import SIGNED, Door, unheeded, url
from exporter.web.faces import MAIN, Faces, apart, nobody
from exporter.web.frame import Frame
from exporter.web.gate import Gate, guarding
from exporter.web.guide import guide_routes
from exporter.web.metrics import Pages
from exporter.web.work import Worked

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
GRACE = 5.0
"""Seconds that requests under way may take to end when the server stops."""


@dataclass(frozen=True, slots=True)
class Served:
    """What the listeners read. `started` is epoch seconds; `loaded` says how the configuration was last loaded;
    `reloading` loads it anew and is None where `/-/reload` is not enabled; `gate` is that of the main listener."""

    board: Board
    traffic: Traffic
    clock: Clock
    started: float
    catalogue: catalogue.Catalogue
    loaded: Callable[[], Reload]
    reloading: admin.Reloading | None = None
    works: Callable[[], Sequence[Worked]] = tuple
    notes: Callable[[], Sequence[status.Concern]] = tuple
    faces: Faces = nobody
    due: Due = nothing_due
    kept: Kept = field(default_factory=dict)
    gate: Gate = field(default_factory=Gate)

    @property
    def apis(self) -> Apis:
        """The Apis of its sources."""
        return Apis(self.faces, self.board, self.clock, self.traffic, Pages(self.board), self.due, self.kept)


def application(served: Served) -> web.Application:
    """All routes of the main listener. Every answer comes from what the board holds already."""
    frame = Frame.load()
    apis = served.apis
    around = [recording(served.traffic, served.clock), catching, guarding(served.gate, apis), below(apis)]
    app = web.Application(middlewares=around, client_max_size=LARGEST_BODY + 1)
    app.add_routes(status.routes(frame, lambda: look(served)))
    app.add_routes(catalogue.routes(frame, served.catalogue))
    app.add_routes(metrics.routes(served.board, apis.pages, apis.metrics))
    app.add_routes(guide_routes(frame, apis, served.gate))
    app.add_routes(admin.routes(served.board, served.reloading))
    app.on_response_prepare.extend((sign, adorning(served.gate)))
    app.on_shutdown.append(parting(served.traffic.hub, MAIN))
    return app


def own(served: Served, name: str, app: str = "") -> web.Application:
    """All routes of a listener that has nothing but one source's Api, or one app of it."""
    apis, place = served.apis, apart(name, app)

    @web.middleware
    async def alone(request: web.Request, handler: Handler) -> web.StreamResponse:
        face = served.faces().get(name)
        return response(STARTING) if face is None else await apis.answered(request, face, place)

    around = [recording(served.traffic, served.clock), catching, alone]
    made = web.Application(middlewares=around, client_max_size=LARGEST_BODY + 1)
    made.on_response_prepare.append(sign)
    made.on_shutdown.append(parting(served.traffic.hub, place.listener))
    return made


def parting(hub: Hub, listener: str) -> Callable[[web.Application], Awaitable[None]]:
    """Ends the streams of a listener that is going."""

    async def end(_: web.Application) -> None:
        hub.close(listener)

    return end


def below(apis: Apis) -> Middleware:
    """The Apis, where no route of the main listener is meant."""

    @web.middleware
    async def find(request: web.Request, handler: Handler) -> web.StreamResponse:
        unknown = isinstance(request.match_info.http_exception, web.HTTPNotFound)
        found = await apis.main(request) if unknown else None
        return await handler(request) if found is None else found

    return find


def look(served: Served) -> status.Status:
    """What the status page shows now."""
    sources = [(source, served.board.facts(source.name)) for source in served.board.sources]
    return status.Status(
        now=served.clock.now(),
        started=served.started,
        loaded=served.loaded(),
        sources=sources,
        works=served.works(),
        notes=served.notes(),
        apis={name: (f"/{name}/",) for name, face in served.faces().items() if face.access.public},
    )


def template(request: web.Request) -> str:
    """The route of a request, as it was declared: one of few, whatever callers ask for."""
    if route := request.match_info.get(ROUTE):
        return str(route)
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
        spent = clock.monotonic() - begun if isinstance(answer, web.Response) else None  # a stream lasts as it likes
        traffic.record(template(request), method, answer.status, spent)
        return answer

    return record


@web.middleware
async def catching(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A bug is an answer too: 500, with nothing of it but in the log."""
    answer = await guarded(f"a request for {template(request)}", handler(request), passing=(web.HTTPException,))
    return web.Response(status=500, text="500: a bug; the log has it\n") if isinstance(answer, Failure) else answer


async def sign(_: web.Request, response: web.StreamResponse) -> None:
    """Signs every answer."""
    response.headers.update(SIGNED)


def adorning(gate: Gate) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Says the headers of the terms with every answer that does not say them itself."""

    async def adorn(_: web.Request, response: web.StreamResponse) -> None:
        for name, value in gate.terms.headers.items():
            response.headers.setdefault(name, value)

    return adorn


@asynccontextmanager
async def serving(
    app: web.Application,
    addresses: Sequence[Address],
    grace: float = GRACE,
    gate: Gate | None = None,
    turned: Callable[[int], None] = unheeded,
) -> AsyncIterator[Sequence[str]]:
    """Listens on all of the addresses, as the gate's terms have it, and gives the URLs it is reached at; at the end it
    takes no new requests and waits `grace` seconds for those under way. `turned` counts connections too many.

    Raises ConfigError with every address that cannot be listened on; then it listens on none.
    """
    door, gate = await Door.of(app, grace, turned), gate or Gate()
    try:
        found = [await door.listen(at, gate.context) for at in addresses]
        if problems := [Problem("--web.listen-address", None, problem) for problem in found if problem]:
            raise ConfigError(problems)
        scheme = "https" if gate.context else "http"
        yield [url(*each, scheme) for each in door.addresses]
    finally:
        await door.close()
