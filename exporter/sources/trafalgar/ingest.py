"""The ingest registry: a JSON file of runs, by the rules of contract b.1."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import accumulate
from math import nan
from typing import Any, TypeGuard

from exporter.domains.finished import Block, Finished, Row
from exporter.domains.ingest import FAILED, INVALID, PROCESSED, RUNNING, SUCCEEDED, Ingest
from exporter.inputs.documents import ABSENT, NoList, NoObject, Record, Skip
from exporter.sources.trafalgar.times import iso

RECENT = 10
"""Runs in the window of `recent`."""

NEWEST = 100
"""Runs that are asked for at most, the newest of all."""

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


Run = tuple[str, float | None, float | None, str, str, Mapping[str, int], int]
"""What counts of a run: its id, its start and its end (epoch seconds), status, show, accepted files by their own show,
invalid files."""


def run(entry: Entry) -> Run:
    """The rule for one run (contract b.1): a run without an id is skipped, the rest is read as leniently as ever.

    A run is completed when its `completed_at` can be read, whatever its `status` says, and succeeded when no file of it
    was invalid. Its show is the commonest of its accepted files, the first of those that tie.
    """
    if not (name := entry.id or entry.run_id):
        raise Skip("missing")
    report = entry.report if isinstance(entry.report, Report) else EMPTY
    processed = _shows(report.processed)
    invalid = _invalid(report.invalid)
    started, completed = iso(entry.started_at), iso(entry.completed_at)
    status = RUNNING if completed is None else FAILED if invalid else SUCCEEDED
    start, end = started.timestamp() if started else None, completed.timestamp() if completed else None
    return str(name), start, end, status, _commonest(processed), processed, invalid


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


Start = tuple[float, int, str]
"""A run among the others: its start, its place counted downwards (of runs that started together the first in the file
is the newest), and its status."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What some runs that follow one another come to: how many by show and status, their files by show, the newest of
    them (at most NEWEST), when the oldest that is still going started, and those that ended."""

    count: int
    runs: Mapping[tuple[str, str], int]
    accepted: Mapping[str, int]
    refused: Mapping[str, int]
    newest: Sequence[Start]
    oldest: float | None
    ended: Block


def tally(runs: Sequence[Run]) -> Tally:
    """What runs come to; `oldest` may be in the future: see `at`."""
    counts = Counter([(show, status) for _, _, _, status, show, _, _ in runs])
    accepted: defaultdict[str, int] = defaultdict(int)
    refused: defaultdict[str, int] = defaultdict(int)
    finishes, starts, going = list[Row](), list[Start](), list[float]()
    for place, (name, started, completed, status, show, processed, invalid) in enumerate(runs):
        refused[show] += invalid
        for code, count in processed.items():  # Counter.update would cost as much as all else here
            accepted[code] += count
        starts.append((YEAR_ONE if started is None else started, -place, status))
        if completed is not None:
            finishes.append((name, completed, show, status == SUCCEEDED, nan if started is None else started))
        elif started is not None:
            going.append(started)
    starts.sort(reverse=True)
    oldest = min(going, default=None)
    return Tally(len(runs), counts, accepted, refused, starts[:NEWEST], oldest, Block.of(finishes))


def newest(tallies: Sequence[Tally], most: int) -> Sequence[Start]:
    """The newest runs of all, at most as many as a tally keeps, the newest first."""
    behind = accumulate((one.count for one in tallies), initial=0)
    tops = sorted(((one, before) for one, before in zip(tallies, behind, strict=False) if one.newest), key=_top)
    found: list[Start] = []
    while tops and (len(found) < most or tops[-1][0].newest[0][0] >= found[-1][0]):
        one, before = tops.pop()
        found = nlargest(most, [*found, *((start, place - before, status) for start, place, status in one.newest)])
    return found


def _top(found: tuple[Tally, int]) -> float:
    return found[0].newest[0][0]


def facts(tallies: Sequence[Tally]) -> Ingest:
    """The facts of all runs, in the file's order; `oldest_running` may be in the future: see `at`."""
    runs: Counter[tuple[str, str]] = Counter()
    accepted: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for one in tallies:
        runs.update(one.runs)
        accepted.update(one.accepted)
        refused.update(one.refused)
    files = {(show, PROCESSED): count for show, count in accepted.items()}
    files |= {(show, INVALID): count for show, count in refused.items()}
    recent = Counter(status for _, _, status in newest(tallies, RECENT))
    oldest = min((one.oldest for one in tallies if one.oldest is not None), default=None)
    ended = Finished.of((one.ended for one in tallies), (show for show, _ in runs))
    return Ingest(dict(runs), files, dict(recent), oldest, ended)


def at(found: Ingest, now: float) -> Ingest:
    """The facts as they are at `now`: a start in the future is none. (The least of all starts is the only one that can
    be the oldest of those past, so no other is kept.)"""
    if found.oldest_running is None or found.oldest_running <= now:
        return found
    return replace(found, oldest_running=None)
