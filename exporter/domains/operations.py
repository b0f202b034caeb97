"""Operations: what a system did lately, counted over windows that end now, and how much of it failed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter.core.family import OTHER, Family, Point

OPERATIONS = (OTHER, "email", "file", "traffic")


@dataclass(frozen=True, slots=True)
class Operations:
    """`attempts` and `failures` by operation and window, where there were any in `windows`; `last` by operation, epoch
    seconds of the newest event that is not in the future; `future` counts those that are."""

    windows: tuple[str, ...]
    attempts: Mapping[tuple[str, str], int]
    failures: Mapping[tuple[str, str], int]
    last: Mapping[str, float]
    future: int


def _filled(counts: Mapping[tuple[str, str], int], windows: tuple[str, ...]) -> Iterator[Point]:
    """Every operation over every window, as people wrote the windows: shortest first is theirs to choose."""
    for operation in OPERATIONS:
        yield from (((operation, window), counts.get((operation, window), 0)) for window in windows)


FAMILIES: tuple[Family[Operations], ...] = (
    Family(
        "gauge",
        "studio_operation_failures",
        "Failed operations in the window that ended at the last background read; rows dated in the future count too. "
        "Sum over operations, never over windows: the longer ones hold the shorter.",
        lambda facts: _filled(facts.failures, facts.windows),
        labels=("operation", "window"),
    ),
    Family(
        "gauge",
        "studio_operation_attempts",
        "Operations in the window that ended at the last background read, failed ones included; rows dated in the "
        "future count too. Sum over operations, never over windows: the longer ones hold the shorter.",
        lambda facts: _filled(facts.attempts, facts.windows),
        labels=("operation", "window"),
    ),
    Family(
        "gauge",
        "studio_operation_last_event_timestamp_seconds",
        "When the newest operation on record took place, as seconds since 1970; rows dated in the future are ignored. "
        "A system that stopped writes no failures either: alert on its age.",
        lambda facts: (((operation,), facts.last[operation]) for operation in OPERATIONS if operation in facts.last),
        labels=("operation",),
    ),
    Family(
        "gauge",
        "studio_operation_future_rows",
        "Rows dated later than the last background read: a clock is wrong, and every window counts them.",
        lambda facts: [((), facts.future)],
    ),
)
