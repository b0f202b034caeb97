"""The runs of the ingest registry as the system's API shows them, what it answers about them, and their events."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from exporter.core.event import Event
from exporter.domains.ingest import FAILED, RUNNING, SUCCEEDED, Ingest
from exporter.inputs.documents import ABSENT, Layout
from exporter.sources.trafalgar import ingest
from exporter.sources.trafalgar.api.records import NONE, Records, Shelf, changed, clean, packed, same

LISTED = ingest.NEWEST
"""Runs that a client can ask for at once."""


class MediaShown(msgspec.Struct):
    """What a file's name told."""

    show_code: str | None
    episode: str | None
    scene: str | None
    shot: str | None
    descriptor: str | None
    extension: str | None


class FileShown(msgspec.Struct):
    """A processed file."""

    path: str
    bucket: str
    key: str
    media_info: MediaShown


class InvalidShown(msgspec.Struct):
    """A file that was refused, and why."""

    path: str
    reason: str


class ReportShown(msgspec.Struct):
    """What a run did."""

    processed: list[FileShown]
    invalid: list[InvalidShown]
    processed_count: int
    invalid_count: int


class RunShown(msgspec.Struct):
    """A run as the API shows it; times are ISO 8601, with the zone that the registry names."""

    id: str
    started_at: str | None
    completed_at: str | None
    status: Literal["completed", "running"]
    report: ReportShown


@dataclass(frozen=True, slots=True)
class Window:
    """The newest runs, counted: how the dashboard shows them."""

    total: int = 0
    successful: int = 0
    failed: int = 0
    running: int = 0
    last_success_at: str | None = None
    failure_streak: int = 0


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a registry in its order, the newest of them as JSON, and the window of the dashboard."""

    records: Records = NONE
    newest: tuple[bytes, ...] = ()
    window: Window = Window()


EMPTY = Runs()


@dataclass(frozen=True, slots=True)
class Registry(Ingest):
    """The facts and, beside them, the runs: these are no fact, and do not count where facts are compared."""

    kept: Runs = field(default=EMPTY, compare=False, repr=False)


_ENTRY: msgspec.msgpack.Decoder[ingest.Entry] = msgspec.msgpack.Decoder(ingest.Entry)
_ENCODE = msgspec.json.Encoder().encode

Row = tuple[ingest.Run, bytes]


def row(entry: ingest.Entry) -> Row:
    """What counts of a run, and the run."""
    return ingest.run(entry), packed(entry)


@dataclass(frozen=True, slots=True)
class Piece:
    """What some runs that follow one another come to, and the runs."""

    tally: ingest.Tally
    shelf: Shelf


def piece(rows: Sequence[Row]) -> Piece:
    """That of some runs."""
    return Piece(
        ingest.tally([run for run, _ in rows]),
        Shelf.of([(run[0] if run[0].isascii() else clean(run[0]), text) for run, text in rows]),
    )


def facts(pieces: Sequence[Piece]) -> Ingest:
    """The facts of all runs, and the runs."""
    tallies = [one.tally for one in pieces]
    found = ingest.facts(tallies)
    records = Records.of(_name, [one.shelf for one in pieces if len(one.shelf)])
    if not len(records):
        return found
    newest = [shown(records.record(-place)) for _, place, _ in ingest.newest(tallies, LISTED)]
    runs = Runs(records, tuple(map(_ENCODE, newest)), window(newest[: ingest.RECENT]))
    return Registry(found.runs, found.files, found.recent, found.oldest_running, found.finishes, runs)


LAYOUT: Layout[ingest.Entry, Row, Piece, Ingest] = Layout(ingest.Entry, row, piece, facts, key="runs")


def kept(value: Ingest | None) -> Runs:
    """The runs behind the facts."""
    return value.kept if isinstance(value, Registry) else EMPTY


def unchanged(one: Ingest, other: Ingest) -> bool:
    """Whether the runs behind the facts are the same."""
    return same(kept(one).records, kept(other).records)


def shown(record: bytes) -> RunShown:
    """A run as the API shows it (contract b.1)."""
    entry = _ENTRY.decode(record)
    report = entry.report if isinstance(entry.report, ingest.Report) else ingest.EMPTY
    processed = [*_processed(report.processed)]
    invalid = [*_invalid(report.invalid)]
    completed = _time(entry.completed_at)
    return RunShown(
        id=str(entry.id or entry.run_id),
        started_at=_time(entry.started_at),
        completed_at=completed,
        status="running" if completed is None else "completed",
        report=ReportShown(processed, invalid, len(processed), len(invalid)),
    )


def _time(value: object) -> str | None:
    try:
        return datetime.fromisoformat(value).isoformat()  # type: ignore[arg-type]  # it refuses what is no text
    except (TypeError, ValueError):
        return None


def _processed(files: object) -> Iterator[FileShown]:
    for file in files if isinstance(files, list) else ():
        if not (isinstance(file, ingest.File) and file.path and file.bucket and file.key):
            continue
        values = msgspec.structs.astuple(file.media_info) if isinstance(file.media_info, ingest.Media) else (ABSENT,)
        if ABSENT not in values:
            media = MediaShown(*map(_text, values))
            yield FileShown(str(file.path), str(file.bucket), str(file.key), media)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _invalid(entries: object) -> Iterator[InvalidShown]:
    for entry in entries if isinstance(entries, list | dict) else ():
        if isinstance(entry, list | dict | str) and len(entry) == 2:
            path, reason = map(str, entry)
            yield InvalidShown(path, reason)


def window(newest: Iterable[RunShown]) -> Window:
    """The newest runs, counted. The streak ends with the first that has not failed, and so with one that still runs."""
    runs = [(_status(run), run) for run in newest]
    statuses = [status for status, _ in runs]
    successes = [_utc(run.completed_at) for status, run in runs if status == SUCCEEDED and run.completed_at]
    streak = next((place for place, status in enumerate(statuses) if status != FAILED), len(statuses))
    return Window(
        total=len(runs),
        successful=statuses.count(SUCCEEDED),
        failed=statuses.count(FAILED),
        running=statuses.count(RUNNING),
        last_success_at=max(successes).isoformat() if successes else None,
        failure_streak=streak,
    )


def _status(run: RunShown) -> str:
    if run.completed_at is None:
        return RUNNING
    return FAILED if run.report.invalid_count else SUCCEEDED


def _utc(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:  # the first and the last day of the calendar
        return found.replace(tzinfo=UTC)


def events(before: Ingest, after: Ingest) -> Iterator[Event]:
    """What became of the runs: created and updated, the newest first, then removed. Of several with one id the first
    counts, as for whoever asks for it."""
    one, other = kept(before).records, kept(after).records
    gone: list[str] = []
    there: list[tuple[RunShown, bool]] = []
    for name in changed(one, other):
        was, record = one.find(name), other.find(name)
        if record is None:
            gone.append(name)
        elif (run := shown(record)) != _shown(was):
            there.append((run, was is not None))
    for run, known in sorted(there, key=lambda found: _start(found[0]), reverse=True):
        yield _event("run.updated" if known else "run.created", msgspec.to_builtins(run))
    for name in gone:
        yield _event("run.removed", {"id": name})


def _shown(record: bytes | None) -> RunShown | None:
    return None if record is None else shown(record)


def _name(record: bytes) -> str:
    entry = _ENTRY.decode(record)
    return str(entry.id or entry.run_id)


def _start(run: RunShown) -> float:
    return _utc(run.started_at).timestamp() if run.started_at else ingest.YEAR_ONE


def _event(name: str, run: Any) -> Event:
    return Event(name, {"event": name, "run": run})
