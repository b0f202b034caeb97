"""An account kept by hand, from what the pipeline of a database hands over, page by page."""

from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from exporter.core.finish import SECOND, Ask, Pipeline
from exporter.core.source import Source
from exporter.ledger.account import Account, Terms, apply, opened

OVERLAP = 600 * SECOND


def micros(at: datetime | float) -> int:
    """A moment as the ledger has it."""
    return round((at.timestamp() if isinstance(at, datetime) else at) * SECOND)


@dataclass
class Book:
    """One account and what was read for it: `pages` counts the batches, `rows` the finishes in them."""

    pipeline: Pipeline[Any]
    overlap: int = OVERLAP
    account: Account | None = None
    pages: int = 0
    rows: int = 0

    async def read(self, at: datetime | float, most: int | None = None) -> Account:
        """One read at this moment, which ends early after so many pages."""
        now, terms = micros(at), Terms(self.overlap)
        ask = Ask(now, self.overlap, self.account.floor if self.account else None)
        last = None if most is None else self.pages + most
        async with aclosing(self.pipeline.pages(None, ask)) as pages:
            async for batch in pages:
                self.pages += 1
                self.rows += len(batch.finishes)
                named = replace(batch, lanes=(*self.pipeline.lanes, *batch.lanes))
                if self.account is None:
                    self.account, _ = opened(named, now, terms)
                else:
                    self.account, _ = apply(self.account, named, now, terms)
                if self.pages == last:
                    break
        assert self.account is not None
        return self.account


def counts(account: Account) -> dict[str, tuple[int, int]]:
    """By lane, finished and failed; lanes without either are left out."""
    found = {name: (lane.finished, lane.failed) for name, lane in account.lanes.items()}
    return {name: pair for name, pair in found.items() if any(pair)}


def streaks(account: Account) -> dict[str, int]:
    """The streak of every lane."""
    return {name: lane.streak.length for name, lane in account.lanes.items()}


def pipeline(source: Source) -> Pipeline[Any]:
    """The one pipeline of a source."""
    (found,) = source.pipelines
    return found
