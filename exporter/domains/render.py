"""Render: jobs on farms, and how long they wait and run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter.core.family import Family, Point
from exporter.domains.finished import NONE, Finished
from exporter.domains.table import table

SUBMITTED = "submitted"
QUEUED = "queued"
RUNNING = "running"
PAUSED = "paused"
COMPLETED = "completed"
FAILED = "failed"
CANCELLED = "cancelled"
STATUSES = (CANCELLED, COMPLETED, FAILED, PAUSED, QUEUED, RUNNING, SUBMITTED)


@dataclass(frozen=True, slots=True)
class Render:
    """`jobs` by farm and status; by farm, when the oldest job that waits (submitted or queued) was created and when the
    oldest one running last began to (epoch seconds; a farm without any, or with none past, is left out); and the jobs
    that were completed or failed, with the farm as their lane."""

    jobs: Mapping[tuple[str, str], int]
    oldest_waiting: Mapping[str, float]
    oldest_running: Mapping[str, float]
    finishes: Finished = NONE


def _by_farm(times: Mapping[str, float]) -> Iterator[Point]:
    return (((farm,), time) for farm, time in sorted(times.items()))


FAMILIES: tuple[Family[Render], ...] = (
    Family(
        "gauge",
        "studio_render_jobs",
        "Render jobs on record at the last background read, by farm and status; aborted and errored jobs count as "
        "failed. Sum over farms and statuses; where several exporters watch one source, after max by (source, farm, "
        "status).",
        lambda facts: table(facts.jobs, STATUSES),
        labels=("farm", "status"),
        named=("farm",),
    ),
    Family(
        "gauge",
        "studio_render_oldest_waiting_timestamp_seconds",
        "When the oldest render job that was submitted or queued at the last background read was created, as seconds "
        "since 1970; absent where none waits, and times in the future are ignored. Take the min, never a sum.",
        lambda facts: _by_farm(facts.oldest_waiting),
        labels=("farm",),
        named=("farm",),
        merge="min",
    ),
    Family(
        "gauge",
        "studio_render_oldest_running_timestamp_seconds",
        "When the render job that had been running longest at the last background read began to run, as seconds since "
        "1970; absent where none runs, and times in the future are ignored. Take the min, never a sum.",
        lambda facts: _by_farm(facts.oldest_running),
        labels=("farm",),
        named=("farm",),
        merge="min",
    ),
)
