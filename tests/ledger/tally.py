"""A naive recount: it remembers every finish it ever saw, and says all numbers anew from that each time."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from exporter.core.finish import SECOND, Finish
from exporter.ledger.lane import BOUNDS

Unit = tuple[str, int | str]


def unit_of(finish: Finish) -> Unit:
    return finish.key, finish.at if finish.attempt is None else finish.attempt


@dataclass
class Remembered:
    """A finish, where it stands in time, and whether it was there before the account was opened."""

    finish: Finish
    t: int
    at: int
    old: bool


class Tally:
    """LEDGER 1 to 5, said as simply as they can be."""

    def __init__(self) -> None:
        self.opened: int | None = None
        self.seen: dict[Unit, Remembered] = {}
        self.marks: list[int] = []
        self.floors: list[int] = []
        self.refused: set[Unit] = set()

    @property
    def mark(self) -> int:
        return max(self.marks)

    @property
    def floor(self) -> int:
        return max(self.floors)

    def admitted(self, overlap: int) -> int:
        """The oldest time that is admitted now."""
        return max(self.floor, self.mark - overlap - SECOND)

    def read(self, finishes: Iterable[Finish], now: int, overlap: int, wrote: bool) -> None:
        """One read that sees these finishes; only one that wrote something moves the floor for good."""
        finishes = sorted(finishes, key=lambda finish: (finish.at, finish.key))
        if self.opened is None:
            self.opened = now
            for finish in finishes:
                self.seen[unit_of(finish)] = Remembered(finish, min(finish.at, now), finish.at, old=True)
            self.marks.append(max((finish.at for finish in finishes if finish.at <= now), default=now))
            self.floors.append(self.mark - overlap - SECOND)
            return
        present, floor = max(now, self.mark), self.admitted(overlap)
        for finish in finishes:
            unit = unit_of(finish)
            if unit in self.seen:
                self.seen[unit].at = max(self.seen[unit].at, finish.at)
            elif finish.at < floor:
                self.refused.add(unit)
            else:
                self.seen[unit] = Remembered(finish, min(finish.at, present), finish.at, old=False)
                if finish.at <= present:
                    self.marks.append(finish.at)
        if wrote:
            self.floors.append(self.mark - overlap - SECOND)

    # what it comes to

    def of(self, lane: str | None) -> list[Remembered]:
        return [each for each in self.seen.values() if lane in (None, each.finish.lane)]

    def count(self, lane: str, ok: bool) -> int:
        return sum(each.finish.ok is ok and not each.old for each in self.of(lane))

    def last(self, lane: str | None, ok: bool) -> int | None:
        return max((each.t for each in self.of(lane) if each.finish.ok is ok), default=None)

    def streak(self, lane: str | None) -> int:
        last = self.last(lane, ok=True)
        return sum(each.finish.ok is False and (last is None or each.t > last) for each in self.of(lane))

    def failing(self, lane: str) -> str:
        failures = ((each.t, each.finish.key) for each in self.of(lane) if each.finish.ok is False)
        return max(failures, default=(0, ""))[1]

    def durations(self, lane: str) -> tuple[int, int, tuple[int, ...]]:
        """How many are in no bucket, the sum of the others, and the buckets."""
        found = [each.finish.duration for each in self.of(lane) if each.finish.ok and not each.old]
        good = [duration for duration in found if duration is not None and duration >= 0]
        counts = [0] * (len(BOUNDS) + 1)
        for duration in good:
            counts[bisect_left(BOUNDS, duration / SECOND)] += 1
        return len(found) - len(good), sum(good), tuple(counts)
