"""What stands around every request, hostile ones among them, and the addresses the server listens on."""

import asyncio
import base64
import hashlib
import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientConnectionError, ClientSession
from aiohttp.http_exceptions import BadStatusLine

from exporter.core.address import Address, address
from exporter.core.errors import ConfigError
from exporter.runtime.itself import Reload
from exporter.web.door import worth_a_line
from exporter.web.server import application, serving
from tests.fakes import things, until
from tests.web.examples import Example, asking

ANYWHERE = [address("127.0.0.1:0")]
SECRET = "hunter2"  # what a bug's message might hold


def example() -> Example:
    made = Example()
    made.add("vfx")
    made.read("vfx", things(a=1))
    return made


def broken() -> Reload:
    raise RuntimeError(SECRET)


# what stands around every request


async def test_requests_are_counted_by_route_method_and_code() -> None:
    made = example()
    async with asking(made.served()) as client:
        for method, path in [
            ("GET", "/metrics?source=vfx"),
            ("HEAD", "/metrics"),
            ("GET", "/metrics?source=none"),
            ("GET", "/"),
            ("GET", "/no/such/thing"),
            ("GET", "/nor/this"),
            ("PROPFIND", "/metrics"),
            ("POST", "/-/reload"),
        ]:
            await client.request(method, path)
    assert made.traffic.requests == {
        ("/metrics", "GET", "200"): 1,
        ("/metrics", "HEAD", "200"): 1,
        ("/metrics", "GET", "404"): 1,
        ("/", "GET", "200"): 1,
        ("_other", "GET", "404"): 2,
        ("_other", "_other", "405"): 1,
        ("/-/reload", "POST", "403"): 1,
    }


async def test_requests_are_timed() -> None:
    made = example()

    async def reload() -> str | None:
        made.time.advance(2.0)
        return None

    async with asking(made.served(reloading=reload)) as client:
        await client.post("/-/reload")
    assert made.traffic.durations["/-/reload"].sum == 2.0
    assert sum(made.traffic.durations["/-/reload"].counts) == 1


async def test_a_bug_is_a_plain_500_and_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    made = example()
    async with asking(made.served(loaded=broken)) as client:
        answer = await client.get("/", headers={"X-Echo": "me"})
        assert (answer.status, await answer.text()) == (500, "500: a bug; the log has it\n")
        assert (await client.get("/metrics")).status == 200
    assert SECRET in caplog.text
    assert [record.getMessage() for record in caplog.records] == ["a request for /: a bug, please report it"]
    assert made.traffic.requests["/", "GET", "500"] == 1


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/reload", "/nothing"])
async def test_no_answer_says_what_the_server_is_made_of(path: str) -> None:
    async with asking(example().served()) as client:
        answer = await client.get(path)
    assert answer.headers["Server"] == "studio-exporter"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/catalogue"])
async def test_pages_run_and_load_nothing_but_what_is_theirs(path: str) -> None:
    async with asking(example().served()) as client:
        answer = await client.get(path)
        html = await answer.text()
    policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    for element in ("style", "script"):
        for content in re.findall(f"<{element}>(.*?)</{element}>", html, re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert not content or policy[f"{element}-src"] == f"'sha256-{digest}'"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", html)


# hostile requests


@asynccontextmanager
async def running(made: Example) -> AsyncIterator[tuple[str, int]]:
    async with serving(application(made.served()), ANYWHERE) as urls:
        parts = urlsplit(urls[0])
        assert parts.hostname
        assert parts.port
        yield parts.hostname, parts.port


async def said(host: str, port: int, request: bytes) -> bytes:
    """All that the server answers to these bytes until it closes; where they are half a request, we close."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        if request in UNFINISHED:
            writer.write_eof()
        async with asyncio.timeout(3):
            return await reader.read()
    except ConnectionError:  # closed while we were still talking: an answer, too
        return b""
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def get(path: bytes, *headers: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join([b"GET " + path + b" " + version, *headers, b"Connection: close", b"", b""])


HOST = b"Host: x"
HOSTILE = {
    "a huge header": get(b"/metrics", HOST, b"X: " + b"a" * 1_000_000),
    "many headers": get(b"/metrics", HOST, *(b"X-%d: y" % i for i in range(20_000))),
    "a huge Accept": get(b"/metrics", HOST, b"Accept: " + b'text/plain;q="' * 500),
    "an Accept of noise": get(b"/metrics", HOST, b'Accept: ;;,,=="\\,\xff\xfe;q=\xc3\xa9, */*;q=;q=nan;version=\xf0'),
    "an unknown version": get(b"/metrics", HOST, b"Accept: application/openmetrics-text; version=abc"),
    "an encoding of noise": get(b"/metrics", HOST, b"Accept-Encoding: gzip;q=\xff;;,*;q=-1"),
    "ten thousand sources": get(b"/metrics?" + b"&".join([b"source=vfx"] * 10_000), HOST),
    "five hundred sources": get(b"/metrics?" + b"&".join([b"source=vfx"] * 500), HOST),
    "bad percent-encoding": get(b"/metrics?source=%zz%&%=%ff%fe", HOST),
    "bad percent-encoding in the path": get(b"/%zz%ff%00%c0%af..%2f", HOST),
    "a NUL in the path": get(b"/metrics\0", HOST),
    "a NUL in the query": get(b"/metrics?source=\0", HOST),
    "a NUL in a header": get(b"/metrics", HOST, b"Accept: \0"),
    "raw bytes in the path": get(b"/\xff\xfe\xc3\xa9", HOST),
    "dots": get(b"/../../../../etc/passwd", HOST),
    "a long path": get(b"/" + b"a" * 100_000, HOST),
    "no host": get(b"/metrics"),
    "two hosts": get(b"/metrics", HOST, b"Host: y"),
    "a host of noise": get(b"/metrics", b'Host: [::]:99999999@"<'),
    "HTTP/1.0": get(b"/metrics", version=b"HTTP/1.0"),
    "HTTP/0.9": b"GET /metrics\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": get(b"/metrics", HOST, version=b"HTTP/9.9"),
    "an absolute target": get(b"http://elsewhere/metrics", HOST),
    "an absolute target of noise": get(b"http://[::1/metrics", HOST),
    "OPTIONS *": get(b"*", HOST).replace(b"GET", b"OPTIONS", 1),
    "CONNECT": get(b"elsewhere:443", HOST).replace(b"GET", b"CONNECT", 1),
    "TRACE": get(b"/metrics", HOST).replace(b"GET", b"TRACE", 1),
    "a strange method": get(b"/metrics", HOST).replace(b"GET", b"!#$%&'*+-.^_`|~", 1),
    "a long method": get(b"/metrics", HOST).replace(b"GET", b"A" * 10_000, 1),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "an empty line": b"\r\n\r\n\r\n",
    "half a request": b"GET /metrics HTT",
    "lengths that differ": get(b"/metrics", HOST, b"Content-Length: 5", b"Content-Length: 6"),
    "a length that is none": get(b"/metrics", HOST, b"Content-Length: -1"),
    "a body that is chunked and counted": get(b"/metrics", HOST, b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "a chunk that is none": get(b"/metrics", HOST, b"Transfer-Encoding: chunked") + b"zz\r\n",
    "an upgrade": get(b"/metrics", HOST, b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
    "an expectation": get(b"/metrics", HOST, b"Expect: 200-ok"),
    "folded headers": get(b"/metrics", HOST, b"Accept: text/plain,", b" */*"),
}
UNFINISHED = (HOSTILE["an empty line"], HOSTILE["half a request"])


@pytest.mark.parametrize("request_", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_request_harms_nothing(request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with running(example()) as (host, port):
        answer = await said(host, port, request_)
        assert not re.match(rb"HTTP/\d\.\d 5", answer), answer[:200]
        assert re.match(rb"HTTP/\d\.\d [234]|$", answer), answer[:200]
        assert [*{*re.findall(rb"(?i)\nserver: (.*)\r", answer)}] == [b"studio-exporter"][: len(answer)]
        assert not re.search(rb"(?i)aiohttp|python", answer)
        assert (await said(host, port, get(b"/-/healthy", HOST))).startswith(b"HTTP/1.1 200")
    assert [record.getMessage() for record in caplog.records if record.name.startswith("exporter")] == []


EXPECTED = {
    "bad percent-encoding": 404,
    "five hundred sources": 400,
    "an Accept of noise": 200,
    "HTTP/1.0": 200,
    "dots": 404,
    "an unknown version": 200,
}


@pytest.mark.parametrize(("name", "code"), EXPECTED.items())
async def test_what_hostile_requests_are_answered(name: str, code: int) -> None:
    async with running(example()) as (host, port):
        answer = await said(host, port, HOSTILE[name])
    assert int(answer.split()[1]) == code


async def test_labels_of_the_own_metrics_do_not_grow_with_what_callers_send() -> None:
    made = example()
    async with running(made) as (host, port):
        for request in HOSTILE.values():
            await said(host, port, request)
    routes = {"/", "/catalogue", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "_other"}
    assert {route for route, _, _ in made.traffic.requests} <= routes
    assert {method for _, method, _ in made.traffic.requests} <= {"GET", "HEAD", "POST", "OPTIONS", "_other"}


async def test_a_caller_who_says_nothing_keeps_nobody_waiting() -> None:
    async with running(example()) as (host, port):
        _, silent = await asyncio.open_connection(host, port)
        silent.write(b"GET /metrics HTTP/1.1\r\nHost:")
        await silent.drain()
        assert (await said(host, port, get(b"/metrics", HOST))).startswith(b"HTTP/1.1 200")
        silent.close()


def test_the_log_keeps_what_is_not_a_caller_s_fault() -> None:
    def record(error: Exception | None) -> logging.LogRecord:
        info = None if error is None else (type(error), error, None)
        return logging.LogRecord("x", logging.ERROR, "x", 1, "x", (), info)

    assert worth_a_line(record(None))
    assert worth_a_line(record(RuntimeError()))
    assert not worth_a_line(record(BadStatusLine("\x16\x03")))


# addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:10210", Address("127.0.0.1", 10210)),
        ("localhost:0", Address("localhost", 0)),
        ("exporter.studio.example:80", Address("exporter.studio.example", 80)),
        (":10210", Address(None, 10210)),
        ("[::]:10210", Address(None, 10210)),
        ("0.0.0.0:10210", Address("0.0.0.0", 10210)),  # noqa: S104  # parsed, not bound
        ("[::1]:65535", Address("::1", 65535)),
        ("[fe80::1%eth0]:1", Address("fe80::1%eth0", 1)),
    ],
)
def test_addresses(text: str, expected: Address) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    "text", ["", "10210", "localhost", "localhost:", "::1:80", "[::1]", "a:b", ":-1", ":1:2", ":٣", "a b:1"]
)
def test_what_is_no_address_is_told_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected host:port, \[IPv6 address\]:port or :port, found "):
        address(text)


def test_a_port_has_an_end() -> None:
    with pytest.raises(ValueError, match="expected a port from 0 to 65535, found ':65536'"):
        address(":65536")


@pytest.mark.parametrize("text", ["127.0.0.1:1", "[::1]:1", ":1"])
def test_an_address_is_written_as_it_is_read(text: str) -> None:
    assert str(address(text)) == text


async def answers(url: str) -> int:
    async with ClientSession() as session, session.get(f"{url}/-/healthy") as answer:
        return answer.status


async def test_every_address_is_listened_on() -> None:
    async with serving(application(example().served()), [*ANYWHERE, *ANYWHERE]) as urls:
        assert len(urls) == 2
        assert [await answers(url) for url in urls] == [200, 200]


async def test_every_interface() -> None:
    async with serving(application(example().served()), [address(":0")]) as urls:
        assert {urlsplit(url).hostname for url in urls} <= {"127.0.0.1", "::1"}
        assert [await answers(url) for url in urls] == [200] * len(urls)


async def test_addresses_that_cannot_be_had_are_all_named_and_none_is_listened_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as free:
        port = taken.getsockname()[1]
        free.bind(("127.0.0.1", 0))
        other = free.getsockname()[1]
        free.close()
        wanted = [f"127.0.0.1:{port}", f"127.0.0.1:{other}", "no.such.host.invalid:80", f"{'a' * 70}.example:80"]
        with pytest.raises(ConfigError) as error:
            async with serving(application(example().served()), [address(text) for text in wanted]):
                raise AssertionError("it must not get here")
        assert [str(problem) for problem in error.value.problems] == [
            f"--web.listen-address: cannot listen on 127.0.0.1:{port}: address already in use",
            "--web.listen-address: cannot listen on no.such.host.invalid:80: that name does not resolve",
            f"--web.listen-address: cannot listen on {'a' * 70}.example:80: that name does not resolve",
        ]
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", other)


# the end


class Slow:
    """A reload that ends when it is told to: a request under way."""

    def __init__(self) -> None:
        self.begun, self.end = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> str | None:
        self.begun.set()
        await self.end.wait()
        return None


async def test_requests_under_way_are_answered_when_the_server_stops() -> None:
    slow, stop, urls = Slow(), asyncio.Event(), list[str]()

    async def serve() -> None:
        async with serving(application(example().served(reloading=slow)), ANYWHERE) as found:
            urls.extend(found)
            await stop.wait()

    server = asyncio.create_task(serve())
    await until(lambda: urls)
    async with ClientSession() as session:
        answer = asyncio.create_task(session.post(f"{urls[0]}/-/reload"))
        await slow.begun.wait()
        stop.set()
        await until(lambda: refuses(urls[0]))
        assert not server.done()
        slow.end.set()
        assert (await answer).status == 200
    await server


async def test_a_request_that_does_not_end_is_not_waited_for_for_ever() -> None:
    slow = Slow()
    async with ClientSession() as session:
        async with serving(application(example().served(reloading=slow)), ANYWHERE, grace=0.01) as urls:
            answer = asyncio.create_task(session.post(f"{urls[0]}/-/reload"))
            await slow.begun.wait()
        with pytest.raises(ClientConnectionError, match="disconnected"):
            await answer


async def test_idle_connections_do_not_hold_up_the_end() -> None:
    app = application(example().served())
    async with asyncio.timeout(10), ClientSession() as session, serving(app, ANYWHERE, grace=600) as urls:
        answer = await session.get(f"{urls[0]}/metrics")
        assert await answer.read()


def refuses(url: str) -> bool:
    """Whether nobody listens there."""
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname, parts.port)) != 0
