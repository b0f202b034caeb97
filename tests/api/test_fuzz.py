"""Every path of the OpenAPI documents under requests that no client ever sent: no crash, no hang, nothing that the
document does not have."""

import asyncio
import gzip
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from exporter.core.api import Access
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.sources.trafalgar import KIND, Config
from tests.api.replay import TOKEN, served
from tests.sources.decnet.databases import GOLDEN as DECOYS
from tests.sources.decnet.test_replay import source as decoys
from tests.sources.music_agents import recorded
from tests.sources.stakazo.databases import golden
from tests.sources.stakazo.test_replay import source as publishing
from tests.sources.trafalgar.files import SCHEDULE, given
from tests.web.apis import System

pytest.importorskip("schemathesis", reason="schemathesis is not installed")
NOW = 1_800_000_000.0
SECONDS = 10.0


def trafalgar(home: Path) -> Source:
    config = Config(
        ingest_registry=given("ingest_runs.normal.json"),
        render_jobs=given("render_jobs.normal.json"),
        projects=("alpha",),
        project_registry=home / "projects.json",
        reconcile=given("reconcile.json"),
    )
    made: Source = KIND.source(config, Context("vfx", SCHEDULE, Limits()))
    return made


def stakazo(home: Path) -> Source:
    return publishing(f"sqlite:///{golden('normal', home)}")


def decnet(home: Path) -> Source:
    path = home / "decnet.sqlite"
    path.write_bytes(gzip.decompress((DECOYS / "inputs" / "decnet.sqlite.gz").read_bytes()))
    return decoys(f"sqlite:///{path}")


SYSTEMS: Mapping[str, Callable[[Path], Source]] = {
    "example": lambda _: System().source("example", (("a", 1),)),
    "trafalgar": trafalgar,
    "stakazo": stakazo,
    "decnet": decnet,
    "music_agents": lambda home: recorded.source("normal", home, recorded.WRITING),  # a refusal would be a 501
}
"""What is fuzzed, with files in a directory of its own."""


async def fuzzed(source: Source, home: Path) -> tuple[int, str]:
    """What schemathesis, as a process of its own, found: its exit code and words."""
    async with served(source, NOW, Access(Secret(TOKEN))) as desk:
        fuzzing = await asyncio.create_subprocess_exec(
            sys.executable,
            *(
                "-m",
                "schemathesis.cli",
                "run",
                f"{desk.url}/openapi.json",
                "--header",
                f"Authorization: Bearer {TOKEN}",
            ),
            *("--checks", "not_a_server_error,response_schema_conformance,status_code_conformance"),
            *("--exclude-path-regex", "/(stream|events|live|broken)$", "--request-timeout", str(SECONDS)),
            *("--max-examples", "50", "--generation-deterministic", "--no-color"),
            cwd=home,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await fuzzing.communicate()
    return fuzzing.returncode or 0, said.decode("utf-8", "replace")


@pytest.mark.parametrize("system", SYSTEMS)
async def test_no_request_crashes_or_hangs_an_api(system: str, tmp_path: Path) -> None:
    code, said = await fuzzed(SYSTEMS[system](tmp_path), tmp_path)
    assert code == 0, said
