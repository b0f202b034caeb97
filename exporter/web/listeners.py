"""The addresses that sources have for themselves: each is a server of its own, which comes and goes with its source."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from exporter.core.address import Address
from exporter.core.api import Access
from exporter.core.errors import ConfigError, Problem
from exporter.web.door import Door, url
from exporter.web.faces import MAIN, apart
from exporter.web.server import Served, own

log = logging.getLogger(__name__)
PARTING = 2.0
"""Seconds that requests under way may take to end when an address is given up."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one source, or one app of it (all of them: empty), is reached."""

    source: str
    app: str
    at: Address


class Listeners:
    """The addresses that are listened on besides those of the main listener."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._open: dict[Spot, Door] = {}

    @property
    def urls(self) -> Mapping[Spot, str]:
        """Where each is reached from this machine."""
        return {spot: url(*door.addresses[0]) for spot, door in self._open.items()}

    async def change(self, wanted: Mapping[str, Access]) -> None:
        """Listens where these sources, by name, want it, and nowhere else.

        Raises ConfigError with every address that cannot be listened on; then all is as it was.
        """
        spots = {Spot(name, app, at) for name, access in wanted.items() for app, at in access.listen}
        gone = self._open.keys() - spots
        handed = [spot for spot in gone if spot.at.port and spot.at in {each.at for each in spots}]
        for spot in handed:
            await self._close(spot)
        fresh = sorted(spots - self._open.keys(), key=str)
        problems = [problem for spot in fresh if (problem := await self._listen(spot))]
        if problems:
            for spot in fresh:
                await self._close(spot)
            for spot in handed:
                await self._listen(spot)
            raise ConfigError(problems)
        for spot in gone - {*handed}:
            await self._close(spot)
        self._count(wanted)
        for spot in fresh:
            log.info("source %s: its API%s answers at %s", spot.source, spot.app and f" {spot.app}", self.urls[spot])

    def _count(self, wanted: Mapping[str, Access]) -> None:
        """Has refusals counted where there may be some."""
        traffic = self._served.traffic
        if self._served.gate.watched or not all(access.public for access in wanted.values()):
            traffic.refusing(MAIN)
        for spot in self._open:
            if not wanted[spot.source].public:
                traffic.refusing(apart(spot.source, spot.app).listener)

    async def close(self) -> None:
        """Listens nowhere any more."""
        for spot in [*self._open]:
            await self._close(spot)

    async def _listen(self, spot: Spot) -> Problem | None:
        turned = partial(self._served.traffic.turn, apart(spot.source, spot.app).listener)
        door = self._open[spot] = await Door.of(own(self._served, spot.source, spot.app), PARTING, turned)
        problem = await door.listen(spot.at)
        return Problem(f"source {spot.source}: api.listen", None, problem) if problem else None

    async def _close(self, spot: Spot) -> None:
        await self._open.pop(spot).close()


@asynccontextmanager
async def beside(served: Served) -> AsyncIterator[Listeners]:
    """Listeners of sources, none yet; they are closed at the end."""
    listeners = Listeners(served)
    try:
        yield listeners
    finally:
        await listeners.close()
