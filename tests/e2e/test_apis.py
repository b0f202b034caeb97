"""The Apis of the command as users run it: tokens, addresses of their own, and what a reload does to both."""

import gzip
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.command import Command, command

GOLDEN = Path(__file__).parent.parent / "golden" / "decnet" / "inputs" / "decnet.sqlite.gz"
STATS = "/api/v1/orchestrator/events/stats?since=1h&success=false"
CONFIG = """
sources:
  - name: decoys
    kind: decnet
    database: sqlite:///decnet.sqlite
    api: {token: !file token, listen: "127.0.0.1:0"}
"""


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    (tmp_path / "decnet.sqlite").write_bytes(gzip.decompress(GOLDEN.read_bytes()))
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "token").write_text("first\n")
    return tmp_path


@asynccontextmanager
async def running(studio: Path) -> AsyncIterator[tuple[Command, str]]:
    """The command, and where the source's own address is."""
    async with command(cwd=studio) as exporter:
        await exporter.listening()
        found = re.search(r"its API answers at (http://[0-9.:]+)", exporter.log)
        assert found
        yield exporter, found[1]


async def status(url: str, token: str = "") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status


async def test_a_token_is_asked_for_and_read_anew_when_its_file_changes(studio: Path) -> None:
    async with running(studio) as (exporter, own):
        assert await status(own + STATS) == 401
        assert await status(own + STATS, "first") == 200
        assert await status(f"{exporter.url}/decoys{STATS}", "first") == 200
        assert await status(f"{exporter.url}/decoys{STATS}", "wrong") == 401
        assert await status(f"{exporter.url}/none{STATS}", "first") == 401
        (studio / "config.yaml").write_text(CONFIG.replace("decoys", "edited"))  # not reloaded: not in force
        (studio / "token").write_text("second\n")
        await exporter.said("secrets read anew")
        assert await status(own + STATS, "first") == 401
        assert await status(f"{exporter.url}/decoys{STATS}", "second") == 200
        assert "first" not in exporter.log
        assert "second" not in exporter.log


async def test_addresses_come_and_go_with_a_reload_and_a_bad_one_changes_nothing(studio: Path) -> None:
    async with running(studio) as (exporter, own):
        taken = exporter.url.removeprefix("http://")
        (studio / "config.yaml").write_text(CONFIG.replace("127.0.0.1:0", taken))
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.said(f"source decoys: api.listen: cannot listen on {taken}: address already in use")
        assert await status(own + STATS, "first") == 200
        (studio / "config.yaml").write_text(CONFIG.replace('token: !file token, listen: "127.0.0.1:0"', "public: true"))
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.said("its API is public")
        await exporter.said("configuration reloaded")
        assert await status(f"{exporter.url}/decoys{STATS}") == 200
        with pytest.raises(OSError, match="Cannot connect"):
            await status(own + STATS, "first")
        exporter.process.send_signal(signal.SIGTERM)
        assert await exporter.ended() == 0
