"""JSON over HTTP, over real connections: what is asked, what is waited for, and what each fault becomes."""

import asyncio
import logging
import re
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from exporter.core.errors import (
    Malformed,
    Missing,
    ReadError,
    Refused,
    SchemaMismatch,
    TimedOut,
    TooLarge,
    Unreachable,
)
from exporter.inputs.http import LONGEST_REST, Call, Http, Terms, Unauthorised, address_problem, retry_after
from tests.fakes import until
from tests.prometheus import needs_command
from tests.shotgrid_server import Site as Server
from tests.shotgrid_server import endless, hanging, reset, saying, status, torn, trickling

HIDDEN = "hunter2"
SECRET = Call("/x", {"q": HIDDEN}, {"Authorization": f"Bearer {HIDDEN}"}, {"key": HIDDEN})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Sleeper:
    """Sleeps no time at all, and remembers how long it should have."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


class Answers:
    """One answer after the other, then the last one for ever."""

    def __init__(self, *answers: Handler) -> None:
        self.answers = list(answers)
        self.requests: list[web.Request] = []

    async def next(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)


@asynccontextmanager
async def answering(*answers: Handler, terms: Terms | None = None) -> AsyncIterator[tuple[Http, Answers, Sleeper]]:
    handler, sleeper = Answers(*answers), Sleeper()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", handler.next)
    server = TestServer(application)
    await server.start_server(shutdown_timeout=0)
    http = Http(str(server.make_url("")), terms or Terms(1 << 20), sleeper, lambda: 1.0)
    try:
        yield http, handler, sleeper
    finally:
        await http.close()
        await server.close()


def soon(seconds: float = 30.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def get(http: Http, call: Call = Call("/x"), seconds: float = 30.0) -> Any:  # noqa: B008  # frozen
    return await http.json(call, soon(seconds))


async def test_a_get_has_its_query_and_its_headers() -> None:
    async with answering(saying('{"a": [1]}')) as (http, answers, sleeper):
        assert await get(http, Call("/p", {"filter[0][id[$in]]": "1,2", "at": "10:00+00:00"}, {"X-A": "b"})) == {
            "a": [1]
        }
        (request,) = answers.requests
    assert (request.method, request.path, request.headers["X-A"]) == ("GET", "/p", "b")
    assert dict(request.query) == {"filter[0][id[$in]]": "1,2", "at": "10:00+00:00"}
    assert re.fullmatch(r"studio-exporter/[0-9.]+", request.headers["User-Agent"])
    assert sleeper.slept == []
    assert http.calls == 1


async def test_a_body_makes_it_a_post_of_json() -> None:
    bodies = []

    async def echo(request: web.Request) -> web.Response:
        bodies.append((request.method, request.content_type, await request.json()))
        return web.json_response(None)

    async with answering(echo) as (http, _, _):
        assert await get(http, SECRET) is None
    assert bodies == [("POST", "application/json", {"key": HIDDEN})]


async def test_cookies_are_not_kept() -> None:
    async with answering(status(200, Set_Cookie="a=b"), saying("1")) as (http, answers, _):
        with pytest.raises(Malformed):
            await get(http)
        assert await get(http) == 1
        assert "Cookie" not in answers.requests[1].headers


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (400, SchemaMismatch),
        (401, Unauthorised),
        (403, Refused),
        (404, Missing),
        (405, Malformed),
        (410, Missing),
        (422, SchemaMismatch),
        (500, Unreachable),
    ],
)
async def test_what_a_status_means_that_will_not_pass(number: int, kind: type[ReadError]) -> None:
    async with answering(status(number)) as (http, answers, _):
        with pytest.raises(ReadError, match=rf"/x: answers with status {number}$") as caught:
            await get(http)
        assert type(caught.value) is kind
        assert len(answers.requests) == 1


@pytest.mark.parametrize("number", [429, 502, 503, 504])
async def test_what_may_pass_is_tried_again_at_growing_distances(number: int) -> None:
    async with answering(status(number), status(number), saying("7")) as (http, answers, sleeper):
        assert await get(http) == 7
        assert len(answers.requests) == 3
        assert sleeper.slept == [0.5, 1.0]


async def test_what_does_not_pass_is_told_after_as_many_tries_as_the_terms_allow() -> None:
    async with answering(status(503), terms=Terms(1000, tries=3)) as (http, answers, sleeper):
        with pytest.raises(Unreachable, match=r"answers with status 503$"):
            await get(http)
        assert (len(answers.requests), len(sleeper.slept)) == (3, 2)


async def test_half_of_a_pause_is_left_to_chance() -> None:
    async with answering(status(503), saying("1")) as (http, _, sleeper):
        http._chance = lambda: 0.0
        await get(http)
        assert sleeper.slept == [0.25]


async def test_a_server_that_says_when_is_not_asked_before() -> None:
    async with answering(status(429, Retry_After="7"), saying("1")) as (http, _, sleeper):
        assert await get(http) == 1
        (slept,) = sleeper.slept
        assert 6.5 < slept <= 7.0


async def test_no_call_at_all_is_made_before_that() -> None:
    async with answering(status(503, Retry_After="120"), saying("1")) as (http, answers, sleeper):
        with pytest.raises(Unreachable, match=r"status 503 and asks to be left alone for 120 s$"):
            await get(http)
        with pytest.raises(Unreachable, match=r"/x: asked to be left alone for (119|120) s more$"):
            await get(http)
        assert (len(answers.requests), sleeper.slept) == (1, [])
        assert await get(http, seconds=200) == 1


async def test_nobody_is_left_alone_for_ever() -> None:
    async with answering(status(503, Retry_After="999999"), saying("1")) as (http, _, sleeper):
        assert await get(http, seconds=LONGEST_REST + 10) == 1
        assert sleeper.slept[0] <= LONGEST_REST


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "Mon, 11 May 2026 09:00:20 GMT", "Date": "Mon, 11 May 2026 09:00:05 GMT"}, 15.0),
        ({"Retry-After": "Mon, 11 May 2026 09:00:00 GMT", "Date": "Mon, 11 May 2026 09:00:05 GMT"}, 0.0),
        ({"Retry-After": "Mon, 11 May 2026 09:00:20 GMT"}, 0.0),
        ({"Retry-After": "Mon, 11 May 2026 09:00:20", "Date": "Mon, 11 May 2026 09:00:05 GMT"}, 15.0),
        ({"Retry-After": "Mon, 99 May 2026 09:00:20 GMT", "Date": "Mon, 11 May 2026 09:00:05 GMT"}, 0.0),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers) == seconds


async def test_a_connection_that_breaks_is_tried_again() -> None:
    async with answering(reset, torn, saying("1")) as (http, answers, _):
        assert await get(http) == 1
        assert len(answers.requests) == 3


async def test_one_that_goes_on_breaking_is_unreachable() -> None:
    async with answering(reset) as (http, _, _):
        with pytest.raises(Unreachable, match=r"/x: the connection broke$"):
            await get(http)


async def test_an_answer_that_is_never_whole_is_malformed() -> None:
    async with answering(torn) as (http, _, _):
        with pytest.raises(Malformed, match=r"/x: the answer broke off"):
            await get(http)


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    http = Http(f"http://127.0.0.1:{port}", Terms(1000), Sleeper())
    with pytest.raises(Unreachable, match=rf"^http://127.0.0.1:{port}/x: cannot connect: "):
        await get(http)
    await http.close()
    assert http.calls == 1


async def test_what_is_no_http_is_malformed() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP hunter2\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        http = Http(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", Terms(1000), Sleeper())
        with pytest.raises(Malformed, match=r"/x: the answer is not HTTP$"):
            await get(http)
        await http.close()


async def test_a_certificate_that_nobody_trusts_is_not_taken(tmp_path: Path) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError("the handshake was made")

    async with await asyncio.start_server(never, "127.0.0.1", 0, ssl=self_signed(tmp_path)) as server:
        http = Http(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", Terms(1000), Sleeper())
        with pytest.raises(Unreachable, match=r"/x: no trusted TLS connection: self.signed certificate$"):
            await get(http)
        await http.close()
    assert http.calls == 1


def self_signed(folder: Path, name: str = "localhost") -> ssl.SSLContext:
    """What a server shows whose certificate nobody but itself has signed."""
    command = [needs_command("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName=DNS:{name}"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "certificate")]
    subprocess.run([*command, *files], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "certificate", folder / "key")
    return context


async def test_a_server_that_does_not_speak_tls_at_all() -> None:
    async with answering(saying("1")) as (plain, answers, sleeper):
        http = Http(plain.address.replace("http", "https"), Terms(1000), sleeper)
        with pytest.raises(Unreachable, match="no trusted TLS connection: "):
            await get(http)
        await http.close()
        assert answers.requests == []


@pytest.mark.parametrize("fault", [hanging, trickling])
async def test_an_answer_that_does_not_end_is_ended(fault: Callable[[Server], Handler]) -> None:
    server = Server()
    async with answering(fault(server), terms=Terms(1 << 20, total=0.2)) as (http, answers, _):
        with pytest.raises(TimedOut, match=r"/x: no whole answer in time$"):
            await get(http)
        server.over.set()
        assert len(answers.requests) == 1


async def test_a_silence_within_an_answer_is_ended_before_the_whole_time_is_over() -> None:
    server = Server()
    async with answering(hanging(server), terms=Terms(1000, total=60, idle=0.1)) as (http, _, _):
        with pytest.raises(TimedOut):
            await get(http, seconds=60)
        server.over.set()


async def test_no_call_begins_when_the_time_of_the_read_is_over() -> None:
    async with answering(saying("1")) as (http, answers, _):
        with pytest.raises(Unreachable, match="no time left"):
            await get(http, seconds=-1)
        assert answers.requests == []


async def test_a_call_lasts_no_longer_than_the_read() -> None:
    server = Server()
    async with answering(hanging(server)) as (http, _, _):
        with pytest.raises(TimedOut):
            await get(http, seconds=0.1)
        server.over.set()


async def test_a_pause_that_the_read_has_no_time_for_is_not_begun() -> None:
    async with answering(status(503)) as (http, answers, sleeper):
        with pytest.raises(Unreachable, match=r"answers with status 503$"):
            await get(http, seconds=0.4)
        assert (len(answers.requests), sleeper.slept) == (1, [])


@pytest.mark.parametrize("fault", [endless, saying('"' + "x" * 2000 + '"')])
async def test_an_answer_past_the_cap_is_not_read_to_its_end(fault: Handler) -> None:
    async with answering(fault, terms=Terms(1000)) as (http, _, _):
        with pytest.raises(TooLarge, match=r"/x: the answer has more than limits.document_size allows \(1000 bytes\)$"):
            await get(http)


async def test_what_is_packed_counts_as_it_is_unpacked() -> None:
    async def packed(request: web.Request) -> web.StreamResponse:
        response = web.Response(text='"' + "x" * 100_000 + '"', content_type="application/json")
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async with answering(packed, terms=Terms(10_000)) as (http, _, _):
        with pytest.raises(TooLarge):
            await get(http)
    async with answering(packed, terms=Terms(200_000)) as (http, _, _):
        assert len(await get(http)) == 100_000


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<html>hunter2</html>", "text/html"),
        ("", "application/json"),
        ('{"a": ', "application/json"),
        ("[" * 5000, "a/b"),
    ],
)
async def test_what_is_not_json_is_described_and_not_quoted(body: str, content_type: str) -> None:
    async with answering(saying(body, content_type)) as (http, _, _):
        with pytest.raises(Malformed) as caught:
            await get(http)
    assert str(caught.value).endswith(f"/x: expected JSON, found status 200 and {len(body)} bytes of '{content_type}'")


async def test_a_redirect_is_not_followed() -> None:
    async with answering(status(302, Location="/elsewhere")) as (http, answers, _):
        with pytest.raises(Malformed, match=r"status 302, a redirect, which is not followed"):
            await get(http, SECRET)
        assert len(answers.requests) == 1


async def test_only_so_many_calls_are_made_at_once() -> None:
    gate, inside, most = asyncio.Event(), 0, 0

    async def slowly(request: web.Request) -> web.Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await gate.wait()
        inside -= 1
        return web.json_response(1)

    async with answering(slowly, terms=Terms(1000, together=3)) as (http, answers, _):
        calls = [asyncio.create_task(get(http)) for _ in range(8)]
        await until(lambda: inside == 3)
        gate.set()
        assert await asyncio.gather(*calls) == [1] * 8
    assert (most, len(answers.requests)) == (3, 8)


@pytest.mark.parametrize(
    "fault",
    [
        *map(status, (302, 400, 401, 403, 404, 418, 429, 500)),
        saying(HIDDEN),
        torn,
        reset,
        endless,
    ],
)
async def test_no_error_tells_what_was_secret(fault: Handler, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with answering(fault, terms=Terms(1000)) as (http, _, _):
        with pytest.raises(ReadError) as caught:
            await get(http, SECRET)
    assert HIDDEN not in f"{caught.value} {caught.value!r}"
    assert "http" in str(caught.value)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("exporter")]
    assert not any(HIDDEN in message for message in ours)


def test_a_call_does_not_print_its_headers_and_its_body() -> None:
    call = Call("/x", {}, {"Authorization": HIDDEN}, {"key": HIDDEN})
    assert HIDDEN not in repr(call)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://studio.shotgrid.example", None),
        ("http://127.0.0.1:18010/", None),
        ("http://[::1]:80/sg", None),
        ("", "expected an address such as"),
        ("studio.shotgrid.example", "expected an address such as"),
        ("ftp://studio.example", "expected an address such as"),
        ("https://", "expected an address such as"),
        ("https://host:port", "expected an address such as"),
        ("https://host/a b", "expected an address such as"),
        ("https://u:hunter2@host", "without a user and a password"),
        ("https://host/?key=hunter2", "without '\\?' and '#'"),
        ("https://host/#hunter2", "without '\\?' and '#'"),
    ],
)
def test_what_is_an_address(url: str, problem: str | None) -> None:
    found = address_problem(url)
    assert found is None if problem is None else re.search(problem, found or "")
    assert HIDDEN not in (found or "")
