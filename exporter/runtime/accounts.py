"""The accounts of finished work on the page: what a read found goes to the ledger, what that has goes to the board."""

import asyncio
from typing import Any

from exporter.core.part import Part
from exporter.core.source import Source
from exporter.ledger.families import Works
from exporter.ledger.ledger import Ledger, Reading
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.guard import guarded

RENEWING = 5.0
"""Seconds between two looks at the store while nothing else uses it: to keep the lease, or to get the store back."""


class Accounts:
    """What the ledger holds of each source that counts finished work, on the page as it was last committed."""

    def __init__(self, board: Board, ledger: Ledger, clock: Clock) -> None:
        self._board = board
        self._ledger = ledger
        self._clock = clock
        self._shown: dict[str, Works] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def open(self, source: Source) -> None:
        """Puts on the page what the store holds of a source, before it is read for the first time."""
        self._shown.pop(source.name, None)
        self._turns[source.name] = asyncio.Lock()
        await self._ledger.open(self._clock.now(), [(source.name, each.name) for each in source.pipelines])
        await self._show(source)

    async def take(self, source: Source, part: Part[Any], value: Any, begun: tuple[float, float]) -> None:
        """Counts what a read, that began at this time (epoch seconds, and monotonic ones), found to be finished, and
        shows it.

        What there is to catch up with after an outage is spread over several reads: no page is asked for any more once
        the time of a read is over. Raises what the pages raise; the store's troubles are the ledger's alone.
        """
        if part.finishes is None:
            return
        at, tick = begun
        reading = Reading(lambda: self._clock.monotonic() - tick, part.schedule.timeout)
        await self._ledger.keep(source.name, part.finishes, value, at, reading)
        await self._show(source)

    async def follow(self) -> None:
        """Keeps the lease of the store, for ever."""
        found: object = None
        while True:
            found = await guarded("the ledger's lease", self._ledger.renew(self._clock.now()), before=found)
            await self._clock.sleep(RENEWING)

    async def _show(self, source: Source) -> None:
        """Renders the accounts of a source where one changed; one at a time, or an older one could come out last."""
        async with self._turns[source.name]:
            works = self._ledger.works(source.name, source.pipelines)
            if works == () or same(works, self._shown.get(source.name, ())):
                return
            blocks = await asyncio.to_thread(self._board.render_work, source.name, works)
            self._board.place_work(source.name, blocks)
            self._shown[source.name] = works


def same(some: Works, others: Works) -> bool:
    """Whether these are the very same accounts; one that changed is another object."""
    return len(some) == len(others) and all(a.account is b.account for a, b in zip(some, others, strict=True))
