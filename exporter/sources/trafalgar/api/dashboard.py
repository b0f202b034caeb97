"""What the dashboard answered: the numbers of all parts, its projects, and what the reconcile records differ in."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from exporter.core.api import Answer, Asked, Reading
from exporter.core.sums import added
from exporter.domains.production import APPROVED, Projects
from exporter.domains.review import Playlists
from exporter.sources.trafalgar.api import jobs, mismatches, runs
from exporter.sources.trafalgar.api.cache import Cache, posted
from exporter.sources.trafalgar.api.known import Known
from exporter.sources.trafalgar.api.replies import detail, encoded
from exporter.sources.trafalgar.details import LATEST, UNASSIGNED, Project, Published, folded
from exporter.sources.trafalgar.shotgrid import Studio

COUNTED = ("shotgrid", "projects", "reconcile", "ingest", "render")
PAGED = ("shotgrid", "projects")


class Status(msgspec.Struct):
    """How much there is."""

    projects: int
    shots: int
    versions: int
    errors: int


class Counts(msgspec.Struct):
    """The ten newest runs."""

    total: int
    successful: int
    failed: int
    running: int


class IngestShown(msgspec.Struct):
    """Ingest; the time is ISO 8601 in UTC."""

    counts: Counts
    last_success_at: str | None
    failure_streak: int


class RenderShown(msgspec.Struct):
    """Render jobs, by status and by farm."""

    jobs: int
    by_status: dict[str, int]
    by_farm: dict[str, int]


class Totals(msgspec.Struct):
    """The review of all projects."""

    projects: int
    playlists: int
    clips: int
    shots: int
    duration_seconds: float


class ProjectReview(msgspec.Struct):
    """The review of a project."""

    project: str
    playlists: int
    clips: int
    shots: int
    duration_seconds: float


class ReviewShown(msgspec.Struct):
    """The review."""

    totals: Totals
    projects: list[ProjectReview]


class Metrics(msgspec.Struct):
    """The numbers of all parts."""

    status: Status
    ingest: IngestShown
    render: RenderShown
    review: ReviewShown


class FlatStatus(msgspec.Struct):
    """The same numbers, with those of the status beside the parts."""

    projects: int
    shots: int
    versions: int
    errors: int
    ingest: IngestShown
    render: RenderShown
    review: ReviewShown


class Latest(msgspec.Struct):
    """A version that was published; the time is ISO 8601 in UTC."""

    shot: str | None
    version: str | None
    user: str | None
    timestamp: str | None


class ProjectShown(msgspec.Struct):
    """A project."""

    project: str
    episodes: int
    shots: int
    versions: int
    approved_versions: int
    status_totals: dict[str, int]
    latest_published: list[Latest]


class EpisodeShown(msgspec.Struct):
    """An episode, or the versions that are of none."""

    episode: str
    shots: int
    versions: int
    status_counts: dict[str, int]


class EpisodesShown(msgspec.Struct):
    """A project by episode."""

    project: str
    episodes: list[EpisodeShown]
    status_totals: dict[str, int]


def metrics(reading: Reading) -> Metrics:
    """The numbers of what was last read; those of a part that is not configured are zeros."""
    studio: Studio | None = reading.values.get("shotgrid")
    known: Projects | None = reading.values.get("projects")
    names = {*(known.names if known else ()), *(studio.projects if studio else ())} - {""}
    window = runs.kept(reading.values.get("ingest")).window
    stored = jobs.kept(reading.values.get("render"))
    facts = studio.production if studio else None
    return Metrics(
        Status(
            projects=len(names),
            shots=sum(facts.shots.values()) if facts else 0,
            versions=sum(facts.versions.values()) if facts else 0,
            errors=len(mismatches.kept(reading.values.get("reconcile"))),
        ),
        IngestShown(
            Counts(window.total, window.successful, window.failed, window.running),
            window.last_success_at,
            window.failure_streak,
        ),
        RenderShown(len(stored.records), dict(stored.by_status), dict(stored.by_farm)),
        review(names, studio.review.playlists if studio else {}),
    )


def review(names: set[str], found: Mapping[str, Playlists | None]) -> ReviewShown:
    """A row for each project that is known, zeros where nothing could be read; and their sums."""
    rows = []
    for name in sorted(names | found.keys()):
        read = found.get(name) or Playlists()
        rows.append(ProjectReview(name, read.count, read.clips, read.shots, float(read.footage)))
    totals = Totals(
        projects=len(rows),
        playlists=sum(row.playlists for row in rows),
        clips=sum(row.clips for row in rows),
        shots=sum(row.shots for row in rows),
        duration_seconds=added(row.duration_seconds for row in rows),
    )
    return ReviewShown(totals, rows)


def status(reading: Reading) -> FlatStatus:
    """The same numbers, flat."""
    found = metrics(reading)
    much = found.status
    return FlatStatus(much.projects, much.shots, much.versions, much.errors, found.ingest, found.render, found.review)


def project(name: str, found: tuple[Project, ...]) -> ProjectShown:
    """A project, however often it is spelled otherwise."""
    versions = _versions(found)
    episodes = {episode for one in found for episode, _ in one.versions} - {UNASSIGNED}
    published = sorted((one for each in found for one in each.latest), key=_newest, reverse=True)
    return ProjectShown(
        project=name,
        episodes=len(episodes),
        shots=sum(sum(one.shots.values()) for one in found),
        versions=versions.total(),
        approved_versions=versions[APPROVED],
        status_totals=dict(sorted(versions.items())),
        latest_published=[Latest(one.shot, one.code, one.user, one.time) for one in published[:LATEST]],
    )


def _newest(one: Published) -> float:
    return -1.0 if one.at is None else one.at


def _versions(found: tuple[Project, ...]) -> Counter[str]:
    versions = Counter[str]()
    for one in found:
        for (_, word), count in one.versions.items():
            versions[word] += count
    return versions


def episodes(name: str, found: tuple[Project, ...]) -> EpisodesShown:
    """A project by episode."""
    shots, versions = Counter[str](), dict[str, Counter[str]]()
    for one in found:
        shots.update(one.shots)
        for (episode, word), count in one.versions.items():
            versions.setdefault(episode, Counter())[word] += count
    rows = [
        EpisodeShown(episode, shots[episode], counts.total(), dict(sorted(counts.items())))
        for episode, counts in sorted(versions.items())
    ]
    return EpisodesShown(name, rows, dict(sorted(_versions(found).items())))


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The views of the dashboard. Each asks for the next read of a part that it shows and that has expired."""

    known: Known
    cache: Cache
    made: dict[str, tuple[Reading, Answer]]

    def metrics(self, reading: Reading, asked: Asked) -> Answer:
        """The numbers of all parts."""
        return self._of_values("metrics", metrics, reading, asked)

    def status(self, reading: Reading, asked: Asked) -> Answer:
        """The same, flat."""
        return self._of_values("status", status, reading, asked)

    def project(self, reading: Reading, asked: Asked) -> Answer:
        """A project."""
        return self._page("", project, reading, asked)

    def episodes(self, reading: Reading, asked: Asked) -> Answer:
        """A project by episode."""
        return self._page("/episodes", episodes, reading, asked)

    def errors(self, reading: Reading, asked: Asked) -> Answer:
        """The mismatches."""
        return self._of_values("errors", _errors, reading, asked, ("reconcile",))

    def summary(self, reading: Reading, asked: Asked) -> Answer:
        """The mismatches by type and path."""
        return self._of_values("summary", _summary, reading, asked, ("reconcile",))

    def administration(self, reading: Reading, asked: Asked) -> Answer:
        """The settings of the cache, and its buckets."""
        return encoded(self.cache.administration(reading, asked.now, self.known.parts, entries(reading)))

    def change(self, reading: Reading, asked: Asked) -> Answer:
        """Changes the settings, and flushes."""
        return posted(self.cache, self.known.parts, asked)

    def _of_values(
        self,
        name: str,
        make: Callable[[Reading], Any],
        reading: Reading,
        asked: Asked,
        parts: tuple[str, ...] = COUNTED,
    ) -> Answer:
        """What depends on the values alone is encoded once for each."""
        if lacking := self.known.lacking(reading, *parts):
            return lacking
        before = self.made.get(name)
        if before is None or not _alike(before[0], reading, parts):
            before = self.made[name] = reading, encoded(make(reading))
        return self._due(before[1], reading, asked, parts)

    def _page(
        self, below: str, make: Callable[[str, tuple[Project, ...]], Any], reading: Reading, asked: Asked
    ) -> Answer:
        if lacking := self.known.lacking(reading, *PAGED):
            return lacking
        studio: Studio | None = reading.values.get("shotgrid")
        names: Projects | None = reading.values.get("projects")
        name = asked.path["name"]
        found = tuple(folded(studio.projects, name)) if studio else ()
        if not found and name.lower() not in (one.lower() for one in (names.names if names else ())):
            return self._due(detail("Project not found", 404), reading, asked, PAGED)
        page = self.cache.page((name, below), found, lambda: encoded(make(name, found)))
        return self._due(page, reading, asked, PAGED)

    def _due(self, answer: Answer, reading: Reading, asked: Asked, parts: tuple[str, ...]) -> Answer:
        due = self.cache.due(reading, asked.now, self.known.only(parts))
        return Answer(answer.body, answer.status, answer.media, answer.headers, due) if due else answer


def _alike(one: Reading, other: Reading, parts: tuple[str, ...]) -> bool:
    return all(one.values.get(part) is other.values.get(part) for part in parts)


def _errors(reading: Reading) -> tuple[mismatches.Mismatch, ...]:
    return mismatches.kept(reading.values.get("reconcile"))


def _summary(reading: Reading) -> list[mismatches.Group]:
    return mismatches.summary(_errors(reading))


def entries(reading: Reading) -> Mapping[str, int]:
    """How much of each part only the JSON shows."""
    studio: Studio | None = reading.values.get("shotgrid")
    known: Projects | None = reading.values.get("projects")
    return {
        "ingest": len(runs.kept(reading.values.get("ingest")).records),
        "render": len(jobs.kept(reading.values.get("render")).records),
        "shotgrid": studio.published if studio else 0,
        "projects": len(known.names) if known else 0,
        "reconcile": len(_errors(reading)),
    }
