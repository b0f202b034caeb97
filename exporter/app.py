"""The composition root: configuration to sources, sources to board and loops; and how that changes on a reload."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from exporter.catalogue import FAMILIES
from exporter.config import Config, SourceConfig
from exporter.core.api import Access
from exporter.core.errors import ConfigError
from exporter.core.secret import Secret
from exporter.core.source import Context, Index, Limits, Source, no_indexes
from exporter.files import both
from exporter.inputs.worker import Worker
from exporter.ledger.families import LedgerFacts, Works
from exporter.ledger.ledger import Ledger
from exporter.runtime.accounts import Accounts
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.guard import Failure, guarded
from exporter.runtime.hub import Hub
from exporter.runtime.itself import Itself, Reload, Traffic
from exporter.runtime.refresh import Aside, Rest, follow
from exporter.sources import KINDS
from exporter.state import ledger, terms
from exporter.web.faces import Face
from exporter.web.gate import Gate

log = logging.getLogger(__name__)
OPENING = 2.0
"""Seconds that the first reads wait for the ledger's store, so that its accounts are on the page before them."""

LOOKING = 600.0
"""Seconds between two looks at the indexes of a database."""

CLOSING = 5.0
"""Seconds that the ledger's store may take to be given back."""

WATCHING = 5.0
"""Seconds between two looks at the files that hold secrets, and at those of the web configuration."""

Plan = tuple[SourceConfig, Limits, Secret | None]
Made = tuple[Plan, Source]
Make = Callable[[SourceConfig, Limits], Source]
Again = Callable[[Config], Config | None]
Listening = Callable[[Config], Awaitable[None]]
Renew = Callable[[], Awaitable[None]]


async def anywhere(_: Config) -> None:
    """Nobody listens."""


def made(config: SourceConfig, limits: Limits) -> Source:
    """The source a configuration describes. Touches nothing of the world yet."""
    return KINDS[config.kind].source(config.settings, Context(config.name, config.schedule, limits, config.api))


def planned(source: SourceConfig, config: Config) -> Plan:
    """What a source is made of: not who may ask it, and where, so that another token leaves it alone."""
    return replace(source, api=Access(writes=source.api.writes)), config.limits, config.state


@dataclass(frozen=True, slots=True)
class Running:
    """A source that is being read: what it was made of, the tasks that read it, and what ends their rests by part."""

    plan: Plan
    source: Source
    tasks: list[asyncio.Task[Any]]  # Any: nobody waits for what they give
    rests: Mapping[str, Rest]


@dataclass(frozen=True, slots=True)
class Counting:
    """The ledger in force: where its store is, the accounts on the page, and the task that keeps the lease."""

    state: Secret
    ledger: Ledger
    worker: Worker
    accounts: Accounts
    task: asyncio.Task[None]

    async def close(self, now: float) -> None:
        """Gives the store back; `now` is epoch seconds."""
        self.task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self.ledger.close(now)
        self.worker.close()


class App:
    """Everything that runs, between a configuration and a page.

    `load` reads and checks the configuration anew, `make` builds the source that one of its entries describes. `again`
    gives a configuration that was loaded before with its secrets as they are now, None where none has changed.
    `listening` is told where a configuration wants its sources to be reached, and raises ConfigError where that cannot
    be. `gate` has the web configuration, which is loaded with the other, and whenever its files change.

    From the beginning the sources are on the board, so that nobody ever finds it empty; it raises ConfigError where one
    cannot be made. Nothing of the world is touched before it runs.
    """

    def __init__(self, load: Callable[[], Config], clock: Clock, make: Make = made, again: Again | None = None) -> None:
        self._load = load
        self._again = again
        self._clock = clock
        self._make = make
        self._config = load()
        self._faces: Mapping[str, Face] = {}
        self._running: dict[str, Running] = {}
        self._counting: Counting | None = None
        self._changing = asyncio.Lock()
        self._started = asyncio.Event()
        self.indexes: dict[str, Sequence[Index]] = {}
        self.board = Board(FAMILIES)
        self.hub = Hub(clock)
        self.traffic = Traffic(clock.now(), self.hub)
        self.listening: Listening = anywhere
        self.gate = Gate()
        self.reloaded = Reload(good=True, at=clock.now())
        self._web_failed = False
        self._itself = Itself(self.board, clock, self.traffic, lambda: self.reloaded, self.ledger)
        self._put_up(self._fresh(self._config))

    async def run(self) -> None:
        """Reads every source, and the exporter itself, until cancelled."""
        async with asyncio.TaskGroup() as self._group:
            try:
                await self._account(self._config.state, self._config)
                await self._begin(self._config, self._running)
                self._started.set()
                if self._again:
                    renew = partial(self._renew, self._again)
                    self._group.create_task(self._watch("the files of secrets", renew, "secrets are not read anew"))
                if self.gate.watched:
                    refused = "the web configuration before stays in force"
                    self._group.create_task(self._watch("the web configuration", self._renew_web, refused))
                await self._itself.follow()
            finally:
                self._started.clear()
                async with self._changing:
                    for name in [*self._running]:
                        await self._stop(name)
                    await self._account(None, self._config)

    def ledger(self) -> LedgerFacts | None:
        """How the ledger stands; None where there is none."""
        return self._counting.ledger.facts() if self._counting else None

    @property
    def trouble(self) -> str | None:
        """Why the ledger's store cannot be used, for people; None while it can."""
        return self._counting.ledger.trouble if self._counting else None

    def works(self) -> Mapping[str, Works]:
        """The accounts of each source, as they were last committed."""
        if not self._counting:
            return {}
        ledger = self._counting.ledger
        return {name: ledger.works(name, running.source.pipelines) for name, running in self._running.items()}

    def faces(self) -> Mapping[str, Face]:
        """The Apis of the sources that are read, by source."""
        return self._faces

    def due(self, source: str, parts: Sequence[str]) -> None:
        """Has parts of a source read at once."""
        rests = self._running[source].rests if source in self._running else {}
        for part in parts:
            if part in rests:
                rests[part].end()

    async def listen(self) -> None:
        """Has the sources reached where the configuration says; raises ConfigError where that cannot be."""
        await self.listening(self._config)

    async def reload(self) -> str | None:
        """Puts the configuration as it is now in force, or keeps the one before and says what is wrong with the new.

        It waits until the first one is in force; at the end, there is no other.
        """
        await self._started.wait()
        async with self._changing:
            try:
                config, web = both(self._load, self.gate.load)
                await self._put(config)
                self.gate.put(web)
            except ConfigError as error:
                self._web_failed = False
                await self._tell(problem=str(error))
                log.error("reload failed, the configuration before stays in force: %s", error)  # noqa: TRY400
                return str(error)
            self._web_failed = False
            await self._tell()
            log.info("configuration reloaded: %d sources", len(config.sources))
            return None

    async def _put(self, config: Config) -> None:
        """Puts a configuration in force; raises ConfigError, and changes nothing, where that cannot be."""
        await self._change(config)
        self._config = config

    async def _watch(self, what: str, renew: Renew, refused: str) -> None:
        """Puts in force what has changed in files, for ever; what is wrong with them is logged once, as `refused`."""
        said, found = "", None
        while True:
            await self._clock.sleep(WATCHING)
            try:
                found = await guarded(what, renew(), passing=(ConfigError,), before=found)
                said = ""
            except ConfigError as error:
                if said != str(error):
                    log.error("%s: %s", refused, error)  # noqa: TRY400  # it says all there is to say
                said = str(error)

    async def _renew(self, again: Again) -> None:
        """Reads the files of secrets anew."""
        async with self._changing:
            config = await asyncio.to_thread(again, self._config)
            if config is not None and config != self._config:
                await self._put(config)
                log.info("secrets read anew: a file that holds one has changed")

    async def _renew_web(self) -> None:
        """Reads the web configuration anew. What is wrong with it is a reload that failed, until it is mended."""
        async with self._changing:
            try:
                web = await asyncio.to_thread(self.gate.load)
            except ConfigError as error:
                if self.reloaded.good or self._web_failed:  # a reload that failed before is not this one's to mend
                    self._web_failed = True
                    await self._tell(problem=str(error))
                raise
            if self.gate.put(web):
                log.info("web configuration read anew: %s", web)
            if self._web_failed:
                self._web_failed = False
                await self._tell()

    async def _tell(self, problem: str = "") -> None:
        """Puts on the page how the configuration was just loaded: well, where there is no problem."""
        self.reloaded = Reload(not problem, self.reloaded.at if problem else self._clock.now(), problem)
        await guarded("the exporter's own metrics", self._itself.refresh())

    async def _change(self, config: Config) -> None:
        """Stops what is gone or different and starts what is new; what compares equal goes on undisturbed."""
        fresh, wanted = self._fresh(config), {source.name for source in config.sources}
        await self.listening(config)
        for name in [name for name in self._running if name not in wanted or name in fresh]:
            await self._stop(name)
        self._put_up(fresh)
        await self._account(config.state, config)
        await self._begin(config, fresh)

    def _fresh(self, config: Config) -> Mapping[str, Made]:
        """The sources that are new or different."""
        plans = {source.name: planned(source, config) for source in config.sources}
        return {name: (plan, self._make(*plan[:2])) for name, plan in plans.items() if self._plan(name) != plan}

    def _put_up(self, fresh: Mapping[str, Made]) -> None:
        """Puts sources on the board that have not been read yet."""
        for name, (plan, source) in fresh.items():
            self.board.add(source, plan[1], self._clock.now())
            self.hub.add(source)
            self._running[name] = Running(plan, source, [], {part.name: Rest() for part in source.parts})

    async def _begin(self, config: Config, names: Iterable[str]) -> None:
        """Has sources read that are on the board, and serves the Apis of all."""
        await asyncio.gather(*(self._start(self._running[name]) for name in names))
        self._show({source.name: source.api for source in config.sources})

    def _show(self, wanted: Mapping[str, Access]) -> None:
        """Serves the Apis of the sources that run to those who may reach them."""
        before = self._faces
        faces = {name: Face.of(running.source, wanted[name]) for name, running in self._running.items()}
        self._faces = {name: face for name, face in faces.items() if face}
        for name, face in self._faces.items():
            if face.access.public and not (name in before and before[name].access.public):
                log.warning("source %s: its API is public: whoever reaches the exporter reads it without a token", name)

    async def _account(self, state: Secret | None, config: Config) -> None:
        """Has finished work counted in the store at this URL, or nowhere."""
        if self._counting and self._counting.state == state:
            self._counting.ledger.terms = terms(config)
            return
        if counting := self._counting:
            self._counting = None
            await counting.close(self._clock.now())
        if state is not None:
            kept, worker = ledger(state, config, self._clock.now())
            accounts = Accounts(self.board, kept, self._clock)
            task = self._group.create_task(accounts.follow())
            self._counting = Counting(state, kept, worker, accounts, task)

    def _plan(self, name: str) -> Plan | None:
        return self._running[name].plan if name in self._running else None

    async def _start(self, running: Running) -> None:
        source = running.source
        accounts = self._counting.accounts if self._counting else None
        if accounts and source.pipelines:
            opening = guarded(f"source {source.name}, its accounts", accounts.open(source))
            running.tasks.append(self._group.create_task(opening))
            await asyncio.wait(running.tasks, timeout=OPENING)
        loops = (
            follow(source, part, self.board, self._clock, Aside(accounts, self.hub, running.rests[part.name]))
            for part in source.parts
        )
        running.tasks.extend(self._group.create_task(loop) for loop in loops)
        if source.indexes is not no_indexes:
            running.tasks.append(self._group.create_task(self._look(source)))

    async def _stop(self, name: str) -> None:
        running = self._running.pop(name)
        self._faces = {other: face for other, face in self._faces.items() if other != name}
        for task in running.tasks:
            task.cancel()
        await asyncio.gather(*running.tasks, return_exceptions=True)
        self.hub.drop(name)
        self.board.drop(name)
        self.indexes.pop(name, None)
        await running.source.close()

    async def _look(self, source: Source) -> None:
        """Looks which indexes a source's database has, for ever."""
        while True:
            found = await guarded(f"source {source.name}, its indexes", source.indexes(self._clock.now()))
            if not isinstance(found, Failure):
                self.indexes[source.name] = found
            await self._clock.sleep(LOOKING)
