"""The rules of dashboard-linter, and those of our own about what may be done to which metric."""

from collections.abc import Callable, Iterator
from typing import Any

import promql_parser as promql
import pytest
import yaml

from exporter.catalogue import FAMILIES
from tests.grafana.documents import (
    DASHBOARDS,
    ROOT,
    Asked,
    Json,
    label_values,
    of_dashboard,
    of_panels,
    panels,
    variables,
)
from tests.grafana.promql import Use, parsed, uses

EXCLUSIONS: Json = yaml.safe_load((ROOT / "tests" / "grafana" / "exclusions.yaml").read_text(encoding="utf-8"))

UNITS = frozenset(("short", "none", "s", "bytes", "percentunit", "reqps"))
"""Those of Grafana's units that are in use."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COUNTING = ("rate", "irate", "increase", "changes", "resets")
SUMMED = {family.name: family for family in FAMILIES if not family.of_exporter}
COUNTED = {family.name for family in FAMILIES if family.type in ("counter", "histogram")}

of_each = pytest.mark.parametrize("document", DASHBOARDS.values(), ids=DASHBOARDS)


def template_datasource(document: Json) -> Iterator[str]:
    found = [each for each in document["templating"]["list"] if each["type"] == "datasource"]
    if [(each["name"], each["label"], each["query"]) for each in found] != [
        ("datasource", "Data source", "prometheus")
    ]:
        yield "expected one variable for the data source"


def template_label(document: Json, name: str, label: str) -> Iterator[str]:
    found = [each for each in variables(document) if each["name"] == name]
    if [(each["label"], label_values(each)[1]) for each in found] != [(label, name)]:
        yield f"expected a variable {name}"


def template_all(document: Json) -> Iterator[str]:
    for each in variables(document):
        if not (each["multi"] and each["includeAll"] and each["allValue"] == ".+" and each["datasource"] == DATASOURCE):
            yield f"${each['name']} does not offer several values, all of them as .+, of the chosen data source"
        if each["current"] != {"selected": True, "text": "All", "value": "$__all"}:
            yield f"${each['name']} does not begin with all"
        if not each["description"]:
            yield f"${each['name']} does not say what it is"


def template_reload(document: Json) -> Iterator[str]:
    yield from (f"${each['name']} is not asked for again" for each in variables(document) if each["refresh"] != 2)


def uneditable(document: Json) -> Iterator[str]:
    if document["editable"]:
        yield "editable"


def panel_rules(document: Json) -> Iterator[str]:
    for panel in panels(document):
        if panel["datasource"] != DATASOURCE or any(each["datasource"] != DATASOURCE for each in panel["targets"]):
            yield f"{panel['title']}: another data source"
        if not panel["title"] or not panel["description"].endswith("."):
            yield f"{panel['title']}: expected a title and a description in sentences"
        if panel["fieldConfig"]["defaults"]["unit"] not in UNITS:
            yield f"{panel['title']}: unknown unit"
        if not panel["targets"] or not all(each["expr"] for each in panel["targets"]):
            yield f"{panel['title']}: asks for nothing"


def targets(document: Json, rule: Callable[[Use], str]) -> Iterator[str]:
    for asked in of_panels(document):
        for use in uses(parsed(asked.expression)):
            if complaint := rule(use):
                yield f"{asked.where}: {use.metric}: {complaint}"


def matched(label: str) -> Callable[[Use], str]:
    wanted = (label, f"${label}")
    return lambda use: (
        ""
        if use.metric == "ALERTS" or any((each.name, each.value) == wanted for each in use.matchers)
        else f"no {label}"
    )


def counter_agg(use: Use) -> str:
    counted = use.metric in COUNTED or use.metric.removesuffix("_bucket") in COUNTED
    if counted and (use.function not in COUNTING or not use.window):
        return "a counter as it is"
    if not counted and use.function in ("rate", "irate", "increase"):
        return f"{use.function} of a gauge"
    return ""


RULES: dict[str, Callable[[Json], Iterator[str]]] = {
    "template-datasource-rule": template_datasource,
    "template-job-rule": lambda document: template_label(document, "job", "Job"),
    "template-instance-rule": lambda document: template_label(document, "instance", "Exporter"),
    "template-label-promql-rule": template_all,
    "template-on-time-change-reload-rule": template_reload,
    "uneditable-dashboard-rule": uneditable,
    "panel-rules": panel_rules,
    "target-job-rule": lambda document: targets(document, matched("job")),
    "target-instance-rule": lambda document: targets(document, matched("instance")),
    "target-counter-agg-rule": lambda document: targets(document, counter_agg),
}


@of_each
@pytest.mark.parametrize("rule", RULES)
def test_rules_of_dashboard_linter(rule: str, document: Json) -> None:
    complaints = [*RULES[rule](document)]
    excluded = document["uid"] in EXCLUSIONS.get(rule, {}).get("dashboards", [])
    if excluded:
        assert complaints != [], "the exclusion excludes nothing"
    else:
        assert complaints == []


def test_exclusions_are_of_rules_that_there_are_and_give_reasons() -> None:
    for rule, exclusion in EXCLUSIONS.items():
        assert rule in RULES
        assert {*exclusion["dashboards"]} <= {*DASHBOARDS}
        assert len(exclusion["reason"]) > 20


@of_each
def test_rates_are_taken_over_the_interval_that_grafana_knows(document: Json) -> None:
    for asked in of_panels(document):
        tree = parsed(asked.expression, {"$__rate_interval": "7s", "$__range": "1h"})
        for use in uses(tree):
            rates = use.function in ("rate", "irate")
            assert rates == ("[7s]" in use.around[0].prettify() if use.window else False), asked.where


@of_each
def test_two_exporters_on_one_source_count_once(document: Json) -> None:
    """The first thing done to what a source says is to combine those who say it."""
    for asked in of_dashboard(document):
        for use in uses(parsed(asked.expression)):
            if family_name(use.metric) in SUMMED and not asked.where.split(": ")[1].startswith("$"):
                assert combined(use), f"{asked.where}: {use.metric}"


def family_name(metric: str) -> str:
    return metric if metric in SUMMED else metric.removesuffix("_bucket")


def combined(use: Use) -> bool:
    first = use.aggregations[0] if use.aggregations else None
    if first is None or first.modifier is None or first.modifier.type != promql.AggModifierType.By:
        return False
    best = first.prettify().lstrip().startswith(("max by", "min by"))
    kept = {*first.modifier.labels}
    return best and "source" in kept and sums_keep(use, kept)


def sums_keep(use: Use, kept: set[str]) -> bool:
    """A sum over labels that the first step has dropped already would count one of several things."""
    literal = {each.name for each in use.matchers if each.op == promql.MatchOp.Equal and not each.value.startswith("$")}
    needed = {*SUMMED[family_name(use.metric)].labels} - literal
    summed = any(each.prettify().lstrip().startswith("sum") for each in use.aggregations[1:])
    return not summed or needed <= kept


def broken(change: Callable[[Json], Any]) -> Json:
    """The exporter's dashboard, changed."""
    document: Json = yaml.safe_load(yaml.safe_dump(DASHBOARDS["studio-exporter"]))
    change(document)
    return document


def target(document: Json) -> Json:
    first: Json = panels(document)[0]["targets"][0]
    return first


HERE = '{job=~"$job",instance=~"$instance"}'
PLANTED: dict[str, tuple[str, Callable[[Json], Any]]] = {
    "no data source": ("template-datasource-rule", lambda d: d["templating"]["list"].pop(0)),
    "no job": ("template-job-rule", lambda d: d["templating"]["list"].pop(1)),
    "one value": ("template-label-promql-rule", lambda d: variables(d)[0].update(multi=False)),
    "never again": ("template-on-time-change-reload-rule", lambda d: variables(d)[0].update(refresh=1)),
    "editable": ("uneditable-dashboard-rule", lambda d: d.update(editable=True)),
    "a data source of its own": ("panel-rules", lambda d: target(d).update(datasource={"uid": "abc"})),
    "no description": ("panel-rules", lambda d: panels(d)[0].update(description="")),
    "no unit": ("panel-rules", lambda d: panels(d)[0]["fieldConfig"]["defaults"].update(unit="fortnights")),
    "no targets": ("panel-rules", lambda d: panels(d)[0].update(targets=[])),
    "any job": ("target-job-rule", lambda d: target(d).update(expr="up")),
    "a bare counter": ("target-counter-agg-rule", lambda d: target(d).update(expr=f"studio_source_reads_total{HERE}")),
    "rate of a gauge": ("target-counter-agg-rule", lambda d: target(d).update(expr=f"rate(studio_projects{HERE}[5m])")),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_breach_is_found(what: str) -> None:
    rule, change = PLANTED[what]
    assert [*RULES[rule](broken(change))] != []


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("sum(studio_projects)", False),
        ("sum by (source) (studio_projects)", False),
        ("sum(max by (source) (studio_projects))", True),
        ("sum(max by (project) (studio_shots))", False),
        ("sum(max by (source) (studio_shots))", False),
        ("max(max by (source) (studio_shots))", True),
        ("sum(max by (source, project) (studio_shots))", True),
        ('sum(max by (source, project) (studio_versions{status="approved"}))', True),
        ('sum(max by (source, project) (studio_versions{status=~"approved|published"}))', False),
        ("sum by (show) (max by (source, show, status) (studio_ingest_runs))", True),
    ],
)
def test_what_counts_twice_is_found(expression: str, good: bool) -> None:
    assert [combined(use) for use in uses(parsed(expression))] == [good]


def test_every_expression_is_found() -> None:
    assert all(isinstance(each, Asked) for document in DASHBOARDS.values() for each in of_dashboard(document))
