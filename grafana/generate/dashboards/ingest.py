"""Ingest: deliveries that come in, by show."""

from grafana.generate.dashboards.finished import duration, finished, ratio, streaks
from grafana.generate.dashboards.limits import Colours
from grafana.generate.dashboards.page import Choice, Page, Row, source
from grafana.generate.dashboards.queries import Chosen, lanes_as
from grafana.generate.dashboards.style import (
    AnyPanel,
    Column,
    bars,
    coloured,
    lines,
    listing,
    sized,
    stacked,
    tile,
)

each = Chosen({"source": "source", "show": "show", "lane": "show"})

SHOW = Choice(
    "show", "Show", 'label_values(studio_ingest_runs{source=~"$source"}, show)', "The shows of the runs on record."
)
OF_INGEST = 'pipeline="ingest"'


def page(colours: Colours) -> Page:
    return Page(
        "studio-ingest",
        "Do deliveries come in, for which shows not, and since when?",
        [source("studio_ingest_runs"), SHOW],
        [Row("Now", now(colours)), Row("By show", shows(colours)), Row("Through time", history(colours))],
    )


def now(colours: Colours) -> list[AnyPanel]:
    running = each.best("studio_ingest_runs", "show", where='status="running"')
    files, invalid = (
        each.best("studio_ingest_files", "show", "result"),
        each.best("studio_ingest_files", "show", where='result="invalid"'),
    )
    recent = each.best("studio_ingest_recent_runs", "status")
    return [
        tile(
            "Failure streak",
            "Runs that failed since one last succeeded, of any show. If all shows fail, look at the storage and "
            "the database; if one does, at its deliveries.",
            (f"max({each.best('studio_work_pipeline_failure_streak', where=OF_INGEST)})", ""),
            colours=colours("pipeline_failure_streak"),
        ),
        tile(
            "Worst show",
            "The longest row of failures that a single show has. The table below tells which.",
            (f"max({each.best('studio_work_failure_streak', 'lane', where=OF_INGEST)})", ""),
            colours=colours("lane_failure_streak"),
        ),
        tile("Running", "Runs that have not come to their end.", (f"sum({running})", "")),
        tile(
            "Oldest run",
            "For how long the oldest of them has not come to its end. One far older than the others has died: "
            "end it and start it again.",
            (f"max({each.age('studio_ingest_oldest_running_timestamp_seconds')})", ""),
            unit="s",
            colours=colours("ingest_running"),
        ).no_value("none runs"),
        tile(
            "Invalid files",
            "The share of the files of all runs on record that are invalid: named wrongly, or unreadable. The "
            "vendor has to deliver them again.",
            (f"sum({invalid}) / (sum({files}) > 0)", ""),
            unit="percentunit",
            colours=colours("failure_ratio"),
        )
        .decimals(1)
        .no_value("no files"),
        coloured(
            sized(
                bars(
                    "The ten newest runs",
                    "How the ten newest runs of a source stand, of all shows. More red than on the charts "
                    "below: something has just begun to fail.",
                    (f"sum by (status) ({recent})", "{{status}}"),
                ),
                4,
                4,
            ),
            "failed",
            "running",
            "succeeded",
        ),
    ]


def shows(colours: Colours) -> list[AnyPanel]:
    def count(status: str) -> str:
        return each.best("studio_ingest_runs", "show", where=f'status="{status}"')

    succeeded = each.age("studio_work_last_success_timestamp_seconds", "lane", where=OF_INGEST, fold="max")
    streak = each.best("studio_work_failure_streak", "lane", where=OF_INGEST)
    return [
        listing(
            "Shows",
            "Every show: failures in a row, when it last succeeded, and its runs and files on record. Sorted by "
            "the failures in a row: begin at the top.",
            {"show": "Show", "source": "Source"},
            [
                Column("Streak", lanes_as("show", streak), colours=colours("lane_failure_streak")),
                Column("Last success", lanes_as("show", succeeded), "s"),
                Column("Succeeded", count("succeeded")),
                Column("Failed", count("failed")),
                Column("Running", count("running")),
                Column("Files", f"sum by (source, show) ({each.best('studio_ingest_files', 'show', 'result')})"),
                Column("Invalid files", each.best("studio_ingest_files", "show", where='result="invalid"')),
            ],
            order="Streak",
        )
    ]


def history(colours: Colours) -> list[AnyPanel]:
    runs = each.best("studio_ingest_runs", "show", "status")
    files = each.best("studio_ingest_files", "show", "result")
    return [
        finished(each, OF_INGEST, "Runs"),
        ratio(each, OF_INGEST, "Runs", colours),
        streaks(each, OF_INGEST, "show", colours),
        duration(each, OF_INGEST, "run"),
        coloured(
            stacked(
                lines(
                    "Runs on record, by status",
                    "What the registry holds. It falls when old runs are pruned: for what happened, look at the "
                    "charts above.",
                    (f"sum by (status) ({runs})", "{{status}}"),
                )
            ),
            "failed",
            "running",
            "succeeded",
        ),
        coloured(
            stacked(
                lines(
                    "Files on record, by result",
                    "Files in the reports of those runs.",
                    (f"sum by (result) ({files})", "{{result}}"),
                )
            ),
            "invalid",
            "processed",
        ),
    ]
