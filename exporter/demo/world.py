"""Time in the simulated studio: a clock faster than the wall's, an agenda of what happens next, and chance."""

import heapq
import itertools
import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

HISTORY = 7 * DAY
"""How much of the studio's past there is when the demo begins, in studio seconds."""

PACE = 60.0
"""Studio seconds in a second of the wall's at speed 1: a day of the studio passes in 24 minutes."""

LONGEST_STEP = 60.0
"""Wall seconds between two looks at the clock; after more of them (a sleeping laptop, a stepped clock) time in the
studio goes on where it stood, rather than make up for hours at once."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Translates studio seconds (0 when the demo began, the past before it) and epoch seconds.

    The past has its true length, so that a week of history is a week old; the present runs at `rate`.
    """

    began: float
    rate: float = PACE

    def studio(self, now: float) -> float:
        """Studio seconds at an epoch second not before the demo began."""
        return (now - self.began) * self.rate

    def wall(self, at: float) -> float:
        """Epoch seconds at a studio second."""
        return self.began + (at if at < 0 else at / self.rate)


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant, in studio seconds and in epoch seconds."""

    at: float
    wall: float

    @property
    def utc(self) -> datetime:
        """The instant as a system would take it from its own clock."""
        return datetime.fromtimestamp(self.wall, UTC)


Life = Generator[float, Moment, None]
"""Something that goes on for a while: it yields the studio seconds it waits, and is sent the moment it is woken."""


class Agenda:
    """Who is woken next; the only thing that moves time on.

    What happens, and in which order, depends on the lives alone, not on the speed or on how time is cut into steps.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen = clock.began
        self._at = -HISTORY
        self._due: list[tuple[float, int, Life]] = []
        self._order = itertools.count()

    def begin(self, life: Life) -> None:
        """A life begins at the present moment; before the first `advance` that is the beginning of the past."""
        self._wait(life, next(life))

    def advance(self, now: float) -> None:
        """Lets everything happen up to `now`, epoch seconds; no moment is later than that."""
        step = now - self._seen
        if not 0 <= step <= LONGEST_STEP:
            self._clock = replace(self._clock, began=self._clock.began + step)
        self._seen = now
        until = self._clock.studio(now)
        while self._due and self._due[0][0] <= until:
            self._at, _, life = heapq.heappop(self._due)
            self._wake(life, Moment(self._at, min(self._clock.wall(self._at), now)))

    def idle(self) -> float:
        """Wall seconds from the last `advance` until something happens; infinite when nothing ever will."""
        return max(0.0, self._clock.wall(self._due[0][0]) - self._seen) if self._due else math.inf

    def wall(self, delay: float) -> float:
        """Epoch seconds of the moment that comes `delay` studio seconds after the present one."""
        return self._clock.wall(self._at + delay)

    def _wake(self, life: Life, moment: Moment) -> None:
        try:
            delay = life.send(moment)
        except StopIteration:
            return
        self._wait(life, delay)

    def _wait(self, life: Life, delay: float) -> None:
        heapq.heappush(self._due, (self._at + delay, next(self._order), life))


def chance(seed: int, system: str) -> Random:
    """The dice of one system: each has its own, so that a new one does not change what happens in the others."""
    return Random(f"{seed}/{system}")


def rhythm(at: float) -> float:
    """How busy the studio is: 1.6 at the height of the day, 0.4 in the night; the demo begins in the morning, at 1."""
    return 1 + 0.6 * math.sin(2 * math.pi * at / DAY)


class Trouble:
    """Now and then one of `names` fails nearly everything for a while, then recovers; otherwise failures are rare.

    `lasts` gives for each name how long, in studio seconds, on average.
    """

    def __init__(self, dice: Random, lasts: dict[str, float], rare: float = 0.04) -> None:
        self._dice, self._lasts, self._rare = dice, lasts, rare
        self.name: str | None = None

    def life(self) -> Life:
        """The trouble comes and goes, for ever."""
        while True:
            yield self._dice.uniform(3 * HOUR, 9 * HOUR)
            self.name = self._dice.choice(tuple(self._lasts))
            yield self._lasts[self.name] * self._dice.uniform(0.7, 1.3)
            self.name = None

    def strikes(self, name: str) -> bool:
        """Whether what `name` just did fails."""
        return self._dice.random() < (0.92 if name == self.name else self._rare)
