"""What `grafana/` and the README hold: dashboards with their panels, rules, and every expression in them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "grafana"
Json = dict[str, Any]

DASHBOARDS: dict[str, Json] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((GRAFANA / "dashboards").glob("*.json"))
}
"""By the name of their file."""


@dataclass(frozen=True)
class Asked:
    """An expression, where it stands, and whether only its value at the end of the time range is asked for."""

    where: str
    expression: str
    instant: bool = True


def panels(document: Json) -> list[Json]:
    """The panels of a dashboard, without the headings of rows."""
    return [panel for panel in document["panels"] if panel["type"] != "row"]


def variables(document: Json) -> list[Json]:
    """The variables of a dashboard that are asked for."""
    return [each for each in document["templating"]["list"] if each["type"] == "query"]


def label_values(variable: Json) -> tuple[str, str]:
    """The selector and the label that a variable is filled with; ValueError where it is another query."""
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"])
    if not found:
        raise ValueError(variable["query"])
    return found[1], found[2]


def of_panels(document: Json) -> Iterator[Asked]:
    """The expressions of the panels of a dashboard."""
    for panel in panels(document):
        for target in panel["targets"]:
            where = f"{document['uid']}: {panel['title']}: {target['refId']}"
            yield Asked(where, target["expr"], target.get("instant", False))


def of_dashboard(document: Json) -> Iterator[Asked]:
    """Every expression of a dashboard."""
    yield from of_panels(document)
    for variable in variables(document):
        yield Asked(f"{document['uid']}: ${variable['name']}", label_values(variable)[0])
    for annotation in document["annotations"]["list"]:
        yield Asked(f"{document['uid']}: {annotation['name']}", annotation["expr"])


def rules() -> Iterator[tuple[str, Json]]:
    """Every rule, recording or alert, and its file."""
    for path in sorted((GRAFANA / "rules").glob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from ((path.name, rule) for rule in group["rules"])


def of_texts() -> Iterator[Asked]:
    """The expressions of the README, of the runbooks, and of what else is written about the alerts."""
    for path in (ROOT / "README.md", *sorted(GRAFANA.rglob("*.md"))):
        for block in re.findall(r"```promql\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            yield from (Asked(f"{path.relative_to(ROOT)}: {each}", each) for each in expressions(block))


def expressions(block: str) -> list[str]:
    """A block is one expression, several with a blank line between, or one on each line."""
    parts = [part.strip() for part in block.split("\n\n") if part.strip()]
    return [each for part in parts for each in ([part] if is_promql(part) else part.splitlines())]


def is_promql(text: str) -> bool:
    try:
        promql.parse(text)
    except ValueError:
        return False
    return True


def everything() -> Iterator[Asked]:
    """Every expression there is."""
    for document in DASHBOARDS.values():
        yield from of_dashboard(document)
    for file, rule in rules():
        yield Asked(f"{file}: {rule.get('record') or rule['alert']}", rule["expr"])
    yield from of_texts()
