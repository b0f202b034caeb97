"""The dashboards, made from the catalogue and the thresholds."""

from grafana.generate.dashboards import agents, exporter, ingest, overview, publishing, render, review, work
from grafana.generate.dashboards.limits import colours
from grafana.generate.dashboards.page import Page, text
from grafana.generate.thresholds import Thresholds


def pages(thresholds: Thresholds) -> list[Page]:
    """Every dashboard, the overview first."""
    of_level = colours(thresholds)
    return [
        overview.page(of_level),
        ingest.page(of_level),
        render.page(of_level),
        review.page(of_level),
        publishing.page(of_level),
        agents.page(of_level),
        work.page(of_level, thresholds.objective),
        exporter.page(of_level),
    ]


def outputs(thresholds: Thresholds) -> dict[str, str]:
    """The text of each dashboard's file, by its path below `grafana/`."""
    return {f"dashboards/{page.uid}.json": text(page) for page in pages(thresholds)}
