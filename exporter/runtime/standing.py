"""How a part stands: its last good value and how its reads have gone; and the families that say so."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from exporter.core.errors import REASONS
from exporter.core.event import Event
from exporter.core.family import Family, Histogram, Point, Total
from exporter.core.part import SKIPS, Part, Taken
from exporter.runtime.guard import Failure
from exporter.runtime.render import DROPS, Block

NO_READS = Histogram.empty((0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt at reading a part: `at` epoch seconds and `tick` monotonic ones, of its start; `seconds` it took.

    `found` is what was taken, or why nothing was. `blocks` are its families' bytes by family name, None where the value
    is the one before. `events` are what changed since then. `uncounted` is why finished work could not be read for
    the ledger, `unannounced` why nobody can be told what changed.
    """

    at: float
    tick: float
    seconds: float
    found: Taken[Any] | Failure
    blocks: Mapping[str, Block] | None = None
    uncounted: Failure | None = None
    events: Sequence[Event] = ()
    unannounced: Failure | None = None

    @property
    def failure(self) -> Failure | None:
        """Why the attempt failed, None where it did not."""
        return self.found if isinstance(self.found, Failure) else self.uncounted or self.unannounced


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a part. Times are epoch seconds, `good_tick` is monotonic; None until there was one.

    `attempted` is when the last read ended, `since` when the part began to stand as it does now (well, or failing);
    `failing` counts failures in a row.
    `stale` means that the last good value is too old to be shown.
    """

    part: Part[Any]
    opened: float
    taken: Taken[Any] | None = None
    failure: Failure | None = None
    attempted: float | None = None
    since: float | None = None
    last_success: float | None = None
    good_tick: float | None = None
    reads: int = 0
    failing: int = 0
    failures: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))
    durations: Histogram = NO_READS
    last_seconds: float | None = None
    stale: bool = False

    @property
    def tried(self) -> bool:
        return self.reads > 0

    @property
    def up(self) -> bool:
        return self.tried and self.failure is None

    def after(self, outcome: Outcome) -> "Standing":
        """How the part stands after one more attempt. A read whose finished work could not be read, or whose changes
        could not be told, has failed, and yet brought something."""
        failure = outcome.failure
        turned = not self.tried or self.up is (failure is not None)
        attempted = replace(
            self,
            attempted=outcome.at + outcome.seconds,
            reads=self.reads + 1,
            since=outcome.at if turned else self.since,
            durations=self.durations.observe(outcome.seconds),
            last_seconds=outcome.seconds,
            failure=failure,
            failing=0 if failure is None else self.failing + 1,
            failures=self.failures if failure is None else self._failures_with(failure.reason),
        )
        if isinstance(outcome.found, Failure):
            return attempted
        return replace(
            attempted,
            taken=outcome.found,
            last_success=outcome.at,
            good_tick=outcome.tick,
            stale=False,
        )

    def _failures_with(self, reason: str) -> dict[str, int]:
        return {**self.failures, reason: self.failures[reason] + 1}


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the source families say of one source: its parts, and what its caps did."""

    kind: str
    standings: tuple[Standing, ...]
    series: int
    limit: int
    dropped: Mapping[str, int]


def by_part(facts: SourceFacts, what: str) -> Iterator[Point]:
    for standing in facts.standings:
        yield (standing.part.name,), getattr(standing, what)


def up(facts: SourceFacts) -> Iterable[Point]:
    return (((s.part.name,), int(s.up)) for s in facts.standings if s.tried)


def errors(facts: SourceFacts) -> Iterable[Point]:
    for s in facts.standings:
        if s.tried:
            now = s.failure.reason if s.failure else None
            yield from (((s.part.name, reason), int(reason == now)) for reason in REASONS)


def failures(facts: SourceFacts) -> Iterable[Point]:
    for s in facts.standings:
        yield from (((s.part.name, reason), Total(count, s.opened)) for reason, count in s.failures.items())


def skipped(facts: SourceFacts) -> Iterable[Point]:
    for s in facts.standings:
        if s.taken:
            yield from (((s.part.name, reason), s.taken.skipped.get(reason, 0)) for reason in SKIPS)


FAMILIES: tuple[Family[SourceFacts], ...] = (
    Family(
        "info",
        "studio_source_info",
        "The kind of system a configured source is.",
        lambda f: [((f.kind,), 1)],
        labels=("kind",),
    ),
    Family(
        "gauge",
        "studio_source_up",
        "Whether the last read of the part succeeded (1) or failed (0); reads happen in the background. One that "
        "brought values but whose finished work could not be read has failed too.",
        up,
        labels=("part",),
    ),
    Family(
        "gauge",
        "studio_source_last_success_timestamp_seconds",
        "When the last read of the part began that brought values. Everything the part serves is from then.",
        lambda f: by_part(f, "last_success"),
        labels=("part",),
    ),
    Family(
        "gauge",
        "studio_source_interval_seconds",
        "How often the part is read.",
        lambda f: (((s.part.name,), s.part.schedule.interval) for s in f.standings),
        labels=("part",),
    ),
    Family(
        "gauge",
        "studio_source_timeout_seconds",
        "How long a read of the part may take.",
        lambda f: (((s.part.name,), s.part.schedule.timeout) for s in f.standings),
        labels=("part",),
    ),
    Family(
        "counter",
        "studio_source_reads_total",
        "Reads of the part, failed ones included.",
        lambda f: (((s.part.name,), Total(s.reads, s.opened)) for s in f.standings),
        labels=("part",),
    ),
    Family(
        "counter",
        "studio_source_read_failures_total",
        "Failed reads of the part, by reason.",
        failures,
        labels=("part", "reason"),
    ),
    Family(
        "histogram",
        "studio_source_read_duration_seconds",
        "How long reads of the part took, failed ones included.",
        lambda f: (((s.part.name,), replace(s.durations, created=s.opened)) for s in f.standings),
        labels=("part",),
    ),
    Family(
        "gauge",
        "studio_source_error",
        "Why the last read of the part failed: 1 for that reason, 0 for the others; all 0 when it succeeded.",
        errors,
        labels=("part", "reason"),
    ),
    Family(
        "gauge",
        "studio_source_skipped_records",
        "Records that the last successful read of the part left out, by reason.",
        skipped,
        labels=("part", "reason"),
    ),
    Family(
        "gauge",
        "studio_source_dropped_samples",
        "Samples of the source that are not on the page, by reason: a label or value that cannot be written, "
        "a duplicate, or the cap on series.",
        lambda f: (((reason,), f.dropped.get(reason, 0)) for reason in DROPS),
        labels=("reason",),
    ),
    Family(
        "gauge",
        "studio_source_series",
        "Series of the source on the page, studio_source_* and studio_work_* apart.",
        lambda f: [((), f.series)],
    ),
    Family(
        "gauge",
        "studio_source_series_limit",
        "The most series of the source that the page shows; past it whole families are left out.",
        lambda f: [((), f.limit)],
    ),
)
