"""The render job store: a JSON file of jobs, by the rules of contract b.2."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from exporter.core.family import OTHER
from exporter.domains.finished import Block, Finished, Row
from exporter.domains.render import COMPLETED, FAILED, QUEUED, RUNNING, STATUSES, SUBMITTED, Render
from exporter.inputs.documents import ABSENT, NoList, NoObject, Record, Skip
from exporter.sources.trafalgar.times import stamp

DCCS = frozenset({"maya", "nuke", "houdini", "blender", "max"})
FAILURES = frozenset({"aborted", "error", "errored"})
FRAMES = re.compile(r"(-?[0-9]{1,18})(?:-(-?[0-9]{1,18})(?:x([0-9]{1,18}))?)?")
ENDED = frozenset({COMPLETED, FAILED})
"""A job that was cancelled came to no end of its own."""

UNKNOWN = "unknown"
"""The farm of a job that names an empty one."""


class Request(Record, frozen=True):
    """What a job was asked to do: the store skips a job whose request it could not have taken."""

    dcc: Any = None  # Any, here and below: whatever JSON has in this place
    scene: Any = None
    output: Any = None
    frames: Any = ABSENT
    farm: Any = None
    priority: Any = None
    chunk_size: Any = None
    user: Any = None


class Change(Record, frozen=True):
    """One line of a job's history."""

    status: Any = None
    timestamp: Any = None


class Entry(Record, frozen=True):
    """A job as the store has it."""

    job_id: Any = None
    farm: Any = None
    status: Any = None
    request: Request | NoObject = None
    created_at: Any = None
    updated_at: Any = None
    completed_at: Any = None
    status_history: list[Change | NoObject] | NoList = None
    farm_type: Any = None
    message: Any = None


class Job(NamedTuple):
    """What counts of a job; times in epoch seconds. `running`: since when, for a job that runs; `ended`: when, for one
    that was completed or failed, if its record tells."""

    id: str
    farm: str
    status: str
    created: float
    running: float | None
    ended: float | None


def job(entry: Entry) -> Job:
    """The rule for one job (contract b.2). Skipped are those the store itself would skip: without an id, farm or time
    of creation, or with a request it could not have taken."""
    if entry.job_id is None or entry.farm is None or entry.created_at is None or entry.request is None:
        raise Skip("missing")
    if (created := stamp(entry.created_at)) is None:
        raise Skip("invalid")
    _check(entry.request)
    status = _status(entry.status)
    running = _running_since(entry, created) if status == RUNNING else None
    ended = _ended(entry, status) if status in ENDED else None
    return Job(str(entry.job_id), str(entry.farm) or UNKNOWN, status, created, running, ended)


def _check(request: object) -> None:
    if not isinstance(request, Request):
        raise Skip("type")
    if request.dcc is None or request.scene is None or request.output is None:
        raise Skip("missing")
    known = isinstance(request.dcc, str) and request.dcc.strip().lower() in DCCS
    named = str(request.scene).strip() and str(request.output).strip()
    if not (known and named and (request.frames is ABSENT or _frames(str(request.frames)))):
        raise Skip("invalid")


def _frames(text: str) -> bool:
    """Whether it is Deadline's notation: `1-10,20-30x2`."""
    for segment in text.split(","):
        if not (found := FRAMES.fullmatch(segment.strip())):
            return False
        first, last, step = found.groups()
        if last is not None and (int(last) < int(first) or (step is not None and int(step) == 0)):
            return False
    return True


def _status(word: object) -> str:
    """The words of render farms as those of the domain."""
    text = word.strip().lower() if isinstance(word, str) else ""
    if text in FAILURES:
        return FAILED
    return text if text in STATUSES else OTHER


def _running_since(entry: Entry, created: float) -> float:
    """When a job that runs last began to: by its history, else when it was updated, else when it was created."""
    began = _changed(entry, RUNNING, created)
    updated = stamp(entry.updated_at)
    return began if began is not None else created if updated is None else updated


def _ended(entry: Entry, status: str) -> float | None:
    """When a job came to its end: as it says, else by its history, else when it was updated, which moves when the
    record is written again; None where none of them can be read."""
    for time in (stamp(entry.completed_at), _changed(entry, status, None)):
        if time is not None:
            return time
    return stamp(entry.updated_at)


def _changed(entry: Entry, status: str, otherwise: float | None) -> float | None:
    """When a job's history last has it come to a status; `otherwise` is the time of a change that has none."""
    changes = entry.status_history if isinstance(entry.status_history, list) else []
    times = (
        otherwise if change.timestamp is None else stamp(change.timestamp)
        for change in changes
        if isinstance(change, Change) and _status(change.status) == status
    )
    return max((time for time in times if time is not None), default=None)


def facts(jobs: Iterable[Job]) -> Render:
    """The facts of all jobs, times in the future included: see `at`.

    Of records of one id the one created last counts, the later in the file where they tie, as in the system itself.
    """
    latest: dict[str, Job] = {}
    for one in jobs:
        if (other := latest.get(one.id)) is None or one.created >= other.created:
            latest[one.id] = one
    counts: dict[tuple[str, str], int] = defaultdict(int)
    waiting: dict[str, float] = {}
    running: dict[str, float] = {}
    finishes, untimed = list[Row](), 0
    for one in latest.values():
        counts[one.farm, one.status] += 1
        if one.status in (SUBMITTED, QUEUED):
            waiting[one.farm] = min(one.created, waiting.get(one.farm, one.created))
        if one.running is not None:
            running[one.farm] = min(one.running, running.get(one.farm, one.running))
        if one.ended is not None:
            finishes.append((one.id, one.ended, one.farm, one.status == COMPLETED, one.created))
        elif one.status in ENDED:
            untimed += 1
    ended = Finished.of([Block.of(finishes)], (farm for farm, _ in counts), untimed)
    return Render(dict(counts), waiting, running, ended)


def at(found: Render, now: float) -> Render:
    """The facts as they are at `now`: a time in the future is none. (The least of a farm's times is the only one that
    can be the oldest of those past, so no other is kept.)"""
    if all(time <= now for times in (found.oldest_waiting, found.oldest_running) for time in times.values()):
        return found
    return replace(
        found,
        oldest_waiting={farm: time for farm, time in found.oldest_waiting.items() if time <= now},
        oldest_running={farm: time for farm, time in found.oldest_running.items() if time <= now},
    )
