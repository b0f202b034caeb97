"""Who gets past the main listener's terms, and what those learn who do not."""

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from exporter.core.api import Access, Answer, Asked, Reading, Route
from exporter.core.secret import Secret
from exporter.core.source import Limits
from exporter.web import basic as module
from exporter.web.basic import MOST_WAITING, Users
from exporter.web.faces import Face
from exporter.web.gate import Gate, Terms
from exporter.web.server import own
from tests.web.apis import System
from tests.web.examples import Client, Example, asking
from tests.web.terms import HASH, basic

TOKEN = "s3cret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Accept": "application/json"}
ORIGIN = "https://studio.example"


ALICE = basic()


class Guarded:
    """A main listener with a source of every kind of access, on terms."""

    def __init__(self, api: Mapping[str, Any] | None = None, **accesses: Access) -> None:
        self.example = Example()
        self.gate = Gate(lambda: Terms(users=Users({"alice": Secret(HASH)})))
        self.faces: dict[str, Face] = {}
        for name, access in accesses.items():
            source = System().source(name, (("a", 1),), **(api or {}))
            self.example.board.add(source, Limits(), 0)
            face = Face.of(source, access)
            assert face
            self.faces[name] = face
        self.served = self.example.served(faces=lambda: self.faces, gate=self.gate)

    @property
    def refused(self) -> int:
        return self.example.traffic.refused.get("main", 0)


def studio() -> Guarded:
    return Guarded(
        kept=Access(Secret(TOKEN)),
        open=Access(public=True, cors=("*",)),
        silent=Access(),
        shared=Access(Secret("another"), cors=(ORIGIN,)),
    )


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with asking(studio().served) as made:
        yield made


OURS = ("/", "/metrics", "/metrics?source=kept", "/catalogue", "/api", "/openapi.json", "/-/healthy", "/-/ready")


@pytest.mark.parametrize("path", [*OURS, "/open/things"])
async def test_name_and_password_open_what_is_ours_and_what_is_public(path: str, client: Client) -> None:
    assert (await client.get(path, headers=ALICE)).status in (200, 503 if path == "/-/ready" else 200)
    for headers in ({}, BEARER, basic("alice", "wrong"), basic("carol")):
        answer = await client.get(path, headers=headers)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="studio-exporter", charset="UTF-8"'


async def test_a_token_opens_its_own_source_and_nothing_else(client: Client) -> None:
    assert (await client.get("/kept/things", headers=BEARER)).status == 200
    assert (await client.get("/kept/nothing", headers=BEARER)).status == 404
    assert (await client.get("/kept/metrics", headers={**BEARER, "Accept": "text/plain; version=0.0.4"})).status == 200
    for path in (*OURS, "/shared/things", "/open/things", "/silent/things", "/none/things", "/kept", "/nothing"):
        assert (await client.get(path, headers=BEARER)).status == 401, path
    assert (await client.post("/-/reload", headers=BEARER)).status == 401
    assert (await client.post("/metrics", headers=BEARER)).status == 401


async def test_name_and_password_are_no_token(client: Client) -> None:
    for path in ("/kept/things", "/silent/things", "/none/things"):
        answer = await client.get(path, headers=ALICE)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_people_are_told_what_each_source_wants_of_them(client: Client) -> None:
    page = unescape(await (await client.get("/api", headers=ALICE)).text())
    origin = str(client.make_url("")).rstrip("/")
    assert "It is public: no token is needed, but a name and a password." in page
    assert f"curl -u NAME '{origin}/open/things'" in page
    assert f"curl -H \"Authorization: Bearer $TOKEN\" '{origin}/kept/things'" in page


async def test_who_is_not_let_in_learns_nothing() -> None:
    made = studio()
    targets = (*OURS, "/kept/things", "/open/things", "/silent/", "/none/things", "/nothing", "/%6bept/things")
    hostile: tuple[Mapping[str, str], ...] = (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic"},
        basic("alice", "wrong"),
        {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
    )
    async with asking(made.served) as client:
        seen = set()
        for method in ("GET", "POST", "OPTIONS", "PROPFIND"):
            for path in targets:
                for headers in hostile:
                    answer = await client.request(method, path, headers=headers)
                    kept = {name: value for name, value in answer.headers.items() if name != "Date"}
                    seen.add((answer.status, await answer.read(), tuple(sorted(kept.items()))))
    assert [status for status, _, _ in seen] == [401]
    assert made.refused == 4 * len(targets) * len(hostile)


async def test_a_page_of_another_origin_may_ask_whether_it_may_send_a_token(client: Client) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    answer = await client.options("/shared/things", headers=asked)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    for path in ("/kept/things", "/open/things", "/none/things", "/metrics"):
        assert (await client.options(path, headers=asked)).status == 401
    assert (await client.get("/shared/things", headers={"Origin": ORIGIN})).status == 401


async def test_the_json_at_metrics_is_its_sources() -> None:
    def answer(reading: Reading, asked: Asked) -> Answer:
        return Answer(b'{"legacy":true}')

    old = Route("GET", "/metrics", answer, "JSON.")
    api = {"routes": (old,)}
    made = Guarded(api, vfx=Access(Secret(TOKEN)))
    async with asking(made.served) as client:
        answered = await client.get("/metrics", headers={**BEARER, **JSON})
        assert (answered.status, await answered.json()) == (200, {"legacy": True})
        assert (await client.get("/metrics", headers=BEARER)).status == 401
        assert (await client.get("/metrics", headers={**ALICE, **JSON})).status == 401
        assert (await client.get("/metrics", headers=ALICE)).status == 200
        assert (await client.get("/metrics", headers={"Authorization": "Bearer wrong", **JSON})).status == 401
    other = Guarded(api, vfx=Access(public=True))
    async with asking(other.served) as client:
        assert (await client.get("/metrics", headers=JSON)).status == 401
        assert (await client.get("/metrics", headers={**ALICE, **JSON})).status == 200
    twice = Guarded(api, vfx=Access(Secret(TOKEN)), annex=Access(Secret(TOKEN)))
    async with asking(twice.served) as client:
        assert (await client.get("/metrics", headers={**BEARER, **JSON})).status == 401


async def test_everybody_is_let_in_where_no_users_are_named() -> None:
    made = studio()
    made.gate.terms = Terms()
    async with asking(made.served) as client:
        assert (await client.get("/metrics")).status == 200
        assert (await client.get("/open/things")).status == 200
        assert (await client.get("/kept/things", headers=BEARER)).status == 200


async def test_a_sources_own_address_asks_for_its_token_alone() -> None:
    made = studio()
    async with TestClient(TestServer(own(made.served, "kept"))) as client:
        assert (await client.get("/things", headers=BEARER)).status == 200
        assert (await client.get("/things", headers=ALICE)).status == 401


async def test_headers_are_said_with_every_answer_that_has_none() -> None:
    made = studio()
    given = {"Content-Security-Policy": "default-src 'self'", "X-Frame-Options": "deny"}
    made.gate.terms = replace(made.gate.terms, headers=given)
    async with asking(made.served) as client:
        for path in ("/metrics", "/nothing", "/kept/things"):
            for headers in (ALICE, {}):
                answer = await client.get(path, headers=headers)
                assert {name: answer.headers[name] for name in given} == given
        answer = await client.get("/", headers=ALICE)
        assert answer.headers["X-Frame-Options"] == "deny"
        assert "script-src 'sha256-" in answer.headers["Content-Security-Policy"]  # the page's own is stricter


async def test_too_many_passwords_at_once_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    made = studio()
    users = made.gate.terms.users
    assert users
    monkeypatch.setattr(users, "_waiting", MOST_WAITING)
    async with asking(made.served) as client:
        answer = await client.get("/metrics", headers=ALICE)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert made.refused == 0


async def test_the_same_users_need_not_prove_themselves_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = studio()
    async with asking(made.served) as client:
        assert (await client.get("/metrics", headers=ALICE)).status == 200
        monkeypatch.setattr(module, "same", lambda password, of: pytest.fail("it was looked at again"))
        assert made.gate.put(Terms(users=Users({"alice": Secret(HASH)}), headers={"X-Frame-Options": "deny"}))
        assert (await client.get("/metrics", headers=ALICE)).status == 200
        monkeypatch.undo()
        bob = Terms(users=Users({"bob": Secret(HASH)}))
        assert made.gate.put(bob)
        assert (await client.get("/metrics", headers=ALICE)).status == 401
        assert (await client.get("/metrics", headers=basic("bob"))).status == 200
        assert not made.gate.put(bob)


def test_passwords_without_tls_are_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        studio()
    assert caplog.messages == ["basic_auth_users without tls_server_config: names and passwords travel unencrypted"]
