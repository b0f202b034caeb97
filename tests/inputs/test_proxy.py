"""A proxy on the way, as the environment names it: which one, what it is told, and how its refusals are told."""

import asyncio
import logging
import re
import socket
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from exporter.core.errors import ReadError, Refused, Unreachable
from exporter.core.secret import Secret
from exporter.inputs.http import Call, Http, ProxyRefused, Terms
from exporter.inputs.proxy import proxy_to
from exporter.inputs.shotgrid import Login, Query, ShotGrid
from tests import shotgrid_server
from tests.command import ROOT
from tests.inputs.test_http import Sleeper, get, self_signed, soon

HIDDEN = "hunter2"
SITE = "studio.shotgrid.example"
LOGIN = f"Basic {b64encode(f'ann:{HIDDEN}'.encode()).decode()}"


class Proxy:
    """A forward proxy on a port of its own, which leads to `port` whatever is asked for; with a `status`, nowhere."""

    def __init__(self, port: int, status: int = 200) -> None:
        self.port = port
        self.status = status
        self.url = ""
        self.heads: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode())
        if self.status != 200:
            writer.write(f"HTTP/1.1 {self.status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        else:
            inner, outer = await asyncio.open_connection("127.0.0.1", self.port)
            if head.startswith(b"CONNECT"):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                outer.write(head)
            await asyncio.gather(pumped(reader, outer), pumped(inner, writer))
        writer.close()


async def pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@asynccontextmanager
async def proxy(to: str = "http://127.0.0.1:9", status: int = 200) -> AsyncIterator[Proxy]:
    """A proxy that leads to an address."""
    made = Proxy(int(to.rpartition(":")[2]), status)
    async with await asyncio.start_server(made.accept, "127.0.0.1", 0) as server:
        made.url = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield made
    await asyncio.gather(*made.tasks)


@asynccontextmanager
async def client(address: str, monkeypatch: pytest.MonkeyPatch, **variables: str) -> AsyncIterator[Http]:
    """A client in an environment that has these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    http = Http(address, Terms(1 << 20), Sleeper())
    try:
        yield http
    finally:
        await http.close()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
async def test_a_server_is_asked_through_the_proxy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site = shotgrid_server.Site()
    login = {"grant_type": "client_credentials", "client_id": "golden", "client_secret": "secret"}
    async with shotgrid_server.served(site) as url, proxy(url) as way:
        settings = {name: f"http://ann:{HIDDEN}@{way.url}"}
        async with client(f"http://{SITE}", monkeypatch, **settings) as http:
            answer = await get(http, Call("/api/v1/auth/access_token", {}, {"X-A": "b"}, login))
    assert answer["access_token"] == "token-0"
    (head,) = way.heads
    assert head.startswith(f"POST http://{SITE}/api/v1/auth/access_token HTTP/1.1\r\n")
    assert f"\r\nProxy-Authorization: {LOGIN}\r\n" in head
    assert "\r\nX-A: b\r\n" in head


async def test_over_tls_the_proxy_sees_a_tunnel_alone_and_the_server_shows_its_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError("the handshake was made")

    async with await asyncio.start_server(never, "127.0.0.1", 0, ssl=self_signed(tmp_path)) as server:
        port = server.sockets[0].getsockname()[1]
        async with proxy(f":{port}") as way:
            settings = {"HTTPS_PROXY": f"http://ann:{HIDDEN}@{way.url}"}
            async with client(f"https://{SITE}", monkeypatch, **settings) as http:
                with pytest.raises(Unreachable, match=r"no trusted TLS connection: self.signed certificate$"):
                    await get(http, Call("/x", {"q": "1"}, {"Authorization": "Bearer mine"}))
    (head,) = way.heads
    assert head.startswith(f"CONNECT {SITE}:443 HTTP/1.1\r\n")
    assert f"\r\nProxy-Authorization: {LOGIN}\r\n" in head
    assert "mine" not in head


async def test_nobodys_netrc_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text(f"machine {SITE} login a password b\nmachine 127.0.0.1 login c password d\n")
    site = shotgrid_server.Site()
    site.fault(lambda _: True, shotgrid_server.saying("1"))
    async with shotgrid_server.served(site) as url, proxy(url) as way:
        settings = {"HTTP_PROXY": way.url, "NETRC": str(tmp_path / "netrc")}
        async with client(f"http://{SITE}", monkeypatch, **settings) as http:
            assert await get(http, Call("/api/v1/entities/projects")) == 1
    assert [re.findall("(?i)authorization", head) for head in way.heads] == [[]]


REFUSALS: Mapping[str, tuple[str, int, type[ReadError], str]] = {
    "a tunnel without a password": ("https", 407, ProxyRefused, "the proxy wants a user and a password"),
    "a call without a password": ("http", 407, ProxyRefused, "the proxy wants a user and a password"),
    "a tunnel that is not allowed": ("https", 403, ProxyRefused, "the proxy answers with status 403"),
    "a tunnel that leads nowhere now": ("https", 503, Unreachable, "the proxy answers with status 503"),
    "a tunnel that leads nowhere": ("https", 500, Unreachable, "the proxy answers with status 500"),
}


@pytest.mark.parametrize("what", REFUSALS)
async def test_what_the_proxy_refuses_is_told_as_its_own(
    what: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scheme, status, kind, said = REFUSALS[what]
    caplog.set_level(logging.DEBUG)
    async with proxy(status=status) as way:
        settings = {f"{scheme.upper()}_PROXY": f"http://ann:{HIDDEN}@{way.url}"}
        async with client(f"{scheme}://{SITE}", monkeypatch, **settings) as http:
            with pytest.raises(ReadError, match=said) as caught:
                await get(http)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(
        f"{scheme}://{SITE}/x through http://{way.url} ({scheme.upper()}_PROXY): the proxy "
    )
    assert len(way.heads) == (4 if status == 503 else 1)
    assert HIDDEN not in f"{caught.value!r} {caplog.text}"


async def test_a_login_that_the_proxy_refuses_is_not_told_as_the_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy(status=407) as way, client(f"https://{SITE}", monkeypatch, HTTPS_PROXY=way.url) as http:
        site = ShotGrid(http, Login("golden", Secret("secret")), 1000)
        with pytest.raises(Refused, match="the proxy wants a user and a password"):
            await site.rows(Query("projects", ("id",)), soon())


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there_is_told_as_such(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {f"{scheme.upper()}_PROXY": f"http://ann:{HIDDEN}@{place}"}
    async with client(f"{scheme}://{SITE}", monkeypatch, **settings) as http:
        with pytest.raises(
            Unreachable, match=rf"http://{place} \({scheme.upper()}_PROXY\): cannot connect to the proxy:"
        ):
            await get(http)


@pytest.mark.parametrize(
    "url",
    [
        f"socks5://ann:{HIDDEN}@proxy:1080",
        f"https://ann:{HIDDEN}@proxy:3128",
        f"http://ann:{HIDDEN}/3@proxy:3128",
        f"http://ann:12/{HIDDEN}@proxy:3128",
        f"http://ann:12#{HIDDEN}@proxy:3128",
        f"http://ann:12?{HIDDEN}@proxy:3128",
        f"http://ann:{HIDDEN} @proxy:3128",
        f"http://ann:{HIDDEN}@proxy:port",
        f"http://ann:{HIDDEN}@[proxy",
        f"http://ann:{HIDDEN}@",
        f"ann:{HIDDEN}@proxy:0",
    ],
)
async def test_what_is_no_address_of_a_proxy_is_not_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with client(f"https://{SITE}", monkeypatch, HTTPS_PROXY=url) as http:
        with pytest.raises(
            Unreachable, match=rf"^https://{SITE}: HTTPS_PROXY: expected the address of a proxy"
        ) as caught:
            await get(http)
        assert HIDDEN not in repr(caught.value)
        assert http.calls == 0


@pytest.mark.parametrize(
    ("address", "exceptions", "through"),
    [
        (f"https://{SITE}", "", True),
        (f"https://{SITE}", SITE.upper(), False),
        (f"https://{SITE}", "a.example, .shotgrid.example", False),
        (f"https://{SITE}", "shotgrid.example", False),
        (f"https://{SITE}", "*.shotgrid.example", False),
        (f"https://{SITE}", "grid.example", True),
        (f"https://{SITE}", "*", False),
        (f"https://{SITE}", f"{SITE}:443", False),
        (f"https://{SITE}", f"{SITE}:8443", True),
        (f"https://{SITE}:8443", "shotgrid.example:8443", False),
        (f"https://{SITE}", "10.0.0.0/8,,::1", True),
        ("https://10.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", "10.1.2.3", False),
        ("https://10.1.2.3", "fd00::/8,10.1.2.4", True),
        ("https://[fd00::1]:8443", "fd00::/8", False),
        ("http://127.0.0.1:18010", "", False),
        ("http://localhost:18010", "", False),
        ("http://[::1]:18010", "", False),
    ],
)
def test_which_servers_are_reached_without_one(address: str, exceptions: str, through: bool) -> None:
    settings = {"http": "http://proxy:3128", "https": "http://proxy:3128", "no": exceptions}
    assert (proxy_to(address, settings) is not None) == through


@pytest.mark.parametrize(
    ("url", "place", "login"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128", None),
        ("http://proxy.example/", "http://proxy.example", None),
        ("proxy.example:3128", "http://proxy.example:3128", None),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128", None),
        (f"http://ann:{HIDDEN}@proxy:3128", "http://proxy:3128", f"ann:{HIDDEN}"),
        ("http://a%40b:%2F%3A%C3%A9@proxy", "http://proxy", "a@b:/:é"),
        ("http://ann@proxy", "http://proxy", "ann:"),
    ],
)
def test_what_a_proxy_is_told(url: str, place: str, login: str | None) -> None:
    found = proxy_to("https://a.example", {"https": url})
    assert found
    assert (found.place, found.variable) == (place, "HTTPS_PROXY")
    headers = {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {}
    assert dict(found.headers) == headers
    assert "Basic" not in repr(found)


async def test_the_command_reads_a_site_behind_a_proxy(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"""
sources:
- {{name: vfx, kind: trafalgar, shotgrid: {{url: "https://{SITE}", script: golden, key: secret}}}}
""")
    site = shotgrid_server.golden()
    context = self_signed(tmp_path, SITE)
    async with shotgrid_server.served(site, context) as url, proxy(url) as way:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "exporter", "read", "vfx", "--config.file=config.yaml"),
            cwd=tmp_path,
            env={
                "PYTHONPATH": str(ROOT),
                "SSL_CERT_FILE": str(tmp_path / "certificate"),
                "HTTPS_PROXY": f"http://ann:{HIDDEN}@{way.url}",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, log = (text.decode() for text in await process.communicate())
    assert 'studio_source_up{part="shotgrid",source="vfx"} 1.0' in said, log
    assert site.count("projects") == 1
    assert {head.split("\r\n")[0] for head in way.heads} == {f"CONNECT {SITE}:443 HTTP/1.1"}
    assert HIDDEN not in said + log
