"""The finishes that a whole file holds, kept small, and what of them the ledger is given."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from math import inf

from exporter.core.finish import SECOND, Ask, Batch, Finish, History, Past, span

Row = tuple[str, float, str, bool, float]
"""Key, when it ended, lane, whether it succeeded, and when it began (not a number where that is not known). Times are
epoch seconds: there is a row for each record, and they cost least; they tell microseconds apart until 2106."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some finishes in columns, some 30 bytes each and their keys, where tuples take ten times as much: a file may hold
    a hundred thousand, of which the ledger wants those of the last minutes. Nothing is written to any more.

    `ended` and `began` are doubles, as bytes, since one that is not a number differs from itself; `newest` is the
    latest of `ended`.
    """

    lanes: tuple[str, ...]
    lane: "array[int]"
    ok: bytes
    ended: bytes
    began: bytes
    keys: str
    ends: "array[int]"
    newest: float

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Block":
        """Those of some rows."""
        keys, ended, lanes, ok, began = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        numbers = {name: number for number, name in enumerate(dict.fromkeys(lanes))}
        return cls(
            lanes=tuple(numbers),
            lane=array("I", map(numbers.__getitem__, lanes)),
            ok=bytes(ok),
            ended=array("d", ended).tobytes(),
            began=array("d", began).tobytes(),
            keys="".join(keys),
            ends=array("Q", accumulate(map(len, keys))),
            newest=max(ended, default=-inf),
        )

    def __len__(self) -> int:
        return len(self.ok)

    def rows(self, since: float = -inf) -> Iterator[Row]:
        """Those that ended at or after a time."""
        times, began = self.times(), memoryview(self.began).cast("d")
        for place in [place for place, ended in enumerate(times) if ended >= since]:
            key = self.keys[self.ends[place - 1] if place else 0 : self.ends[place]]
            yield key, times[place], self.lanes[self.lane[place]], bool(self.ok[place]), began[place]

    def times(self) -> Sequence[float]:
        """When each of them ended."""
        return memoryview(self.ended).cast("d")


@dataclass(frozen=True, slots=True)
class Finished:
    """Finishes, each key and time once. `lanes` are all that were seen, those without a finish too, in the order of the
    families' points; `untimed` are finishes without a time, which are left out."""

    blocks: tuple[Block, ...] = ()
    lanes: tuple[str, ...] = ()
    untimed: int = 0

    @classmethod
    def of(cls, blocks: Iterable[Block], lanes: Iterable[str], untimed: int = 0) -> "Finished":
        """Those of some blocks, the first of each key and time."""
        every = tuple(block for block in blocks if block.ok)
        names = {*chain.from_iterable(block.lanes for block in every), *lanes}
        times = set[float]()
        for block in every:
            times.update(block.times())
        if len(times) < sum(map(len, every)):
            every = (Block.of([*_first(every)]),)
        return cls(every, tuple(sorted(names)), untimed)

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    def since(self, floor: int) -> list[Finish]:
        """Those at or after a time, in microseconds."""
        near = (floor - 0.5) / SECOND
        found = (
            Finish(key, _micros(ended), lane, ok, span(ended - began))
            for block in self.blocks
            if block.newest >= near
            for key, ended, lane, ok, began in block.rows(near)
        )
        return [finish for finish in found if finish.at >= floor]

    def history(self, now: int) -> History:
        """What all of them amount to; `now` is microseconds, and the time of what is later."""
        successes: dict[str, int] = {}
        failures: dict[str, tuple[int, str]] = {}
        for key, ended, lane, ok, _ in self._rows():
            t = min(_micros(ended), now)
            if ok:
                successes[lane] = max(t, successes.get(lane, t))
            else:
                failures[lane] = max((t, key), failures.get(lane, (t, key)))
        last = max(successes.values(), default=None)
        streak, streaks, newest = 0, Counter[str](), None
        for _, ended, lane, ok, _ in self._rows():
            at = _micros(ended)
            if at <= now and (newest is None or at > newest):
                newest = at
            if not ok:
                t = min(at, now)
                streak += last is None or t > last
                streaks[lane] += lane not in successes or t > successes[lane]
        past: dict[str, Past] = {}
        for lane in {*successes, *failures}:
            at_last, failing = failures.get(lane, (None, ""))
            past[lane] = Past(successes.get(lane), at_last, failing, streaks[lane])
        return History(streak, past, newest)

    def _rows(self) -> Iterator[Row]:
        return chain.from_iterable(block.rows() for block in self.blocks)


NONE = Finished()


def handed(found: Finished, ask: Ask) -> Batch:
    """What the ledger asks for."""
    if ask.floor is None:
        history = found.history(ask.now)
        finishes = found.since(ask.opening(history.newest))
    else:
        history = None
        finishes = found.since(ask.floor)
    return Batch(finishes, found.lanes, under=len(found) - len(finishes), history=history)


def _micros(seconds: float) -> int:
    return round(seconds * SECOND)


def _first(blocks: Sequence[Block]) -> Iterator[Row]:
    """The first of those with the same key and time alone."""
    shared = {ended for ended, count in Counter(chain(*(block.times() for block in blocks))).items() if count > 1}
    seen: set[tuple[float, str]] = set()
    for row in chain.from_iterable(block.rows() for block in blocks):
        key, ended, *_ = row
        if ended in shared:
            if (ended, key) in seen:
                continue
            seen.add((ended, key))
        yield row
