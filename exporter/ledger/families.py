"""What the page says of finished work, and of the ledger that counts it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from exporter.core.family import OTHER, Exemplar, Family, Histogram, Point, Total, Value
from exporter.core.finish import SECOND
from exporter.ledger.account import Account
from exporter.ledger.lane import BOUNDS, Lane
from exporter.ledger.trouble import REASONS

MIXED = (OTHER, "unknown")
"""Lanes in which different things fall together: they count, and have no streak of their own (LEDGER 11)."""


@dataclass(frozen=True, slots=True)
class Work:
    """One pipeline of a source, as it was last committed; `timed` says whether its source knows durations."""

    pipeline: str
    account: Account
    timed: bool = True


Works = tuple[Work, ...]


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """How the ledger itself stands; times are epoch seconds, None until there was one. `size` in bytes is None where a
    server keeps the store."""

    up: bool
    opened: float
    created: float | None
    last_commit: float | None
    size: int | None
    failures: Mapping[str, int]


def _lanes(say: Callable[[Work, str, Lane], Value]) -> Callable[[Works], Iterator[Point]]:
    """Points by pipeline and lane, in the order of their names."""

    def points(works: Works) -> Iterator[Point]:
        for work in works:
            for name, lane in sorted(work.account.lanes.items()):
                yield (work.pipeline, name), say(work, name, lane)

    return points


def _pipelines(say: Callable[[Account], Value]) -> Callable[[Works], Iterable[Point]]:
    return lambda works: (((work.pipeline,), say(work.account)) for work in works)


def seconds(microseconds: int | None) -> float | None:
    """Microseconds as seconds; None stays None."""
    return None if microseconds is None else microseconds / SECOND


def _failed(_: Work, __: str, lane: Lane) -> Total:
    at = lane.last_failure if lane.failed else None
    last = None if at is None else Exemplar({"unit": lane.failing}, at / SECOND)
    return Total(lane.failed, seconds(lane.opened), last)


def _durations(work: Work, _: str, lane: Lane) -> Histogram | None:
    if not work.timed:
        return None
    return Histogram(tuple(map(float, BOUNDS)), lane.counts, lane.duration / SECOND, seconds(lane.opened))


def _untimed(work: Work, _: str, lane: Lane) -> Total | None:
    return Total(lane.untimed, seconds(lane.opened)) if work.timed else None


def _late(account: Account) -> Total | None:
    return None if account.under is None else Total(account.late, seconds(account.opened))


BY_LANE = ("pipeline", "lane")

FAMILIES: tuple[Family[Works], ...] = (
    Family(
        "counter",
        "studio_work_finished_total",
        "Units of work that came to their end, failed ones included, each counted once since the account was opened. "
        "Sum over lanes; where several exporters watch one source, after max by (source, pipeline, lane).",
        _lanes(lambda _, __, lane: Total(lane.finished, seconds(lane.opened))),
        labels=BY_LANE,
    ),
    Family(
        "counter",
        "studio_work_failed_total",
        "Units of work that came to their end and failed, each counted once since the account was opened; the exemplar "
        "names the last one. Sum over lanes; where several exporters watch one source, after max by (source, pipeline, "
        "lane).",
        _lanes(_failed),
        labels=BY_LANE,
    ),
    Family(
        "histogram",
        "studio_work_duration_seconds",
        "How long units of work took that succeeded, each counted once since the account was opened. Sum over lanes; "
        "where several exporters watch one source, after max by (source, pipeline, lane, le).",
        _lanes(_durations),
        labels=BY_LANE,
    ),
    Family(
        "counter",
        "studio_work_untimed_total",
        "Units of work that succeeded and are not in studio_work_duration_seconds, because their duration is not known "
        "or impossible. Sum over lanes.",
        _lanes(_untimed),
        labels=BY_LANE,
    ),
    Family(
        "gauge",
        "studio_work_last_success_timestamp_seconds",
        "When a unit of work last succeeded, as seconds since 1970, also where that was before the account was opened; "
        "absent where none did. Take the max.",
        _lanes(lambda _, __, lane: seconds(lane.last_success)),
        labels=BY_LANE,
    ),
    Family(
        "gauge",
        "studio_work_last_failure_timestamp_seconds",
        "When a unit of work last failed, as seconds since 1970, also where that was before the account was opened; "
        "absent where none did. Take the max.",
        _lanes(lambda _, __, lane: seconds(lane.last_failure)),
        labels=BY_LANE,
    ),
    Family(
        "gauge",
        "studio_work_failure_streak",
        "Failures since the last success of the lane; a success of the same instant ends them. Lanes in which "
        "different things fall together (_other, unknown) have none. Take the max, never a sum.",
        _lanes(lambda _, name, lane: None if name in MIXED else lane.streak.length),
        labels=BY_LANE,
    ),
    Family(
        "gauge",
        "studio_work_pipeline_failure_streak",
        "Failures since the last success of the pipeline, in whichever lane; a success of the same instant ends them. "
        "Take the max, never a sum.",
        _pipelines(lambda account: account.streak.length),
        labels=("pipeline",),
    ),
    Family(
        "counter",
        "studio_work_late_total",
        "Units of work that turned up longer after their time than ledger.overlap allows and are in no other counter: "
        "at least this many. Absent where the source cannot tell.",
        _pipelines(_late),
        labels=("pipeline",),
    ),
    Family(
        "gauge",
        "studio_work_mark_timestamp_seconds",
        "The newest time of a finished unit of work that was not in the future when it was first seen, as seconds "
        "since 1970; what is older than this by more than ledger.overlap is not counted. Where this is ahead of the "
        "clock, the clock of the exporter was wrong. Take the max.",
        _pipelines(lambda account: seconds(account.mark)),
        labels=("pipeline",),
    ),
    Family(
        "gauge",
        "studio_work_future_rows",
        "Finished units of work dated later than studio_work_mark_timestamp_seconds: counted, and remembered until "
        "their time has passed. A clock is wrong. Take the max.",
        _pipelines(lambda account: account.seen.later(account.mark)),
        labels=("pipeline",),
    ),
)

OWN: tuple[Family[LedgerFacts], ...] = (
    Family(
        "gauge",
        "studio_exporter_ledger_up",
        "Whether the ledger's store could be used the last time (1) or not (0); what is served then is what was last "
        "committed, and nothing is lost or counted twice.",
        lambda facts: [((), int(facts.up))],
        of_exporter=True,
    ),
    Family(
        "gauge",
        "studio_exporter_ledger_created_timestamp_seconds",
        "When the ledger's store was made, as seconds since 1970. A new one means that all counters began anew.",
        lambda facts: [((), facts.created)],
        of_exporter=True,
    ),
    Family(
        "gauge",
        "studio_exporter_ledger_last_commit_timestamp_seconds",
        "When something new was last written to the ledger's store, as seconds since 1970.",
        lambda facts: [((), facts.last_commit)],
        of_exporter=True,
    ),
    Family(
        "gauge",
        "studio_exporter_ledger_size_bytes",
        "The size of the ledger's file with what belongs to it; absent where a server keeps it.",
        lambda facts: [((), facts.size)],
        of_exporter=True,
    ),
    Family(
        "counter",
        "studio_exporter_ledger_commit_failures_total",
        "Attempts to use the ledger's store that failed, by reason.",
        lambda facts: (((reason,), Total(facts.failures.get(reason, 0), facts.opened)) for reason in REASONS),
        labels=("reason",),
        of_exporter=True,
    ),
)
