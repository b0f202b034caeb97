"""The Apis on their listeners: who gets what, and what hostile callers do not."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout, WSMsgType
from yarl import URL

from exporter.core.address import Address
from exporter.core.api import Access, Answer, Refusal, Route
from exporter.core.secret import Secret
from exporter.core.source import Limits
from exporter.runtime.refresh import attempt
from exporter.web.apis import LARGEST_BODY
from exporter.web.faces import Face
from exporter.web.server import application, own, serving
from tests.fakes import until
from tests.web.apis import System, allow, refused
from tests.web.examples import Example

TOKEN = "s3cret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Accept": "application/json"}
VALUE = (("a", 1), ("b", 2))
ACCESS = Access(Secret(TOKEN))
ORIGIN = "https://studio.example"


class Desk:
    """A main listener and one of a source's own, and what stands behind them."""

    def __init__(self, access: Access = ACCESS, app: str = "", **api: Any) -> None:
        self.example, self.system = Example(), System()
        self.source = self.system.source("vfx", VALUE, (("a", 2),), **api)
        self.faces: dict[str, Face] = {}
        self.due: list[tuple[str, tuple[str, ...]]] = []
        self.main = self.own = URL()
        self.app = app
        self.face(access)

    def face(self, access: Access) -> None:
        face = Face.of(self.source, access)
        assert face
        self.faces["vfx"] = face

    async def read(self) -> None:
        board, clock = self.example.board, self.example.time.clock
        for part in self.source.parts:
            outcome = await attempt(self.source, part, board, clock)
            board.post("vfx", part.name, outcome)
            self.example.traffic.hub.publish("vfx", part.name, outcome.events)

    @property
    def refused(self) -> Mapping[str, int]:
        return self.example.traffic.refused

    async def ask(self, method: str, url: URL | str, **more: Any) -> tuple[int, str, Mapping[str, str]]:
        """Status, body and headers of an answer; a path is one of the main listener's."""
        there = url if isinstance(url, URL) else URL(f"{self.main}{url}", encoded=True)
        async with self.session.request(method, there, allow_redirects=False, **more) as answer:
            return answer.status, await answer.text(), answer.headers

    async def get(self, url: URL | str, **headers: str) -> tuple[int, Any]:
        """Status and JSON with the token."""
        status, body, _ = await self.ask("GET", url, headers={**BEARER, **headers})
        return status, json.loads(body) if body else None

    def at(self, target: str) -> URL:
        """A target on the source's own listener."""
        return URL(f"{self.own}{target}", encoded=True)

    @asynccontextmanager
    async def serving(self, grace: float = 2) -> AsyncIterator["Desk"]:
        def due(source: str, parts: Any) -> None:
            self.due.append((source, parts))

        self.example.board.add(self.source, Limits(), 0)
        self.example.traffic.hub.add(self.source)
        await self.read()
        served = self.example.served(faces=lambda: self.faces, due=due)
        here = [Address("127.0.0.1", 0)]
        async with (
            serving(application(served), here, grace) as [main],
            serving(own(served, "vfx", self.app), here, grace) as [alone],
            ClientSession(timeout=ClientTimeout(20)) as self.session,
        ):
            self.main, self.own = URL(main.rstrip("/")), URL(alone.rstrip("/"))
            yield self


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk().serving() as made:
        yield made


# where


async def test_an_api_is_below_its_name_and_bare_on_its_own_address(desk: Desk) -> None:
    one = {"name": "a", "count": 1}
    assert await desk.get("/vfx/things/a") == (200, one)
    assert await desk.get(desk.at("/things/a")) == (200, one)
    assert (await desk.get("/vfx/things/nope"))[0] == 404
    assert (await desk.ask("GET", "/things/a", headers=BEARER))[0] == 401
    assert (await desk.ask("GET", desk.at("/vfx/things/a"), headers=BEARER))[:2] == (404, '{"detail":"Not Found"}')


async def test_a_listener_of_an_app_has_only_that_app() -> None:
    async with Desk(app="right").serving() as desk:
        assert (await desk.get(desk.at("/things")))[0] == 200
        assert (await desk.get(desk.at("/things/a")))[0] == 404
        assert (await desk.get(desk.at("/things/stream")))[0] == 404
        assert (await desk.get("/vfx/things/a"))[0] == 200


async def test_a_source_that_is_not_there_yet_says_so(desk: Desk) -> None:
    desk.faces.clear()
    status, body, headers = await desk.ask("GET", desk.at("/things"), headers=BEARER)
    assert (status, body, headers["Retry-After"]) == (503, '{"detail":"The source is being started."}', "1")


# who


async def test_who_has_no_token_cannot_tell_a_source_from_nothing(desk: Desk) -> None:
    found = set()
    for path in (
        "/vfx/things",
        "/none/things",
        "/vfx/nope",
        "/vfx/",
        "/vfx/things/",
        "/vfx/things/stream",
        "/vfx//",
        "/x/",
    ):
        for method in ("GET", "POST", "HEAD", "OPTIONS", "PROPFIND"):
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}):
                status, body, said = await desk.ask(method, path, headers=headers, data=b"x" * 10)
                found.add(
                    (status, body if method != "HEAD" else None, said["WWW-Authenticate"], said["Content-Length"])
                )
    assert len({each[1] for each in found}) == 2
    assert {(each[0], each[2], each[3]) for each in found} == {(401, "Bearer", "83")}
    assert desk.refused == {"main": 8 * 5 * 3}
    assert desk.system.made == 0


async def test_an_unconfigured_token_is_a_503_on_its_own_address_and_hidden_on_the_main_one() -> None:
    async with Desk(Access()).serving() as desk:
        assert (await desk.ask("GET", desk.at("/things"), headers=BEARER))[:2] == (503, '{"detail":"no token"}')
        assert (await desk.ask("GET", "/vfx/things", headers=BEARER))[0] == 401
        assert desk.refused == {"vfx": 1, "main": 1}


async def test_a_token_is_asked_for_after_path_and_method_on_its_own_address(desk: Desk) -> None:
    assert (await desk.ask("GET", desk.at("/nope")))[0] == 404
    assert (await desk.ask("POST", desk.at("/things/a")))[0] == 405
    assert (await desk.ask("GET", desk.at("/things/")))[0] == 307
    assert (await desk.ask("POST", desk.at("/things"), data=b"x" * LARGEST_BODY * 2))[0] == 401
    assert (await desk.ask("GET", desk.at("/")))[:2] == (200, "<p>things</p>")
    assert desk.refused == {"vfx": 1}


@pytest.mark.parametrize(
    "sent",
    ["Bearer wrong", "Bearer ", "Bearer S3CRET", "Bearer  s3cret", "Bearer s3cret x", "Bearer tök", "Bearer \udcff"],
)
async def test_another_token_is_refused(desk: Desk, sent: str) -> None:
    status, body, _ = await desk.ask("GET", desk.at("/things"), headers={"Authorization": sent})
    assert (status, body) == (401, '{"detail":"wrong"}')


async def test_the_first_header_counts_and_blanks_around_it_do_not(desk: Desk) -> None:
    twice = [("Authorization", f" Bearer {TOKEN} "), ("Authorization", "Bearer wrong")]
    assert (await desk.ask("GET", desk.at("/things"), headers=twice))[0] == 200
    assert (await desk.ask("GET", desk.at("/things"), headers=twice[::-1]))[0] == 401


async def test_another_token_counts_from_the_moment_it_is_configured(desk: Desk) -> None:
    desk.face(Access(Secret("tök")))
    assert (await desk.ask("GET", desk.at("/things"), headers=BEARER))[0] == 401
    assert (await desk.ask("GET", desk.at("/things"), headers={"Authorization": "Bearer tök"}))[0] == 200


async def test_what_is_public_needs_no_token() -> None:
    async with Desk(Access(public=True)).serving() as desk:
        assert (await desk.ask("GET", "/vfx/things"))[0] == 200
        assert (await desk.ask("GET", "/vfx/nope"))[:2] == (404, '{"detail":"Not Found"}')
        assert (await desk.ask("GET", "/none/things"))[0] == 404
        assert desk.refused == {}


async def test_no_token_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    assert (await desk.get(desk.at("/broken")))[0] == 500
    await desk.ask("GET", desk.at("/things"), headers={"Authorization": "Bearer hunter3"})
    assert TOKEN not in caplog.text
    assert "hunter3" not in caplog.text


# paths and methods


async def test_a_slash_too_many_leads_to_the_path_that_is_meant(desk: Desk) -> None:
    for place, base in ((desk.own, ""), (desk.main, "/vfx")):
        for target, there in (
            ("/things/?a=%20b&c", "/things?a=%20b&c"),
            ("/things///", "/things"),
            ("/things/a%20%C3%A9/", "/things/a%20%C3%A9"),
            ("/things%2F", "/things"),
        ):
            status, body, headers = await desk.ask("POST", URL(f"{place}{base}{target}", encoded=True), headers=BEARER)
            assert (status, body, headers["Location"]) == (307, "", f"{place}{base}{there}")
            assert "Content-Type" not in headers or headers["Content-Type"] == "application/octet-stream"


async def test_head_and_options_are_methods_only_where_the_system_had_them(desk: Desk) -> None:
    for method in ("HEAD", "OPTIONS", "PATCH"):
        status, _, headers = await desk.ask(method, desk.at("/things"), headers=BEARER)
        assert (status, headers["Allow"]) == (405, "GET, POST")
    async with Desk(head=True, options=allow, slash="unknown").serving() as other:
        status, body, headers = await other.ask("HEAD", other.at("/things"), headers=BEARER)
        assert (status, body, headers["Content-Length"]) == (200, "", "47")
        status, body, headers = await other.ask("OPTIONS", other.at("/things"), headers=BEARER)
        assert (status, body, headers["Allow"]) == (200, "", "GET, POST, OPTIONS")
        assert (await other.ask("GET", other.at("/things/"), headers=BEARER))[0] == 404


async def test_a_request_reaches_the_view_as_it_was_sent(desk: Desk) -> None:
    target = desk.at("/things?a=1&a=2&b=&c=%FF&d=x+y&e")
    status, body, _ = await desk.ask("POST", target, headers={**BEARER, "Content-Type": "text/x"}, data="é")
    query = [["a", "1"], ["a", "2"], ["b", ""], ["c", "�"], ["d", "x y"], ["e", ""]]
    assert (status, json.loads(body)) == (
        200,
        {"got": "é", "media": "text/x", "query": query, "now": desk.example.time.clock.now()},
    )
    await desk.get(desk.at("/things/a%20%FF%3F"))
    assert desk.system.asked[-1].path == {"name": "a �?"}


async def test_requests_are_counted_by_the_route_they_took(desk: Desk) -> None:
    await desk.get(desk.at("/things/a"))
    await desk.get("/vfx/things/b")
    await desk.get("/vfx/nope")
    await desk.ask("GET", "/none/x")
    found = desk.example.traffic.requests
    assert found == {("/vfx/things/{name}", "GET", "200"): 2, ("_other", "GET", "404"): 1, ("_other", "GET", "401"): 1}


# views


async def test_answers_that_depend_on_the_value_alone_are_made_once_for_each(desk: Desk) -> None:
    for _ in range(3):
        assert (await desk.get(desk.at("/things")))[1] == [{"name": "a", "count": 1}, {"name": "b", "count": 2}]
    assert desk.system.made == 1
    await desk.read()
    for _ in range(3):
        assert (await desk.get("/vfx/things"))[1] == [{"name": "a", "count": 2}]
    assert desk.system.made == 2
    desk.example.board.expire(1e9)
    assert (await desk.get("/vfx/things"))[1] == []


async def test_no_request_causes_a_read_but_it_may_say_what_is_due(desk: Desk) -> None:
    for _ in range(50):
        await desk.get(desk.at("/things/a"))
    assert desk.example.board.standing("vfx", "main").reads == 1
    await desk.ask("DELETE", desk.at("/cache"), headers=BEARER)
    assert desk.due == [("vfx", ("main",))]


async def test_a_live_view_keeps_nobody_waiting(desk: Desk) -> None:
    live = asyncio.create_task(desk.get(desk.at("/live")))
    assert (await desk.get(desk.at("/things/a")))[0] == 200
    assert not live.done()
    desk.system.go.set()
    assert await live == (200, "live")


async def test_a_bug_is_the_systems_own_answer(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    assert await desk.get(desk.at("/broken")) == (500, {"detail": "Internal Server Error"})
    assert "hunter2" in caplog.text
    assert (await desk.get(desk.at("/things/a")))[0] == 200


# metrics


@pytest.mark.parametrize(
    ("accept", "json_"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0", False),
        ("application/json", True),
        ("application/json, text/plain, */*", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/json;q=0.1, text/plain", False),
        ("application/*", False),
    ],
)
async def test_the_main_listener_serves_metrics_unless_json_is_liked_best(accept: str, json_: bool) -> None:
    async with Desk(routes=metrics_routes()).serving() as desk:
        status, body, _ = await desk.ask("GET", "/metrics", headers={**BEARER, "Accept": accept})
        assert status == 200
        assert (body == '{"a":1}') is json_
        assert ("studio_source_up" in body) is not json_


async def test_json_at_metrics_needs_the_token_and_a_single_system(desk: Desk) -> None:
    assert "studio_source_up" in (await desk.ask("GET", "/metrics", headers=JSON))[1]
    async with Desk(routes=metrics_routes()).serving() as other:
        assert (await other.ask("GET", "/metrics", headers=JSON))[0] == 401
        other.faces["annex"] = other.faces["vfx"]
        assert "studio_source_up" in (await other.ask("GET", "/metrics", headers={**JSON, **BEARER}))[1]


async def test_a_source_s_own_address_serves_its_json_unless_metrics_are_named() -> None:
    async with Desk(routes=metrics_routes()).serving() as desk:
        desk.example.add("other")
        for accept in ("*/*", "text/plain", "application/json", "text/html"):
            assert (await desk.ask("GET", desk.at("/metrics"), headers={**BEARER, "Accept": accept}))[1] == '{"a":1}'
        for accept in ("text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0;q=0.1, */*"):
            _, body, _ = await desk.ask("GET", desk.at("/metrics"), headers={**BEARER, "Accept": accept})
            assert 'studio_source_up{part="main",source="vfx"}' in body
            assert 'source="other"' not in body
            assert (await desk.ask("GET", desk.at("/metrics"), headers={"Accept": accept}))[0] == 401


def metrics_routes() -> Any:
    return (
        Route("GET", "/metrics", lambda reading, asked: Answer(b'{"a":1}'), "Numbers.", answers={200: dict[str, int]}),
    )


# other origins


async def test_pages_of_the_origins_that_are_named_may_read() -> None:
    async with Desk(Access(Secret(TOKEN), cors=(ORIGIN,))).serving() as desk:
        for path in ("/things", "/nope", "/broken"):
            _, _, headers = await desk.ask("GET", desk.at(path), headers={**BEARER, "Origin": ORIGIN})
            assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == (ORIGIN, "Origin")
            _, _, headers = await desk.ask("GET", desk.at(path), headers={**BEARER, "Origin": "https://evil.example"})
            assert "Access-Control-Allow-Origin" not in headers
        wanted = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        for target in ("/vfx/things", desk.at("/things")):
            status, _, headers = await desk.ask("OPTIONS", target, headers={"Origin": ORIGIN, **wanted})
            assert (status, headers["Access-Control-Allow-Headers"]) == (204, "authorization")
        status, _, headers = await desk.ask(
            "OPTIONS", "/vfx/things", headers={"Origin": "https://evil.example", **wanted}
        )
        assert (status, "Access-Control-Allow-Origin" in headers) == (401, False)


async def test_any_origin_may_read_what_says_so(desk: Desk) -> None:
    assert "Access-Control-Allow-Origin" not in (await desk.ask("GET", desk.at("/"), headers={"Origin": ORIGIN}))[2]
    async with Desk(Access(public=True, cors=("*",)), options=allow).serving() as other:
        assert (await other.ask("GET", "/vfx/things"))[2]["Access-Control-Allow-Origin"] == "*"
        wanted = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
        status, _, headers = await other.ask("OPTIONS", other.at("/things"), headers=wanted)
        assert (status, headers["Allow"], headers["Access-Control-Allow-Origin"]) == (200, "GET, POST, OPTIONS", ORIGIN)


# descriptions


async def test_the_document_has_every_path_and_schemas_of_the_types(desk: Desk) -> None:
    assert (await desk.ask("GET", desk.at("/openapi.json")))[0] == 401
    _, found = await desk.get(desk.at("/openapi.json"))
    assert {*found["paths"]} == {
        "/",
        "/things",
        "/things/{name}",
        "/cache",
        "/broken",
        "/live",
        "/things/stream",
        "/events",
    }
    assert {*found["components"]["schemas"]} == {"Thing", "Detail"}
    one = found["paths"]["/things/{name}"]["get"]
    assert one["parameters"][0]["name"] == "name"
    assert one["responses"]["404"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Detail"}
    assert {"401", "503"} <= one["responses"].keys()
    assert found["paths"]["/things"]["post"]["requestBody"]
    _, found = await desk.get("/openapi.json")
    assert "/vfx/things" in found["paths"]
    assert json.loads((await desk.ask("GET", "/openapi.json"))[1])["paths"] == {}


@pytest.mark.parametrize("path", ["/openapi.json", "/vfx/openapi.json"])
async def test_the_document_is_made_once_for_the_same_sources(path: str) -> None:
    made: list[Refusal] = []

    def refusing(why: Refusal, header: str) -> Answer:
        made.append(why)
        return refused(why, header)

    async with Desk(refused=refusing).serving() as desk:
        first, times = await desk.get(path), len(made)
        assert times > 0
        assert await desk.get(path) == first
        desk.face(ACCESS)
        assert await desk.get(path) == first
        assert len(made) == times
        desk.face(Access(public=True))
        _, found = await desk.get(path)
        assert found["paths"].keys() == first[1]["paths"].keys()
        assert found != first[1]
        desk.source = desk.system.source("vfx", VALUE, routes=desk.system.routes()[:2])
        desk.face(Access(public=True))
        assert {*(await desk.get(path))[1]["paths"]} == {"/vfx/", "/vfx/things", "/vfx/things/stream", "/vfx/events"}


async def test_people_find_every_path_with_a_command_to_copy(desk: Desk) -> None:
    status, page, _ = await desk.ask("GET", "/api")
    assert status == 200
    assert f"curl -H &quot;Authorization: Bearer $TOKEN&quot; &#x27;{desk.main}/vfx/things/a&#x27;" in page
    assert "/things/ws" in page
    assert TOKEN not in page
    for access, said in ((Access(), "answers nobody"), (Access(public=True), "It is public")):
        desk.face(access)
        assert said in (await desk.ask("GET", "/api"))[1]


# streams


async def frame(answer: Any) -> str:
    async with asyncio.timeout(10):
        return str((await answer.content.readuntil(b"\n\n")).decode())


@pytest.mark.parametrize("main", [True, False])
async def test_events_are_followed_and_resumed(desk: Desk, main: bool) -> None:
    url = f"{desk.main}/vfx/things/stream" if main else f"{desk.own}/things/stream"
    assert (await desk.session.get(url)).status == 401
    async with desk.session.get(url, headers=BEARER) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert await frame(answer) == 'event: things.snapshot\ndata: {"a": 1, "b": 2}\n\n'
        await desk.read()
        first, second = await frame(answer), await frame(answer)
    assert first.startswith(
        'event: thing.updated\ndata: {"event": "thing.updated", "thing": {"name": "a", "count": 2}}\nid: '
    )
    assert second.startswith("event: thing.removed")
    last = first.rsplit("id: ")[1].strip()
    async with desk.session.get(url, headers={**BEARER, "Last-Event-ID": last}) as answer:
        assert await frame(answer) == second
    async with desk.session.get(url, headers={**BEARER, "Last-Event-ID": "0-1"}) as answer:
        assert await frame(answer) == 'event: things.snapshot\ndata: {"a": 2}\n\n'


async def test_every_source_with_events_has_one_stream_of_all_of_them(desk: Desk) -> None:
    async with desk.session.get(desk.at("/events"), headers=BEARER) as answer:
        await until(lambda: listeners(desk) == 1)
        await desk.read()
        assert (await frame(answer)).startswith("event: thing.updated\ndata: {")
    await until(lambda: swept(desk) == 0)


async def test_a_websocket_greets_tells_and_answers_pings(desk: Desk) -> None:
    async with desk.session.ws_connect(desk.at("/things/ws"), headers=BEARER) as following:
        assert json.loads(await following.receive_str()) == {"type": "connected", "things": {"a": 1, "b": 2}}
        await following.send_str("whatever")
        await following.ping()
        await desk.read()
        assert json.loads(await following.receive_str())["event"] == "thing.updated"
    await until(lambda: listeners(desk) == 0)


@pytest.mark.parametrize(("origin", "status"), [("https://evil.example", 403), (ORIGIN, 101), (None, 101)])
async def test_pages_of_other_origins_open_no_websocket(origin: str | None, status: int) -> None:
    async with Desk(Access(public=True, cors=(ORIGIN,))).serving() as desk:
        sent = {"Origin": origin} if origin else {}
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        async with desk.session.get(desk.at("/things/ws"), headers={**sent, **upgrade, **key}) as answer:
            assert answer.status == status
            answer.close()


async def test_a_websocket_needs_the_token_and_a_plain_request_there_is_none(desk: Desk) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    assert (await desk.ask("GET", desk.at("/things/ws"), headers=upgrade))[0] == 401
    assert (await desk.ask("GET", desk.at("/things/ws"), headers={**BEARER, **upgrade}))[0] == 400
    assert await desk.get(desk.at("/things/ws")) == (404, {"detail": "no such thing"})


async def test_one_listener_too_many_is_told_so(desk: Desk) -> None:
    desk.example.traffic.hub._most = 0
    status, body, headers = await desk.ask("GET", desk.at("/events"), headers=BEARER)
    assert (status, body, headers["Retry-After"]) == (503, '{"detail":"Too many listeners."}', "30")


async def test_a_closing_server_ends_every_stream() -> None:
    async with Desk().serving() as desk:
        answer = await desk.session.get(desk.at("/things/stream"), headers=BEARER)
        elsewhere = await desk.session.get(f"{desk.main}/vfx/events", headers=BEARER)
        following = await desk.session.ws_connect(desk.at("/events/ws"), headers=BEARER)
        await until(lambda: listeners(desk) == 3)
        desk.example.traffic.hub.close("vfx")
        async with asyncio.timeout(5):
            await answer.content.read()
            assert (await following.receive()).type is WSMsgType.CLOSE
        await until(lambda: listeners(desk) == 1)
        answer.close()
        await following.close()
        desk.example.traffic.hub.close("main")
        async with asyncio.timeout(5):
            await elsewhere.content.read()
        elsewhere.close()


def listeners(desk: Desk) -> int:
    return sum(len(channel.listeners) for channel in desk.example.traffic.hub.channels)


def swept(desk: Desk) -> int:
    desk.example.traffic.hub.sweep()
    return listeners(desk)


# hostile requests


@pytest.mark.parametrize(
    "target",
    [
        "/vfx/../metrics",
        "/vfx/things/../../etc/passwd",
        "/vfx/things/%2e%2e/%2e%2e/etc/passwd",
        "/vfx/things/%00",
        "/vfx/things/" + "9" * 5000,
        "/vfx/things/-1e999",
        "/vfx/things/%FF%FE",
        "/vfx/things/%",
        "/vfx/things/%zz",
        "/vfx/things?a=%&b=%zz&=&&;",
        "/vfx//things",
        "/vfx/\\things",
        "/vfx/things;x",
    ],
)
async def test_odd_targets_get_an_answer_of_the_system(
    desk: Desk, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, body, headers = await desk.ask("GET", target, headers=BEARER)
    assert status in (200, 404)
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) is not None
    assert caplog.records == []


async def test_a_body_over_the_cap_is_refused_however_it_comes(desk: Desk) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 1024 + 1):
            yield b"x" * 1024

    assert (await desk.ask("POST", desk.at("/things"), headers=BEARER, data=b"x" * LARGEST_BODY))[0] == 200
    for body in (b"x" * (LARGEST_BODY + 1), pieces()):
        status, text, _ = await desk.ask("POST", desk.at("/things"), headers=BEARER, data=body)
        assert (status, text) == (413, '{"detail":"too large"}')


async def test_a_thousand_at_once_are_answered(desk: Desk) -> None:
    found = await asyncio.gather(*(desk.get(desk.at(f"/things/{'ab'[i % 2]}")) for i in range(1000)))
    assert found == [(200, {"name": "ab"[i % 2], "count": 1 + i % 2}) for i in range(1000)]
