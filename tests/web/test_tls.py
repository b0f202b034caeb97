"""The main listener over TLS: certificates of both sides, and how they change while it runs."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, TCPConnector

from exporter.core.address import Address
from exporter.core.api import Access
from exporter.core.errors import ConfigError
from exporter.core.secret import Secret
from exporter.core.source import Limits
from exporter.files import WebFile
from exporter.web.faces import Face
from exporter.web.gate import Gate
from exporter.web.listeners import beside
from exporter.web.server import application, serving
from exporter.web.tls import names
from tests.fakes import until
from tests.web.apis import System
from tests.web.examples import Example
from tests.web.terms import TLS, issued, trusting, written

AUTHORITY, CLIENTS = trustme.CA(), trustme.CA()
ANY = Address("127.0.0.1", 0)
BEARER = {"Authorization": "Bearer x"}
ASKING = (
    "tls_server_config: {cert_file: server.crt, key_file: server.key, client_ca_file: clients.crt, client_auth_type: "
)


class Studio:
    """A main listener on the terms of a file, whose source has an Api."""

    def __init__(self, directory: Path, text: str) -> None:
        self.directory, self.example = directory, Example()
        issued(directory, AUTHORITY)
        CLIENTS.cert_pem.write_to_path(directory / "clients.crt")
        self.file = WebFile(written(directory, text), {})
        self.gate = Gate(self.file.load)
        source = System().source("vfx", (("a", 1),), (("a", 2),))
        self.example.board.add(source, Limits(), 0)
        self.example.traffic.hub.add(source)
        face = Face.of(source, Access(Secret("x"), (("", ANY),)))
        assert face
        self.faces = {"vfx": face}
        self.served = self.example.served(faces=lambda: self.faces, gate=self.gate)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        async with serving(application(self.served), [ANY], 2, self.gate) as [url]:
            yield url

    def renew(self, text: str = "") -> None:
        """Puts what the files hold now in force."""
        if text:
            written(self.directory, text)
        assert self.gate.put(self.gate.load())

    @property
    def refused(self) -> int:
        return self.example.traffic.refused.get("main", 0)


@asynccontextmanager
async def asked(context: ssl.SSLContext | None = None) -> AsyncIterator[ClientSession]:
    """A client whose every request is a connection of its own."""
    connector = TCPConnector(ssl=context or trusting(AUTHORITY), force_close=True)
    async with ClientSession(connector=connector, timeout=ClientTimeout(20)) as session:
        yield session


async def status(url: str, context: ssl.SSLContext | None = None) -> int:
    async with asked(context) as session, session.get(f"{url}/-/healthy") as answer:
        return answer.status


async def agreed(url: str, context: ssl.SSLContext) -> ssl.SSLObject:
    """What a client and the server agree on."""
    parts = urlsplit(url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=context)
    found = writer.get_extra_info("ssl_object")
    writer.close()
    assert isinstance(found, ssl.SSLObject)
    return found


async def shown(url: str) -> bytes:
    """The certificate that the server shows."""
    return (await agreed(url, trusting(AUTHORITY))).getpeercert(binary_form=True) or b""


async def test_it_is_served_over_tls_alone(tmp_path: Path) -> None:
    async with Studio(tmp_path, TLS).listening() as url:
        assert url.startswith("https://127.0.0.1:")
        assert await status(url) == 200
        with pytest.raises(ClientConnectionError):
            await status(url.replace("https", "http"))
        with pytest.raises(ClientConnectionError):
            await status(url, trusting(CLIENTS))
        assert (await agreed(url, trusting(AUTHORITY))).version() == "TLSv1.3"


async def test_streams_go_over_tls(tmp_path: Path) -> None:
    studio = Studio(tmp_path, TLS)
    async with studio.listening() as url, asked() as session:
        async with session.get(f"{url}/vfx/events", headers=BEARER) as answer:
            await until(lambda: any(each.listeners for each in studio.example.traffic.hub.channels))
            assert answer.status == 200
        async with session.ws_connect(f"{url}/vfx/events/ws", headers=BEARER) as followed:
            assert not followed.closed


async def test_an_address_of_a_source_is_as_it_was(tmp_path: Path) -> None:
    studio = Studio(tmp_path, TLS)
    async with beside(studio.served) as listeners, ClientSession() as session:
        await listeners.change({"vfx": studio.faces["vfx"].access})
        [url] = listeners.urls.values()
        async with session.get(f"{url}/things", headers=BEARER) as answer:
            assert (url[:7], answer.status) == ("http://", 200)


@pytest.mark.parametrize(
    ("policy", "nobodys", "strangers", "known"),
    [
        ("RequireAndVerifyClientCert}", 0, 0, 200),
        ("VerifyClientCertIfGiven}", 200, 0, 200),
        ("RequireAndVerifyClientCert, client_allowed_sans: [localhost]}", 0, 0, 200),
        ("RequireAndVerifyClientCert, client_allowed_sans: [other.example, 127.0.0.1]}", 0, 0, 200),
        ("RequireAndVerifyClientCert, client_allowed_sans: [other.example]}", 0, 0, 403),
    ],
)
async def test_certificates_of_clients(policy: str, nobodys: int, strangers: int, known: int, tmp_path: Path) -> None:
    def client(own: trustme.CA) -> ssl.SSLContext:
        return trusting(AUTHORITY, own.issue_cert("localhost", "127.0.0.1"))

    async def got(context: ssl.SSLContext) -> int:
        try:
            return await status(url, context)
        except ClientConnectionError:
            return 0

    studio = Studio(tmp_path, ASKING + policy)
    async with studio.listening() as url:
        found = await got(trusting(AUTHORITY)), await got(client(AUTHORITY)), await got(client(CLIENTS))
    assert found == (nobodys, strangers, known)
    assert studio.refused == (known == 403)


async def test_a_certificate_that_is_named_is_trusted_without_its_root(tmp_path: Path) -> None:
    own = CLIENTS.issue_cert("localhost")
    studio = Studio(tmp_path, TLS)
    own.cert_chain_pems[0].write_to_path(tmp_path / "clients.crt")
    written(tmp_path, f"{ASKING}RequireAndVerifyClientCert}}")
    async with studio.listening() as url:
        studio.renew()
        assert await status(url, trusting(AUTHORITY, own)) == 200
        with pytest.raises(ClientConnectionError):
            await status(url, trusting(AUTHORITY, CLIENTS.issue_cert("localhost")))


def test_names_of_a_certificate() -> None:
    listed = (
        ("DNS", "a.example"),
        ("IP Address", "0:0:0:0:0:0:0:1\n"),
        ("email", "a@b"),
        ("URI", "spiffe://a"),
        ("DirName", ((("commonName", "x"),),)),
    )
    assert names({"subjectAltName": listed}) == {"a.example", "::1", "a@b", "spiffe://a"}
    assert names({}) == frozenset()


async def test_versions_and_ciphers_are_those_asked_for(tmp_path: Path) -> None:
    old = trusting(AUTHORITY)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    studio = Studio(tmp_path, TLS.replace("}", ", min_version: TLS13}"))
    async with studio.listening() as url:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await agreed(url, old)
        chosen = "cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]"
        studio.renew(TLS.replace("}", f", max_version: TLS12, {chosen}}}"))
        found = (await agreed(url, trusting(AUTHORITY))).cipher()
        assert found
        assert found[:2] == ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2")


# what changes while it runs


async def test_a_new_certificate_is_shown_without_a_restart(tmp_path: Path) -> None:
    studio = Studio(tmp_path, TLS)
    async with studio.listening() as url:
        before = await shown(url)
        issued(tmp_path, AUTHORITY)
        studio.renew()
        assert await shown(url) != before


async def test_no_connection_is_lost_while_certificates_change(tmp_path: Path) -> None:
    studio = Studio(tmp_path, TLS)
    async with studio.listening() as url:
        done = asyncio.Event()

        async def ask() -> list[int]:
            found = []
            while not done.is_set():
                found.append(await status(url))
            return found

        asking = [asyncio.create_task(ask()) for _ in range(4)]
        for _ in range(10):
            issued(tmp_path, AUTHORITY)
            studio.renew()
            await status(url)
        done.set()
        found = [each for those in await asyncio.gather(*asking) for each in those]
    assert {*found} == {200}


async def test_a_connection_of_before_gets_one_more_answer(tmp_path: Path) -> None:
    studio = Studio(tmp_path, TLS)
    connector = TCPConnector(ssl=trusting(AUTHORITY), limit=1)
    async with studio.listening() as url, ClientSession(connector=connector) as session:
        said = []
        for _ in range(3):
            async with session.get(f"{url}/-/healthy") as answer:
                said.append((answer.status, answer.headers.get("Connection", "")))
            if len(said) == 1:
                issued(tmp_path, AUTHORITY)
                studio.renew()
    assert said == [(200, ""), (200, "close"), (200, "")]


async def test_a_connection_without_the_certificate_that_is_wanted_now_is_ended(tmp_path: Path) -> None:
    studio = Studio(tmp_path, TLS)
    async with studio.listening() as url, ClientSession(connector=TCPConnector(ssl=trusting(AUTHORITY))) as session:
        async with session.get(f"{url}/metrics") as answer:
            assert answer.status == 200
        studio.renew(f"{ASKING}RequireAndVerifyClientCert}}")
        async with session.get(f"{url}/metrics") as answer:
            assert (answer.status, answer.headers["Connection"]) == (403, "close")
        with pytest.raises(ClientConnectionError):
            await session.get(f"{url}/metrics")
    assert studio.refused == 1


@pytest.mark.parametrize(("first", "then", "turned"), [(TLS, "# nothing\n", "off"), ("", TLS, "on")])
async def test_tls_comes_and_goes_only_with_a_restart(first: str, then: str, turned: str, tmp_path: Path) -> None:
    studio = Studio(tmp_path, first)
    async with studio.listening() as url:
        with pytest.raises(ConfigError, match=f"tls_server_config: TLS is turned {turned} by a restart alone"):
            studio.renew(then)
        assert await status(url) == 200
        written(tmp_path, first)
        studio.gate.put(studio.gate.load())
        assert await status(url) == 200


async def test_every_address_speaks_tls(tmp_path: Path) -> None:
    studio = Studio(tmp_path, TLS)
    async with serving(application(studio.served), [ANY, ANY], 2, studio.gate) as urls:
        assert [await status(url) for url in urls] == [200, 200]
        assert {url[:8] for url in urls} == {"https://"}
