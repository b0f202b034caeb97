"""Publishing and campaigns: the queue, its platforms, the content and the budgets behind it."""

from grafana.generate.dashboards.finished import duration, finished, ratio, streaks
from grafana.generate.dashboards.limits import Colours
from grafana.generate.dashboards.page import Choice, Page, Row, source
from grafana.generate.dashboards.queries import Chosen, lanes_as
from grafana.generate.dashboards.style import (
    ANY_IS_NOTED,
    AnyPanel,
    Column,
    bars,
    coloured,
    lines,
    listing,
    sized,
    small,
    stacked,
    tile,
)

each = Chosen({"source": "source", "platform": "platform", "lane": "platform"})

PLATFORM = Choice(
    "platform",
    "Platform",
    'label_values(studio_publish_items{source=~"$source"}, platform)',
    "The platforms of the publications on record.",
)
OF_PUBLISH = 'pipeline="publish"'
PENDING = 'status="pending"'
DAY = 'window="24h"'
UNFINISHED = 'status=~"pending|processing|retry"'


def page(colours: Colours) -> Page:
    return Page(
        "studio-publishing",
        "Is everything published in time, on which platform not, and what comes next?",
        [source("studio_publish_items"), PLATFORM],
        [
            Row("Now", [*queue(colours), *rest(colours)]),
            Row("By platform", platforms(colours)),
            Row("Through time", history(colours)),
            Row("Content", content()),
            Row("Campaigns", campaigns()),
        ],
    )


def one(metric: str) -> str:
    return each.best(metric, "platform")


def queue(colours: Colours) -> list[AnyPanel]:
    return [
        tile(
            "Failure streak",
            "Publications that failed since one last succeeded, on any platform. If every platform fails, look "
            "at the workers and the network; if one does, at its credentials.",
            (f"max({each.best('studio_work_pipeline_failure_streak', where=OF_PUBLISH)})", ""),
            colours=colours("pipeline_failure_streak"),
        ),
        tile(
            "Worst platform",
            "The longest row of failures that a single platform has. The table below tells which.",
            (f"max({each.best('studio_work_failure_streak', 'lane', where=OF_PUBLISH)})", ""),
            colours=colours("lane_failure_streak"),
        ),
        tile(
            "Oldest pending",
            "For how long the oldest pending publication has waited. If nothing finishes either, the workers are gone.",
            (f"max({each.age('studio_publish_oldest_pending_timestamp_seconds', 'platform')})", ""),
            unit="s",
            colours=colours("publish_pending"),
        ).no_value("none waits"),
        tile(
            "Oldest in processing",
            "Since when the publication longest in processing has not changed. Its worker may have died: put it "
            "back into the queue.",
            (f"max({each.age('studio_publish_oldest_processing_timestamp_seconds', 'platform')})", ""),
            unit="s",
            colours=colours("publish_processing"),
        ).no_value("none is"),
        tile(
            "Overdue",
            "Publications whose scheduled time has passed. Look at the oldest of them, and at the workers.",
            (f"sum({one('studio_publish_overdue')})", ""),
            colours=colours("publish_overdue"),
        ),
        tile(
            "Time to drain",
            "How long the unfinished publications last at the pace of the last hour. It only grows: more comes "
            "in than goes out.",
            (
                f"3600 * sum({each.best('studio_publish_items', 'platform', 'status', where=UNFINISHED)}) / "
                f"(sum({each.grown('studio_work_finished_total', '1h', 'pipeline', 'lane', where=OF_PUBLISH)}) > 0)",
                "",
            ),
            unit="s",
            colours=colours("publish_drain"),
        ).no_value("none finished"),
    ]


def rest(colours: Colours) -> list[AnyPanel]:
    created = each.best("studio_publish_created_items", where=DAY)
    return [
        tile(
            "Pending",
            "Publications that wait for a worker.",
            (f"sum({each.best('studio_publish_items', 'platform', where=PENDING)})", ""),
        ),
        tile(
            "Stuck",
            "Publications in processing that have not changed for ten minutes.",
            (f"sum({one('studio_publish_stuck')})", ""),
            colours=ANY_IS_NOTED,
        ),
        tile(
            "Without post id",
            "Successes that nobody can look up on their platform, of all time. When it grows, look whether the "
            "posts are there.",
            (f"sum({one('studio_publish_without_post_id')})", ""),
        ),
        tile(
            "Accounts at work",
            "Social accounts that have a publication in processing; 0 between two quick ones.",
            (f"max({each.best('studio_publish_active_accounts')})", ""),
        ),
        tile("New in 24 hours", "Publications created in the 24 hours before the last read.", (f"sum({created})", "")),
        tile(
            "Dated in the future",
            "Publications that the ages leave out because they are dated in the future: a clock is wrong.",
            (f"sum({each.best('studio_publish_future_rows')})", ""),
            colours=ANY_IS_NOTED,
        ),
    ]


def platforms(colours: Colours) -> list[AnyPanel]:
    def items(status: str) -> str:
        return each.best("studio_publish_items", "platform", where=f'status="{status}"')

    succeeded = each.age("studio_work_last_success_timestamp_seconds", "lane", where=OF_PUBLISH, fold="max")
    streak = each.best("studio_work_failure_streak", "lane", where=OF_PUBLISH)
    pending = each.age("studio_publish_oldest_pending_timestamp_seconds", "platform")
    return [
        listing(
            "Platforms",
            "Every platform: failures in a row, when a publication last succeeded, and what stands in its "
            "queue. Sorted by the failures in a row: begin at the top.",
            {"platform": "Platform", "source": "Source"},
            [
                Column("Streak", lanes_as("platform", streak), colours=colours("lane_failure_streak")),
                Column("Last success", lanes_as("platform", succeeded), "s"),
                Column("Pending", items("pending")),
                Column("Oldest pending", pending, "s", colours("publish_pending")),
                Column("Scheduled", items("scheduled")),
                Column("Processing", items("processing")),
                Column("Retry", items("retry")),
                Column("Overdue", one("studio_publish_overdue"), colours=colours("publish_overdue")),
                Column("Failed", items("failed")),
                Column("Succeeded", items("success")),
            ],
            order="Streak",
        )
    ]


def history(colours: Colours) -> list[AnyPanel]:
    items = each.best("studio_publish_items", "platform", "status", where='status!~"success|failed"')
    pending = each.age("studio_publish_oldest_pending_timestamp_seconds", "platform")
    return [
        finished(each, OF_PUBLISH, "Publications"),
        ratio(each, OF_PUBLISH, "Publications", colours),
        streaks(each, OF_PUBLISH, "platform", colours),
        duration(each, OF_PUBLISH, "publication"),
        coloured(
            stacked(
                lines(
                    "In the queue, by status",
                    "Publications that are neither published nor given up. Pending that grows while nothing is "
                    "processing: no worker takes them.",
                    (f"sum by (status) ({items})", "{{status}}"),
                )
            ),
            "pending",
            "processing",
            "retry",
            "scheduled",
            "_other",
        ),
        lines(
            "Oldest pending, by platform",
            "For how long the oldest pending publication had waited. A line that only rises is a queue that "
            "nobody serves.",
            (f"max by (platform) ({pending})", "{{platform}}"),
            unit="s",
        ),
    ]


def content() -> list[AnyPanel]:
    jobs = each.best("studio_publish_jobs", "platform", "status")
    return [
        coloured(
            sized(
                bars(
                    "Clips, by status",
                    "Clips on record. Many that failed: look at how they are cut.",
                    (f"sum by (status) ({each.best('studio_publish_clips', 'status')})", "{{status}}"),
                ),
                6,
                7,
            ),
            *("failed", "pending", "processing", "published", "ready"),
        ),
        sized(
            bars(
                "Clips ready to be published",
                "Distinct clips with a publication pending or scheduled. An empty platform runs dry: clips have "
                "to be made.",
                (f"max by (platform) ({one('studio_publish_ready_clips')})", "{{platform}}"),
            ),
            6,
            7,
        ),
        sized(
            bars(
                "Mean visual score",
                "Of the clips behind a platform's publications. A platform far below the others gets the wrong clips.",
                (f"max by (platform) ({one('studio_publish_clip_score_mean')})", "{{platform}}"),
                unit="none",
            ).decimals(2),
            6,
            7,
        ),
        coloured(
            sized(
                bars(
                    "Jobs, by status",
                    "Jobs that make the clips. Failed ones are not tried again by themselves.",
                    (f"sum by (status) ({jobs})", "{{status}}"),
                ),
                6,
                7,
            ),
            *("completed", "failed", "pending", "processing", "retry"),
        ),
    ]


def campaigns() -> list[AnyPanel]:
    count, budget = each.best("studio_campaigns", "status"), each.best("studio_campaign_budget", "status")
    words = ("active", "completed", "draft", "paused")
    return [
        coloured(
            sized(
                bars("Campaigns, by status", "Campaigns on record.", (f"sum by (status) ({count})", "{{status}}")), 8, 6
            ),
            *words,
        ),
        coloured(
            sized(
                bars(
                    "Budgets, by status",
                    "What the campaigns may spend, not what was spent; in the units they are kept in, whatever "
                    "the currency.",
                    (f"sum by (status) ({budget})", "{{status}}"),
                ),
                8,
                6,
            ),
            *words,
        ),
        small(
            lines(
                "New publications in 24 hours",
                "Publications created in the 24 hours before each point. At 0 nothing new is planned: look at "
                "the orchestrator.",
                (f"sum({each.best('studio_publish_created_items', where=DAY)})", "created"),
            ),
            8,
            6,
        ),
    ]
