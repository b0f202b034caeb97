"""A site of ShotGrid over a real connection: the REST routes of the recording, with rows and faults as a test says."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

SCRIPT, KEY = "golden", "secret"
GOLDEN = Path(__file__).parent / "golden" / "trafalgar" / "inputs"
JsonRow = dict[str, Any]
Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]
Match = Callable[["Asked"], object]


@dataclass(frozen=True)
class Asked:
    """One request: what for (`projects`, or `login`), and its parameters."""

    entity: str
    params: dict[str, str]
    request: web.Request = field(compare=False)

    def __repr__(self) -> str:
        return f"{self.entity}?{'&'.join(f'{key}={value[:20]}' for key, value in self.params.items())}"


@dataclass
class Site:
    """Rows by entity. `clips` are the versions found by id, `versions` those that are listed: in the golden data these
    are two sets, as those of the playlists name no project. `life` of a token and `delay` of an answer are in seconds,
    `most` rows stand on a page."""

    projects: list[JsonRow] = field(default_factory=list)
    playlists: list[JsonRow] = field(default_factory=list)
    clips: list[JsonRow] = field(default_factory=list)
    versions: list[JsonRow] = field(default_factory=list)
    life: float = 600
    most: int = 500
    delay: float = 0.0
    faults: list[tuple[Match, Fault, list[int]]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    index: dict[int, JsonRow] = field(default_factory=dict)

    def fault(self, match: Match, fault: Fault, times: int = 1_000_000) -> None:
        """From now on, so often, a request that matches gets this instead of its answer."""
        self.faults.append((match, fault, [times]))

    def count(self, entity: str) -> int:
        """How often it was asked for an entity."""
        return sum(asked.entity == entity for asked in self.asked)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.match_info.get("entity", "login"), dict(request.query), request)
        self.asked.append(asked)
        if self.delay:
            await asyncio.sleep(self.delay)
        for match, fault, left in self.faults:
            if left[0] > 0 and match(asked):
                left[0] -= 1
                return await fault(request)
        return await (self.login(request) if asked.entity == "login" else self.rows(asked))

    async def login(self, request: web.Request) -> web.Response:
        expected = {"grant_type": "client_credentials", "client_id": SCRIPT, "client_secret": KEY}
        if await request.json() != expected:
            return web.json_response({"errors": [{"status": 400, "title": "Can't authenticate"}]}, status=400)
        self.tokens.append(f"token-{len(self.tokens)}")
        self.valid.add(self.tokens[-1])
        answer = {"token_type": "Bearer", "access_token": self.tokens[-1], "expires_in": self.life}
        return web.json_response(answer)

    async def rows(self, asked: Asked) -> web.Response:
        if asked.request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.valid:
            return web.json_response({"errors": [{"status": 401}]}, status=401)
        wanted = [*filters(asked.params)]
        found = [row for row in self.table(asked) if all(fits(row, *each) for each in wanted)]
        size = min(int(asked.params["page[size]"]), self.most)
        number = int(asked.params.get("page[number]", "1"))
        links = {"self": asked.request.path_qs}
        if len(found) > number * size:
            links["next"] = f"http://elsewhere.invalid/{number + 1}"  # only that it is there may count
        return web.json_response({"data": found[(number - 1) * size : number * size], "links": links})

    def table(self, asked: Asked) -> list[JsonRow]:
        for name, _, ids in filters(asked.params):
            if asked.entity == "versions" and name == "id":
                return self.by_id(ids)
        found: list[JsonRow] = getattr(self, asked.entity)
        return found

    def by_id(self, ids: frozenset[str]) -> list[JsonRow]:
        if len(self.index) != len(self.clips):
            self.index = {row["id"]: row for row in self.clips}
        return [self.index[id_] for id_ in sorted(map(int, ids)) if id_ in self.index]


def filters(params: dict[str, str]) -> Iterable[tuple[str, str, frozenset[str]]]:
    """The field, operator and values of each filter: `filter[0][id[$in]]=1,2` is ("id", "$in", {"1", "2"})."""
    for key, value in params.items():
        if found := re.fullmatch(r"filter\[\d+\]\[(\w+)(?:\[(\$\w+)\])?\]", key):
            yield found[1], found[2] or "$in", frozenset(value.split(",") if found[2] == "$in" else [value])


def fits(row: JsonRow, name: str, operator: str, values: frozenset[str]) -> bool:
    related = row.get("relationships", {}).get(name, {}).get("data")
    found = related["id"] if related else row.get(name, row.get("attributes", {}).get(name))
    if operator == "$in":
        return str(found) in values
    assert operator == "$gte", f"an operator that the site does not know: {operator}"
    return found is not None and str(found).replace("+00:00", "Z") >= min(values)


@asynccontextmanager
async def served(site: Site, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The site on a port of its own, for as long as this lasts; gives its address."""
    application = web.Application()
    application.router.add_post("/api/v1/auth/access_token", site.answer)
    application.router.add_get("/api/v1/entities/{entity}", site.answer)
    server = TestServer(application, scheme="https" if tls else "http")
    await server.start_server(shutdown_timeout=0, ssl=tls)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        site.over.set()
        await server.close()


# rows


def project(id_: int, name: str) -> JsonRow:
    return {"id": id_, "type": "Project", "attributes": {"name": name}}


def version(id_: int, of: JsonRow | None, shot: str, status: str | None, updated: str | None) -> JsonRow:
    """A version of a project's shot, as it is listed."""
    related: JsonRow = {"entity": {"data": {"type": "Shot", "id": 1, "name": shot}}} if shot else {}
    if of:
        related["project"] = {"data": {"type": "Project", "id": of["id"], "name": of["attributes"]["name"]}}
    attributes = {"code": f"{shot}_v{id_}", "sg_status_list": status, "updated_at": updated}
    return {"id": id_, "type": "Version", "attributes": attributes, "relationships": related}


def clip(id_: int, shot: str, **attributes: object) -> JsonRow:
    """A version as it is found by its id: a second of film."""
    default = {"sg_path_to_movie": "/a.mov", "sg_uploaded_movie_frame_count": 24, "sg_uploaded_movie_frame_rate": 24.0}
    entity = {"entity": {"data": {"type": "Shot", "id": 1, "name": shot}}} if shot else {}
    return {
        "id": id_,
        "type": "Version",
        "attributes": {"code": f"c{id_}", **default, **attributes},
        "relationships": entity,
    }


def playlist(id_: int, of: JsonRow, code: str, *versions: int, **attributes: object) -> JsonRow:
    return {
        "id": id_,
        "type": "Playlist",
        "attributes": {"code": code, **attributes},
        "relationships": {
            "project": {"data": {"type": "Project", "id": of["id"]}},
            "versions": {"data": [{"type": "Version", "id": one} for one in versions]},
        },
    }


def golden(name: str = "shotgrid_rest.json", versions: str = "shotgrid_versions.json") -> Site:
    """The rows of the recording; `versions` were put into another client there, so they are turned into rows here."""
    rest = json.loads((GOLDEN / name).read_text())
    known = {row["attributes"]["name"]: row for row in rest["projects"]}
    listed = [
        version(row["id"], known.get(row["project"]), row["shot"] or "", row["status"], row.get("timestamp"))
        for row in json.loads((GOLDEN / versions).read_text())
    ]
    return Site(rest["projects"], rest["playlists"], rest["versions"], listed if rest["projects"] else [])


# faults


def status(number: int, **headers: str) -> Fault:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=number, headers={key.replace("_", "-"): value for key, value in headers.items()})

    return answer


def saying(body: str, content_type: str = "application/json") -> Fault:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body, content_type=content_type)

    return answer


async def torn(request: web.Request) -> web.StreamResponse:
    """An answer that ends before it is as long as it says."""
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"data": [')
    return broken(request, response)


async def reset(request: web.Request) -> web.StreamResponse:
    """The connection ends instead of an answer."""
    return broken(request, web.StreamResponse())


def broken(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response


async def endless(request: web.Request) -> web.StreamResponse:
    """An answer that goes on for as long as it is read."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while request.transport is not None:
        try:
            await response.write(b" " * 65536)
        except ConnectionError:
            break
    return response


def trickling(site: Site) -> Fault:
    """An answer that comes byte by byte and never ends, until the site is closed."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while request.transport is not None and not site.over.is_set():
            try:
                await response.write(b" ")
            except ConnectionError:
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(site.over.wait(), 0.01)
        return response

    return answer


def hanging(site: Site) -> Fault:
    """No answer until the site is closed."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await site.over.wait()
        return web.Response()

    return answer
