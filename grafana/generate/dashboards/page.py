"""A dashboard as all have it: variables, links to the others, annotations, and rows of panels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana.generate.dashboards.queries import PROMETHEUS
from grafana.generate.dashboards.style import TITLES, AnyPanel

TAG = "studio-exporter"

APART = 100
"""Ids between a row and the next: a panel more in one leaves those of the others as they were."""

ANNOTATIONS = (
    {
        "name": "Firing alerts",
        "expr": "max by (alertname, severity, source, pipeline) "
        '(ALERTS{alertname=~"Studio.+",alertname!="StudioWatchdog",alertstate="firing"})',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{source}} {{pipeline}}",
        "tagKeys": "severity",
        "iconColor": "red",
    },
    {
        "name": "Exporter restarts",
        "expr": "max by (instance) (changes(process_start_time_seconds[2m]) > 0 "
        "and on (job, instance) studio_exporter_build_info)",
        "titleFormat": "studio-exporter restarted",
        "textFormat": "{{instance}}",
        "tagKeys": "",
        "iconColor": "blue",
    },
)
"""As Grafana's Prometheus data source reads them: the schema of the generator's library has no place for the texts."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable, filled with the values that a label of some series has."""

    name: str
    label: str
    values: str
    about: str


@dataclass(frozen=True, slots=True)
class Row:
    """Panels below a heading."""

    title: str
    panels: Sequence[AnyPanel]


@dataclass(frozen=True, slots=True)
class Page:
    """A dashboard; `uid` is what links name."""

    uid: str
    about: str
    choices: Sequence[Choice]
    rows: Sequence[Row]


def source(metric: str) -> Choice:
    """The variable every dashboard has: the sources that give a metric."""
    about = "The configured sources, by name. Replicas of the exporter that watch one source count once."
    return Choice("source", "Source", f"label_values({metric}, source)", about)


def text(page: Page) -> str:
    """The dashboard as the JSON that Grafana imports."""
    built = (
        dashboard.Dashboard(f"Studio / {TITLES[page.uid]}")
        .uid(page.uid)
        .description(page.about)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-6h", "now")
        .refresh("30s")
        .variables([_datasource(), *map(_variable, page.choices)])
        .link(_others())
    )
    for number, row in enumerate(page.rows, 1):
        first = number * APART
        built.with_row(dashboard.Row(row.title).id(first))
        for at, panel in enumerate(row.panels, first + 1):
            built.with_panel(panel.id(at))
    document: dict[str, Any] = json.loads(json.dumps(built.build(), cls=JSONEncoder))
    document["annotations"] = {"list": [{**shown, "enable": True, "datasource": _plain()} for shown in ANNOTATIONS]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _plain() -> dict[str, str]:
    return {"type": "prometheus", "uid": "${datasource}"}


def _datasource() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _variable(choice: Choice) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(choice.name)
        .label(choice.label)
        .description(choice.about)
        .datasource(PROMETHEUS)
        .query(choice.values)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.NATURAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def _others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Studio")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )
