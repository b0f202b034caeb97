"""Where the soak takes place: the servers and the configuration that it needs besides the demo's own."""

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.command import Command
from tests.services import own_database
from tests.shotgrid_server import KEY, SCRIPT
from tests.soak import servers
from tests.soak.count import World

MORE = """\
  - {{name: archive, kind: stakazo, database: {archive!r}}}
  - {{name: lures, kind: decnet, database: {lures!r}}}
  - name: review
    kind: trafalgar
    shotgrid: {{url: {site!r}, script: {script}, key: {key}, interval: 1s, timeout: 5s}}
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """`lives` seconds of each lap belong to the studio, in it `troubles` things break; no lap begins after `seconds`.
    Parts are read every `interval` seconds and scraped every `scrape`; `speed` and `seed` are the demo's."""

    seconds: float
    lives: float = 15.0
    troubles: int = 8
    interval: float = 1.0
    scrape: str = "1s"
    speed: float = 30.0
    seed: int = 1


def urls(stack: AsyncExitStack, copied: World, config: Path) -> Iterator[str]:
    """PostgreSQL and MariaDB with what the demo said, and the demo's own ShotGrid."""
    yield servers.archive(stack.enter_context(own_database("postgresql")), copied)
    yield servers.lures(stack.enter_context(own_database("mariadb")), copied)
    yield shotgrid_of(config)


def shotgrid_of(config: Path) -> str:
    """The address of ShotGrid in a configuration."""
    (url,) = re.findall(r"^ +url: (\S+)$", config.read_text(encoding="utf-8"), re.MULTILINE)
    return str(url)


def configure(path: Path, plan: Plan, *urls: str) -> None:
    """The demo's own configuration, read faster, its site at another URL, and with more: PostgreSQL, MariaDB, a site.
    Of the URLs the third is that of the demo's own site."""
    demo, (archive, lures, shotgrid, site) = path.read_text(encoding="utf-8"), urls
    refresh = f"refresh: {{interval: {round(plan.interval * 1000)}ms, timeout: 5s, max_stale: 60s}}"
    for pattern, instead in (
        (r"^refresh:.*$", f"{refresh}\nlimits: {{document_size: 64MiB}}"),
        (r"(?<= url: )\S+$", shotgrid),
        (r"(?<= interval: )\S+$", "1s"),
        (r"(?<= timeout: )\S+$", "10s"),
    ):
        demo, times = re.subn(pattern, instead, demo, flags=re.MULTILINE)
        assert times == 1, f"the demo's configuration is not what it was: {pattern}"
    more = MORE.format(archive=archive, lures=lures, site=site, script=SCRIPT, key=KEY)
    path.write_text(demo + more, encoding="utf-8")


def without(path: Path, text: str) -> None:
    """Takes the lines with a text out of a file."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if text not in line), encoding="utf-8")


async def drain(exporter: Command) -> None:
    """Keeps what it says."""
    assert exporter.process.stderr
    while line := (await exporter.process.stderr.readline()).decode():
        exporter.lines.append(line)


@asynccontextmanager
async def meanwhile(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Something that goes on for as long as the context; what it raises is raised at the end."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
