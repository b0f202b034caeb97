"""How a part that reads all there is hands its finishes to the ledger: only where something may be new."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Generic, TypeVar

from exporter.core.finish import Ask, Batch

V = TypeVar("V")


class Handover(Generic[V]):
    """What a pipeline asks for, and what it was given last."""

    def __init__(self, batch: Callable[[V, Ask], Batch]) -> None:
        """`batch` is pure, and is called on a thread."""
        self._batch = batch
        self._taken: tuple[V, int | None] | None = None

    async def pages(self, value: V, ask: Ask) -> AsyncGenerator[Batch, None]:
        """All there is in one batch; nothing where the same object was taken from the same floor before.

        What is dated in the future may not have been counted, for want of room, so it comes again until its time. A
        floor that moved, or is none, may mean another store, with another account.
        """
        taken = self._taken
        if taken is not None and taken[0] is value and taken[1] == ask.floor is not None:
            return
        batch = await asyncio.to_thread(self._batch, value, ask)
        yield batch
        # nobody comes back here before the batch is on disk
        if not any(finish.at > ask.now for finish in batch.finishes):
            self._taken = value, ask.floor
