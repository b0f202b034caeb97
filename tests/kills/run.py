"""The exporter is killed again and again while a backend writes; what it counted must equal what the backend did."""

import asyncio
import json
import random
import re
import signal
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from aiohttp import ClientError, ClientSession

from tests.command import ROOT, Command, command

CONFIG = """
state: sqlite:///{state}
ledger: {{overlap: 2m}}
refresh: {{interval: 100ms, timeout: 20s, max_stale: 30s}}
sources: [{{name: publishing, kind: stakazo, database: "{url}"}}]
"""
SAMPLE = re.compile(r"^(studio_\w+)\{(.*)\} (\S+)$", re.MULTILINE)
LONGEST_LIFE = 12
"""Reads that an exporter lives to see before it is killed, at most."""

LONGEST_READ = 60
"""Pages that are fetched after the last of them, at most: it dies at any moment of a read."""

PATIENCE = 60.0
Samples = Mapping[tuple[str, str], float]
"""Values by name and labels."""


@dataclass(frozen=True)
class Report:
    """What the backend did, and by name and labels, where the exporter says otherwise: expected and found."""

    told: Mapping[str, Any]
    wrong: Mapping[tuple[str, str], tuple[float, float | None]]


async def run(url: str, directory: Path, kills: int, seed: int = 1) -> Report:
    """Kills so many exporters. `url` is an empty database with Stakazo's tables."""
    chance = random.Random(seed)  # what happens is to be the same again
    (directory / "config.yaml").write_text(CONFIG.format(state=directory / "state.sqlite", url=url))
    async with ClientSession() as session:
        async with command(cwd=directory) as first:
            await first.listening()
            await counting(session, first)
        async with backend(url, seed) as writer:
            for _ in range(kills):
                async with command(cwd=directory) as exporter:
                    await exporter.listening()
                    for _ in range(chance.randrange(LONGEST_LIFE)):
                        await read(session, exporter, writer)
                    for _ in range(chance.randrange(LONGEST_READ)):
                        await page(session, exporter)
                    exporter.process.send_signal(signal.SIGKILL)
                    await exporter.process.wait()
            told = await ended(writer)
        async with command(cwd=directory) as last:
            await last.listening()
            return Report(told, await wrong(session, last, expected(told)))


@asynccontextmanager
async def backend(url: str, seed: int) -> AsyncIterator[Process]:
    """The process that writes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.kills.writer", url, str(seed), stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def read(session: ClientSession, exporter: Command, writer: Process) -> None:
    """Waits until one more read is counted, and tells the backend."""
    key = "studio_source_last_success_timestamp_seconds", 'part="queue",source="publishing"'
    before = (await page(session, exporter)).get(key)
    async with asyncio.timeout(PATIENCE):
        while (safe := (await page(session, exporter)).get(key)) in (None, before):
            pass
    cast("StreamWriter", writer.stdin).write(f"{safe}\n".encode())


async def ended(writer: Process) -> dict[str, Any]:
    """What the backend says it did."""
    cast("StreamWriter", writer.stdin).close()
    async with asyncio.timeout(PATIENCE):
        told: dict[str, Any] = json.loads(await cast("StreamReader", writer.stdout).read())
    return told


def expected(told: Mapping[str, Any]) -> Samples:
    """The same as samples."""
    lanes = {
        (name, f'lane="{lane}",pipeline="publish",source="publishing"'): value
        for lane, numbers in told["lanes"].items()
        for name, value in numbers.items()
    }
    whole = ("studio_work_pipeline_failure_streak", 'pipeline="publish",source="publishing"')
    return {**lanes, whole: told["streak"]}


async def page(session: ClientSession, exporter: Command) -> Samples:
    """The page as it is now."""
    async with session.get(f"{exporter.url}/metrics", headers={"Accept": "text/plain"}) as response:
        text = await response.text()
    return {(name, labels): float(value) for name, labels, value in SAMPLE.findall(text)}


async def counting(session: ClientSession, exporter: Command) -> None:
    """Waits until the account is open: what happened before would not count."""
    async with asyncio.timeout(PATIENCE):
        while not any(name == "studio_work_mark_timestamp_seconds" for name, _ in await page(session, exporter)):
            pass


async def wrong(
    session: ClientSession, exporter: Command, right: Samples
) -> Mapping[tuple[str, str], tuple[float, float | None]]:
    """What is still wrong when there was time enough to catch up."""
    found: Samples = {}
    try:
        async with asyncio.timeout(PATIENCE):
            while any(found.get(key) != value for key, value in right.items()):
                found = await page(session, exporter)
    except (TimeoutError, ClientError):
        return {key: (value, found.get(key)) for key, value in right.items() if found.get(key) != value}
    return {}
