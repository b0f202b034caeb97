"""The head of each runbook: what its alert asks, and when. The rest of the page is written by hand and stays."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from grafana.generate import rules
from grafana.generate.alert import Alert
from grafana.generate.thresholds import GRAFANA, Thresholds, written

BEGIN = "<!-- made of the rules by `python -m grafana.generate` -->"
END = "<!-- written by hand from here on -->"


def outputs(thresholds: Thresholds, written_by_hand: Path = GRAFANA / "runbooks") -> dict[str, str]:
    """The text of each page, by its path under `grafana/`. A page that is not there yet has no more than its head."""
    pages = {}
    for name, same in groupby(rules.alerts(thresholds), lambda alert: alert.name):
        page = written_by_hand / f"{name}.md"
        text = page.read_text(encoding="utf-8") if page.is_file() else END + "\n"
        pages[f"runbooks/{name}.md"] = f"# {name}\n\n{_head([*same])}{_body(text)}"
    return pages


def _head(alerts: Iterable[Alert]) -> str:
    return "\n".join((BEGIN, *(_asked(alert) for alert in alerts), ""))


def _asked(alert: Alert) -> str:
    after = "" if alert.lasting is None else f", after {written(alert.lasting, 'seconds')}"
    burnt = "".join(f", {name} {value}" for name, value in alert.labels.items())
    severity = (alert.severity or "always").capitalize()
    return f"{severity}{burnt}{after}:\n\n```promql\n{alert.expr}\n```\n"


def _body(text: str) -> str:
    """What stands below the head."""
    return END + text.split(END, 1)[-1]
