"""Render: jobs on the farms."""

from grafana.generate.dashboards.finished import duration, finished, ratio, streaks
from grafana.generate.dashboards.limits import Colours
from grafana.generate.dashboards.page import Choice, Page, Row, source
from grafana.generate.dashboards.queries import Chosen, lanes_as
from grafana.generate.dashboards.style import AnyPanel, Column, coloured, lines, listing, stacked, tile

each = Chosen({"source": "source", "farm": "farm", "lane": "farm"})

FARM = Choice(
    "farm", "Farm", 'label_values(studio_render_jobs{source=~"$source"}, farm)', "The farms of the jobs on record."
)
OF_RENDER = 'pipeline="render"'
STATUSES = ("running", "queued", "submitted", "paused", "failed", "cancelled", "completed")


def page(colours: Colours) -> Page:
    return Page(
        "studio-render",
        "Do the farms get through their jobs, and what waits or hangs?",
        [source("studio_render_jobs"), FARM],
        [Row("Now", now(colours)), Row("By farm", farms(colours)), Row("Through time", history(colours))],
    )


def count(status: str) -> str:
    return each.best("studio_render_jobs", "farm", "status", where=f'status=~"{status}"')


def now(colours: Colours) -> list[AnyPanel]:
    return [
        tile(
            "Failure streak",
            "Jobs that failed since one last succeeded, on any farm. If every farm fails, look at the storage "
            "and the licences; if one does, at its workers.",
            (f"max({each.best('studio_work_pipeline_failure_streak', where=OF_RENDER)})", ""),
            colours=colours("pipeline_failure_streak"),
        ),
        tile(
            "Worst farm",
            "The longest row of failures that a single farm has. The table below tells which.",
            (f"max({each.best('studio_work_failure_streak', 'lane', where=OF_RENDER)})", ""),
            colours=colours("lane_failure_streak"),
        ),
        tile(
            "Running", "Jobs that run. None while some wait: the farm stands still.", (f"sum({count('running')})", "")
        ),
        tile("Waiting", "Jobs that are submitted or queued.", (f"sum({count('submitted|queued')})", "")),
        tile(
            "Longest wait",
            "For how long the oldest waiting job has waited. Add workers, or look for a licence or a pool that "
            "blocks it.",
            (f"max({each.age('studio_render_oldest_waiting_timestamp_seconds', 'farm')})", ""),
            unit="s",
            colours=colours("render_waiting"),
        ).no_value("none waits"),
        tile(
            "Longest run",
            "For how long the oldest running job has run. Look for a frame that hangs.",
            (f"max({each.age('studio_render_oldest_running_timestamp_seconds', 'farm')})", ""),
            unit="s",
            colours=colours("render_running"),
        ).no_value("none runs"),
    ]


def farms(colours: Colours) -> list[AnyPanel]:
    def of(status: str) -> str:
        return f"sum by (source, farm) ({count(status)})"

    succeeded = each.age("studio_work_last_success_timestamp_seconds", "lane", where=OF_RENDER, fold="max")
    streak = each.best("studio_work_failure_streak", "lane", where=OF_RENDER)
    waiting = each.age("studio_render_oldest_waiting_timestamp_seconds", "farm")
    running = each.age("studio_render_oldest_running_timestamp_seconds", "farm")
    return [
        listing(
            "Farms",
            "Every farm: failures in a row, when a job last succeeded, what waits and runs and for how long. "
            "Sorted by the failures in a row: begin at the top.",
            {"farm": "Farm", "source": "Source"},
            [
                Column("Streak", lanes_as("farm", streak), colours=colours("lane_failure_streak")),
                Column("Last success", lanes_as("farm", succeeded), "s"),
                Column("Waiting", of("submitted|queued")),
                Column("Longest wait", waiting, "s", colours("render_waiting")),
                Column("Running", of("running")),
                Column("Longest run", running, "s", colours("render_running")),
                Column("Paused", of("paused")),
                Column("Failed", of("failed")),
                Column("Completed", of("completed")),
            ],
            order="Streak",
        )
    ]


def history(colours: Colours) -> list[AnyPanel]:
    jobs = each.best("studio_render_jobs", "farm", "status", where='status!~"completed|cancelled"')
    waiting = each.age("studio_render_oldest_waiting_timestamp_seconds", "farm")
    return [
        finished(each, OF_RENDER, "Jobs"),
        ratio(each, OF_RENDER, "Jobs", colours),
        streaks(each, OF_RENDER, "farm", colours),
        duration(each, OF_RENDER, "job"),
        coloured(
            stacked(
                lines(
                    "Jobs that are not done, by status",
                    "What the job store holds besides completed and cancelled jobs. Yellow that grows while "
                    "blue does not: the farm falls behind.",
                    (f"sum by (status) ({jobs})", "{{status}}"),
                )
            ),
            *STATUSES[:5],
            "_other",
        ),
        lines(
            "Longest wait, by farm",
            "For how long the oldest waiting job had waited. A line that only rises is a job that nobody takes.",
            (f"max by (farm) ({waiting})", "{{farm}}"),
            unit="s",
        ),
    ]
