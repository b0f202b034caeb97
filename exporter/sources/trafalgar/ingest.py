"""The ingest registry: a JSON file of runs, by the rules of contract b.1."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from heapq import heappush, heapreplace
from typing import Any, TypeGuard

from exporter.domains.ingest import FAILED, INVALID, PROCESSED, RUNNING, SUCCEEDED, Ingest
from exporter.inputs.documents import ABSENT, Layout, NoList, NoObject, Record, Skip
from exporter.sources.trafalgar.times import iso

RECENT = 10
"""Runs in the window of `recent`."""

UNKNOWN = "unknown"
"""The show of a run without any accepted file, and of a file whose show code is null or empty."""

YEAR_ONE = -62135596800.0
"""Where a run without a start stands among the others: 0001-01-01 as epoch seconds."""


class Media(Record, frozen=True):
    """What a file's name told: all six must be there."""

    show_code: Any = ABSENT  # Any, here and below: whatever JSON has in this place
    episode: Any = ABSENT
    scene: Any = ABSENT
    shot: Any = ABSENT
    descriptor: Any = ABSENT
    extension: Any = ABSENT


class File(Record, frozen=True):
    """A processed file."""

    path: Any = None
    bucket: Any = None
    key: Any = None
    media_info: Media | NoObject = None


class Report(Record, frozen=True):
    """What a run did."""

    processed: list[File | NoObject] | NoList = None
    invalid: Any = None


EMPTY = Report()


class Entry(Record, frozen=True):
    """A run as the registry has it."""

    id: Any = None
    run_id: Any = None
    started_at: Any = None
    completed_at: Any = None
    report: Report | NoObject = None


Run = tuple[float | None, str, str, Mapping[str, int], int]
"""What counts of a run: its start (epoch seconds), status, show, accepted files by their own show, invalid files."""


def run(entry: Entry) -> Run:
    """The rule for one run (contract b.1): a run without an id is skipped, the rest is read as leniently as ever.

    A run is completed when its `completed_at` can be read, whatever its `status` says, and succeeded when no file of it
    was invalid. Its show is the commonest of its accepted files, the first of those that tie.
    """
    if not (entry.id or entry.run_id):
        raise Skip("missing")
    report = entry.report if isinstance(entry.report, Report) else EMPTY
    processed = _shows(report.processed)
    invalid = _invalid(report.invalid)
    started = iso(entry.started_at)
    status = RUNNING if iso(entry.completed_at) is None else FAILED if invalid else SUCCEEDED
    return started.timestamp() if started else None, status, _commonest(processed), processed, invalid


def _commonest(shows: Mapping[str, int]) -> str:
    if len(shows) == 1:  # nearly always; max() alone would be a sixth of the whole rule
        return next(iter(shows))
    return max(shows, key=shows.__getitem__, default=UNKNOWN)


def _shows(files: object) -> dict[str, int]:
    """Accepted files by show: those with a path, a bucket, a key and the whole of their media info."""
    shows: dict[str, int] = {}
    for file in files if isinstance(files, list) else ():
        if isinstance(file, File) and file.path and file.bucket and file.key and _whole(file.media_info):
            code = file.media_info.show_code
            show = (code if isinstance(code, str) else "" if code is None else str(code)) or UNKNOWN
            shows[show] = shows.get(show, 0) + 1
    return shows


def _whole(media: object) -> TypeGuard[Media]:
    return isinstance(media, Media) and not (
        media.show_code is ABSENT
        or media.episode is ABSENT
        or media.scene is ABSENT
        or media.shot is ABSENT
        or media.descriptor is ABSENT
        or media.extension is ABSENT
    )


def _invalid(entries: object) -> int:
    """Entries that unpack into a path and a reason: pairs, and whatever else has two of something."""
    if not entries or not isinstance(entries, list | dict):
        return 0
    return sum(isinstance(entry, list | dict | str) and len(entry) == 2 for entry in entries)


def facts(runs: Iterable[Run]) -> Ingest:
    """The facts of all runs, in the file's order; `oldest_running` may be in the future: see `at`."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    accepted: dict[str, int] = defaultdict(int)
    refused: dict[str, int] = defaultdict(int)
    newest: list[tuple[float, int, str]] = []  # a heap; of runs that started together the last in the file is the least
    oldest: float | None = None
    for index, (started, status, show, processed, invalid) in enumerate(runs):
        counts[show, status] += 1
        refused[show] += invalid
        for name, count in processed.items():
            accepted[name] += count
        if status == RUNNING and started is not None and (oldest is None or started < oldest):
            oldest = started
        place = YEAR_ONE if started is None else started
        if len(newest) < RECENT:
            heappush(newest, (place, -index, status))
        elif place > newest[0][0]:
            heapreplace(newest, (place, -index, status))
    recent = Counter(status for _, _, status in newest)
    files = {(show, PROCESSED): count for show, count in accepted.items()}
    files |= {(show, INVALID): count for show, count in refused.items()}
    return Ingest(dict(counts), files, dict(recent), oldest)


def at(found: Ingest, now: float) -> Ingest:
    """The facts as they are at `now`: a start in the future is none. (The least of all starts is the only one that can
    be the oldest of those past, so no other is kept.)"""
    if found.oldest_running is None or found.oldest_running <= now:
        return found
    return replace(found, oldest_running=None)


LAYOUT: Layout[Entry, Run, Ingest] = Layout(Entry, run, facts, key="runs")
