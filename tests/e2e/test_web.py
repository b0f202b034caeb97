"""The command with a web configuration: scraped over TLS by a real Prometheus with a password, and changed while it
runs."""

import asyncio
import shutil
import signal
import ssl
from pathlib import Path

import pytest
import trustme
from aiohttp import ClientSession, TCPConnector

from tests.command import Command, command
from tests.prometheus import Target, prometheus
from tests.web.terms import HASH, OTHER_HASH, PASSWORD, TLS, USERS, basic, issued, trusting, written

GOLDEN = Path(__file__).parent.parent / "golden"
AUTHORITY = trustme.CA()
TOKEN = "a-token-of-a-source"
ALICE = basic()
CONFIG = f"""\
sources:
  - {{name: vfx, kind: trafalgar, ingest_registry: ingest_runs.normal.json, api: {{token: {TOKEN}}}}}
"""


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    shutil.copytree(GOLDEN / "trafalgar" / "inputs", tmp_path, dirs_exist_ok=True)
    (tmp_path / "config.yaml").write_text(CONFIG)
    issued(tmp_path, AUTHORITY)
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.crt")
    written(tmp_path, TLS + USERS)
    return tmp_path


def asking() -> ClientSession:
    """Every request is a connection of its own."""
    return ClientSession(connector=TCPConnector(ssl=trusting(AUTHORITY), force_close=True))


async def shows(session: ClientSession, exporter: Command, line: str) -> None:
    """Waits until a line is on the page."""
    async with asyncio.timeout(30):
        while True:
            async with session.get(f"{exporter.url}/metrics", headers=ALICE) as answer:
                if line in await answer.text():
                    return


async def certificate(exporter: Command) -> bytes | None:
    port = int(exporter.url.rsplit(":", 1)[1])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(AUTHORITY))
    found: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.close()
    return found.getpeercert(binary_form=True)


async def test_a_real_prometheus_scrapes_over_tls_with_a_password(studio: Path, tmp_path: Path) -> None:
    async with command("--web.config.file=web.yml", cwd=studio) as exporter:
        await exporter.listening()
        assert exporter.url.startswith("https://")
        tls = {"scheme": "https", "tls_config": {"ca_file": str(studio / "ca.crt")}}
        right, wrong = ({"username": "alice", "password": text} for text in (PASSWORD, "hunter2"))
        address = exporter.url.removeprefix("https://")
        targets = [
            Target(address, "right", more={**tls, "basic_auth": right}),
            Target(address, "wrong", more={**tls, "basic_auth": wrong}),
            Target(address, "token", "/vfx/runs", more={**tls, "authorization": {"credentials": TOKEN}}),
        ]
        async with prometheus(tmp_path, targets) as p:
            await p.until('up{job="right"} == 1')
            await p.until('studio_exporter_auth_failures_total{listener="main"} > 0')
            health = {each["labels"]["job"]: each for each in await p.targets()}
            assert "401" in health["wrong"]["lastError"]
            assert "401" not in health["token"]["lastError"]  # JSON is no page of metrics, but it was let in
        exporter.process.send_signal(signal.SIGTERM)
        assert await exporter.ended() == 0
        for secret in (PASSWORD, HASH, TOKEN, "hunter2"):
            assert secret not in exporter.log


async def test_who_is_let_in_where(studio: Path) -> None:
    async with command("--web.config.file=web.yml", cwd=studio) as exporter, asking() as session:
        await exporter.listening()
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        for path, headers, status in (
            ("/", ALICE, 200),
            ("/", {}, 401),
            ("/", basic("alice", "wrong"), 401),
            ("/", basic("nobody"), 401),
            ("/-/healthy", {}, 401),
            ("/vfx/openapi.json", bearer, 200),
            ("/metrics", bearer, 401),
            ("/none/openapi.json", bearer, 401),
        ):
            async with session.get(exporter.url + path, headers=headers) as answer:
                assert answer.status == status, path


async def test_what_changes_is_in_force_without_a_restart_and_what_is_bad_is_not(studio: Path) -> None:
    flags = ("--web.config.file=web.yml", "--web.enable-lifecycle", "--log.level=debug")
    async with command(*flags, cwd=studio) as exporter, asking() as session:
        await exporter.listening()
        before = await certificate(exporter)
        issued(studio, AUTHORITY)
        await exporter.said("web configuration read anew")  # by itself
        assert await certificate(exporter) != before
        written(studio, f"{TLS}basic_auth_users:\n  alice: {HASH}\n  bob: hunter2\n")
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.said("reload failed")
        assert "web.yml (line 4): basic_auth_users.bob: expected a bcrypt hash" in exporter.log
        await shows(session, exporter, "studio_exporter_config_last_reload_successful 0.0")
        async with session.post(f"{exporter.url}/-/reload", headers=ALICE) as answer:
            assert answer.status == 500
            assert "basic_auth_users.bob" in await answer.text()
        written(studio, f"{TLS}basic_auth_users:\n  alice: {HASH}\n  bob: {OTHER_HASH}\n")
        async with session.post(f"{exporter.url}/-/reload", headers=ALICE) as answer:
            assert answer.status == 200
        async with session.get(f"{exporter.url}/metrics", headers=basic("bob", "something else")) as answer:
            assert answer.status == 200
        await shows(session, exporter, "studio_exporter_config_last_reload_successful 1.0")
        exporter.process.send_signal(signal.SIGTERM)
        assert await exporter.ended() == 0
        for secret in (PASSWORD, HASH, OTHER_HASH, "hunter2"):
            assert secret not in exporter.log
