"""Panels about finished work that every pipeline has, on whichever dashboard."""

from grafana.generate.dashboards.limits import Colours
from grafana.generate.dashboards.queries import Chosen, quantile, share
from grafana.generate.dashboards.style import AnyPanel, coloured, columns, limited, lines


def finished(each: Chosen, where: str, what: str) -> AnyPanel:
    """What finished, by how."""
    failed = f"sum({each.grown('studio_work_failed_total', '1h', 'pipeline', 'lane', where=where)})"
    every = f"sum({each.grown('studio_work_finished_total', '1h', 'pipeline', 'lane', where=where)})"
    about = (
        f"{what} that came to their end in the hour before each point, as the ledger counted them: each once, "
        f"whatever "
        "is pruned or tried again. No green for long: nothing gets through."
    )
    panel = lines(
        f"{what} finished in the hour before", about, (f"{every} - {failed}", "succeeded"), (failed, "failed")
    )
    return coloured(columns(panel), "succeeded", "failed")


def ratio(each: Chosen, where: str, what: str, colours: Colours) -> AnyPanel:
    """The share that failed, by lane."""
    failed = each.grown("studio_work_failed_total", "1h", "pipeline", "lane", where=where)
    every = each.grown("studio_work_finished_total", "1h", "pipeline", "lane", where=where)
    about = (
        "The share that failed of what finished in the hour before each point; no line where nothing finished. "
        "The dashed lines are those that the overview turns orange and red at."
    )
    panel = lines(
        f"{what} failed, of those finished", about, (share("lane", failed, every), "{{lane}}"), unit="percentunit"
    )
    return limited(panel.min(0).max(1), colours("failure_ratio"))


def streaks(each: Chosen, where: str, lane: str, colours: Colours) -> AnyPanel:
    """Failures in a row, by lane."""
    streak = each.best("studio_work_failure_streak", "pipeline", "lane", where=where)
    about = (
        f"Failures since the last success of each {lane}; at the dashed lines the alerts fire. A row that grows "
        f"steadily "
        "is a fault that trying again does not mend."
    )
    panel = lines(f"Failures in a row, by {lane}", about, (f"max by (lane) ({streak})", "{{lane}}"))
    return limited(panel, colours("lane_failure_streak"))


def duration(each: Chosen, where: str, what: str) -> AnyPanel:
    """How long it took that succeeded: half of it, and all but a twentieth."""
    buckets = each.grown("studio_work_duration_seconds_bucket", "1h", "pipeline", "lane", "le", where=where)
    about = (
        f"How long each {what} took that succeeded in the hour before: half of them at most p50, all but one in "
        f"twenty "
        "at most p95. Where p95 rises and p50 does not, a few hang."
    )
    shown = [(quantile(0.5, "", buckets), "p50"), (quantile(0.95, "", buckets), "p95")]
    return lines(f"Time a {what} takes", about, *shown, unit="s")
