"""The files of the orchestrator: its daily reports, the result of its last run, its training configuration."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from functools import partial
from pathlib import Path
from typing import TypeVar

from exporter.core.errors import Malformed, Missing, ReadError, Refused, Unreachable
from exporter.core.part import Taken
from exporter.domains.training import Run, Training
from exporter.inputs.documents import Skip
from exporter.inputs.texts import Texts
from exporter.sources.music_agents import records, reports
from exporter.sources.music_agents.reports import PATTERN, ROSTER, Report
from exporter.sources.music_agents.schedule import due
from exporter.sources.music_agents.times import beginning, today

RESULT = "holistic_training_result.json"
CONFIG = "training/config.json"
LOGS = "logs"
SHOWN = 3
"""Unreadable files that are named."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """What was there to read: the readable reports by file name, the result, the settings; and by path, why a file
    could not be read."""

    reports: Mapping[str, Report]
    result: records.Result | None
    settings: records.Settings | None
    unread: Mapping[str, Skip | ReadError]


class Files:
    """An orchestrator's directory, and what its files said when they were last read."""

    def __init__(self, root: Path, zone: tzinfo, limit: int) -> None:
        """`limit` in bytes of a file."""
        self._root = root
        self._zone = zone
        self._reports: Texts[Report | Skip] = Texts(reports.decode, limit)
        self._result: Texts[records.Result | Skip] = Texts(partial(records.result, zone=zone), limit)
        self._settings: Texts[records.Settings | Skip] = Texts(records.settings, limit)
        self._last: Training | None = None

    def read(self, now: float) -> Taken[Training]:
        """What the files say at `now` (epoch seconds); the same value until it changes, with the files or with time.

        A file that cannot be read is counted as skipped, by reason, and so is what cannot be read within a file. Raises
        Missing where there is nothing to read, and where there is but no file can be read, why not. Blocks.
        """
        return self.look(now)[0]

    def look(self, now: float) -> tuple[Taken[Training], Found]:
        """The same, and what it was made of."""
        found = self._found(now)
        if not (found.reports or found.result or found.settings):
            raise self._nothing(found)
        flaws = Counter(reason for error in found.unread.values() if (reason := _reason(error)))
        value = training(found, self._zone, now, flaws)
        if self._last is None or value != self._last:
            self._last = value
        count = len(found.reports) + (found.result is not None) + (found.settings is not None)
        return Taken(self._last, self._origin(found, now), count, dict(+flaws)), found

    def _found(self, now: float) -> Found:
        unread: dict[str, Skip | ReadError] = {}
        result = _readable(unread, RESULT, _said(partial(self._result.file, self._root / RESULT, now)))
        settings = _readable(unread, CONFIG, _said(partial(self._settings.file, self._root / CONFIG, now)))
        said = _readable(unread, LOGS, _said(partial(self._reports.directory, self._root / LOGS, PATTERN, now))) or {}
        readable = {name: _readable(unread, f"{LOGS}/{name}", report) for name, report in said.items()}
        return Found({name: report for name, report in readable.items() if report}, result, settings, unread)

    def _nothing(self, found: Found) -> ReadError:
        for error in found.unread.values():
            if isinstance(error, ReadError):
                return error
        if found.unread:
            return Malformed(f"{self._root}: no file can be read: {_list(found.unread)}")
        return Missing(f"{self._root}: expected {CONFIG}, {RESULT} or {LOGS}/{PATTERN}, found none of them")

    def _origin(self, found: Found, now: float) -> str:
        newest = _newest(found.reports, today(self._zone, now))
        about = f"newest of {len(found.reports)} reports: {newest}" if newest else "no report"
        return f"{self._root} ({about}" + (f"; not read: {_list(found.unread)})" if found.unread else ")")


def training(found: Found, zone: tzinfo, now: float, flaws: Counter[str]) -> Training:
    """The facts at `now`; `flaws` gets what of the files cannot be used, by reason.

    The newest report is that with the newest date: times of files change when they are copied, and a damaged file of
    today must not hide yesterday's (contract 5.7 and 5.8). Days and runs in the future are ignored, and counted.
    """
    for one in (*found.reports.values(), found.result, found.settings):
        if one and one.flaws:
            flaws.update(one.flaws)
    last = today(zone, now)
    flaws["invalid"] += sum(report.day > last for report in found.reports.values())
    report = found.reports.get(_newest(found.reports, last) or "")
    settings = found.settings or records.Settings()
    return Training(
        last=_last_run(found.result.run if found.result else None, report, zone, now),
        next_run=_next_run(settings.schedule, zone, now, flaws),
        quality=report.quality if report else None,
        reported=_reported(report) if report else {},
        agents=report.agents if report else {},
        enabled=settings.enabled,
        targets=settings.targets,
        finishes=(found.result.finish,) if found.result and found.result.finish else (),
    )


def _newest(found: Mapping[str, Report], last: date) -> str | None:
    """The name of the report with the newest date up to `last`; of several the one named after it."""
    day = max((report.day for report in found.values() if report.day <= last), default=None)
    names = (name for name, report in found.items() if report.day == day)
    return max(names, key=lambda name: (name == f"daily_report_{day}.txt", name), default=None)


def _last_run(run: Run | None, report: Report | None, zone: tzinfo, now: float) -> Run:
    """The run as its result records it; where there is none, as the report of it tells."""
    if run:
        return replace(run, ended=None) if run.ended is not None and run.ended > now else run
    return Run(ended=beginning(report.day, zone), duration=report.duration) if report else Run()


def _next_run(schedule: str | None, zone: tzinfo, now: float, flaws: Counter[str]) -> float | None:
    if schedule is None:
        return None
    try:
        return due(schedule, zone, now)
    except Skip as skip:
        flaws[skip.reason] += 1
        return None


def _reported(report: Report) -> dict[str, bool]:
    """Of a report that is cut short nothing can be said about the agents it does not get to."""
    missing = {*report.silent, *(ROSTER if report.whole else ())} - report.agents.keys()
    return {**dict.fromkeys(report.agents, True), **dict.fromkeys(missing, False)}


def _said(read: Callable[[], T]) -> T | ReadError:
    try:
        return read()
    except ReadError as error:
        return error


def _readable(unread: dict[str, Skip | ReadError], name: str, said: T | Skip | ReadError) -> T | None:
    """What a file said; where it said nothing, None, and why is noted. A file that is gone is none."""
    if not isinstance(said, Skip | ReadError):
        return said
    if not isinstance(said, Missing):
        unread[name] = said
    return None


def _reason(error: Skip | ReadError) -> str:
    """Why a file was left out, in the words for records."""
    if isinstance(error, Skip):
        return error.reason
    return "missing" if isinstance(error, Refused) else "type" if isinstance(error, Unreachable) else "invalid"


def _list(unread: Mapping[str, Skip | ReadError]) -> str:
    listed = [f"{name} ({_reason(error)})" for name, error in sorted(unread.items())]
    return ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else "")
