"""The files of rules for Prometheus, of the alerts and recordings as data."""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from grafana.generate import domains, recording, sources, work
from grafana.generate.alert import Alert
from grafana.generate.recording import Recorded
from grafana.generate.thresholds import Thresholds, written

HEAD = "# Made of thresholds.yaml by `python -m grafana.generate`: change it there, or in grafana/generate.\n"
ALERTS = {"work": work.alerts, "domains": domains.alerts, "sources": sources.alerts}
LEAST = 1.0
"""Seconds between evaluations, at the least."""


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def outputs(thresholds: Thresholds) -> dict[str, str]:
    """The text of each file, by its path under `grafana/`."""
    files = {"rules/recording.yaml": _dumped(_recording(thresholds))}
    for name, alerts in ALERTS.items():
        files[f"rules/{name}.yaml"] = _dumped(_alerting(name, alerts(thresholds), thresholds))
    return files


def alerts(thresholds: Thresholds) -> list[Alert]:
    """Every alert there is."""
    return [alert for made in ALERTS.values() for alert in made(thresholds)]


def _dumped(groups: Iterable[dict[str, Any]]) -> str:
    text = yaml.dump({"groups": [*groups]}, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
    return HEAD + text


def _lines(expr: str) -> str:
    return f"{expr}\n" if "\n" in expr else expr


def _recording(t: Thresholds) -> Iterator[dict[str, Any]]:
    quick = [window for window in recording.windows(t) if not recording.long(t, window)]
    slow = [window for window in recording.windows(t) if recording.long(t, window)]
    yield _group(
        "studio.recording",
        [
            *(rule for window in quick for rule in recording.increases(t, window)),
            *recording.last_finish(),
            *recording.queues(t),
            *recording.rest(t),
        ],
    )
    if slow:
        group = _group("studio.recording.slow", [rule for window in slow for rule in recording.increases(t, window)])
        every = written(max(t.span(recording.SLOW), LEAST), "seconds")
        yield {"name": group["name"], "interval": every, "rules": group["rules"]}


def _group(name: str, rules: Iterable[Recorded]) -> dict[str, Any]:
    return {"name": name, "rules": [{"record": rule.name, "expr": _lines(rule.expr)} for rule in rules]}


def _alerting(name: str, alerts: Iterable[Alert], t: Thresholds) -> Iterator[dict[str, Any]]:
    yield {"name": f"studio.{name}", "rules": [_rule(alert, t) for alert in alerts]}


def _rule(alert: Alert, t: Thresholds) -> dict[str, Any]:
    lasting = {} if alert.lasting is None else {"for": written(alert.lasting, "seconds")}
    keep = {} if alert.keep is None else {"keep_firing_for": written(alert.keep, "seconds")}
    told = {"labels": alert.all_labels(), "annotations": alert.annotations(t)}
    return {"alert": alert.name, "expr": _lines(alert.expr), **lasting, **keep, **told}
