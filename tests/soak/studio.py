"""The watched studio as the soak has it: it lives in a directory, and stands still and tells its world when asked."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.command import ROOT
from tests.soak.count import World

DEADLINE = 60.0
BETWEEN = 0.02
"""Seconds that anything may take, and between two looks whether it has come."""


class Studio:
    """The simulator's process and the directory it lives in."""

    def __init__(self, process: Process, directory: Path, world: Path) -> None:
        self.process = process
        self.directory = directory
        self._world = world

    async def freeze(self) -> World:
        """What it knows, and has all written, as it stands still from now on; `frozen` is since when."""
        self._world.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(DEADLINE):
            while not self._world.exists():
                assert self.process.returncode is None, "the simulator ended; its last line says why"
                await asyncio.sleep(BETWEEN)
        world: World = await asyncio.to_thread(lambda: json.loads(self._world.read_text(encoding="utf-8")))
        return world

    def thaw(self) -> None:
        """Lets it go on."""
        self.process.send_signal(signal.SIGUSR2)


@asynccontextmanager
async def living(directory: Path, seed: int, speed: float) -> AsyncIterator[Studio]:
    """A studio in `directory`, whose first data stand there."""
    home, world = directory / "studio", directory / "world.json"
    home.mkdir()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.soak.witness", str(world)),
        *("--dir", str(home), "--seed", str(seed), "--speed", str(speed)),
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdin
    assert process.stdout
    try:
        async with asyncio.timeout(DEADLINE):
            assert await process.stdout.readline() == b"ready\n"
        yield Studio(process, home, world)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(DEADLINE):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
