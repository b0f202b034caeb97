"""What a few aggregates over all rows amount to: the streaks and last times that an account is opened with."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from exporter.core.finish import History, Past


@dataclass(frozen=True, slots=True)
class Ends:
    """The newest success and the newest failure of a lane, microseconds, and the newest finish that is not in the
    future; None where there is none."""

    success: int | None = None
    failure: int | None = None
    newest: int | None = None

    def joined(self, other: "Ends") -> "Ends":
        """The later of both."""
        return Ends(
            latest(self.success, other.success), latest(self.failure, other.failure), latest(self.newest, other.newest)
        )


Since = Callable[[int | None], Mapping[str, int]]
"""By lane, how many failures are later than a time, or how many there are at all."""

Failing = Callable[[int], Mapping[str, str]]
"""By lane, the greatest key of the failures at a time or later."""


def latest(*times: int | None) -> int | None:
    """The latest of some times, None where there is none."""
    return max((time for time in times if time is not None), default=None)


def joined(ends: Iterable[tuple[str, Ends]]) -> dict[str, Ends]:
    """By lane, the latest of all that is said of it."""
    found: dict[str, Ends] = {}
    for lane, each in ends:
        found[lane] = found.get(lane, Ends()).joined(each)
    return found


def history(ends: Mapping[str, Ends], failures: Since, failing: Failing, now: int) -> History:
    """The history of these lanes. What is later than `now` has happened now; a failure of the same instant as a success
    is no part of a streak."""

    def streak(success: int | None, failure: int | None) -> Mapping[str, int]:
        if failure is None or (success is not None and min(success, now) >= min(failure, now)):
            return {}
        return failures(success)

    def past(lane: str, each: Ends) -> Past:
        failure = None if each.failure is None else min(each.failure, now)
        return Past(
            last_success=None if each.success is None else min(each.success, now),
            last_failure=failure,
            failing="" if failure is None else failing(failure).get(lane, ""),
            streak=streak(each.success, each.failure).get(lane, 0),
        )

    success = latest(*(each.success for each in ends.values()))
    failure = latest(*(each.failure for each in ends.values()))
    return History(
        streak=sum(streak(success, failure).values()),
        lanes={lane: past(lane, each) for lane, each in ends.items()},
        newest=latest(*(each.newest for each in ends.values())),
    )
