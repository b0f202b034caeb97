"""The jobs of the render store as the system's API shows them, and their events."""

import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import merge
from itertools import chain, islice
from typing import Any

import msgspec

from exporter.core.event import Event
from exporter.domains.render import Render
from exporter.inputs.documents import ABSENT, Layout
from exporter.sources.trafalgar import render
from exporter.sources.trafalgar.api.records import LARGEST, NONE, Records, Shelf, changed, clean, same
from exporter.sources.trafalgar.api.statistics import NO_STATISTICS, Past, Statistics, past, statistics

MICRO = 1_000_000
SHELF = 256
"""Jobs that stand together."""
UNKNOWN = "unknown"
_ENCODE = msgspec.json.Encoder().encode
_WHOLE = re.compile(r"\s*[-+]?\d{1,18}\s*")


class RequestShown(msgspec.Struct):
    """What a job was asked to do."""

    dcc: str
    scene: str
    frames: str
    output: str
    farm: str
    priority: int | None
    chunk_size: int | None
    user: str | None


class JobShown(msgspec.Struct):
    """A job as the API shows it; the time is ISO 8601 in UTC."""

    job_id: str
    farm: str
    farm_type: str
    status: str
    message: str | None
    request: RequestShown
    submitted_at: str


class JobsShown(msgspec.Struct):
    """Jobs, the last submitted first."""

    jobs: list[JobShown]


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of a store as JSON, the last submitted first, and their places by farm and status, both in lower case;
    how many there are by status in lower case and by farm as it is written; and what their history comes to."""

    records: Records = NONE
    cells: "Mapping[tuple[str, str], array[int]]" = field(default_factory=dict)
    by_status: Mapping[str, int] = field(default_factory=dict)
    by_farm: Mapping[str, int] = field(default_factory=dict)
    statistics: Statistics = NO_STATISTICS

    def listed(self, statuses: Collection[str], farms: Collection[str], limit: int | None) -> bytes:
        """The jobs of these statuses and farms, or of all where none is given: JSON, with commas between them."""
        most = len(self.records) if limit is None else min(limit, len(self.records))
        if not statuses and not farms:
            return b",".join(map(self.records.record, range(most)))
        wanted = (
            places
            for (farm, status), places in self.cells.items()
            if (not statuses or status in statuses) and (not farms or farm in farms)
        )
        return b",".join(map(self.records.record, islice(merge(*wanted), most)))


EMPTY = Jobs()


@dataclass(frozen=True, slots=True)
class Store(Render):
    """The facts and, beside them, the jobs: these are no fact, and do not count where facts are compared."""

    kept: Jobs = field(default=EMPTY, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A job as it counts, as it is shown, and its past."""

    job: render.Job
    shown: JobShown
    past: Past


def row(entry: render.Entry) -> Row:
    """A job of the store."""
    job = render.job(entry)
    return Row(job, shown(entry, job), past(entry, job))


def shown(entry: render.Entry, job: render.Job) -> JobShown:
    """A job as the API shows it: its request as the system itself had tidied it up (contract b.2)."""
    farm = _text(entry.farm)
    request = entry.request if isinstance(entry.request, render.Request) else render.Request()
    frames = "1-100" if request.frames is ABSENT else _text(request.frames)
    return JobShown(
        job_id=clean(job.id),
        farm=farm,
        farm_type=farm if entry.farm_type is None else _text(entry.farm_type),
        status=UNKNOWN if entry.status is None else _text(entry.status),
        message=None if entry.message is None else _text(entry.message),
        request=RequestShown(
            dcc=_text(request.dcc).strip().lower(),
            scene=_text(request.scene).strip(),
            frames=",".join(segment.strip() for segment in frames.split(",")),
            output=_text(request.output).strip(),
            farm="mock" if request.farm is None else _text(request.farm).strip().lower(),
            priority=_number(request.priority),
            chunk_size=_number(request.chunk_size),
            user=None if request.user is None else _text(request.user).strip(),
        ),
        submitted_at=zulu(round(job.created * MICRO)),
    )


def _text(value: object) -> str:
    return clean(str(value))


def zulu(micros: int) -> str:
    """A time in microseconds as ISO 8601 in UTC that ends in Z."""
    seconds, rest = divmod(micros, MICRO)
    found = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
    return f"{found.replace(tzinfo=None).isoformat()}Z"


def _number(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST <= value < LARGEST:
        return None
    return int(value) if value == value // 1 else None


def facts(pieces: Iterable[Sequence[Row]]) -> Render:
    """The facts of all jobs, and the jobs.

    They stand in the order in which they were created; of records of one id the one created last counts, in the place
    of the first.
    """
    found = [*chain.from_iterable(pieces)]
    facts = render.facts(one.job for one in found)
    if not found:
        return facts
    found.sort(key=lambda one: one.job.created)
    jobs = [*{one.job.id: one for one in found}.values()]
    texts: list[tuple[str, bytes]] = []
    cells: dict[tuple[str, str], array[int]] = {}
    by_status: dict[str, int] = {}
    by_farm: dict[str, int] = {}
    for place, one in enumerate(reversed(jobs)):
        job = one.shown
        texts.append((job.job_id, _ENCODE(job)))
        cells.setdefault((_folded(job.farm), _folded(job.status)), array("Q")).append(place)
        by_status[job.status.lower()] = by_status.get(job.status.lower(), 0) + 1
        by_farm[job.farm] = by_farm.get(job.farm, 0) + 1
    history = statistics((one.job, one.shown.farm, one.past) for one in jobs)
    ordered = dict(sorted(by_status.items())), dict(sorted(by_farm.items()))
    shelves = [Shelf.of(texts[start : start + SHELF]) for start in range(0, len(texts), SHELF)]
    kept = Jobs(Records.of(_name, shelves), cells, *ordered, history)
    return Store(facts.jobs, facts.oldest_waiting, facts.oldest_running, facts.finishes, kept)


def _folded(word: str) -> str:
    return word.strip().lower()


LAYOUT: Layout[render.Entry, Row, Sequence[Row], Render] = Layout(render.Entry, row, tuple, facts, kept=False)
"""Its rows are too large to keep: the system's history has its end, and every job is told anew."""


def kept(value: Render | None) -> Jobs:
    """The jobs behind the facts."""
    return value.kept if isinstance(value, Store) else EMPTY


def unchanged(one: Render, other: Render) -> bool:
    """Whether the jobs behind the facts are the same, and what their history comes to."""
    before, after = kept(one), kept(other)
    return before.statistics == after.statistics and same(before.records, after.records)


_JOB: msgspec.json.Decoder[JobShown] = msgspec.json.Decoder(JobShown)


def _name(record: bytes) -> str:
    return _JOB.decode(record).job_id


def events(before: Render, after: Render) -> Iterator[Event]:
    """What became of the jobs: removed, the oldest first, as the system's history drops them before a newcomer; then
    created and updated, in the order in which they were submitted."""
    one, other = kept(before).records, kept(after).records
    names = [*changed(one, other)]
    for name in reversed(names):
        if other.find(name) is None:
            yield _event("job.removed", {"job_id": name})
    for name in reversed(names):
        if (record := other.find(name)) is not None:
            what = "job.created" if one.find(name) is None else "job.updated"
            yield _event(what, msgspec.json.decode(record))


def _event(name: str, job: Any) -> Event:  # Any: whatever JSON has
    return Event(name, {"event": name, "job": job})
