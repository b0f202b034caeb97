"""What the JSON of old shows of the orchestrator's files, besides what is measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any

from exporter.core.finish import Finish
from exporter.core.part import Taken
from exporter.domains.training import Run, Training
from exporter.inputs.documents import Skip
from exporter.inputs.stamps import changed
from exporter.sources.music_agents.api.answers import DayReport
from exporter.sources.music_agents.api.days import day
from exporter.sources.music_agents.api.plain import plain
from exporter.sources.music_agents.files import LOGS, Files, Found
from exporter.sources.music_agents.reports import PATTERN, Report
from exporter.sources.music_agents.schedule import due

KEPT = 1000
"""Reports that are kept, the last changed ones: the most that the history shows. One a day for nearly three years."""

DAILY = "0 3 * * *"
"""The schedule of a configuration that has none."""

Object = Mapping[str, Any]  # Any: whatever JSON has in this place


@dataclass(frozen=True, slots=True)
class Paper:
    """A report's file: when it was changed (epoch seconds), and what it says, as it is and as the history shows it,
    None where it cannot be read."""

    at: float
    report: Report | None
    day: DayReport | None


@dataclass(frozen=True, slots=True)
class Papers:
    """The reports, the last changed first; all of `training` in the configuration; the quality of the system after the
    last run, where its result has one; and when the next is due (epoch seconds)."""

    papers: tuple[Paper, ...] = ()
    training: Object = field(default_factory=dict)
    after: float | None = None
    next_run: float | None = None

    @property
    def latest(self) -> Paper | None:
        """The last changed of those that can be read."""
        return next((paper for paper in self.papers if paper.report), None)

    def last(self, files: int) -> tuple[Paper, ...]:
        """That many files, the last changed first; all but that many of the first changed ones, where the number is
        negative. A file that cannot be read is one of the number."""
        return self.papers[:files]

    def reports(self, files: int) -> list[Report]:
        """What can be read of them."""
        return [paper.report for paper in self.last(files) if paper.report]


@dataclass(frozen=True, slots=True)
class Filed:
    """The value of the part: what is measured, and what only the JSON shows."""

    facts: Training
    papers: Papers

    @property
    def finishes(self) -> tuple[Finish, ...]:
        return self.facts.finishes


NOTHING = Filed(Training(Run(), None, None, {}, {}, {}, {}), Papers())
"""What there is where no orchestrator is configured."""


class Cabinet:
    """An orchestrator's directory, and what was made of it when it was last read."""

    def __init__(self, root: Path, files: Files, zone: tzinfo) -> None:
        self._logs = root / LOGS
        self._files = files
        self._zone = zone
        self._known: dict[str, Paper] = {}
        self._last: Filed | None = None

    def read(self, now: float) -> Taken[Filed]:
        """What the files say at `now` (epoch seconds); the same value until it changes. Raises as Files do. Blocks."""
        taken, found = self._files.look(now)
        self._known = papers(found, changed(self._logs, PATTERN), self._known)
        value = Filed(taken.value, filed(found, self._known, self._zone, now))
        if self._last is None or value != self._last:
            self._last = value
        return Taken(self._last, taken.origin, taken.records, taken.skipped)


def papers(found: Found, times: Mapping[str, float], known: Mapping[str, Paper]) -> dict[str, Paper]:
    """The reports by name, the last changed first, of those `times` that are kept; the very same as are `known` where
    they still are as they were.

    The last changed report counts as the newest, whatever its date, as it always did in this JSON (contract 1.1); where
    nothing of it can be read, the one before it does.
    """
    order = sorted(times, key=lambda name: (times[name], name), reverse=True)
    return {name: _paper(times[name], found.reports.get(name), known.get(name)) for name in order[:KEPT]}


def _paper(at: float, report: Report | None, known: Paper | None) -> Paper:
    if known and known.report is report and known.at == at:
        return known
    return Paper(at, report, day(report) if report else None)


def filed(found: Found, known: Mapping[str, Paper], zone: tzinfo, now: float) -> Papers:
    """The papers of what was found."""
    training = _written(found.settings.written if found.settings else {})
    return Papers(
        papers=tuple(known.values()),
        training=training,
        after=found.result.after if found.result else None,
        next_run=_next_run(training, zone, now),
    )


def _written(training: Object) -> Object:
    try:
        made: Object = plain(dict(training))
    except RecursionError:
        return {}
    return made


def _next_run(training: Object, zone: tzinfo, now: float) -> float | None:
    schedule = training.get("schedule", DAILY)
    if not isinstance(schedule, str) or not training.get("enabled", True):
        return None
    try:
        return due(schedule, zone, now)
    except Skip:
        return None
