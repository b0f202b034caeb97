"""What the command `demo` needs of the demo: its configuration, and the simulator as a child process."""

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

from exporter.core.errors import StudioError
from exporter.demo.simulator import READY, SYSTEMS

CONFIG = "config.yaml"
READY_SECONDS = 60.0
END_SECONDS = 5.0

HOME = Path(__file__).parents[2]
"""Where this package is found; the child starts there, so that it takes no file of the user's for a module."""

HEAD = """\
# The demo's studio. A real configuration looks just like this, with longer intervals.
refresh: {interval: 2s, timeout: 2s, max_stale: 30s}
sources:
"""


def write_config(directory: Path) -> Path:
    """Writes the configuration that reads the simulated studio in `directory`; its path. OSError where it cannot."""
    home = directory.absolute()
    path = home / CONFIG
    path.write_text(HEAD + "".join(system.source(home) for system in SYSTEMS), encoding="utf-8")
    return path


@asynccontextmanager
async def simulator(directory: Path, seed: int = 1, speed: float = 1.0) -> AsyncIterator[Process]:
    """The studio lives in `directory`, and its first data stand there, as long as the context does.

    The process is given for those who want to know when it ended by itself; why, it says on standard error.
    StudioError when its data do not stand within a minute. It ends with this process, even when that is killed.
    """
    child = await asyncio.create_subprocess_exec(
        *_command(directory, seed, speed),
        stdin=PIPE,
        stdout=PIPE,
        cwd=HOME,
        start_new_session=True,  # Ctrl-C is for the exporter, which then ends its studio itself
    )
    try:
        await _ready(child)
        yield child
    finally:
        await _end(child)


def _command(directory: Path, seed: int, speed: float) -> tuple[str, ...]:
    module = (sys.executable, "-m", "exporter.demo.simulator")
    return (*module, "--dir", str(directory.absolute()), "--seed", str(seed), "--speed", str(speed))


async def _ready(child: Process) -> None:
    output = cast("StreamReader", child.stdout)  # it was asked for
    try:
        async with asyncio.timeout(READY_SECONDS):
            line = await output.readline()
    except TimeoutError as error:
        raise StudioError(f"the simulated studio was not ready within {READY_SECONDS:g} s") from error
    if line.decode().strip() != READY:
        raise StudioError("the simulated studio ended before it was ready; its line above says why")


async def _end(child: Process) -> None:
    cast("StreamWriter", child.stdin).close()  # it was asked for
    try:
        async with asyncio.timeout(END_SECONDS):
            await child.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):  # it ended just now
            child.kill()
        await child.wait()
