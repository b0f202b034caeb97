"""What is handed over, and when nothing has to be."""

from contextlib import aclosing

from exporter.core.finish import Ask, Batch, Finish
from exporter.inputs.handover import Handover

Value = tuple[int, ...]


class Asked:
    """Times as finishes; counts how often they were looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.handover: Handover[Value] = Handover(self._batch)

    def _batch(self, value: Value, ask: Ask) -> Batch:
        self.looks += 1
        return Batch([Finish(str(at), at, "a", ok=True) for at in value], under=0)

    async def ask(self, value: Value, floor: int | None, now: int = 100, *, taken: bool = True) -> int:
        """How many batches there were; where they are not taken, the first is the last."""
        batches = 0
        async with aclosing(self.handover.pages(value, Ask(now, 10, floor))) as pages:
            async for _ in pages:
                batches += 1
                if not taken:
                    break
        return batches


async def test_what_was_taken_is_not_handed_over_again() -> None:
    asked, value = Asked(), (50, 60)
    assert [await asked.ask(value, 40) for _ in range(3)] == [1, 0, 0]
    assert asked.looks == 1
    assert await asked.ask((50, 70), 40) == 1


async def test_another_floor_may_be_another_account() -> None:
    asked, value = Asked(), (50, 60)
    assert [await asked.ask(value, floor) for floor in (None, None, 40, 40, 30, 40)] == [1, 1, 1, 0, 1, 1]


async def test_what_was_not_committed_comes_again() -> None:
    asked, value = Asked(), (50, 60)
    assert await asked.ask(value, 40, taken=False) == 1
    assert [await asked.ask(value, 40) for _ in range(2)] == [1, 0]


async def test_the_future_comes_again_until_it_is_past() -> None:
    asked, value = Asked(), (50, 120)
    assert [await asked.ask(value, 40, now) for now in (100, 119, 120, 121)] == [1, 1, 1, 0]
