"""Alerts about finished work, the same for every pipeline: streaks, no success, silence, a burning failure budget."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from grafana.generate.alert import Alert, Place, beyond, graded, newest, number
from grafana.generate.thresholds import Severity, Thresholds, Window, written

PARTS: Mapping[str, tuple[str, ...]] = {
    "database": ("operation", "training_session"),
    "files": ("training_run",),
    "queue": ("publish",),
}
"""The pipelines whose work a part sees finish, where the part has not the name of the pipeline."""

MIXED = 'lane!~"unknown|_other"'
"""Lanes in which different things fall together: that all of them fail says nothing of any."""

RECENT = 86_400.0
"""Seconds within which a lane must have failed for anyone to care that it never succeeded."""

BY_PIPELINE = "source, pipeline"
BY_LANE = "source, pipeline, lane"
WHERE = "{{ $labels.pipeline }} ({{ $labels.source }})"
WHICH = "{{ $labels.pipeline }} {{ $labels.lane }} ({{ $labels.source }})"


def part_of(pipeline: str) -> str:
    """The part that sees the work of a pipeline finish."""
    return next((part for part, pipelines in PARTS.items() if pipeline in pipelines), pipeline)


def part_label() -> str:
    """The same as a template, of the pipeline that an alert is about."""
    tests = (" ".join(f'"{pipeline}"' for pipeline in pipelines) for pipelines in PARTS.values())
    cases = (f"{{{{ else if eq $labels.pipeline {test} }}}}{part}" for test, part in zip(tests, PARTS, strict=True))
    return "".join(cases).replace("else if", "if", 1) + "{{ else }}{{ $labels.pipeline }}{{ end }}"


def about_work(name: str, severity: Severity, expr: str, summary: str, description: str) -> Alert:
    """An alert on one of the families of the ledger."""
    place = Place("work", "studio-work", part_label())
    return Alert(name, severity, expr, summary, description, place, about=("source", "pipeline"))


def about_lane(name: str, severity: Severity, expr: str, summary: str, description: str) -> Alert:
    """The same on one lane of a pipeline."""
    return replace(about_work(name, severity, expr, summary, description), about=("source", "pipeline", "lane"))


def alerts(t: Thresholds) -> Iterator[Alert]:
    """All of them; what is firing goes on over a gap."""
    for made in (*streaks(t), *without_success(t), *silence(t), *burns(t), *late(t)):
        yield replace(made, keep=t.gap)


def streaks(t: Thresholds) -> Iterator[Alert]:
    """A lane's before its pipeline's, which mutes it: they end together, and Alertmanager hears of one at a time."""
    whole, lane = t["pipeline_failure_streak"], t["lane_failure_streak"]
    yield from graded(
        lane,
        lambda severity: about_lane(
            "StudioLaneFailureStreak",
            severity,
            beyond(newest("studio_work_failure_streak", BY_LANE), lane, severity),
            f"{WHICH}: the last {{{{ $value }}}} all failed.",
            "{{ $value }} units of work of this lane failed in a row, and none has succeeded since.",
        ),
    )
    yield from graded(
        whole,
        lambda severity: about_work(
            "StudioPipelineFailureStreak",
            severity,
            beyond(newest("studio_work_pipeline_failure_streak", BY_PIPELINE), whole, severity),
            f"{WHERE}: the last {{{{ $value }}}} all failed.",
            "{{ $value }} units of work failed in a row, in whichever lane, and none has succeeded since.",
        ),
    )


def without_success(t: Thresholds) -> Iterator[Alert]:
    """Attempts go on and none succeeds; and none ever did, where there is no time of a success to be old."""
    level = t["since_success"]
    succeeded = newest("studio_work_last_success_timestamp_seconds", BY_LANE)
    failed = newest("studio_work_last_failure_timestamp_seconds", BY_LANE)
    recently = f"and on ({BY_LANE})\ntime() - {failed} < {number(level['warning'])}"
    yield from graded(
        level,
        lambda severity: about_lane(
            "StudioNoRecentSuccess",
            severity,
            f"{beyond(f'time() - {succeeded}', level, severity)}\n{recently}",
            f"{WHICH}: no success for over {level.text(severity)}, and it still fails.",
            "The last success was {{ $value | humanizeDuration }} ago, and work has failed within "
            f"{level.text('warning')}.",
        ),
    )
    never = newest(f"studio_work_last_failure_timestamp_seconds{{{MIXED}}}", BY_LANE)
    yield replace(
        about_lane(
            "StudioNeverSucceeded",
            "warning",
            f"time() - {never} < {number(t.span(RECENT))}\nunless on ({BY_LANE})\n{succeeded}",
            f"{WHICH}: nothing has ever succeeded.",
            "It failed {{ $value | humanizeDuration }} ago, and there is no success on record: this lane has never "
            "worked.",
        ),
        lasting=t.lasting["never_succeeded"],
    )


def silence(t: Thresholds) -> Iterator[Alert]:
    """Nothing finishes where something always does."""
    for pipeline, level in t.silence.items():
        finished = f'source_pipeline:studio_work_last_finish:timestamp_seconds{{pipeline="{pipeline}"}}'
        for severity in level.severities:
            made = about_work(
                "StudioNothingFinished",
                severity,
                beyond(f"time() - {finished}", level, severity),
                f"{WHERE}: nothing has finished for over {level.text(severity)}.",
                "The last unit of work, good or bad, came to its end {{ $value | humanizeDuration }} ago: a system "
                "that stopped has no failures either.",
            )
            yield replace(made, place=replace(made.place, part=part_of(pipeline)), lasting=level.lasting)


def burns(t: Thresholds) -> Iterator[Alert]:
    """The failure budget is burnt so fast that it will not last, over a long window and still over a short one."""
    for window in t.objective.windows:
        yield replace(burn(t, window), lasting=window.lasting)


def burn(t: Thresholds, window: Window) -> Alert:
    long, short = (written(seconds * t.shrunk, "seconds") for seconds in (window.long, window.short))
    ratio = "source_pipeline:studio_work_failed:ratio_increase"
    above = f"> {number(window.rate * t.objective.budget)}"
    made = about_work(
        "StudioFailureBudgetBurn",
        window.severity,
        f"{ratio}{long} {above}\nand on ({BY_PIPELINE})\n{ratio}{short} {above}\nand on ({BY_PIPELINE})\n"
        f"source_pipeline:studio_work_finished:increase{long} >= {t.objective.least_finished}",
        f"{WHERE}: the failure budget burns at over {window.rate:g}x what it can bear.",
        f"{{{{ $value | humanizePercentage }}}} of what finished within {long} failed, and "
        f"{t.objective.budget * 100:g}% may.",
    )
    return replace(made, labels={"long_window": long})


def late(t: Thresholds) -> Iterator[Alert]:
    level = t["work_late"]
    hour = written(t.span(3600), "seconds")
    yield from graded(
        level,
        lambda severity: about_work(
            "StudioWorkLate",
            severity,
            beyond(newest(f"increase(studio_work_late_total[{hour}])", BY_PIPELINE), level, severity),
            f"{WHERE}: work turns up too late to be counted.",
            "About {{ $value | humanize }} units of work within an hour turned up longer after their time than "
            "ledger.overlap allows. They are in no counter and no streak.",
        ),
    )
