"""What has been counted in one lane, and how many failures in a row there are."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from exporter.core.finish import SECOND, Finish
from exporter.core.source import Limits

BOUNDS = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)
"""Upper bounds of durations, in seconds."""

EDGES = tuple(bound * SECOND for bound in BOUNDS)
LONGEST = 10 * 366 * 86400 * SECOND
"""A duration beyond this is a wrong time on record."""

LONGEST_UNIT = 124
"""OpenMetrics gives an exemplar 128 characters, of which `unit` takes four."""


@dataclass(frozen=True, slots=True)
class Streak:
    """Failures since the last success: `base` of them are below the floor, the others' times are in `trail`, sorted.

    Only what is at or above the floor can still be overtaken by a success that comes late; so only that is kept apart.
    """

    base: int = 0
    trail: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        return self.base + len(self.trail)

    def after(self, failures: Iterable[int], success: int | None, last: int | None) -> "Streak":
        """The streak with new failures, at these times; `success` is the newest of the new successes, if there are
        any, and `last` the newest of all. A success ends the failures of its own instant too."""
        fresh = sorted(at for at in failures if last is None or at > last)
        trail = self.trail if last is None else self.trail[bisect_right(self.trail, last) :]
        late = fresh and trail and fresh[0] < trail[-1]
        trail = tuple(sorted((*trail, *fresh))) if late else (*trail, *fresh)
        return Streak(self.base if success is None else 0, trail)

    def folded(self, floor: int) -> "Streak":
        """What has sunk below the floor is a mere number from now on."""
        sunk = bisect_left(self.trail, floor)
        return Streak(self.base + sunk, self.trail[sunk:]) if sunk else self


NO_STREAK = Streak()


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane's account: microseconds throughout. `counts` has a bucket more than there are bounds; `untimed` are the
    successes in none of them; `failing` is the key of the last failure, as an exemplar can show it."""

    opened: int
    finished: int = 0
    failed: int = 0
    untimed: int = 0
    duration: int = 0
    counts: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    last_success: int | None = None
    last_failure: int | None = None
    failing: str = ""
    streak: Streak = NO_STREAK

    def after(self, finishes: Sequence[tuple[int, Finish]]) -> "Lane":
        """The lane with finishes that are new, each with its place in time."""
        failures = [(t, shown(finish.key)) for t, finish in finishes if finish.ok is False]
        successes = [t for t, finish in finishes if finish.ok]
        lane = self._timed([finish.duration for _, finish in finishes if finish.ok])
        last_success = newest(self.last_success, *successes)
        last_failure, failing = max([(self.last_failure, self.failing), *failures], key=_place)
        return replace(
            lane,
            finished=self.finished + len(failures) + len(successes),
            failed=self.failed + len(failures),
            last_success=last_success,
            last_failure=last_failure,
            failing=failing,
            streak=self.streak.after([t for t, _ in failures], newest(*successes), last_success),
        )

    def folded(self, floor: int) -> "Lane":
        """The lane when the floor is there; the same object where that changes nothing."""
        streak = self.streak.folded(floor)
        return self if streak is self.streak else replace(self, streak=streak)

    def _timed(self, durations: Sequence[int | None]) -> "Lane":
        good = [duration for duration in durations if duration is not None and 0 <= duration <= LONGEST]
        counts = list(self.counts)
        for duration in good:
            counts[bisect_left(EDGES, duration)] += 1
        return replace(
            self,
            untimed=self.untimed + len(durations) - len(good),
            duration=self.duration + sum(good),
            counts=tuple(counts),
        )


def newest(*times: int | None) -> int | None:
    """The newest of some times, None where there is none."""
    return max((time for time in times if time is not None), default=None)


def _place(failure: tuple[int | None, str]) -> tuple[bool, int, str]:
    at, key = failure
    return at is not None, at or 0, key


def shown(key: str) -> str:
    """A key as an exemplar can show it: whatever no page and no database could hold is a question mark."""
    text = key.encode("utf-8", "replace").decode().replace("\0", "?")
    return text if len(text) <= LONGEST_UNIT else text[: LONGEST_UNIT - 1] + "…"


def nameable(name: object, limits: Limits) -> bool:
    """Whether a lane's name can be a label value."""
    if not isinstance(name, str) or len(name) > limits.label_length or "\0" in name:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in name)
