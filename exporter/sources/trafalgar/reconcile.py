"""The reconcile records: what ShotGrid, the file system and S3 each know of a shot's versions (contract b.5)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from exporter.core.errors import Malformed, ReadError, SchemaMismatch
from exporter.core.part import Taken
from exporter.core.units import shown
from exporter.domains.production import (
    MISSING_IN_FS,
    MISSING_IN_S3,
    ORPHAN_IN_FS,
    ORPHAN_IN_S3,
    VERSION_MISMATCH,
    Reconciled,
)
from exporter.inputs.documents import NoList, NoObject, Record
from exporter.inputs.texts import Texts
from exporter.inputs.worker import Worker
from exporter.sources.trafalgar.api.mismatches import Mismatches, errors, kept


class Entry(Record, frozen=True):
    """A version of a shot that one of the three knows."""

    shot: Any = None  # Any, here and below: whatever JSON has in this place
    version: Any = None
    version_number: Any = None
    path: Any = None
    key: Any = None


Entries = list[Entry | NoObject] | NoList


class Records(Record, frozen=True):
    """The file: three lists; that of S3 is null or not there where none is kept."""

    shotgrid: Entries = None
    filesystem: Entries = None
    s3: Entries = None


Versions = Mapping[str, frozenset[str]]
"""Versions by shot, both in lower case."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What the file says: the facts, how many records made them and were left out, by reason."""

    facts: Reconciled
    records: int
    skipped: Mapping[str, int]


def compared(data: bytes) -> Compared | ReadError:
    """The file's content compared, or why it cannot be.

    `s3` may be null or left out. Records that name no shot or no version are skipped.
    """
    try:
        found = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Malformed(f"not valid JSON: {shown(str(error))}")
    if not isinstance(found, Records):
        return SchemaMismatch("expected an object with the lists shotgrid, filesystem and s3, found another value")
    skipped: Counter[str] = Counter()
    lists = {}
    for name in ("shotgrid", "filesystem", "s3"):
        entries = getattr(found, name)
        if isinstance(entries, list):
            lists[name] = by_shot(entries, skipped)
        elif name != "s3" or entries is not None:
            return SchemaMismatch(f"{name}: expected a list of records, found {_kind(entries)}")
    records = sum(len(entries) for name in lists for entries in (getattr(found, name),)) - skipped.total()
    three = lists["shotgrid"], lists["filesystem"], lists.get("s3")
    listed = errors(three, first_places(found.filesystem, "path"), first_places(found.s3, "key"))
    return Compared(Mismatches(mismatches(*three).mismatches, listed), records, skipped)


_DECODER: msgspec.json.Decoder[Records | NoObject] = msgspec.json.Decoder(Records | NoObject)


def _kind(value: object) -> str:
    return {dict: "an object", str: "text", type(None): "nothing"}.get(type(value), "another value")


def by_shot(entries: Iterable[Entry | NoObject], skipped: Counter[str]) -> Versions:
    """The distinct versions of each shot; whatever else a record says does not tell them apart."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if not isinstance(entry, Entry):
            skipped["type"] += 1
        elif not (isinstance(entry.shot, str) and entry.shot and (version := version_text(entry))):
            skipped["missing"] += 1
        else:
            found[entry.shot.lower()].add(version)
    return {shot: frozenset(versions) for shot, versions in found.items()}


def version_text(entry: Entry) -> str:
    """The version of a record in lower case, else its number as `v007`; empty where it has neither."""
    for value in (entry.version, entry.version_number):
        if isinstance(value, int) and not isinstance(value, bool):
            return f"v{value:03d}"
        if isinstance(value, str) and value:
            return value.lower()
    return ""


def mismatches(shotgrid: Versions, files: Versions, s3: Versions | None) -> Reconciled:
    """What the three disagree about (contract b.5). The kinds of S3 are looked for only where it keeps records.

    A version that ShotGrid has and another has not is missing there, one that ShotGrid has not is an orphan there; and
    where ShotGrid and the file system both have versions of a shot, and the greatest of them as text are not the same,
    that is a mismatch besides.
    """
    counts = {MISSING_IN_FS: _more(shotgrid, files), ORPHAN_IN_FS: _more(files, shotgrid)}
    if s3 is not None:
        counts |= {MISSING_IN_S3: _more(shotgrid, s3), ORPHAN_IN_S3: _more(s3, shotgrid)}
    both = shotgrid.keys() & files.keys()
    return Reconciled(counts | {VERSION_MISMATCH: sum(max(shotgrid[shot]) != max(files[shot]) for shot in both)})


def _more(one: Versions, other: Versions) -> int:
    """Versions that one has and the other has not."""
    return sum(len(versions - other.get(shot, frozenset())) for shot, versions in one.items())


def first_places(entries: Entries, name: Literal["path", "key"]) -> Mapping[str, str]:
    """By shot, the path or key of its first record, which is what the system showed for each of its orphans."""
    found: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Entry) and isinstance(entry.shot, str) and entry.shot:
            place = getattr(entry, name)
            found.setdefault(entry.shot.lower(), "" if place is None else str(place))
    return found


class Reconcile:
    """The part's read: the value is the same object until the file says something else."""

    def __init__(self, path: Path, limit: int, worker: Worker) -> None:
        """`limit` in bytes."""
        self._path = path
        self._texts = Texts(compared, limit, most=limit)
        self._worker = worker
        self._last: Reconciled | None = None

    async def read(self, now: float) -> Taken[Reconciled]:
        """What the file says at `now` (epoch seconds); raises as `Texts.file` does, SchemaMismatch where it is not an
        object with those lists."""
        found = await self._worker.run(lambda: self._texts.file(self._path, now))
        if isinstance(found, ReadError):
            raise type(found)(f"{self._path}: {found}")
        if self._last is None or self._last != found.facts or kept(self._last) != kept(found.facts):
            self._last = found.facts
        return Taken(self._last, str(self._path), found.records, found.skipped)
