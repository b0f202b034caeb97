"""What became of the counts of operations between two reads."""

from collections.abc import Iterator, Mapping

from exporter.core.event import Event
from exporter.domains.operations import OPERATIONS, Operations

CHANGED = "operation.changed"
FAILED = "operation.failed"


def events(before: Operations, after: Operations) -> Iterator[Event]:
    """The counts of each operation that has others now, in all windows; and where its failures rose, how many new ones
    there must be at least. A window loses what grows old, so that more may have come than its count rose by."""
    for operation in OPERATIONS:
        failed, failures = (_windows(facts, facts.failures, operation) for facts in (before, after))
        tried, attempts = (_windows(facts, facts.attempts, operation) for facts in (before, after))
        if (tried, failed) != (attempts, failures):
            counts = {"operation": operation, "attempts": attempts, "failures": failures}
            yield Event(CHANGED, {"event": CHANGED, **counts})
        rise = max((failures[window] - failed[window] for window in failures.keys() & failed.keys()), default=0)
        if rise > 0:
            yield Event(FAILED, {"event": FAILED, "operation": operation, "at_least": rise})


def _windows(facts: Operations, counts: Mapping[tuple[str, str], int], operation: str) -> dict[str, int]:
    return {window: counts.get((operation, window), 0) for window in facts.windows}
