"""Reads `thresholds.yaml`: numbers by name, each with when it is a warning and when it is critical."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from exporter.core.decode import Decoder, document
from exporter.core.errors import ConfigError, Problem
from exporter.core.failed import FAILED
from exporter.core.units import Between, Like, Seconds, duration_text

GRAFANA = Path(__file__).parents[1]
FILE = GRAFANA / "thresholds.yaml"

DAY = 86_400.0
Severity = Literal["warning", "critical"]
Unit = Literal["seconds", "count", "ratio", "score"]

Positive = Annotated[Seconds, Between(0.001, 365 * DAY)]
Share = Annotated[float, Between(0, 1)]
Address = Annotated[str, Like(r"https?://[^\s?#]+[^\s?#/]", "an http address without a slash at its end")]


@dataclass(frozen=True, slots=True)
class Level:
    """When a number is a warning and when it is critical: above it, with `below` under it, with `at_least` at it too.

    `lasting` are the seconds that must be so before somebody is told. With `least`, what a ratio is of must be as many.
    """

    about: str
    unit: Unit = "count"
    warning: float | None = None
    critical: float | None = None
    below: bool = False
    at_least: bool = False
    least: int = 0
    lasting: Positive | None = None

    def __getitem__(self, severity: Severity) -> float:
        """The number of a severity that it has; KeyError where it has none."""
        found = {"warning": self.warning, "critical": self.critical}[severity]
        if found is None:
            raise KeyError(severity)
        return found

    @property
    def severities(self) -> tuple[Severity, ...]:
        """Those it has a number for."""
        return tuple(severity for severity in SEVERITIES if getattr(self, severity) is not None)

    @property
    def comparison(self) -> str:
        """The operator that says of a number, before the threshold, that it is bad."""
        return ("<" if self.below else ">") + ("=" if self.at_least else "")

    def text(self, severity: Severity) -> str:
        """The number of a severity as people read it, with its unit."""
        return written(self[severity], self.unit)

    def problems(self) -> Iterator[str]:
        if self.warning is None and self.critical is None:
            yield "expected a warning, a critical or both"
        if self.warning is not None and self.critical is not None:
            wrong = self.critical >= self.warning if self.below else self.critical <= self.warning
            if wrong:
                yield f"critical must be {'below' if self.below else 'above'} warning"


SEVERITIES: tuple[Severity, ...] = ("warning", "critical")


@dataclass(frozen=True, slots=True)
class Age:
    """A level that is a duration."""

    about: str
    warning: Positive | None = None
    critical: Positive | None = None
    lasting: Positive | None = None

    def level(self) -> Level:
        """The same in seconds."""
        return Level(self.about, "seconds", self.warning, self.critical, lasting=self.lasting)

    def problems(self) -> Iterator[str]:
        return self.level().problems()


@dataclass(frozen=True, slots=True)
class Links:
    """Where Grafana and the runbooks are."""

    grafana: Address
    runbooks: Address


@dataclass(frozen=True, slots=True)
class Window:
    """Two windows over which a failure budget is burnt, and how many times too fast."""

    long: Positive
    short: Positive
    rate: Annotated[float, Between(1, 1000)]
    severity: Severity
    lasting: Positive

    def problems(self) -> Iterator[str]:
        if self.short >= self.long:
            yield "short must be shorter than long"


@dataclass(frozen=True, slots=True)
class Objective:
    """The share of what finishes that is to succeed."""

    succeeded: Annotated[float, Between(0.5, 0.99999)]
    least_finished: Annotated[int, Between(1, 1_000_000)]
    windows: tuple[Window, ...]

    @property
    def budget(self) -> float:
        """The share that may fail."""
        return round(1 - self.succeeded, 10)

    def problems(self) -> Iterator[str]:
        for window in self.windows:
            if window.rate * self.budget >= 1:
                most = f"{window.rate:g} times {self.budget:g} is all or more"
                yield f"the rate {window.rate:g} can never be reached: {most}"
        longs = [window.long for window in self.windows]
        if longs != sorted(set(longs)):
            yield "expected windows with the fastest first, each long one once"


@dataclass(frozen=True, slots=True)
class _Document:
    links: Links
    job: Annotated[str, Like(r"[a-zA-Z0-9_.-]+", "letters, digits and _ . -")]
    gap: Positive
    idle_farms: Annotated[str, Like(r"[^\"\\]*", "a regular expression without quotes and backslashes")]
    objective: Objective
    silence: Mapping[str, Age]
    ages: Mapping[str, Age]
    levels: Mapping[str, Level]
    lasting: Mapping[str, Positive]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All of the file; ages are levels in seconds, among the others. `shrunk` is by what all durations were divided,
    for a test that cannot wait."""

    links: Links
    job: str
    gap: float
    idle_farms: str
    objective: Objective
    silence: Mapping[str, Level]
    levels: Mapping[str, Level]
    lasting: Mapping[str, float]
    shrunk: float = 1

    def __getitem__(self, name: str) -> Level:
        return self.levels[name]

    def span(self, seconds: float) -> float:
        """A duration of the rules' own, divided as those of the file are."""
        return seconds / self.shrunk

    def divided(self, by: float) -> "Thresholds":
        """The same with every duration divided."""

        def shorter(level: Level) -> Level:
            lasting = None if level.lasting is None else level.lasting / by
            if level.unit != "seconds":
                return replace(level, lasting=lasting)
            warning = None if level.warning is None else level.warning / by
            critical = None if level.critical is None else level.critical / by
            return replace(level, warning=warning, critical=critical, lasting=lasting)

        windows = (
            replace(each, long=each.long / by, short=each.short / by, lasting=each.lasting / by)
            for each in self.objective.windows
        )
        return replace(
            self,
            gap=self.gap / by,
            objective=replace(self.objective, windows=tuple(windows)),
            silence={name: shorter(level) for name, level in self.silence.items()},
            levels={name: shorter(level) for name, level in self.levels.items()},
            lasting={name: seconds / by for name, seconds in self.lasting.items()},
            shrunk=self.shrunk * by,
        )


def written(value: float, unit: Unit) -> str:
    """A number with its unit: 2h, 97%, 3."""
    if unit == "seconds":
        return duration_text(value)
    return f"{value * 100:g}%" if unit == "ratio" else f"{value:g}"


def parse(text: str) -> Thresholds:
    """What a text of that form says; ConfigError names everything wrong with it, with paths and lines."""
    problems: list[Problem] = []
    root = document(text, problems)
    decoder = Decoder({}, Path.read_text, problems=problems)
    found = decoder.record(_Document, root)
    if found is FAILED or problems:
        raise ConfigError(problems)
    return _made(found)


def _made(found: _Document) -> Thresholds:
    if twice := sorted(found.ages.keys() & found.levels.keys()):
        raise ConfigError([Problem(f"levels.{name}", None, "stands among the ages too") for name in twice])
    return Thresholds(
        links=found.links,
        job=found.job,
        gap=found.gap,
        idle_farms=found.idle_farms,
        objective=found.objective,
        silence={name: age.level() for name, age in found.silence.items()},
        levels={**{name: age.level() for name, age in found.ages.items()}, **found.levels},
        lasting=dict(found.lasting),
    )


def read(path: Path = FILE) -> Thresholds:
    """The thresholds of a file."""
    return parse(path.read_text(encoding="utf-8"))
