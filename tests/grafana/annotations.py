"""Fills `exp_annotations` into the tests of the rules, as they come out: `python -m tests.grafana.annotations`.

What an alert says is looked at in the difference this makes; who fires when is written by hand and never changed here.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from exporter.core.units import MILLISECONDS
from grafana.generate.thresholds import GRAFANA
from tests.prometheus import promtool

CASE = re.compile(r"alertname: (\w+), time: (\w+), (.*?)(?=alertname: \w+, time: |\Z)", re.DOTALL)
GOT = re.compile(r"Labels:\{(.*?)\}\s+Annotations:\{(.*)\}")
PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*")')
EXPECTED = re.compile(r"^( *)- exp_labels: (\{.*\})$")
FILLED = re.compile(r"^ *(exp_annotations:$|(summary|description|runbook_url|dashboard_url): )")

Key = tuple[str, float, frozenset[tuple[str, str]]]


def pairs(text: str) -> dict[str, str]:
    return {name: json.loads(value) for name, value in PAIR.findall(text)}


def seconds(text: str) -> float:
    """A time such as 1h20m."""
    return sum(int(number) * MILLISECONDS[unit] / 1000 for number, unit in re.findall(r"(\d+)([a-z]+)", text))


def said(path: Path, text: str) -> dict[Key, dict[str, str]]:
    """The annotations of every alert that fires in the tests of a file without any, by its name, time and labels."""
    scratch = path.with_suffix(".filling")
    scratch.write_text(text, encoding="utf-8")
    try:
        output = promtool("test", "rules", scratch)
    finally:
        scratch.unlink()
    found: dict[Key, dict[str, str]] = {}
    for name, time, case in CASE.findall(output.stdout + output.stderr):
        for labels, annotations in GOT.findall(case.split("got:", 1)[1]):
            key = name, seconds(time), frozenset(pairs(labels).items()) - {("alertname", name)}
            told = pairs(annotations)
            assert found.setdefault(key, told) == told, f"{path}: {name} at {time} says two things"
    return found


def expected(text: str) -> Iterator[Key]:
    """The name, time and labels of each alert that a file expects, in its order."""
    for test in yaml.safe_load(text)["tests"]:
        for case in test.get("alert_rule_test", ()):
            for alert in case["exp_alerts"]:
                labels: dict[str, Any] = alert["exp_labels"]
                yield case["alertname"], seconds(case["eval_time"]), frozenset(labels.items())


def filled(path: Path) -> str:
    """The text of a file with the annotations in place."""
    bare = [line for line in path.read_text(encoding="utf-8").splitlines() if not FILLED.match(line)]
    text = "\n".join(bare) + "\n"
    told, keys = said(path, text), expected(text)
    lines = []
    for line in bare:
        lines.append(line)
        if found := EXPECTED.match(line):
            lines.append(f"{found[1]}  exp_annotations:")
            annotations = sorted(told.get(next(keys), {}).items())
            lines.extend(f"{found[1]}    {name}: {json.dumps(value)}" for name, value in annotations)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for path in sorted((GRAFANA / "rules" / "tests").glob("*.yaml")):
        path.write_text(filled(path), encoding="utf-8")
