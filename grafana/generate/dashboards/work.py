"""Work: failures, streaks and objectives of every pipeline, and the account they come from."""

from grafana.generate.dashboards.limits import Colours
from grafana.generate.dashboards.page import Choice, Page, Row, source
from grafana.generate.dashboards.queries import Chosen, quantile, share
from grafana.generate.dashboards.style import (
    ANY_IS_NOTED,
    SEVERITIES,
    AnyPanel,
    Column,
    bars,
    columns,
    limited,
    lines,
    listing,
    sized,
    small,
    tile,
)
from grafana.generate.thresholds import Objective

each = Chosen({"source": "source", "pipeline": "pipeline", "lane": "lane"})

PIPELINE = Choice(
    "pipeline",
    "Pipeline",
    'label_values(studio_work_finished_total{source=~"$source"}, pipeline)',
    "What finishes in the studio: ingest, render, publish, operation, training_run and training_session.",
)
LANE = Choice(
    "lane",
    "Lane",
    'label_values(studio_work_finished_total{source=~"$source",pipeline=~"$pipeline"}, lane)',
    "The shows of ingest, the farms of render, the platforms of publish, the operations of operation.",
)


def page(colours: Colours, objective: Objective) -> Page:
    return Page(
        "studio-work",
        "What fails, for how long already, and how much may still fail before the objective is missed.",
        [source("studio_work_finished_total"), PIPELINE, LANE],
        [
            Row("Objective", objectives(colours, objective)),
            Row("Failures in a row", streaks(colours)),
            Row("Through time", history(colours)),
            Row("Operations", operations(colours)),
            Row("The account of finished work", account(colours)),
            Row("Alerts", alerts()),
        ],
    )


def failed_share(window: str) -> str:
    """The share of what finished in a window that failed, by pipeline."""
    failed = each.grown("studio_work_failed_total", window, "pipeline", "lane")
    return share("pipeline", failed, each.grown("studio_work_finished_total", window, "pipeline", "lane"))


def objectives(colours: Colours, objective: Objective) -> list[AnyPanel]:
    budget = f"{objective.budget:g}"
    aim = f"The objective is that {objective.succeeded:.4g} of what finishes succeeds."
    rates = [(f"{failed_share(window)} / {budget}", f"{{{{pipeline}}}} {window}") for window in ("1h", "6h")]
    return [
        sized(
            bars(
                "Failed, in the last hour",
                f"The share that failed of what finished. {aim} Absent where nothing finished.",
                (failed_share("1h"), "{{pipeline}}"),
                unit="percentunit",
                colours=colours("failure_ratio"),
            ).max(1),
            6,
            8,
        ),
        sized(
            bars(
                "Failure budget left, 30 days",
                f"{aim} What may fail is the budget: at 0 it is spent, and changes should wait until the "
                f"pipeline is mended.",
                (f"clamp_min(1 - {failed_share('30d')} / {budget}, 0)", "{{pipeline}}"),
                unit="percentunit",
                colours=colours("budget_left"),
            ).max(1),
            6,
            8,
        ),
        limited(
            lines(
                "Burn rate of the failure budget",
                "How many times faster than it lasts the budget is used up, over one and six hours. High in "
                "both windows: the alert fires.",
                *rates,
                unit="none",
            ).decimals(1),
            colours("burn_rate"),
        ),
    ]


def streaks(colours: Colours) -> list[AnyPanel]:
    def one(metric: str) -> str:
        return each.best(metric, "pipeline", "lane")

    def since(metric: str) -> str:
        return each.age(metric, "pipeline", "lane", fold="max")

    def of_a_day(metric: str) -> str:
        return f"round({each.grown(metric, '24h', 'pipeline', 'lane')})"

    keys = {"pipeline": "Pipeline", "lane": "Lane", "source": "Source"}
    streak = one("studio_work_failure_streak")
    return [
        bars(
            "Pipelines",
            "Failures since the last success of each pipeline, in whichever lane. From the red on nothing gets "
            "through it: look at what the failures share.",
            (f"max by (pipeline) ({each.best('studio_work_pipeline_failure_streak', 'pipeline')})", "{{pipeline}}"),
            colours=colours("pipeline_failure_streak"),
        ),
        sized(
            limited(
                lines(
                    "Lanes that fail",
                    "Failures since the last success, of the twenty worst lanes. One that grows steadily is a "
                    "fault that trying again does not mend.",
                    (f"topk(20, {streak} > 0)", "{{pipeline}} {{lane}}"),
                ),
                colours("lane_failure_streak"),
            ),
            16,
            8,
        ),
        listing(
            "Lanes",
            "Every lane: failures in a row, since when it has not succeeded or failed, and what finished in a "
            "day. Sorted by the failures in a row: begin at the top.",
            keys,
            [
                Column("Streak", streak, colours=colours("lane_failure_streak")),
                Column("Last success", since("studio_work_last_success_timestamp_seconds"), "s"),
                Column("Last failure", since("studio_work_last_failure_timestamp_seconds"), "s"),
                Column(
                    "Finished in 24 hours",
                    each.grown("studio_work_finished_total", "24h", "pipeline", "lane"),
                    decimals=0,
                ),
                Column(
                    "Failed in 24 hours", each.grown("studio_work_failed_total", "24h", "pipeline", "lane"), decimals=0
                ),
            ],
            order="Streak",
        ),
    ]


def history(colours: Colours) -> list[AnyPanel]:
    failed = each.grown("studio_work_failed_total", "1h", "pipeline", "lane")
    buckets = each.grown("studio_work_duration_seconds_bucket", "1h", "pipeline", "lane", "le")
    finished = each.grown("studio_work_finished_total", "1h", "pipeline", "lane")
    return [
        columns(
            lines(
                "Failed in the hour before, by pipeline",
                "What failed in the hour before each point.",
                (f"sum by (pipeline) ({failed})", "{{pipeline}}"),
            )
        ),
        limited(
            lines(
                "Failed, of those finished",
                "The share of what finished in the hour before each point; no line where nothing finished.",
                (failed_share("1h"), "{{pipeline}}"),
                unit="percentunit",
            )
            .min(0)
            .max(1),
            colours("failure_ratio"),
        ),
        lines(
            "Finished in the hour before, by pipeline",
            "What came to its end, well or not. A line that falls to 0 while others go on is a pipeline that "
            "stands still.",
            (f"sum by (pipeline) ({finished})", "{{pipeline}}"),
        ),
        lines(
            "Time it takes: 19 of 20 take at most",
            "Of what succeeded in the hour before, by pipeline; operations have no durations.",
            (quantile(0.95, "pipeline", buckets), "{{pipeline}}"),
            unit="s",
        ),
    ]


def operations(colours: Colours) -> list[AnyPanel]:
    hour = 'window="1h"'
    failures = each.best("studio_operation_failures", "operation", where=hour)
    attempts = each.best("studio_operation_attempts", "operation", where=hour)
    last = each.age("studio_operation_last_event_timestamp_seconds", "operation", fold="max")
    return [
        sized(
            bars(
                "Failed in the last hour",
                "By kind of operation, as the system itself counts them.",
                (f"sum by (operation) ({failures})", "{{operation}}"),
                colours=colours("operation_failures"),
            ),
            6,
            7,
        ),
        sized(
            bars(
                "Share that failed",
                "Of the operations in the last hour; absent where there were none.",
                (share("operation", failures, attempts), "{{operation}}"),
                unit="percentunit",
                colours=colours("operation_failure_ratio"),
            ).max(1),
            6,
            7,
        ),
        sized(
            bars(
                "Since the last operation",
                "A kind that has stopped writes no failures either: look whether its workers live.",
                (f"min by (operation) ({last})", "{{operation}}"),
                unit="s",
                colours=colours("silence.operation"),
            ),
            6,
            7,
        ),
        small(
            lines(
                "Failed in the hour before",
                "Through time, by kind of operation.",
                (f"sum by (operation) ({failures})", "{{operation}}"),
            ),
            6,
            7,
        ),
    ]


def account(colours: Colours) -> list[AnyPanel]:
    late = each.grown("studio_work_late_total", "24h", "pipeline")
    untimed = each.grown("studio_work_untimed_total", "24h", "pipeline", "lane")
    return [
        sized(
            tile(
                "Too late to be counted, in 24 hours",
                "Work that turned up longer after its time than ledger.overlap allows, and is in no count. If "
                "it happens again, raise ledger.overlap.",
                (f"sum({late})", ""),
                colours=colours("work_late"),
            ).decimals(0),
            8,
            4,
        ),
        sized(
            tile(
                "Without a duration, in 24 hours",
                "Work that succeeded and is missing in the times, because when it began or ended is unknown or "
                "impossible.",
                (f"sum({untimed})", ""),
            ).decimals(0),
            8,
            4,
        ),
        sized(
            tile(
                "Dated in the future",
                "Finished work dated later than now: it is counted, but a clock is wrong.",
                (f"sum({each.best('studio_work_future_rows', 'pipeline')})", ""),
                colours=ANY_IS_NOTED,
            ),
            8,
            4,
        ),
    ]


def alerts() -> list[AnyPanel]:
    firing = 'ALERTS{alertname=~"Studio.+",alertname!="StudioWatchdog",alertstate="firing"'
    severity = f'2 * {firing},severity="critical"}} or {firing},severity!="critical"}}'
    worst = f"max by (alertname, source, pipeline, lane) ({severity})"
    return [
        listing(
            "Firing alerts",
            "What fires now, critical alerts first. Each has a runbook of its name: what it means, what to look "
            "at, what to do.",
            {"alertname": "Alert", "source": "Source", "pipeline": "Pipeline", "lane": "Lane"},
            [Column("Severity", worst, "none", mappings=SEVERITIES)],
            order="Severity",
        )
    ]
