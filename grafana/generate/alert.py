"""An alert as data, and the pieces that every alert is put together from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from grafana.generate.thresholds import Level, Severity, Thresholds

GRACE = 5.0
"""The shortest range of a query in a test that divides durations: with a scrape every second it still holds some."""

URL = " | urlquery }}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an alert belongs: its area, its dashboard, and the part of the source whose reading it derives from, which
    is empty where it derives from none or its series say it."""

    area: str
    dashboard: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule. `lasting` and `keep` are seconds; `about` names the labels at whose values the dashboard
    opens."""

    name: str
    severity: Severity | None
    expr: str
    summary: str
    description: str
    place: Place
    about: tuple[str, ...] = ()
    lasting: float | None = None
    keep: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def all_labels(self) -> dict[str, str]:
        """The labels the rule adds to those of its series."""
        part = {"part": self.place.part} if self.place.part else {}
        return {"severity": self.severity or "none", "area": self.place.area, **part, **self.labels}

    def annotations(self, thresholds: Thresholds) -> dict[str, str]:
        """What people are told, and where they look."""
        links = thresholds.links
        variables = "&".join(f"var-{label}={{{{ $labels.{label}{URL}" for label in self.about)
        return {
            "summary": self.summary,
            "description": self.description,
            "runbook_url": f"{links.runbooks}/{self.name}.md",
            "dashboard_url": f"{links.grafana}/d/{self.place.dashboard}" + (f"?{variables}" if variables else ""),
        }


def graded(level: Level, make: Callable[[Severity], Alert]) -> Iterator[Alert]:
    """An alert for each severity of a level, each as long in coming as the level says."""
    for severity in level.severities:
        yield replace(make(severity), lasting=level.lasting)


def number(value: float) -> str:
    """A number as PromQL has it, exact, without an exponent."""
    return f"{value:.10f}".rstrip("0").rstrip(".")


def beyond(expr: str, level: Level, severity: Severity) -> str:
    """The expression with the comparison that makes it an alert."""
    between = "\n" if "\n" in expr else " "
    return f"{expr}{between}{level.comparison} {number(level[severity])}"


def newest(metric: str, by: str) -> str:
    """The greatest value of whichever exporter: where several watch one source, that of the one which knows most."""
    return f"max by ({by}) ({metric})"


def age(metric: str, by: str) -> str:
    """Seconds since the oldest time of whichever exporter."""
    return f"time() - min by ({by}) ({metric})"
