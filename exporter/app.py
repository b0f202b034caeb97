"""The composition root: configuration to sources, sources to board and loops; and how that changes on a reload."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exporter.catalogue import FAMILIES
from exporter.config import Config, SourceConfig
from exporter.core.errors import ConfigError
from exporter.core.source import Context, Limits, Source
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.itself import Itself, Reload, Traffic
from exporter.runtime.refresh import follow
from exporter.sources import KINDS

log = logging.getLogger(__name__)
Plan = tuple[SourceConfig, Limits]
Make = Callable[[SourceConfig, Limits], Source]


def made(config: SourceConfig, limits: Limits) -> Source:
    """The source a configuration describes. Touches nothing of the world yet."""
    return KINDS[config.kind].source(config.settings, Context(config.name, config.schedule, limits))


@dataclass(frozen=True, slots=True)
class Running:
    """A source that is being read: what it was made of, and the tasks that read it."""

    plan: Plan
    source: Source
    tasks: Sequence[asyncio.Task[None]]


class App:
    """Everything that runs, between a configuration and a page.

    `load` reads and checks the configuration anew, `make` builds the source that one of its entries describes.
    """

    def __init__(self, load: Callable[[], Config], clock: Clock, make: Make = made) -> None:
        self._load = load
        self._clock = clock
        self._make = make
        self._config = load()
        self._running: dict[str, Running] = {}
        self._changing = asyncio.Lock()
        self.board = Board(FAMILIES)
        self.traffic = Traffic(clock.now())
        self.reloaded = Reload(good=True, at=clock.now())

    async def run(self) -> None:
        """Reads every source, and the exporter itself, until cancelled."""
        async with asyncio.TaskGroup() as self._group:
            try:
                await self._change(self._config)
                await Itself(self.board, self._clock, self.traffic, lambda: self.reloaded).follow()
            finally:
                for name in [*self._running]:
                    await self._stop(name)

    async def reload(self) -> str | None:
        """Puts the configuration as it is now in force, or keeps the one before and says what is wrong with the new."""
        async with self._changing:
            try:
                config = self._load()
                await self._change(config)
            except ConfigError as error:
                self.reloaded = Reload(good=False, at=self.reloaded.at, problem=str(error))
                log.error("reload failed, the configuration before stays in force: %s", error)  # noqa: TRY400
                return str(error)
            self._config = config
            self.reloaded = Reload(good=True, at=self._clock.now())
            log.info("configuration reloaded: %d sources", len(config.sources))
            return None

    async def _change(self, config: Config) -> None:
        """Stops what is gone or different and starts what is new; what compares equal goes on undisturbed."""
        wanted = {source.name: (source, config.limits) for source in config.sources}
        fresh = {name: plan for name, plan in wanted.items() if self._plan(name) != plan}
        sources = {name: self._make(*plan) for name, plan in fresh.items()}
        for name in [name for name in self._running if name not in wanted or name in fresh]:
            await self._stop(name)
        for name, source in sources.items():
            self._start(fresh[name], source)

    def _plan(self, name: str) -> Plan | None:
        return self._running[name].plan if name in self._running else None

    def _start(self, plan: Plan, source: Source) -> None:
        self.board.add(source, plan[1], self._clock.now())
        tasks = [self._group.create_task(follow(source, part, self.board, self._clock)) for part in source.parts]
        self._running[source.name] = Running(plan, source, tasks)

    async def _stop(self, name: str) -> None:
        running = self._running.pop(name)
        for task in running.tasks:
            task.cancel()
        await asyncio.gather(*running.tasks, return_exceptions=True)
        self.board.drop(name)
        await running.source.close()
