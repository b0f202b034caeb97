"""Alerts about what a studio has: ingest, render, review, publishing, operations, agents and their machine."""

from collections.abc import Iterator
from dataclasses import replace

from grafana.generate.alert import Alert, Place, age, beyond, graded, newest, number
from grafana.generate.thresholds import Severity, Thresholds, written

FARM = "{{ $labels.farm }} ({{ $labels.source }})"
PLATFORM = "{{ $labels.platform }} ({{ $labels.source }})"
LONG_AGO = "{{ $value | humanizeDuration }}"
QUEUE = Place("publishing", "studio-publishing", "queue")
WEEK = 7 * 86_400.0


def alerts(t: Thresholds) -> Iterator[Alert]:
    """All of them; what is firing goes on over a gap."""
    subjects = (ingest, render, render_queue, review, publishing, publishing_queue, operations, training, quality, host)
    for subject in subjects:
        for made in subject(t):
            yield replace(made, keep=t.gap)


def ingest(t: Thresholds) -> Iterator[Alert]:
    level = t["ingest_running"]
    yield from graded(
        level,
        lambda severity: Alert(
            name="StudioIngestRunStuck",
            severity=severity,
            expr=beyond(age("studio_ingest_oldest_running_timestamp_seconds", "source"), level, severity),
            summary=f"{{{{ $labels.source }}}}: an ingest run has been running for over {level.text(severity)}.",
            description=f"The oldest run that is not completed was started {LONG_AGO} ago.",
            place=Place("ingest", "studio-ingest", "ingest"),
            about=("source",),
        ),
    )


def about_farm(name: str, severity: Severity, expr: str, summary: str, description: str) -> Alert:
    place = Place("render", "studio-render", "render")
    return Alert(name, severity, expr, f"{FARM}: {summary}", description, place, about=("source", "farm"))


def render(t: Thresholds) -> Iterator[Alert]:
    """Jobs that run or wait too long."""
    living = f'{{farm!~"{t.idle_farms}"}}'
    running, waiting = t["render_running"], t["render_waiting"]
    yield from graded(
        running,
        lambda severity: about_farm(
            "StudioRenderJobStuck",
            severity,
            beyond(age(f"studio_render_oldest_running_timestamp_seconds{living}", "source, farm"), running, severity),
            f"a job has been rendering for over {running.text(severity)}.",
            f"The job that runs longest began to {LONG_AGO} ago.",
        ),
    )
    yield from graded(
        waiting,
        lambda severity: about_farm(
            "StudioRenderOldestWaiting",
            severity,
            beyond(age(f"studio_render_oldest_waiting_timestamp_seconds{living}", "source, farm"), waiting, severity),
            f"a job has been waiting for over {waiting.text(severity)}.",
            f"The oldest job that is submitted or queued was created {LONG_AGO} ago.",
        ),
    )


def render_queue(t: Thresholds) -> Iterator[Alert]:
    """Nothing renders though jobs wait; or too little, for the jobs that do."""
    stalled = t.lasting["render_stalled"]
    running = newest('studio_render_jobs{status="running"}', "source, farm")
    yield replace(
        about_farm(
            "StudioRenderStalled",
            "critical",
            f"source_farm:studio_render_jobs:waiting > 0\nunless on (source, farm)\n{running} > 0",
            "jobs wait and none renders.",
            f"{{{{ $value }}}} jobs wait, and for {written(stalled, 'seconds')} none has been running: no worker takes "
            "any.",
        ),
        lasting=stalled,
    )
    level = t["render_drain"]
    finished = 'source_pipeline_lane:studio_work_finished:increase1h{pipeline="render"} > 0'
    pace = f'label_replace({finished}, "farm", "$1", "lane", "(.*)")'
    yield from graded(
        level,
        lambda severity: about_farm(
            "StudioRenderFallingBehind",
            severity,
            beyond(
                f"{number(t.span(3600))} * source_farm:studio_render_jobs:waiting\n/ on (source, farm)\n{pace}",
                level,
                severity,
            ),
            f"what waits is more than {level.text(severity)} of work.",
            f"At the pace of the last hour the waiting jobs need {LONG_AGO}.",
        ),
    )


def review(t: Thresholds) -> Iterator[Alert]:
    unread, errors = t["review_unread"], t["reconcile_errors"]
    yield from graded(
        unread,
        lambda severity: Alert(
            name="StudioReviewUnread",
            severity=severity,
            expr=beyond(newest("studio_review_unread_playlists", "source, project"), unread, severity),
            summary="{{ $labels.project }} ({{ $labels.source }}): review playlists cannot be read.",
            description="{{ $value }} playlists are missing from all review numbers of the project.",
            place=Place("review", "studio-review", "shotgrid"),
            about=("source", "project"),
        ),
    )
    disagreeing = newest("studio_reconcile_errors", "source, mismatch")
    yield from graded(
        errors,
        lambda severity: Alert(
            name="StudioReconcileErrors",
            severity=severity,
            expr=beyond(disagreeing, errors, severity),
            summary="{{ $labels.source }}: ShotGrid, file system and S3 disagree ({{ $labels.mismatch }}).",
            description="The records disagree about {{ $value }} versions.",
            place=Place("review", "studio-review", "reconcile"),
            about=("source",),
        ),
    )


def about_platform(name: str, severity: Severity, expr: str, summary: str, description: str) -> Alert:
    summary = f"{PLATFORM}: {summary}"
    return Alert(name, severity, expr, summary, description, QUEUE, about=("source", "platform"))


def publishing(t: Thresholds) -> Iterator[Alert]:
    """Publications that wait, hang or are overdue."""
    pending, processing, overdue = t["publish_pending"], t["publish_processing"], t["publish_overdue"]
    by = "source, platform"
    yield from graded(
        pending,
        lambda severity: about_platform(
            "StudioPublishOldestPending",
            severity,
            beyond(age("studio_publish_oldest_pending_timestamp_seconds", by), pending, severity),
            f"a publication has been pending for over {pending.text(severity)}.",
            f"The oldest one was requested {LONG_AGO} ago.",
        ),
    )
    yield from graded(
        processing,
        lambda severity: about_platform(
            "StudioPublishStuck",
            severity,
            beyond(age("studio_publish_oldest_processing_timestamp_seconds", by), processing, severity),
            f"a publication has been in processing for over {processing.text(severity)}.",
            f"It last changed {LONG_AGO} ago: its worker died, or an upload hangs.",
        ),
    )
    yield from graded(
        overdue,
        lambda severity: about_platform(
            "StudioPublishOverdue",
            severity,
            beyond(newest("studio_publish_overdue", by), overdue, severity),
            "publications are overdue.",
            "The scheduled time of {{ $value }} publications has passed, and they are not published.",
        ),
    )


def publishing_queue(t: Thresholds) -> Iterator[Alert]:
    """No worker takes what is pending; or too little is done of it. Without a ledger there is no telling."""
    level, drain = t["publish_stalled"], t["publish_drain"]
    backlog = "source_platform:studio_publish_items:backlog"
    pending = age("studio_publish_oldest_pending_timestamp_seconds", "source, platform")
    last = 'source_pipeline_lane:studio_work_last_finish:timestamp_seconds{pipeline="publish"}'
    counted = newest('studio_work_pipeline_failure_streak{pipeline="publish"}', "source")
    yield from graded(
        level,
        lambda severity: about_platform(
            "StudioPublishStalled",
            severity,
            f"{backlog} > 0\nand on (source, platform)\n{beyond(pending, level, severity)}\n"
            f'unless on (source, platform)\nlabel_replace(time() - {last} < {number(level[severity])}, "platform", '
            f'"$1", "lane", "(.*)")\nand on (source)\n{counted} >= 0',
            "publications wait and no worker takes any.",
            "{{ $value }} publications are unfinished, some pending for over "
            f"{level.text(severity)}, and in that time none was published and none failed.",
        ),
    )
    finished = 'source_pipeline:studio_work_finished:increase1h{pipeline="publish"} > 0'
    yield from graded(
        drain,
        lambda severity: Alert(
            name="StudioPublishFallingBehind",
            severity=severity,
            expr=beyond(
                f"{number(t.span(3600))} * sum by (source) ({backlog})\n/ on (source)\n({finished})", drain, severity
            ),
            summary=f"{{{{ $labels.source }}}}: what is unfinished is more than {drain.text(severity)} of publishing.",
            description=f"At the pace of the last hour the unfinished publications need {LONG_AGO}.",
            place=QUEUE,
            about=("source",),
        ),
    )


def operations(t: Thresholds) -> Iterator[Alert]:
    """The source's own windows: they tell of failures that happened before the exporter was there."""
    failures, ratio = t["operation_failures"], t["operation_failure_ratio"]
    failed = newest('studio_operation_failures{window="1h"}', "source, operation")
    tried = newest('studio_operation_attempts{window="1h"}', "source, operation")
    place = Place("operations", "studio-work", "database")
    operation = "{{ $labels.operation }} ({{ $labels.source }})"
    yield from graded(
        failures,
        lambda severity: Alert(
            "StudioOperationFailures",
            severity,
            beyond(failed, failures, severity),
            f"{operation}: over {failures.text(severity)} failures within an hour.",
            "{{ $value }} operations failed within an hour.",
            place=place,
            about=("source",),
        ),
    )
    yield from graded(
        ratio,
        lambda severity: Alert(
            "StudioOperationFailureRatio",
            severity,
            beyond(f"{failed}\n/\n({tried} >= {ratio.least})", ratio, severity),
            f"{operation}: over {ratio.text(severity)} of the operations of an hour failed.",
            f"{{{{ $value | humanizePercentage }}}} of at least {ratio.least} operations failed.",
            place=place,
            about=("source",),
        ),
    )


def training(t: Thresholds) -> Iterator[Alert]:
    """A session that does not end, a run that failed, a run that never came."""
    level, overdue = t["training_running"], t["training_overdue"]
    files = Place("agents", "studio-agents", "files")
    yield from graded(
        level,
        lambda severity: Alert(
            "StudioTrainingSessionStuck",
            severity,
            beyond(age("studio_training_oldest_running_timestamp_seconds", "source"), level, severity),
            f"{{{{ $labels.source }}}}: a training session has been running for over {level.text(severity)}.",
            f"The oldest running session was started {LONG_AGO} ago; a session that died stays running for ever.",
            place=Place("agents", "studio-agents", "database"),
            about=("source",),
        ),
    )
    yield Alert(
        "StudioTrainingFailed",
        "warning",
        "min by (source) (studio_training_last_run_success) == 0",
        "{{ $labels.source }}: the last training run failed.",
        "The last run on record is no success; the agents go on with what they had learnt before.",
        place=files,
        about=("source",),
        lasting=t.lasting["training_failed"],
    )
    due = "source:studio_training_due:timestamp_seconds"
    finished = 'source_pipeline:studio_work_last_finish:timestamp_seconds{pipeline="training_run"}'
    yield from graded(
        overdue,
        lambda severity: Alert(
            "StudioTrainingOverdue",
            severity,
            f"{beyond(f'time() - {due}', overdue, severity)}\nand on (source)\n{due} > on (source) {finished}",
            f"{{{{ $labels.source }}}}: a training run is overdue by more than {overdue.text(severity)}.",
            f"By its schedule a run was due {LONG_AGO} ago, and none has ended since.",
            place=files,
            about=("source",),
        ),
    )


def quality(t: Thresholds) -> Iterator[Alert]:
    """Training that makes things worse."""
    whole, agent = t["quality_drop"], t["agent_quality_change"]
    place = Place("agents", "studio-agents", "files")
    now = newest("studio_training_quality_score", "source")
    week = written(t.span(WEEK), "seconds")
    best = newest(f"max_over_time(studio_training_quality_score[{week}])", "source")
    yield from graded(
        whole,
        lambda severity: Alert(
            "StudioQualityDropped",
            severity,
            beyond(f"{best}\n-\n{now}", whole, severity),
            f"{{{{ $labels.source }}}}: quality fell by {whole.text(severity)} or more.",
            '{{ $value | printf "%.1f" }} points of 10 below the best of seven days.',
            place=place,
            about=("source",),
        ),
    )
    changed = "min by (source, agent) (studio_agent_quality_change_score)"
    yield from graded(
        agent,
        lambda severity: Alert(
            "StudioAgentQualityDropped",
            severity,
            beyond(changed, agent, severity),
            f"{{{{ $labels.agent }}}} ({{{{ $labels.source }}}}): quality changed by {agent.text(severity)} or worse.",
            '{{ $value | printf "%.1f" }} points of 10 within a day, by the newest report.',
            place=place,
            about=("source", "agent"),
        ),
    )


def host(t: Thresholds) -> Iterator[Alert]:
    level = t["disk_used"]
    yield from graded(
        level,
        lambda severity: Alert(
            name="StudioDiskFull",
            severity=severity,
            expr=beyond("source_mountpoint:studio_host_filesystem:used_ratio", level, severity),
            summary=f"{{{{ $labels.mountpoint }}}} ({{{{ $labels.source }}}}) is over {level.text(severity)} full.",
            description="{{ $value | humanizePercentage }} is used.",
            place=Place("agents", "studio-agents", "host"),
            about=("source",),
        ),
    )
