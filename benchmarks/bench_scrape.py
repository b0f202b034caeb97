"""What a scrape costs, beside a bare aiohttp server of the same bytes, in quiet and while sources refresh and hang.

    python -m benchmarks.bench_scrape [--series 100000] [--seconds 4]

Goals: at least 0.8 of bare aiohttp; gzip no slower than identity; p99 under 40 ms while sources refresh or hang.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import BaseTestServer, TestServer

from exporter.app import App
from exporter.catalogue import FAMILIES
from exporter.config import Config, SourceConfig
from exporter.core.family import Family
from exporter.core.part import Part, Schedule, Taken
from exporter.core.source import Limits, Source
from exporter.runtime.clock import Clock
from exporter.runtime.exposition import Format
from exporter.serve import shown
from exporter.web.server import application

THINGS: Family[Any] = next(family for family in FAMILIES if family.name == "studio_render_jobs")
SCHEDULE = Schedule(interval=1, timeout=0.5, max_stale=60)


def source(config: SourceConfig, limits: Limits) -> Source:
    """A source of so many series that change with each read (`settings` > 0), or one that hangs (0)."""
    dice = random.Random(1)

    async def read(now: float) -> Taken[Any]:
        return Taken(await asyncio.to_thread(rows), "a benchmark")

    def rows() -> list[tuple[str, float]]:
        return [(f"t{i}", dice.random() * 1e5) for i in range(config.settings)]

    async def hang(now: float) -> Taken[Any]:
        await asyncio.Event().wait()
        raise AssertionError

    family: Family[Any] = Family(THINGS.type, THINGS.name, THINGS.help, points, THINGS.labels)
    part = Part("main", read if config.settings else hang, (family,), config.schedule)
    return Source(config.name, "bench", (part,))


def points(facts: list[tuple[str, float]]) -> Any:
    return (((name, "queued"), value) for name, value in facts)


@asynccontextmanager
async def exporter(*entries: SourceConfig) -> AsyncIterator[BaseTestServer]:
    """An app of these sources, every part of which has been read once, behind its own listener."""
    clock, limits = Clock(), Limits(series_per_source=10_000_000)
    app = App(lambda: Config(entries, limits), clock, source)
    running = asyncio.create_task(app.run())
    while not (app.board.sources and app.board.ready):  # the board has no event for it
        await asyncio.sleep(0.01)
    async with TestServer(application(shown(app, clock, lifecycle=False))) as server:
        yield server
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def bare(body: bytes) -> AsyncIterator[BaseTestServer]:
    """The least an aiohttp server can do."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": Format.TEXT.value})

    app = web.Application()
    app.router.add_get("/metrics", answer)
    async with TestServer(app) as server:
        yield server


async def scrapes(server: BaseTestServer, seconds: float, coding: str = "identity") -> list[float]:
    """Milliseconds of each of the scrapes that fit the time, one after the other, bodies left packed."""
    found: list[float] = []
    async with ClientSession(auto_decompress=False, headers={"Accept-Encoding": coding}) as session:
        end = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            async with session.get(server.make_url("/metrics")) as response:
                await response.read()
            found.append((time.perf_counter() - begun) * 1000)
    return found


def say(name: str, found: list[float], beside: list[float]) -> None:
    p50, p99 = statistics.median(found), sorted(found)[int(len(found) * 0.99)]
    ratio = statistics.median(beside) / p50
    print(f"{name:44} p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  max {max(found):7.2f} ms  {ratio:5.2f} of bare aiohttp")


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    calm = Schedule(interval=3600, timeout=60, max_stale=36000)
    quiet = SourceConfig("quiet", "bench", calm, options.series)
    runs: dict[str, tuple[tuple[SourceConfig, ...], str]] = {
        "cached": ((quiet,), "identity"),
        "cached, gzip": ((quiet,), "gzip"),
        "while a tenth of it refreshes every second": (
            (quiet, SourceConfig("busy", "bench", SCHEDULE, options.series // 10)),
            "identity",
        ),
        "while all of it refreshes every second": (
            (SourceConfig("busy", "bench", SCHEDULE, options.series),),
            "identity",
        ),
        "while five sources hang": (
            (quiet, *(SourceConfig(f"hung{i}", "bench", SCHEDULE, 0) for i in range(5))),
            "identity",
        ),
    }
    body = await page(quiet)
    print(f"{options.series} series, {len(body) / 1e6:.1f} MB; client and server share a process")
    for name, (entries, coding) in runs.items():
        async with bare(body) as server:  # again beside each, since the machine is not always as fast
            reference = await measured(server, options.seconds, "identity")
        async with exporter(*entries) as server:
            say(name, await measured(server, options.seconds, coding), reference)


async def page(entry: SourceConfig) -> bytes:
    """The whole page of a source."""
    async with (
        exporter(entry) as server,
        ClientSession() as session,
        session.get(server.make_url("/metrics")) as response,
    ):
        return await response.read()


async def measured(server: BaseTestServer, seconds: float, coding: str) -> list[float]:
    """Scrapes after a moment to warm up."""
    await scrapes(server, min(0.5, seconds), coding)
    return await scrapes(server, seconds, coding)


if __name__ == "__main__":
    asyncio.run(main())
