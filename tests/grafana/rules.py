"""The rules and their tests as they are on disk: which alerts there are, and what the tests expect of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from grafana.generate.thresholds import GRAFANA

FILES = tuple(sorted((GRAFANA / "rules").glob("*.yaml")))
TESTS = tuple(sorted((GRAFANA / "rules" / "tests").glob("*.yaml")))
ALWAYS = frozenset({"StudioWatchdog"})
"""Alerts that have no quiet case."""

Kind = tuple[str, str, str]
"""An alert's name, severity and long window."""


@dataclass(frozen=True)
class Case:
    """What one test expects of one alert at one time; `metrics` are the names of the series it is given."""

    alert: str
    expected: frozenset[Kind]
    metrics: frozenset[str]


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules(paths: tuple[Path, ...] = FILES) -> list[dict[str, Any]]:
    """Every rule, recording and alerting."""
    return [rule for path in paths for group in loaded(path)["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def kind(name: str, labels: dict[str, str]) -> Kind:
    return name, labels["severity"], labels.get("long_window", "")


@cache
def cases() -> tuple[Case, ...]:
    """Every case of every test."""
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for path in TESTS:
        for test in loaded(path)["tests"]:
            metrics = frozenset(series["series"].split("{")[0] for series in test["input_series"])
            for case in test.get("alert_rule_test", ()):
                name = case["alertname"]
                expected = frozenset(kind(name, alert["exp_labels"]) for alert in case["exp_alerts"])
                yield Case(name, expected, metrics)
