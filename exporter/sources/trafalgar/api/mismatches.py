"""What the reconcile records disagree about, one by one, as the system's API lists it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from exporter.domains.production import (
    MISSING_IN_FS,
    MISSING_IN_S3,
    ORPHAN_IN_FS,
    ORPHAN_IN_S3,
    VERSION_MISMATCH,
    Reconciled,
)

UNSET = msgspec.UNSET
Versions = Mapping[str, frozenset[str]]


class Mismatch(msgspec.Struct, frozen=True, gc=False):
    """A version that is missing or an orphan, or two newest versions that differ. What a kind does not have is left
    out."""

    type: str
    shot: str
    expected: str | msgspec.UnsetType = UNSET
    found: str | msgspec.UnsetType = UNSET
    path: str | msgspec.UnsetType = UNSET
    key: str | msgspec.UnsetType = UNSET
    source: str | msgspec.UnsetType = UNSET


class Group(msgspec.Struct):
    """The mismatches of one type at one path or key, empty where that says nothing, and their shots, sorted."""

    type: str
    path: str
    count: int
    shots: list[str]


@dataclass(frozen=True, slots=True)
class Mismatches(Reconciled):
    """The facts and, beside them, the mismatches: these are no fact, and do not count where facts are compared."""

    listed: tuple[Mismatch, ...] = field(default=(), compare=False, repr=False)


def kept(value: Reconciled | None) -> tuple[Mismatch, ...]:
    """The mismatches behind the facts."""
    return value.listed if isinstance(value, Mismatches) else ()


def errors(
    three: tuple[Versions, Versions, Versions | None], paths: Mapping[str, str], keys: Mapping[str, str]
) -> tuple[Mismatch, ...]:
    """Everything that ShotGrid, the file system and S3 (None where it keeps no records) disagree about, by shot."""
    shots = sorted({shot for one in three for shot in one or ()})
    return tuple(mismatch for shot in shots for mismatch in _of(shot, three, paths.get(shot, ""), keys.get(shot, "")))


def _of(shot: str, three: tuple[Versions, Versions, Versions | None], path: str, key: str) -> Iterator[Mismatch]:
    none = frozenset[str]()
    known, files = three[0].get(shot, none), three[1].get(shot, none)
    stored = None if three[2] is None else three[2].get(shot, none)
    for version in sorted(known - files):
        yield Mismatch(MISSING_IN_FS, shot, expected=version, source="shotgrid")
    for version in () if stored is None else sorted(known - stored):
        yield Mismatch(MISSING_IN_S3, shot, expected=version, source="shotgrid")
    for version in sorted(files - known):
        yield Mismatch(ORPHAN_IN_FS, shot, found=version, path=path, source="filesystem")
    for version in () if stored is None else sorted(stored - known):
        yield Mismatch(ORPHAN_IN_S3, shot, found=version, key=key, source="s3")
    if known and files and max(known) != max(files):
        yield Mismatch(VERSION_MISMATCH, shot, expected=max(known), found=max(files))


def summary(mismatches: Iterable[Mismatch]) -> list[Group]:
    """The same by type and path."""
    shots: dict[tuple[str, str], list[str]] = {}
    for one in mismatches:
        shots.setdefault((one.type, one.path or one.key or ""), []).append(one.shot)
    return [Group(kind, path, len(found), sorted({*found})) for (kind, path), found in sorted(shots.items())]
