"""The command as users run it: a process of its own, on a free port."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DEADLINE = 60.0


class Command:
    """A running command; `url` is where it listens, `log` what it has said on standard error."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.url = ""
        self.lines: list[str] = []

    @property
    def log(self) -> str:
        return "".join(self.lines)

    async def listening(self) -> None:
        """Waits until it says where it listens."""
        async with asyncio.timeout(DEADLINE):
            while line := await self._line():
                if found := re.search(r"listens on (https?://127\.0\.0\.1:[0-9]+)", line):
                    self.url = found[1]
                    return
        pytest.fail(f"it ended before it listened:\n{self.log}")

    async def said(self, text: str) -> None:
        """Waits until its log holds a text."""
        async with asyncio.timeout(DEADLINE):
            while text not in self.log:
                if not await self._line():
                    pytest.fail(f"it ended without saying {text!r}:\n{self.log}")

    async def ended(self) -> int:
        """Its exit code, once it has one."""
        async with asyncio.timeout(DEADLINE):
            while await self._line():
                pass
            return await self.process.wait()

    async def _line(self) -> str:
        assert self.process.stderr
        line = (await self.process.stderr.readline()).decode()
        self.lines.append(line)
        return line


@asynccontextmanager
async def command(*arguments: str | Path, cwd: Path, **env: str) -> AsyncIterator[Command]:
    """Starts `studio-exporter` with arguments; it is killed at the end if it has not ended by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "exporter", "--web.listen-address=127.0.0.1:0"),
        *map(str, arguments),
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        yield Command(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
