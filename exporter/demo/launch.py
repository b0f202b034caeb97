"""What the command `demo` needs of the demo: its configuration, and the simulator as a child process."""

import argparse
import asyncio
import fcntl
import json
import shutil
import sys
import tempfile
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TextIO, cast

from exporter.core.errors import StudioError
from exporter.core.units import Unfit, duration
from exporter.demo.simulator import READY, SYSTEMS

CONFIG = "config.yaml"
READY_SECONDS = 60.0
END_SECONDS = 5.0

HOME = Path(__file__).parents[2]
"""Where this package is found; the child starts there, so that it takes no file of the user's for a module."""

HEAD = """\
# The demo's studio. A real configuration looks just like this, with longer intervals.
refresh: {{interval: 2s, timeout: 2s, max_stale: 30s}}
state: {state}
sources:
"""

STATE = "state.sqlite"
"""Where the exporter keeps the ledger of the studio's work."""

MARK = ".studio-exporter-demo"
MARK_TEXT = "The demo of studio-exporter lives here. Started again with --keep, it takes its own files away first.\n"


def lasting(text: str) -> float:
    """Seconds of a duration above 0 on a command line; argparse.ArgumentTypeError says what is wrong with it."""
    try:
        seconds = duration(text)
    except Unfit as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not seconds:
        raise argparse.ArgumentTypeError(f"expected a duration above 0, found {text!r}")
    return seconds


@contextmanager
def place(kept: Path | None) -> Iterator[Path]:
    """A directory for the studio to live in: a temporary one, which goes with the context, or the one that is kept.

    That one is made where it is not there, and belongs to one demo at a time. What an earlier one left in it goes, as
    the studio begins anew; StudioError where it holds anything and no demo ever lived there, or one still does.
    """
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="studio-exporter-demo-") as directory:
            yield Path(directory)
        return
    try:
        mark = _marked(kept)
    except OSError as error:
        raise StudioError(f"{kept}: the demo cannot live there: {error.strerror}") from error
    with mark:
        yield kept


def _marked(kept: Path) -> TextIO:
    """The mark of a directory, which is this demo's for as long as that is open, and has nothing of an earlier one."""
    kept.mkdir(parents=True, exist_ok=True)
    if not (kept / MARK).is_file() and (found := sorted(path.name for path in kept.iterdir())):
        raise StudioError(f"{kept}: expected an empty directory or that of an earlier demo, found {found[0]} in it")
    with ExitStack() as opened:
        mark = opened.enter_context((kept / MARK).open("a", encoding="utf-8"))
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StudioError(f"{kept}: another demo lives there; end it, or give this one another place") from error
        if not mark.tell():
            mark.write(MARK_TEXT)
            mark.flush()
        _clear(kept)
        opened.pop_all()
        return mark


def _clear(kept: Path) -> None:
    for pattern in (CONFIG, f"{STATE}*", *(pattern for system in SYSTEMS for pattern in system.leaves)):
        for path in kept.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def write_config(directory: Path) -> Path:
    """Writes the configuration that reads the studio living in `directory`; its path.

    OSError where it cannot be written, or where no studio lives: part of it (a port) is known only then.
    """
    studio = directory.absolute()
    path = studio / CONFIG
    head = HEAD.format(state=json.dumps(f"sqlite:///{studio / STATE}"))
    path.write_text(head + "".join(system.source(studio) for system in SYSTEMS), encoding="utf-8")
    return path


def welcome(directory: Path, url: str, until: str) -> str:
    """What the demo says when it serves a studio at a URL, until something (words) ends it."""
    return f"""
A small studio lives in {directory} until {until}. Open

  {url}/            its sources, and how they are
  {url}/metrics     what Prometheus scrapes
  {url}/catalogue   what every metric means
  {url}/api         the JSON that the systems had; the token is "demo"

It is configured in {directory / CONFIG}, as yours would be. To scrape it, put in prometheus.yml:

scrape_configs:
  - job_name: studio
    scrape_interval: 5s
    static_configs:
      - targets: ["{url.split("://", 1)[1]}"]
"""


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
