"""The overview: a traffic light, each lamp of which leads to the dashboard that says more."""

from grafana.generate.dashboards.limits import Colours
from grafana.generate.dashboards.page import Page, Row, source
from grafana.generate.dashboards.queries import Chosen, share
from grafana.generate.dashboards.style import (
    ANY_IS_BAD,
    ANY_IS_NOTED,
    CRITICAL,
    GOOD,
    MUST_BE,
    SEVERITIES,
    UP,
    AnyPanel,
    bars,
    lines,
    link,
    sized,
    tile,
    timeline,
    words,
)

each = Chosen({"source": "source"})

FIRING = 'ALERTS{alertname=~"Studio.+",alertname!="StudioWatchdog",alertstate="firing"'
RUN = words({0: ("FAILED", CRITICAL), 1: ("succeeded", GOOD)})


def page(colours: Colours) -> Page:
    return Page(
        "studio-overview",
        "Does everything run, and can the numbers be trusted? A click on a tile leads to the dashboard behind it.",
        [source("studio_source_up")],
        [
            Row("Can the numbers be trusted?", trust(colours)),
            Row("Ingest, render and review", making(colours)),
            Row("Publishing, training and operations", giving(colours)),
            Row("Finished work", work(colours)),
            Row("Through time", history()),
        ],
    )


def trust(colours: Colours) -> list[AnyPanel]:
    up = each.best("studio_source_up", "part")
    begun = each.best("studio_source_last_success_timestamp_seconds", "part")
    timeout = each.best("studio_source_timeout_seconds", "part")
    interval = each.best("studio_source_interval_seconds", "part")
    skipped = each.best("studio_source_skipped_records", "part", "reason")
    return [
        link(
            tile(
                "Parts down",
                "Parts of sources whose last read failed. What they show is from before; when it is too old it "
                "goes. Look up the reason on the exporter's dashboard.",
                (f"sum(1 - {up})", ""),
                colours=ANY_IS_BAD,
            ),
            "studio-exporter",
        ),
        link(
            tile(
                "Intervals behind",
                "How many of its intervals the stalest part is behind, after the time that a read may take. At "
                "most 1 is as it should be; more means that reads fail or hang.",
                (f"max(clamp_min(time() - {begun} - {timeout}, 0) / {interval})", ""),
                unit="none",
                colours=colours("part_stale"),
            ).decimals(1),
            "studio-exporter",
        ),
        link(
            tile(
                "Records left out",
                "Records that the last reads could not use, because they are malformed. All counts are short of "
                "them: look up which part and why on the exporter's dashboard.",
                (f"sum({skipped})", ""),
                colours=colours("records_skipped"),
            ),
            "studio-exporter",
        ),
        link(
            tile(
                "Ledger",
                "Whether the account of finished work can be written. While it is down nothing is lost, but "
                "finished work shows only when it is back: look at its disk and permissions.",
                ("min(studio_exporter_ledger_up)", ""),
                colours=MUST_BE,
            ).mappings(UP),
            "studio-exporter",
        ),
        link(
            tile(
                "Critical alerts",
                "Critical alerts that fire now. Each names its runbook; the list is at the bottom of this page.",
                (f'count({FIRING},severity="critical"}}) or vector(0)', ""),
                colours=ANY_IS_BAD,
            ),
            "studio-work",
        ),
        link(
            tile(
                "Warnings",
                "Warnings that fire now: nobody is called, but somebody should look before the day ends.",
                (f'count({FIRING},severity="warning"}}) or vector(0)', ""),
                colours=ANY_IS_NOTED,
            ),
            "studio-work",
        ),
    ]


def streak(title: str, pipeline: str, uid: str, colours: Colours) -> AnyPanel:
    """The failures in a row of one pipeline."""
    found = each.best("studio_work_pipeline_failure_streak", where=f'pipeline="{pipeline}"')
    about = (
        "Units of work that failed since one last succeeded, in the whole pipeline. From the red on nothing gets "
        "through: look at what the failures share."
    )
    return link(
        tile(f"{title} failure streak", about, (f"max({found})", ""), colours=colours("pipeline_failure_streak")),
        uid,
    )


def making(colours: Colours) -> list[AnyPanel]:
    ingest = each.age("studio_ingest_oldest_running_timestamp_seconds")
    waiting = each.age("studio_render_oldest_waiting_timestamp_seconds")
    running = each.age("studio_render_oldest_running_timestamp_seconds")
    unread = each.best("studio_review_unread_playlists", "project")
    return [
        streak("Ingest", "ingest", "studio-ingest", colours),
        link(
            tile(
                "Ingest: oldest run",
                "For how long the oldest ingest run has not come to its end. A run far older than the others "
                "has died: end it and start it again.",
                (f"max({ingest})", ""),
                unit="s",
                colours=colours("ingest_running"),
            ).no_value("none runs"),
            "studio-ingest",
        ),
        streak("Render", "render", "studio-render", colours),
        link(
            tile(
                "Render: longest wait",
                "For how long the oldest waiting job has waited. Add workers, or look for a licence or a pool "
                "that blocks it.",
                (f"max({waiting})", ""),
                unit="s",
                colours=colours("render_waiting"),
            ).no_value("none waits"),
            "studio-render",
        ),
        link(
            tile(
                "Render: longest run",
                "For how long the oldest running job has run. Look for a frame that hangs.",
                (f"max({running})", ""),
                unit="s",
                colours=colours("render_running"),
            ).no_value("none runs"),
            "studio-render",
        ),
        link(
            tile(
                "Review: unread",
                "Playlists that could not be read, and are missing in every sum of the review.",
                (f"sum({unread})", ""),
                colours=colours("review_unread"),
            ),
            "studio-review",
        ),
    ]


def giving(colours: Colours) -> list[AnyPanel]:
    pending = each.age("studio_publish_oldest_pending_timestamp_seconds")
    overdue = each.best("studio_publish_overdue", "platform")
    failures = each.best("studio_operation_failures", "operation", where='window="1h"')
    attempts = each.best("studio_operation_attempts", "operation", where='window="1h"')
    free = each.best("studio_host_filesystem_available_bytes", "mountpoint")
    size = each.best("studio_host_filesystem_size_bytes", "mountpoint")
    return [
        streak("Publish", "publish", "studio-publishing", colours),
        link(
            tile(
                "Publish: longest wait",
                "For how long the oldest pending publication has waited. If nothing finishes either, the "
                "workers are gone.",
                (f"max({pending})", ""),
                unit="s",
                colours=colours("publish_pending"),
            ).no_value("none waits"),
            "studio-publishing",
        ),
        link(
            tile(
                "Publish: overdue",
                "Publications whose scheduled time has passed. Look at the oldest of them, and at the workers.",
                (f"sum({overdue})", ""),
                colours=colours("publish_overdue"),
            ),
            "studio-publishing",
        ),
        link(
            tile(
                "Training: last run",
                "How the last training run ended. The dashboard shows how long each of its phases took.",
                (f"min({each.best('studio_training_last_run_success', fold='min')})", ""),
                colours=MUST_BE,
            ).mappings(RUN),
            "studio-agents",
        ),
        link(
            tile(
                "Operations failed, 1 h",
                "The share of operations that failed in the hour before the last read.",
                (f"sum({failures}) / (sum({attempts}) > 0)", ""),
                unit="percentunit",
                colours=colours("operation_failure_ratio"),
            ).no_value("none tried"),
            "studio-work",
        ),
        link(
            tile(
                "Host: fullest disk",
                "How full the fullest file system is. Make room before it is full: databases stop first.",
                (f"1 - min({free} / {size})", ""),
                unit="percentunit",
                colours=colours("disk_used"),
            ),
            "studio-agents",
        ),
    ]


def work(colours: Colours) -> list[AnyPanel]:
    failed = each.grown("studio_work_failed_total", "1h", "pipeline", "lane")
    finished = each.grown("studio_work_finished_total", "1h", "pipeline", "lane")
    return [
        link(
            bars(
                "Failed, of what finished in the last hour",
                "The share that failed, by pipeline; absent where nothing finished. Above the objective's share "
                "for long, the failure budget goes.",
                (share("pipeline", failed, finished), "{{pipeline}}"),
                unit="percentunit",
                colours=colours("failure_ratio"),
            ).max(1),
            "studio-work",
        ),
        sized(
            lines(
                "Finished in the hour before",
                "Units of work that came to their end, failed ones included, by pipeline. A line that falls to "
                "0 while others go on is a pipeline that stands still.",
                (f"sum by (pipeline) ({finished})", "{{pipeline}}"),
            ),
            16,
            8,
        ),
    ]


def history() -> list[AnyPanel]:
    up = each.best("studio_source_up", "part")
    return [
        timeline(
            "Parts of sources",
            "Whether each part could be read. Several red at once: look at the network or the machine; one "
            "alone: at that system.",
            (up, "{{source}} {{part}}"),
        )
        .mappings(UP)
        .unit("none"),
        timeline(
            "Firing alerts",
            "What fired when. The alert's runbook says what to do.",
            (
                f'max by (alertname, source) (2 * {FIRING},severity="critical"}} or {FIRING},severity!="critical"}})',
                "{{alertname}} {{source}}",
            ),
        ).mappings(SEVERITIES),
    ]
