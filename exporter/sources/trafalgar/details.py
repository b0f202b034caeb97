"""What a project's pages say of its versions: counts by episode, which are whole, and the last that were published, of
which only so many are kept (contract a)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import nlargest
from typing import NamedTuple, TypeVar

from exporter.core.times import epoch
from exporter.domains.production import PUBLISHED
from exporter.inputs.shotgrid import Row
from exporter.sources.trafalgar.versions import Version, named

K = TypeVar("K")

UNASSIGNED = "unassigned"
"""The episode of a version that is of no shot."""

LATEST = 5


class Published(NamedTuple):
    """A version that was published; `at` is epoch seconds, None where that is not known."""

    shot: str | None
    code: str | None
    user: str | None
    at: float | None

    @property
    def time(self) -> str | None:
        """The time as ISO 8601 in UTC."""
        return None if self.at is None else datetime.fromtimestamp(self.at, UTC).isoformat()


@dataclass(frozen=True, slots=True)
class Project:
    """Versions by episode and status, distinct shots by episode, and the last that were published, newest first."""

    versions: Mapping[tuple[str, str], int]
    shots: Mapping[str, int]
    latest: tuple[Published, ...]


@dataclass(slots=True)
class _Known:
    versions: dict[tuple[str, str], int] = field(default_factory=dict)
    of_shot: dict[str, int] = field(default_factory=dict)
    shots: dict[str, int] = field(default_factory=dict)
    published: dict[int, Published] = field(default_factory=dict)


def episode(shot: str) -> str:
    """The episode of a shot: what its name has before the first underscore."""
    return shot.split("_")[0] or UNASSIGNED


class Details:
    """The details of every project. Of the versions that were published the oldest make room for others."""

    def __init__(self) -> None:
        self.count = 0
        self._known: dict[str, _Known] = {}
        self._made: dict[str, Project] = {}

    def put(self, id_: int, before: Version | None, after: Version, row: Row) -> None:
        """A version as it was, if it was there, and is now."""
        if before != after:
            if before:
                self._count(before, -1)
            self._count(after, 1)
        if before and before.project != after.project:
            self._forget(before.project, id_)
        published = _published(row) if after.status == PUBLISHED else None
        known = self._known[after.project]
        if known.published.get(id_) == published:
            return
        self._forget(after.project, id_)
        if published:
            known.published[id_] = published
            self.count += 1
        self._made.pop(after.project, None)

    def drop(self, id_: int, before: Version) -> None:
        """A version that is gone."""
        self._count(before, -1)
        self._forget(before.project, id_)

    def projects(self, most: int) -> Mapping[str, Project]:
        """The projects by name, and no more than so many versions that were published, 0 for all: the newest."""
        if most and self.count > most:
            self._evict(most)
        for name, known in self._known.items():
            if name not in self._made:
                latest = nlargest(LATEST, known.published.items(), key=_newness)
                found = tuple(one for _, one in latest)
                self._made[name] = Project(dict(known.versions), dict(known.shots), found)
        return dict(self._made)

    def _count(self, version: Version, step: int) -> None:
        known = self._known.setdefault(version.project, _Known())
        self._made.pop(version.project, None)
        of = episode(version.shot)
        _add(known.versions, (of, version.status), step)
        if version.shot:
            had = known.of_shot.get(version.shot, 0)
            _add(known.of_shot, version.shot, step)
            if (had > 0) != (had + step > 0):
                _add(known.shots, of, step)
        if not known.versions:
            del self._known[version.project]
            self.count -= len(known.published)

    def _forget(self, project: str, id_: int) -> None:
        known = self._known.get(project)
        if known and known.published.pop(id_, None):
            self.count -= 1
            self._made.pop(project, None)

    def _evict(self, most: int) -> None:
        every = [
            (_newness(item), name, item[0]) for name, known in self._known.items() for item in known.published.items()
        ]
        for _, name, id_ in sorted(every)[: self.count - most]:
            self._forget(name, id_)


def _add(counts: dict[K, int], key: K, step: int) -> None:
    """So many more of a key, which goes with its last one."""
    if found := counts.get(key, 0) + step:
        counts[key] = found
    else:
        del counts[key]


def _newness(item: tuple[int, Published]) -> tuple[float, int]:
    """Later is newer; of those of one time that with the lesser id."""
    return -1.0 if item[1].at is None else item[1].at, -item[0]


def _published(row: Row) -> Published:
    entity = named(row.fields.get("entity"))
    at = next(
        (found for name in ("updated_at", "created_at") if (found := epoch(row.fields.get(name))) is not None), None
    )
    return Published(entity or None, row.text("code") or None, named(row.fields.get("user")) or None, at)


def folded(projects: Mapping[str, Project], name: str) -> Iterable[Project]:
    """The projects of a name in whatever spelling: the system took no heed of upper and lower case."""
    return [project for known, project in projects.items() if known.lower() == name.lower()]
