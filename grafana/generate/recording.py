"""Recording rules: what several alerts and panels need, with the copies that several exporters serve taken together.

Names are `level:metric:operations`, where the level names the labels that are left.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from grafana.generate.alert import GRACE, newest, number
from grafana.generate.thresholds import DAY, Thresholds, written

HOUR = 3600.0
DUE = 30 * HOUR
"""How far back a training run that was due is remembered: longer than a day, since most are due once a day."""

SLOW = 120.0
"""Seconds between evaluations over a day and more; longer than two minutes, and a failed one would leave a gap."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recording rule."""

    name: str
    expr: str


def windows(t: Thresholds) -> list[float]:
    """Seconds of all windows that finished work is counted over, the shortest first."""
    named = {seconds for window in t.objective.windows for seconds in (window.long, window.short)}
    return sorted({*named, t.span(HOUR)})


def grown(metric: str, window: float, span: str) -> str:
    """How much the counter of each lane grew. A lane is born with what finished in it first, which is no increase; of
    one that is younger than the window all counts."""
    young = f"{metric}_total\nand\ntime() - {metric}_created < {number(window)}"
    return f"\n{young}\nor\nincrease({metric}_total[{span}])\n"


def increases(t: Thresholds, window: float) -> Iterator[Recorded]:
    """What finished and failed within a window. Its name stays when a test divides durations."""
    name = written(window * t.shrunk, "seconds")
    span = written(max(window, GRACE) if t.shrunk > 1 else window, "seconds")
    for what in ("finished", "failed"):
        lane = f"source_pipeline_lane:studio_work_{what}:increase{name}"
        yield Recorded(lane, newest(grown(f"studio_work_{what}", window, span), "source, pipeline, lane"))
        yield Recorded(f"source_pipeline:studio_work_{what}:increase{name}", f"sum by (source, pipeline) ({lane})")
    failed, finished = (f"source_pipeline:studio_work_{what}:increase{name}" for what in ("failed", "finished"))
    yield Recorded(f"source_pipeline:studio_work_failed:ratio_increase{name}", f"{failed}\n/\n({finished} > 0)")


def long(t: Thresholds, window: float) -> bool:
    """Whether a window is so long that it need not be looked at again with every evaluation."""
    return window * t.shrunk >= DAY


def last_finish() -> Iterator[Recorded]:
    """When a unit of work last came to its end, good or bad."""
    name = "studio_work_last_finish:timestamp_seconds"
    times = "\nor\n".join(
        f'label_replace(studio_work_last_{outcome}_timestamp_seconds, "outcome", "{outcome}", "", "")'
        for outcome in ("success", "failure")
    )
    yield Recorded(f"source_pipeline_lane:{name}", f"max by (source, pipeline, lane) (\n{times}\n)")
    yield Recorded(f"source_pipeline:{name}", f"max by (source, pipeline) (source_pipeline_lane:{name})")


def queues(t: Thresholds) -> Iterator[Recorded]:
    """What waits, by farm and by platform."""
    jobs = f'studio_render_jobs{{status=~"submitted|queued",farm!~"{t.idle_farms}"}}'
    yield Recorded(
        "source_farm:studio_render_jobs:waiting", f"sum by (source, farm) ({newest(jobs, 'source, farm, status')})"
    )
    items = 'studio_publish_items{status=~"pending|processing|retry"}'
    by = "source, platform, status"
    yield Recorded("source_platform:studio_publish_items:backlog", f"sum by (source, platform) ({newest(items, by)})")
    total = f"sum by (source) ({newest('studio_publish_items', by)})"
    yield Recorded(
        "source:studio_publish_items:unfinished_ratio",
        f"sum by (source) (source_platform:studio_publish_items:backlog)\n/\n({total} > 0)",
    )


def rest(t: Thresholds) -> Iterator[Recorded]:
    """The time at which a training run was due that has passed; and how full file systems are."""
    remembered = written(t.span(DUE), "seconds")
    due = f"min by (source) (min_over_time(studio_training_next_run_timestamp_seconds[{remembered}]))"
    yield Recorded("source:studio_training_due:timestamp_seconds", f"{due} < time()")
    free = "studio_host_filesystem_available_bytes\n/\n(studio_host_filesystem_size_bytes > 0)"
    yield Recorded(
        "source_mountpoint:studio_host_filesystem:used_ratio", f"max by (source, mountpoint) (\n1 - {free}\n)"
    )
