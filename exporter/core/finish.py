"""A finish: one unit of work that came to its end, as its source tells it; and how a part hands finishes over.

Times and durations are integer microseconds, times of the epoch in UTC: sums and orders of integers are exact.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from math import isfinite
from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")

SECOND = 1_000_000
GRAIN = SECOND
"""The coarsest clock of any source: MariaDB keeps whole seconds, and truncates to them."""

LONGEST_IDENTITY = 160
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Finish(NamedTuple):  # a tuple and no dataclass: there is one for every row that is read
    """`ok` None is remembered and counts as nothing. `attempt` is what tells two finishes of one key apart where the
    source has something better than their times. `duration` is None where it is not known."""

    key: str
    at: int
    lane: str
    ok: bool | None
    duration: int | None = None
    attempt: str | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What a lane's finishes on record amount to; `failing` is the key of the last failure, `streak` the failures since
    the last success."""

    last_success: int | None = None
    last_failure: int | None = None
    failing: str = ""
    streak: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """What all finishes on record amount to when an account is opened, a finish in the future taken as one of now.
    `streak` is the whole pipeline's. `newest` is the newest time that is not in the future."""

    streak: int = 0
    lanes: Mapping[str, Past] = field(default_factory=dict)
    newest: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Finishes that are handed over together, in any order, and lanes that are known to be there without one.

    `under` is given by a source that hands over all it has, as one file: how many finishes below the floor it knew of
    and left out, 0 where it left out none. Only such a source can tell that some came too late.
    `history` is needed in the first batch of an account by a source that does not hand over all it has.
    """

    finishes: Sequence[Finish]
    lanes: tuple[str, ...] = ()
    under: int | None = None
    history: History | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a pipeline in a read that began at `now`: finishes with `at` at or above `floor`.

    `floor` is None where no account is open yet: then there is one batch alone, with everything at or above
    `opening(newest)`, and the history.
    """

    now: int
    overlap: int
    floor: int | None = None

    def opening(self, newest: int | None) -> int:
        """The floor of an account that is opened now; `newest` is the newest time that is not later than now."""
        return (self.now if newest is None else newest) - self.overlap - GRAIN


@dataclass(frozen=True, slots=True)
class Pipeline(Generic[V]):
    """Work that a part sees come to its end.

    `pages` gives batches for what a read found, in the order of time; each is on disk before the next one is asked for.
    `lanes` are known before any is seen. `timed` says whether there are durations. `fingerprint` names the database or
    file without secrets; where it changes, the operator is warned. `label` is the one by which the source's other
    families have its lanes, if they do.
    """

    name: str
    fingerprint: str
    pages: Callable[[V, Ask], AsyncGenerator[Batch, None]]
    lanes: tuple[str, ...] = ()
    timed: bool = True
    label: str = ""


def named(finish: Finish) -> str:
    """What makes two finishes one, as text: key and attempt, the attempt being the time where the source gives none."""
    key, at, _, _, _, attempt = finish
    return f"@{at} {key}" if attempt is None else f"={len(attempt)} {attempt} {key}"


def identity(finish: Finish) -> str:
    """The same as every database keeps it and tells it from every other: at most 160 printable ASCII characters. Where
    `named` is such text, that is it."""
    text = named(finish)
    if len(text) <= LONGEST_IDENTITY and text.isascii() and text.isprintable() and text[-1] != " ":
        return text
    return "#" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def instant(value: object) -> int | None:
    """Microseconds of a database's time: a datetime or ISO 8601 text, in UTC where it names no zone; else None."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)  # type: ignore[arg-type]  # it refuses what is no text
        return ((found if found.tzinfo else found.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
    except (TypeError, ValueError, OverflowError):
        return None


def span(seconds: float | None) -> int | None:
    """Microseconds of a duration in seconds; None where it is none: negative, not finite, not known."""
    if seconds is None or not isfinite(seconds) or seconds < 0:
        return None
    return round(seconds * SECOND)
