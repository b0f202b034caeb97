"""The rules hold what they promise: promtool accepts and tests them, and no alert lacks a test, a page or a place."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import promql_parser as promql
import pytest

from exporter.app import made
from exporter.config import load
from exporter.sources import KINDS
from grafana.generate.thresholds import GRAFANA, read
from grafana.generate.work import PARTS, part_of
from tests.grafana.promql import parsed, uses
from tests.grafana.rules import ALWAYS, FILES, TESTS, alerts, cases, kind, loaded, rules
from tests.prometheus import promtool

ROOT = GRAFANA.parent
ALERTS = alerts()
NAMES = sorted({rule["alert"] for rule in ALERTS})
RECORDED = {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


def selected(expression: str) -> set[str]:
    """The metrics an expression is made of in the end, through recording rules."""
    names = {use.metric for use in uses(parsed(expression))}
    return {metric for name in names for metric in (selected(RECORDED[name]) if name in RECORDED else {name})}


# promtool


def test_promtool_accepts_the_rules_and_the_configuration() -> None:
    checked = promtool("check", "rules", *FILES)
    assert checked.returncode == 0, checked.stderr
    configured = promtool("check", "config", GRAFANA / "prometheus.yml")
    assert configured.returncode == 0, configured.stderr
    assert "rules/work.yaml" in configured.stdout


@pytest.mark.parametrize("path", TESTS, ids=[path.stem for path in TESTS])
def test_the_alerts_fire_and_keep_quiet_as_they_should(path: Path) -> None:
    tested = promtool("test", "rules", path)
    assert tested.returncode == 0, tested.stdout + tested.stderr


# nothing is left out


def test_every_alert_is_seen_firing() -> None:
    seen = {each for case in cases() for each in case.expected}
    assert {kind(rule["alert"], rule["labels"]) for rule in ALERTS} == seen


@pytest.mark.parametrize("rule", ALERTS, ids=["-".join(filter(None, kind(r["alert"], r["labels"]))) for r in ALERTS])
def test_every_alert_is_seen_quiet_over_what_it_looks_at(rule: dict[str, Any]) -> None:
    if rule["alert"] in ALWAYS:
        return
    wanted, metrics = kind(rule["alert"], rule["labels"]), selected(rule["expr"])
    quiet = [case for case in cases() if case.alert == rule["alert"] and wanted not in case.expected]
    assert any(case.metrics & metrics for case in quiet), f"no test expects {wanted} not to fire over {sorted(metrics)}"


def keeps_apart(fold: promql.AggregateExpr) -> bool:
    """Whether the copies of several exporters stay apart: nothing is told of their labels but that others go."""
    modifier = fold.modifier
    return (
        modifier is not None and modifier.type == promql.AggModifierType.Without and "instance" not in modifier.labels
    )


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_every_expression_is_promql_with_copies_of_exporters_taken_together(rule: dict[str, Any]) -> None:
    """A sum over series as they are scraped would count each exporter of a source."""
    for use in uses(parsed(rule["expr"])):
        innermost = next((fold.op for fold in use.aggregations if not keeps_apart(fold)), None)
        if use.metric.startswith("studio_") and not use.metric.startswith("studio_exporter_"):
            assert str(innermost) in ("max", "min"), f"{use.metric} is not taken as max or min first"


# what an alert says


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_says_what_to_do_and_where_to_look(name: str) -> None:
    page = (GRAFANA / "runbooks" / f"{name}.md").read_text(encoding="utf-8")
    for heading in ("## What it means", "## What to look at", "## What to do"):
        section = page.split(f"{heading}\n", 1)
        assert len(section) == 2, f"no {heading}"
        assert len(section[1].split("\n## ")[0].strip()) > 80, f"{heading} says next to nothing"
    assert "```promql" in page.split("## What to look at\n", 1)[1].split("\n## ")[0]
    for rule in ALERTS:
        if rule["alert"] == name:
            annotations = rule["annotations"]
            assert set(annotations) == {"summary", "description", "runbook_url", "dashboard_url"}
            assert annotations["runbook_url"] == f"{read().links.runbooks}/{name}.md"


def test_no_runbook_is_about_an_alert_that_is_not_there() -> None:
    assert sorted(path.stem for path in (GRAFANA / "runbooks").glob("*.md")) == NAMES


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_the_dashboard_of_an_alert_is_there_with_its_variables(rule: dict[str, Any]) -> None:
    url = urlsplit(re.sub(r"\{\{.*?\}\}", "x", rule["annotations"]["dashboard_url"]))
    dashboard = loaded(GRAFANA / "dashboards" / f"{url.path.removeprefix('/d/')}.json")
    there = {f"var-{variable['name']}" for variable in dashboard["templating"]["list"]}
    assert set(parse_qs(url.query)) <= there


def labels_of(expression: promql.Expr) -> set[str] | None:
    """The labels that are left at the top of an expression, as far as an aggregation says it."""
    match expression:
        case promql.AggregateExpr(modifier=modifier):
            return set(modifier.labels) if modifier else set()
        case promql.BinaryExpr(lhs=left, rhs=right):
            return labels_of(left) or labels_of(right)
        case promql.ParenExpr(expr=inner):
            return labels_of(inner)
    return None


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_no_label_of_a_rule_covers_one_of_its_series(rule: dict[str, Any]) -> None:
    assert not set(rule["labels"]) & (labels_of(parsed(rule["expr"])) or set())


# parts


async def test_the_parts_that_alerts_derive_from_are_parts_of_the_sources() -> None:
    """Alertmanager mutes by them: a part that is not there would mute nothing."""
    config = load((ROOT / "config.example.yaml").read_text(encoding="utf-8"), {}, KINDS, lambda _: "secret")
    sources = [made(each, config.limits) for each in config.sources]
    parts = {part.name for source in sources for part in source.parts}
    seeing = {part.finishes.name: part.name for source in sources for part in source.parts if part.finishes}
    for source in sources:
        await source.close()
    named = {rule["labels"]["part"] for rule in ALERTS if "part" in rule["labels"]}
    assert {part for part in named if "{{" not in part} | set(PARTS) <= parts
    assert {pipeline: part_of(pipeline) for pipeline in seeing} == seeing


# the generator


def generate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "grafana.generate", *arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_what_is_committed_is_what_the_thresholds_make() -> None:
    checked = generate("--check")
    assert (checked.returncode, checked.stdout) == (0, "")


def test_a_difference_is_named(tmp_path: Path) -> None:
    assert generate("--output", tmp_path).returncode == 0
    changed = tmp_path / "rules" / "work.yaml"
    changed.write_text(changed.read_text(encoding="utf-8").replace(">= 3", ">= 4"), encoding="utf-8")
    (tmp_path / "ALERTS.md").unlink()
    (tmp_path / "rules" / "old.yaml").write_text("groups: []\n", encoding="utf-8")
    checked = generate("--check", "--output", tmp_path)
    assert checked.returncode == 1
    named = [line.split()[0] for line in checked.stdout.splitlines()]
    assert named == ["ALERTS.md", "rules/old.yaml", "rules/work.yaml"]


def test_thresholds_reach_the_rules(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    text = (GRAFANA / "thresholds.yaml").read_text(encoding="utf-8")
    mine.write_text(text.replace("http://localhost:3000", "https://grafana.mine").replace("job: studio", "job: vfx"))
    assert generate("--thresholds", mine, "--output", tmp_path).returncode == 0
    absent = next(rule for rule in rules((tmp_path / "rules" / "sources.yaml",)) if rule["alert"].endswith("Absent"))
    assert absent["expr"] == 'absent(up{job="vfx"} == 1)'
    assert absent["annotations"]["dashboard_url"] == "https://grafana.mine/d/studio-exporter"


def test_thresholds_that_cannot_be_are_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("job: studio\nlevel: {}\n")
    refused = generate("--thresholds", mine, "--output", tmp_path)
    assert refused.returncode == 2
    assert "level (line 2): unknown key: did you mean levels?" in refused.stderr
    assert [*tmp_path.iterdir()] == [mine]


def test_durations_are_divided_for_a_test_that_cannot_wait(tmp_path: Path) -> None:
    assert generate("--divide", "60", "--output", tmp_path).returncode == 0
    paths = tuple(tmp_path / "rules" / path.name for path in FILES)
    assert promtool("check", "rules", *paths).returncode == 0
    usual = {kind(rule["alert"], rule["labels"]): rule for rule in ALERTS if rule["alert"] != "StudioNothingFinished"}
    for rule in rules(paths):
        if "record" in rule:
            assert rule["record"] in RECORDED
        elif rule["alert"] != "StudioNothingFinished":
            before = usual[kind(rule["alert"], rule["labels"])]
            assert set(rule) == set(before)
            assert seconds(rule.get("for", "0s")) == pytest.approx(seconds(before.get("for", "0s")) / 60)
    stuck = next(rule for rule in rules(paths) if rule.get("alert") == "StudioIngestRunStuck")
    assert stuck["expr"].endswith("> 120")


def seconds(text: str) -> float:
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
    number, unit = re.fullmatch(r"(\d+)([a-z]+)", text).groups()  # type: ignore[union-attr]  # the rules have no other
    return int(number) * units[unit]


def test_nothing_is_written_where_durations_are_divided_by_mistake() -> None:
    assert "--output" in generate("--divide", "60").stderr
    assert "expected 1 or more" in generate("--divide", "0.5").stderr
