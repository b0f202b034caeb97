"""The Apis of the sources on the listeners: one request, from its path to the answer of a view."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from aiohttp import web

from exporter.core.api import Answer, Api, Asked, Reading, Refusal, Route, Stream
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.guard import Failure, guarded
from exporter.runtime.itself import Traffic
from exporter.web.auth import refusal
from exporter.web.cors import allowed, asking, granted
from exporter.web.faces import MAIN, Face, Faces, Place
from exporter.web.metrics import Pages, listed
from exporter.web.negotiate import metrics_named
from exporter.web.openapi import document
from exporter.web.routing import Match, Table, decoded
from exporter.web.streams import follow, foreign, upgrading

LARGEST_BODY = 64 * 1024
"""The most bytes a body may have; aiohttp is told of one more, since some of its releases refuse what they are told."""

BODY_SECONDS = 10.0
"""How long a body may take to arrive."""

BELOW = re.compile("/([^/]+)/")

SAFE = "/:@!$&'()*+,;=~"
"""What stands in a path as it is."""

ROUTE = "api route"
"""Where the match of a request remembers which route of an Api it took, for the count of requests."""

SECRETIVE = Answer(
    b'{"detail":"The token of a source is needed; what does not exist answers the same."}',
    401,
    headers={"WWW-Authenticate": "Bearer"},
)
"""What the main listener says to whoever has not the right token, whether or not there is a source of that name."""


NOTHING = Answer(b"", 204, "")
FOREIGN = Answer(b'{"detail":"A page of another origin may not follow this: see api.cors."}', 403)


Kept = dict[tuple[str, str], tuple[Route, Reading, Answer]]
"""Answers made of values that are still the last, by source and path."""

Documents = dict[tuple[str, ...], tuple[Sequence[tuple[Face, str]], bytes]]
"""Descriptions that were made, and of which faces, by what of them was asked for."""

Due = Callable[[str, Sequence[str]], None]
"""Has parts of a source read at once."""

STARTING = Answer(b'{"detail":"The source is being started."}', 503, headers={"Retry-After": "1"})


def nothing_due(source: str, parts: Sequence[str]) -> None:
    """Nothing is read on demand."""


@dataclass(frozen=True, slots=True)
class Apis:
    """All Apis by source, and what they answer from. `due` has parts of a source read at once."""

    faces: Faces
    board: Board
    clock: Clock
    traffic: Traffic
    pages: Pages
    due: Due = nothing_due
    kept: Kept = field(default_factory=dict)
    documents: Documents = field(default_factory=dict)

    async def main(self, request: web.Request) -> web.StreamResponse | None:
        """The answer for a path below `/<source name>/` on the main listener; None where nobody has such paths.

        Who has not the token of the source learns nothing: not which sources exist, nor which paths they have.
        """
        found = BELOW.match(decoded(request.rel_url.raw_path))
        if not found:
            return None
        faces, name = self.faces(), found[1]
        if (face := faces.get(name)) and self._may_know(face, request):
            return await self.answered(request, face, Place(MAIN, f"/{name}"))
        if all(face.access.public for face in faces.values()):
            return None
        self.traffic.refuse(MAIN)
        return response(SECRETIVE)

    async def metrics(self, request: web.Request) -> web.StreamResponse | None:
        """The answer of the only source that has JSON at `/metrics`; None where there is none, or more than one."""
        found = [face for face in self.faces().values() if face.tables[""].found("/metrics")]
        if len(found) != 1:
            return None
        if not self._may_know(found[0], request):
            self.traffic.refuse(MAIN)
            return response(SECRETIVE)
        return await self.answered(request, found[0], Place(MAIN))

    def known(self, request: web.Request) -> Sequence[Face]:
        """The faces whose token a request has, and those that need none."""
        return [face for face in self.faces().values() if self._refused(face, request) is None]

    def document(self, faces: Sequence[tuple[Face, str]], app: str = "") -> bytes:
        """The description of some faces, each below its path, or of one app of each; made anew when one is another."""
        key = app, *(face.source.name + base for face, base in faces)
        if key not in self.documents or self.documents[key][0] != faces:
            served = self.faces()
            for past, (those, _) in [*self.documents.items()]:
                if any(served.get(face.source.name) != face for face, _ in those):
                    del self.documents[past]
            self.documents[key] = faces, document(faces, app)
        return self.documents[key][1]

    async def answered(self, request: web.Request, face: Face, place: Place) -> web.StreamResponse:
        """The answer of one source's Api."""
        path = decoded(request.rel_url.raw_path)[len(place.base) :]
        what = f"a request to the API of {face.source.name}"
        found = await guarded(what, self._found(request, face, place, path), passing=(web.HTTPException,))
        answer = response(face.api.failed) if isinstance(found, Failure) else found
        if not answer.prepared:
            answer.headers.update(allowed(face.access, request))
        return answer

    async def _found(self, request: web.Request, face: Face, place: Place, path: str) -> web.StreamResponse:
        table = face.tables[place.app]
        if upgrading(request) and (stream := table.sockets.get(path)):
            return await self._stream(request, face, place, stream)
        matches = table.found(path)
        own = await self._own(request, face, place, path if not matches or path == "/metrics" else "")
        if own is not None:  # a response is a mapping, and an empty one is false to some releases of aiohttp
            return own
        if not matches:
            return response(lost(request, face.api, table, place, path))
        request.match_info[ROUTE] = f"/{face.source.name}{matches[0].template}"
        match = chosen(matches, request.method, face.api)
        if asking(request) and "Access-Control-Allow-Origin" in allowed(face.access, request):
            return response(match if isinstance(match, Answer) and face.api.options else NOTHING, granted(request))
        if isinstance(match, Answer):
            return response(match)
        if isinstance(match.end, Stream):
            return await self._stream(request, face, place, match.end)
        refused = self._refusal(request, face, place) if match.end.token else None
        return response(refused or await self._view(request, face, match.end, match))

    async def _own(self, request: web.Request, face: Face, place: Place, path: str) -> web.StreamResponse | None:
        """The answer to what is ours and not the system's: its page of metrics for who names a format of them, and the
        description of its paths; None where something else is asked for."""
        if request.method not in ("GET", "HEAD"):
            return None
        described = path == "/openapi.json"
        if not described and not (path == "/metrics" and metrics_named(listed(request, "Accept"))):
            return None
        request.match_info[ROUTE] = f"/{face.source.name}{path}"
        if refused := self._refusal(request, face, place):
            return response(refused)
        if described:
            return response(Answer(self.document([(face, place.base)], place.app)))
        return await self.pages.answer(request, frozenset([face.source.name]))

    def _refusal(self, request: web.Request, face: Face, place: Place) -> Answer | None:
        """What a caller gets who may not ask, who is counted; None for one who may."""
        if (why := self._refused(face, request)) is None:
            return None
        self.traffic.refuse(place.listener)
        return face.api.refused(why, authorization(request))

    async def _stream(self, request: web.Request, face: Face, place: Place, stream: Stream) -> web.StreamResponse:
        request.match_info[ROUTE] = f"/{face.source.name}{stream.ws if upgrading(request) else stream.sse}"
        if refused := self._refusal(request, face, place):
            return response(refused)
        if upgrading(request) and foreign(request, face.access):
            return response(FOREIGN)
        listener = self.traffic.hub.listen(
            face.source.name, stream.name, request.headers.get("Last-Event-ID", ""), place.listener
        )
        if listener is None:
            return response(face.api.busy)
        headers = allowed(face.access, request)
        return await follow(
            request, stream, (self.traffic.hub, listener), self.board.reading(face.source.name), headers
        )

    async def _view(self, request: web.Request, face: Face, route: Route, match: Match) -> Answer:
        name, reading = face.source.name, self.board.reading(face.source.name)
        if route.constant and (made := self._kept(name, route, reading)):
            return made
        body = await received(request)
        if body is None:
            return face.api.too_large
        asked = Asked(self.clock.now(), match.path, parameters(request), body, request.headers.get("Content-Type", ""))
        answer = route.view(reading, asked)
        if not isinstance(answer, Answer):
            answer = await answer
        if route.constant:
            for key in [key for key in self.kept if key[0] not in self.faces()]:
                del self.kept[key]
            self.kept[name, route.path] = route, reading, answer
        if answer.due:
            self.due(name, answer.due)
        return answer

    def _kept(self, name: str, route: Route, reading: Reading) -> Answer | None:
        """The answer made before of the very same values."""
        before = self.kept.get((name, route.path))
        if before is None or before[0] is not route or before[1].values.keys() != reading.values.keys():
            return None
        same = all(value is reading.values[part] for part, value in before[1].values.items())
        return before[2] if same else None

    def _may_know(self, face: Face, request: web.Request) -> bool:
        """Whether a caller may learn that there is such a source."""
        return self._refused(face, request) is None or (
            asking(request) and "Access-Control-Allow-Origin" in allowed(face.access, request)
        )

    def _refused(self, face: Face, request: web.Request) -> Refusal | None:
        return refusal(face.api, face.access, authorization(request))


def chosen(matches: Sequence[Match], method: str, api: Api) -> Match | Answer:
    """What of a path's routes a method asks for, or what it gets instead."""
    methods = [*dict.fromkeys(match.method for match in matches)]
    wanted = "GET" if method == "HEAD" and api.head else method
    if match := next((match for match in matches if match.method == wanted), None):
        return match
    return api.options(methods) if method == "OPTIONS" and api.options else api.disallowed(methods)


def lost(request: web.Request, api: Api, table: Table, place: Place, path: str) -> Answer:
    """What a path gets that leads nowhere: the way to the one that was meant, where the system told it."""
    if api.slash == "unknown" or (there := table.turned(path)) is None:
        return api.unknown
    query = request.rel_url.raw_query_string
    origin = f"{request.scheme}://{request.host}" if "Host" in request.headers else ""
    return Answer(b"", 307, "", {"Location": f"{origin}{quote(place.base + there, SAFE)}{'?' if query else ''}{query}"})


def authorization(request: web.Request) -> str:
    """The first Authorization header without blanks around it, empty where there is none."""
    return request.headers.get("Authorization", "").strip(" \t")


def parameters(request: web.Request) -> Sequence[tuple[str, str]]:
    """The query's parameters in their order; what is no UTF-8 is replaced."""
    raw = request.rel_url.raw_query_string.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return parse_qsl(raw, keep_blank_values=True)


async def received(request: web.Request) -> bytes | None:
    """The body of a request; None where it is over the cap."""
    if (request.content_length or 0) > LARGEST_BODY:
        return None
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return None
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return body if len(body) <= LARGEST_BODY else None


def response(answer: Answer, more: Mapping[str, str] | None = None) -> web.Response:
    """An answer as it goes out, with more headers."""
    headers = {**answer.headers, **(more or {})}
    if answer.media:
        headers["Content-Type"] = answer.media
    return web.Response(body=answer.body, status=answer.status, headers=headers)
