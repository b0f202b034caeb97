"""A source and a ledger with its store: what is read is counted, as the refresh loop does it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from exporter.core.errors import ReadError
from exporter.core.finish import SECOND
from exporter.core.part import Part, Schedule, Taken
from exporter.core.secret import Secret
from exporter.core.source import Context, Kind, Limits
from exporter.inputs.worker import Worker
from exporter.ledger.account import Account, Terms
from exporter.ledger.ledger import Ledger
from exporter.ledger.store import Owner, Store

OVERLAP = 600


class Counting:
    """The parts of one source, and their accounts."""

    def __init__(self, parts: tuple[Part[Any], ...], ledger: Ledger) -> None:
        self.parts = {part.name: part for part in parts}
        self.ledger = ledger

    async def read(self, name: str, now: float) -> Taken[Any]:
        """One read of a part, and what it found counted."""
        part = self.parts[name]
        taken = await part.read(now)
        assert part.finishes is not None
        assert await self.ledger.keep("here", part.finishes, taken.value, now), self.ledger.trouble
        return taken

    async def fails(self, name: str, now: float) -> bool:
        """Whether a read of the part fails; then nothing is counted."""
        try:
            await self.read(name, now)
        except ReadError:
            return True
        return False

    def account(self, name: str) -> Account:
        pipeline = self.parts[name].finishes
        assert pipeline is not None
        (work,) = self.ledger.works("here", [pipeline])
        return work.account

    def lanes(self, name: str) -> dict[str, tuple[int, int, int]]:
        """Of each lane: how many finished, failed, and failed in a row."""
        found = self.account(name).lanes.items()
        return {lane: (one.finished, one.failed, one.streak.length) for lane, one in found}


@asynccontextmanager
async def counting(kind: Kind, config: object, store: Path, overlap: int = OVERLAP) -> AsyncIterator[Counting]:
    """A source of this configuration, and a ledger on the store at a path."""
    source = kind.source(config, Context("here", Schedule(), Limits()))
    worker = Worker("ledger")
    owner = Owner("me", "host", 7, lambda number: number == 7)
    ledger = Ledger(Store(Secret(f"sqlite:///{store}"), owner, 0.05), worker.run, Terms(overlap * SECOND), 0.0)
    try:
        yield Counting(source.parts, ledger)
    finally:
        await ledger.close(0.0)
        await source.close()
        worker.close()
