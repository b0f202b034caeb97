"""The soak: the demo lives fast, the exporter reads it once a second, a Prometheus scrapes that, and things break.

It goes round in laps: the studio lives for a while, stands still and is counted, things break one after the other and
are mended, and it is counted again. What is wrong is collected, not raised, so that one run tells all of it.
"""

import asyncio
import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice, zip_longest
from pathlib import Path
from random import Random

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout

from exporter.demo.launch import write_config
from tests.command import Command, command
from tests.prometheus import Prometheus, prometheus, promtool
from tests.services import wired
from tests.shotgrid_server import golden, served
from tests.soak import count, production, publishing
from tests.soak.count import Count, Samples, World
from tests.soak.faults import Trouble, of_servers, of_studio
from tests.soak.pages import ABOUT, Page, Part, differences, parsed, surplus
from tests.soak.stage import Plan, configure, drain, meanwhile, urls, without
from tests.soak.studio import Studio, living
from tests.soak.vitals import Vitals, grown, look
from tests.soak.work import since, work

PACE = 0.2
"""Seconds between two pages, and between two looks at whether something has come."""

PATIENCE = 60.0
LATE = 3.0
"""How many intervals, and as many seconds on top of the time a read may take, one may be late before that is wrong: the
machine is shared."""

ENOUGH = 100
"""Looks at the process before anything can be said of how it grows."""

SLOWEST = 50.0
"""How many times as long the slowest pages in the fire may take as those in calm."""

ACCEPT = {"text": "text/plain;version=0.0.4", "openmetrics": "application/openmetrics-text;version=1.0.0"}

LIVE: dict[Part, Count] = {
    ("vfx", "ingest"): count.ingest,
    ("vfx", "render"): count.render,
    ("vfx", "shotgrid"): production.site,
    ("vfx", "projects"): production.projects,
    ("vfx", "reconcile"): production.stored,
    ("decoys", "database"): count.operations,
    ("publishing", "queue"): publishing.queue,
    ("publishing", "campaigns"): publishing.campaigns,
    ("publishing", "content"): publishing.content,
    ("music", "files"): count.training,
    ("music", "database"): count.sessions,
}
COPIED: dict[Part, Count] = {
    ("archive", "queue"): publishing.queue,
    ("archive", "campaigns"): publishing.campaigns,
    ("archive", "content"): publishing.content,
    ("lures", "database"): count.operations,
}
"""What counts each part: those of the demo, and those that say for ever what the demo said at one moment."""

PARTIAL = "playlists that cannot be read"
"""What is said of a site that answers some questions, as one does that is set on fire while it is asked."""

AFTER = ("vfx", "projects")
"""What is read of the others' reads: true only after those."""

USUAL = {("vfx", "malformed"), ("vfx", "missing")}
"""What the simulator does on its own: it leaves the registry torn for a moment, and the job store away."""


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


@dataclass
class Findings:
    """What a soak found; times are in seconds. `calm` and `fire` are how long pages took, `lags` by part how late the
    page told what was true, `seen` how long each trouble took to show and, once mended, to clear; `failures` are reads
    that failed, by source, part and reason."""

    problems: list[str] = field(default_factory=list)
    calm: list[float] = field(default_factory=list)
    fire: list[float] = field(default_factory=list)
    lags: dict[Part, list[float]] = field(default_factory=dict)
    seen: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    vitals: list[Vitals] = field(default_factory=list)
    counted: int = 0
    compared: int = 0
    scrapes: float = 0
    reads: float = 0
    failures: dict[str, float] = field(default_factory=dict)

    @property
    def slower(self) -> float:
        """The p99 of pages in the fire, as a multiple of that in calm."""
        return quantile(self.fire, 0.99) / (quantile(self.calm, 0.99) or 1.0)

    def wrong(self, *problems: str) -> None:
        self.problems += [problem for problem in problems if problem not in self.problems]


class Soak:
    """One run, from the first page to the last."""

    def __init__(self, plan: Plan, studio: Studio, exporter: Command, session: ClientSession, p: Prometheus) -> None:
        self.plan, self.studio, self.exporter, self.session, self.prometheus = plan, studio, exporter, session, p
        self.found = Findings()
        self.page = Page({}, 0.0)
        self._news = asyncio.Event()
        self.burning: set[str] = set()
        self.allowed = {*USUAL}
        self._counts = {**LIVE, **COPIED}
        self._began: tuple[Samples, Samples] | None = None
        self.parts: list[Part] = [*self._counts, ("review", "shotgrid")]

    async def watch(self) -> None:
        """Asks for page after page and looks at each, for ever."""
        for form in cycle(ACCEPT):
            burning = bool(self.burning)
            at, tick = time.time(), time.perf_counter()
            try:
                body = await self.fetched(form)
                seconds = time.perf_counter() - tick
                page = await asyncio.to_thread(parsed, body, form, at)  # wires must not wait for it
            except (ClientError, TimeoutError, ValueError) as error:
                self.found.wrong(f"a page: {error!r}")
                self._news.set()
            else:
                (self.found.fire if burning else self.found.calm).append(seconds)
                if form == "text":
                    self._looked(page)
            await asyncio.sleep(PACE)

    async def fetched(self, form: str) -> str:
        """A page as it comes."""
        headers = {"Accept": ACCEPT[form]}
        async with self.session.get(f"{self.exporter.url}/metrics", headers=headers, raise_for_status=True) as response:
            return await response.text()

    def _looked(self, page: Page) -> None:
        self.page = page
        self._news.set()
        self._ages(page)
        self.found.vitals.append(look(self.exporter.process.pid))

    def _ages(self, page: Page) -> None:
        """No part is older than its interval allows unless it was set on fire."""
        for part, success in page.by_part("studio_source_last_success_timestamp_seconds").items():
            if part[0] not in self.burning:
                self._late(page, part, page.at - success, "last read well")

    def _late(self, page: Page, part: Part, age: float, what: str) -> None:
        interval = page.by_part("studio_source_interval_seconds")[part]
        most = LATE * (interval + 1) + page.by_part("studio_source_timeout_seconds")[part]
        if age > most:
            self.found.wrong(f"{part}: {what} after {age:.1f} s, every {interval:g} s was asked for")

    async def until(self, told: str, holds: Callable[[Page], object]) -> Page:
        """The first page of which something holds."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds(self.page):
                    assert self.exporter.process.returncode is None, f"the exporter ended:\n{self.exporter.log[-2000:]}"
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            wrong = f"it fails: {self.page.errors()}; so far: {self.found.problems[-3:]}"
            raise AssertionError(f"not within {PATIENCE:g} s: {told}; {wrong}") from None
        return self.page

    # a lap

    async def live(self) -> None:
        """Lets the studio live."""
        await asyncio.sleep(self.plan.lives)

    async def counted(self, copied: World, baseline: Samples) -> World:
        """Stands still, is read, and is compared with what the simulator knows."""
        world = await self.studio.freeze()
        await self.compare(world, copied, baseline)
        return world

    async def compare(self, world: World, copied: World, baseline: Samples) -> None:
        """Each part, on the first page after it was read again; the rest of the page once all of them are."""
        frozen, left = world["frozen"], {**self._counts}
        later = {AFTER: left.pop(AFTER)}
        expected: dict[Part, Samples] = {}
        while left:
            page = await self.until(f"reads of {[*left]}", partial(fresh, since=frozen, parts=[*left]))
            reads = page.by_part("studio_source_last_success_timestamp_seconds")
            for part in fresh(page, frozen, left):
                counting = left.pop(part)
                known = world if part in LIVE else copied
                expected[part] = await asyncio.to_thread(counting, known, part[0], reads[part])
                self.found.wrong(*(f"{part}: {each}" for each in differences(page, expected[part])))
                self.found.compared += len(expected[part])
                self.found.lags.setdefault(part, []).append(reads[part] - frozen)
                self._late(page, part, reads[part] - frozen, "a change was read")
            if not left and later:
                frozen, left, later = time.time(), later, {}
        self.found.wrong(*surplus(page, expected), *differences(page, baseline))
        skipped = [labels for labels, value in page.told("studio_source_skipped_records").items() if value]
        self.found.wrong(*(f"records were skipped: {dict(labels)}" for labels in skipped))
        await self._worked(work(world))
        self.found.counted += 1

    async def _worked(self, ended: Samples) -> None:
        """The ledger's counters have grown since the first count by what ended since; they follow the reads."""
        if self._began is None:
            self._began = self.page.samples, ended
        expected = since(*self._began, ended)
        try:
            await self.until("all that ended is counted", lambda page: not differences(page, expected))
        except AssertionError:
            self.found.wrong(*differences(self.page, expected))
        self.found.compared += len(expected)

    async def burn(self, trouble: Trouble) -> None:
        """One trouble, until it shows, to Prometheus as well; then its end, until that shows."""
        self.burning = {source for source, _ in trouble.parts}
        given_up = () if trouble.still else ("timeout", "unreachable")  # whoever is in trouble may be slow, or away
        self.allowed |= {(source, reason) for source in self.burning for reason in (trouble.reason, *given_up)}
        try:
            self.found.seen.setdefault(trouble.name, []).append(await self._burnt(trouble))
        except (AssertionError, pytest.fail.Exception) as error:
            self.found.wrong(f"{trouble.name}: {error}")
        self.burning = set()

    async def _burnt(self, trouble: Trouble) -> tuple[float, float]:
        """The seconds after which it showed and cleared."""
        wanted = {(*part, trouble.reason) for part in trouble.parts}
        began = time.time()
        with trouble.context():
            await self.until("it shows", lambda page: wanted <= page.errors())
            showed = time.time()
            for source, part, reason in wanted:
                labels = f'source="{source}",part="{part}",reason="{reason}"'
                await self.prometheus.until(f"studio_source_error{{{labels}}} == 1")
        mended = time.time()
        await self.until(
            "it clears",
            lambda page: (
                fresh(page, mended, trouble.parts) and self.burning.isdisjoint(source for source, _, _ in page.errors())
            ),
        )
        return showed - began, time.time() - mended

    async def lap(self, troubles: Sequence[Trouble], copied: World, baseline: Samples) -> None:
        """Life, a count, fire, and a count."""
        await self.live()
        world = await self.counted(copied, baseline)
        for trouble in (one for one in troubles if one.still):
            await self.burn(trouble)
        await self.compare({**world, "frozen": time.time()}, copied, baseline)
        self.studio.thaw()
        for trouble in (one for one in troubles if not one.still):
            await self.burn(trouble)

    # the end

    async def removed(self, config: Path) -> None:
        """A source goes with a reload, and its series end while Prometheus has them."""
        gone = 'studio_source_up{source="lures"}'
        await self.prometheus.until(gone)
        without(config, "name: lures")
        self.exporter.process.send_signal(signal.SIGHUP)
        await self.until(
            "lures are gone", lambda page: not any("lures" in dict(labels).values() for _, labels in page.samples)
        )
        await self.prometheus.until(gone, lambda found: not found)
        if not await self.prometheus.query(f"count_over_time({gone}[1h])"):
            self.found.wrong("Prometheus never had the source that was removed")
        if not await self.prometheus.query("up == 1"):
            self.found.wrong("the source that was removed took the target with it")

    async def asked(self) -> None:
        """What Prometheus has seen."""
        (_, failed), *_ = await self.prometheus.query("count_over_time(up[1h]) - sum_over_time(up[1h])")
        if failed:
            self.found.wrong(f"{failed:g} scrapes failed")
        (_, self.found.scrapes), *_ = await self.prometheus.query("count_over_time(up[1h])")
        failures = "sum by (source, part, reason) (studio_source_read_failures_total) > 0"
        for labels, value in await self.prometheus.query(failures):
            self.found.failures[" ".join(labels[name] for name in ("source", "part", "reason"))] = value
        (_, self.found.reads), *_ = await self.prometheus.query("sum(studio_source_reads_total)")
        scraped = (await self.prometheus.query("scrape_samples_scraped"))[0][1]
        if not 0.8 * len(self.page.samples) < scraped < 2.0 * len(self.page.samples):
            self.found.wrong(f"Prometheus scraped {scraped:g} samples of {len(self.page.samples)}")
        told = [line for line in self.prometheus.log().splitlines() if re.search("level=(warn|error)", line)]
        self.found.wrong(*(f"Prometheus: {line}" for line in told))

    def logged(self) -> None:
        """Nothing is in the exporter's log that nobody caused."""
        for line in self.exporter.log.splitlines():
            level = re.search(r" level=(\w+) ", line)
            found = re.search(r"source ([^,]+), part [^:]+: (\w+): ", line)
            caused = PARTIAL in line or (found and (found[1], found[2]) in self.allowed)
            if not level or (level[1] not in ("info", "debug") and not caused):
                self.found.wrong(f"in the log: {line}")


def fresh(page: Page, since: float, parts: Iterable[Part]) -> list[Part]:
    """Those of the parts whose last good read began after a moment."""
    reads = page.by_part("studio_source_last_success_timestamp_seconds")
    return [part for part in parts if reads.get(part, 0.0) > since]


async def soak(directory: Path, plan: Plan) -> Findings:
    """The whole of it; `directory` is empty. Raises AssertionError where something never comes."""
    async with AsyncExitStack() as stack:
        studio = await stack.enter_async_context(living(directory, plan.seed, plan.speed))
        copied = await studio.freeze()
        studio.thaw()
        config = write_config(studio.directory)
        real = [*urls(stack, copied, config)]
        wires = [await stack.enter_async_context(wired(url)) for url in real]
        site = golden()
        wired_urls = [wire.url(url) for wire, url in zip(wires, real, strict=True)]
        configure(config, plan, *wired_urls, await stack.enter_async_context(served(site)))
        exporter = await stack.enter_async_context(command(f"--config.file={config}", cwd=directory))
        await exporter.listening()
        await stack.enter_async_context(meanwhile(drain(exporter)))
        session = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=PATIENCE)))
        scraped = [exporter.url.removeprefix("http://")]
        p = await stack.enter_async_context(prometheus(directory, scraped, plan.scrape))
        run = Soak(plan, studio, exporter, session, p)
        troubles = [*mixed(of_studio(studio.directory, Random(plan.seed)), of_servers(wires, site))]
        async with meanwhile(run.watch()):
            await laps(run, troubles, copied)
            await run.removed(config)
            await run.asked()
        await ended(run)
        return run.found


async def laps(run: Soak, troubles: Sequence[Trouble], copied: World) -> None:
    """Lap after lap until the time is over, each with the next troubles of the list, over and over."""
    deadline, order = time.monotonic() + run.plan.seconds, cycle(troubles)
    page = await run.until("every part was read", lambda page: len(fresh(page, 0.0, run.parts)) == len(run.parts))
    baseline = {key: value for key, value in page.samples.items() if ("source", "review") in key[1]}
    baseline = {key: value for key, value in baseline.items() if not key[0].startswith(ABOUT)}
    while True:
        await run.lap([*islice(order, run.plan.troubles)], copied, baseline)
        if time.monotonic() >= deadline:
            break
    await run.counted(copied, baseline)
    run.studio.thaw()


async def ended(run: Soak) -> None:
    """The last page goes through promtool, and the exporter ends as it should."""
    checked = promtool("check", "metrics", stdin=await run.fetched("text"))
    if checked.returncode:
        run.found.wrong(f"promtool: {checked.stdout}{checked.stderr}")
    if len(run.found.vitals) >= ENOUGH:
        run.found.wrong(*grown(run.found.vitals))
        if (slower := run.found.slower) > SLOWEST:
            run.found.wrong(f"pages took {slower:.0f} times as long in the fire")
    run.exporter.process.send_signal(signal.SIGTERM)
    if code := await run.exporter.process.wait():
        run.found.wrong(f"the exporter ended with {code}")
    run.logged()


def mixed(some: Sequence[Trouble], others: Sequence[Trouble]) -> Iterator[Trouble]:
    """Both lists in turn, so that a few in a row are of both."""
    for one, other in zip_longest(some, others):
        yield from (each for each in (one, other) if each)
