"""The whole command on golden inputs: scraped by a real Prometheus, reloaded, stopped."""

import asyncio
import gzip
import shutil
import signal
from pathlib import Path

import pytest
from aiohttp import ClientSession

from exporter.runtime.lint import lint
from tests.command import command
from tests.prometheus import Target, prometheus

GOLDEN = Path(__file__).parent.parent / "golden"
TOKEN = "hunter2-in-a-file"

CONFIG = """\
refresh: {interval: 200ms, timeout: 5s, max_stale: 60s}
sources:
  - {name: vfx, kind: trafalgar, ingest_registry: ingest_runs.normal.json, render_jobs: render_jobs.normal.json}
  - {name: annex, kind: trafalgar, ingest_registry: ingest_runs.failure_streak.json}
  - {name: decoys, kind: decnet, database: !file url}
"""


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    """A directory with golden inputs and a configuration."""
    shutil.copytree(GOLDEN / "trafalgar" / "inputs", tmp_path, dirs_exist_ok=True)
    packed = (GOLDEN / "decnet" / "inputs" / "decnet.sqlite.gz").read_bytes()
    (tmp_path / "decnet.sqlite").write_bytes(gzip.decompress(packed))
    (tmp_path / "url").write_text(f"sqlite:///decnet.sqlite?password={TOKEN}\n")
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path


async def ready(session: ClientSession, url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            async with session.get(f"{url}/-/ready") as response:
                if response.status == 200:
                    return
            await asyncio.sleep(0)


async def page(session: ClientSession, url: str, accept: str = "") -> str:
    async with session.get(f"{url}/metrics", headers={"Accept": accept}) as response:
        assert response.status == 200
        return await response.text()


async def test_a_real_prometheus_scrapes_every_series_in_both_formats(studio: Path, tmp_path: Path) -> None:
    async with command(cwd=studio) as exporter, ClientSession() as session:
        await exporter.listening()
        await ready(session, exporter.url)
        address = exporter.url.removeprefix("http://")
        both = [Target(address, job="openmetrics"), Target(address, job="text", text=True)]
        one = Target(address, job="one", params={"source": ["annex"]})
        async with prometheus(tmp_path, [*both, one]) as p:
            await p.until("up == 1", lambda found: len(found) == 3)
            text = await page(session, exporter.url)
            lines = [line for line in text.splitlines() if not line.startswith("#")]
            scraped = {labels["job"]: value for labels, value in await p.query("scrape_samples_scraped")}
            assert abs(scraped["text"] - len(lines)) <= 30  # request families appear with the first request
            created = [
                line for line in (await page(session, exporter.url, OPENMETRICS)).splitlines() if "_created{" in line
            ]
            assert abs(scraped["openmetrics"] - len(lines) - len(created)) <= 30
            studio_series = (
                "count({__name__=~'studio_(ingest|render|operation|source).*',__name__!~'.*_created',job='%s'})"
            )
            expected = sum(
                line.startswith(("studio_ingest", "studio_render", "studio_op", "studio_so")) for line in lines
            )
            for job in ("text", "openmetrics"):
                assert await p.query(studio_series % job) == [({}, expected)]
            assert await p.query("sum by (job) (studio_render_jobs{job='text'})") == [({"job": "text"}, 160)]
            assert {labels["source"] for labels, _ in await p.query("studio_source_up{job='one'}")} == {"annex"}
            assert "level=warn" not in p.log()


UP = "studio_source_up{"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


async def test_sighup_reloads_and_what_is_gone_is_gone(studio: Path) -> None:
    async with command(cwd=studio) as exporter, ClientSession() as session:
        await exporter.listening()
        await ready(session, exporter.url)
        assert 'source="annex"' in await page(session, exporter.url)
        (studio / "config.yaml").write_text(CONFIG.replace("name: annex", "name: attic"))
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.said("configuration reloaded")
        assert 'source="annex"' not in await page(session, exporter.url)
        (studio / "config.yaml").write_text(CONFIG.replace("interval: 200ms", "intervall: 200ms"))
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.said("reload failed")
        assert "did you mean interval" in exporter.log
        assert 'source="attic"' in await page(session, exporter.url)


async def test_it_stops_when_it_is_told_to(studio: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        async with command(cwd=studio) as exporter:
            await exporter.listening()
            exporter.process.send_signal(number)
            assert await exporter.ended() == 0
            assert "stopping" in exporter.log
            assert "Traceback" not in exporter.log


async def test_reload_over_http_only_where_it_is_enabled(studio: Path) -> None:
    for flags, status in (((), 403), (("--web.enable-lifecycle",), 200)):
        async with command(*flags, cwd=studio) as exporter, ClientSession() as session:
            await exporter.listening()
            async with session.post(f"{exporter.url}/-/reload") as response:
                assert response.status == status


async def test_no_secret_is_on_any_page_or_in_the_log(studio: Path) -> None:
    async with command("--log.level=debug", cwd=studio) as exporter, ClientSession() as session:
        await exporter.listening()
        await ready(session, exporter.url)
        (studio / "decnet.sqlite").write_text("no database any more")
        await exporter.said("malformed")
        for path in ("/", "/metrics", "/catalogue", "/-/ready"):
            async with session.get(exporter.url + path) as response:
                assert TOKEN not in await response.text()
        exporter.process.send_signal(signal.SIGTERM)
        await exporter.ended()
        assert TOKEN not in exporter.log


async def test_every_fault_is_isolated_while_it_serves(studio: Path) -> None:
    async with command(cwd=studio) as exporter, ClientSession() as session:
        await exporter.listening()
        await ready(session, exporter.url)
        before = domain(await page(session, exporter.url), "annex")
        assert before
        faults = {"malformed": b'[{"id": "torn', "missing": None}
        registry = studio / "ingest_runs.normal.json"
        good = registry.read_bytes()
        for reason, content in faults.items():
            registry.unlink() if content is None else registry.write_bytes(content)
            await shows(
                session, exporter.url, f'studio_source_error{{part="ingest",reason="{reason}",source="vfx"}} 1.0'
            )
            text = await page(session, exporter.url)
            assert domain(text, "annex") == before
            assert 'studio_ingest_recent_runs{source="vfx",status="succeeded"} 6.0' in text  # the last good value
            assert lint(text, openmetrics=False) == []
        registry.write_bytes(good)
        await shows(session, exporter.url, 'studio_source_up{part="ingest",source="vfx"} 1.0')


async def shows(session: ClientSession, url: str, line: str) -> None:
    async with asyncio.timeout(30):
        while line not in await page(session, url):
            pass


def told(text: str, domain: str) -> list[str]:
    """The lines of one domain."""
    return [line for line in text.splitlines() if line.startswith(f"studio_{domain}_")]


def domain(text: str, source: str) -> list[str]:
    """The lines of a source that come from its data."""
    mine = (line for line in text.splitlines() if f'source="{source}"' in line)
    return [line for line in mine if not line.startswith("studio_source_")]


async def test_a_port_that_is_taken_is_a_clear_error(studio: Path) -> None:
    async with command(cwd=studio) as first:
        await first.listening()
        port = first.url.rsplit(":", 1)[1]
        async with command(f"--web.listen-address=127.0.0.1:{port}", cwd=studio) as second:
            assert await second.ended() == 1
            assert f"cannot listen on 127.0.0.1:{port}: address already in use" in second.log


async def test_the_demo_serves_a_living_studio(tmp_path: Path) -> None:
    async with command("demo", cwd=tmp_path) as exporter, ClientSession() as session:
        await exporter.listening()
        await ready(session, exporter.url)
        text = await page(session, exporter.url)
        assert lint(text, openmetrics=False) == []
        assert lint(await page(session, exporter.url, OPENMETRICS), openmetrics=True) == []
        well = set[str]()  # at any moment, one may have been read while its file was half written
        async with asyncio.timeout(60):
            while len(well) < 13:
                ups = [line for line in (await page(session, exporter.url)).splitlines() if line.startswith(UP)]
                assert len(ups) == 13
                well.update(line for line in ups if line.endswith(" 1.0"))
        async with session.get(f"{exporter.url}/") as response:
            assert "decoys" in await response.text()
        skipped = [line for line in text.splitlines() if line.startswith("studio_source_skipped_records{")]
        assert all(line.endswith(" 0.0") for line in skipped)
        for family in ("ingest", "operation", "publish", "training"):
            before = told(text, family)
            async with asyncio.timeout(60):
                while told(await page(session, exporter.url), family) == before:
                    pass  # it lives
        exporter.process.send_signal(signal.SIGTERM)
        assert await exporter.ended() == 0
