"""ALERTS.md: the alerts and the thresholds as tables for people."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from grafana.generate import rules
from grafana.generate.alert import Alert
from grafana.generate.thresholds import Level, Thresholds, written

HEAD = """\
<!-- Made of thresholds.yaml by `python -m grafana.generate`: change it there, or in grafana/generate. -->
# Alerts and thresholds

Every alert carries `severity`, `area`, a summary, a description, the address of its page in [runbooks/](runbooks/) and
of the dashboard that shows what it is about. `part` is the part of the source that it derives from: Alertmanager mutes
it while that part cannot be read.
"""

DIRECTIONS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}


def outputs(thresholds: Thresholds) -> dict[str, str]:
    """The text of each file, by its path under `grafana/`."""
    sections = [HEAD]
    for name, made in rules.ALERTS.items():
        sections.append(f"## rules/{name}.yaml\n\n{_table(ALERTS, _alerts(made(thresholds)))}")
    sections.append(f"## Thresholds\n\n{_table(LEVELS, _levels(thresholds))}")
    return {"ALERTS.md": "\n".join(sections)}


ALERTS = ("alert", "severity", "after", "part", "says")
LEVELS = ("threshold", "is", "warning", "critical")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (heads, ["---"] * len(heads), *rows)
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _alerts(alerts: Iterable[Alert]) -> Iterator[Sequence[str]]:
    for name, same in groupby(alerts, lambda alert: alert.name):
        every = [*same]
        for number, alert in enumerate(every):
            first = f"[{name}](runbooks/{name}.md)" if number == 0 else ""
            after = "at once" if alert.lasting is None else written(alert.lasting, "seconds")
            yield first, alert.severity or "none", after, _part(alert), _said(alert)


def _said(alert: Alert) -> str:
    """Its summary, with the names of labels in the place of their values."""
    return re.sub(r"\{\{ \$(?:labels\.)?(\w+).*?\}\}", r"*\1*", alert.summary)


def _part(alert: Alert) -> str:
    return "the pipeline's" if "{{" in alert.place.part else alert.place.part


def _levels(t: Thresholds) -> Iterator[Sequence[str]]:
    every = {**t.levels, **{f"silence.{pipeline}": level for pipeline, level in t.silence.items()}}
    for name, level in sorted(every.items()):
        about = f"time {level.about}" if level.unit == "seconds" else level.about
        yield f"`{name}`", about, _shown(level, "warning"), _shown(level, "critical")


def _shown(level: Level, severity: str) -> str:
    for known in level.severities:
        if known == severity:
            return f"{DIRECTIONS[level.comparison]} {level.text(known)}"
    return ""
