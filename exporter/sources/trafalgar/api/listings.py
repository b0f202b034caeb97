"""What the programs beside the dashboard answered: ingest runs, render jobs and review playlists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from exporter.core.api import Answer, Asked, Reading
from exporter.core.sums import added
from exporter.sources.trafalgar.api import jobs, runs
from exporter.sources.trafalgar.api.clips import ClipShown, Playlist
from exporter.sources.trafalgar.api.farms import farms
from exporter.sources.trafalgar.api.known import Known
from exporter.sources.trafalgar.api.renders import analytics, health
from exporter.sources.trafalgar.api.replies import Refused, at_least, detail, encoded, invalid, whole
from exporter.sources.trafalgar.shotgrid import Studio

USUAL = 20
"""Runs that are listed where nobody says how many."""

MICRO = 1_000_000


class Message(msgspec.Struct):
    """That a program runs."""

    message: str


class Healthy(msgspec.Struct):
    """That a program is well."""

    status: str


class Summary(msgspec.Struct):
    """A playlist, counted; the shots are distinct."""

    clips: int
    shots: int
    duration_seconds: float


class Listed(msgspec.Struct):
    """A playlist of a project."""

    name: str
    clips: int
    shots: int
    duration_seconds: float


class PlaylistsShown(msgspec.Struct):
    """The playlists of a project, by name."""

    project: str
    playlists: list[Listed]


class PlaylistShown(msgspec.Struct):
    """A playlist and its clips."""

    project: str
    playlist: str
    summary: Summary
    clips: list[ClipShown]


INGEST_RUNS = encoded(Message("OnePiece Ingest API is running"))
RENDER_RUNS = encoded(Message("OnePiece Render API is running"))
WELL = encoded(Healthy("ok"))
NO_RUN = detail("Run not found", 404)
NO_JOB = detail("Job not found.", 404)
NO_PLAYLIST = detail("Playlist not found", 404)


def ingest_root(reading: Reading, asked: Asked) -> Answer:
    """That ingest runs."""
    return INGEST_RUNS


def render_root(reading: Reading, asked: Asked) -> Answer:
    """That render runs."""
    return RENDER_RUNS


def well(reading: Reading, asked: Asked) -> Answer:
    """That ingest is well."""
    return WELL


@dataclass(frozen=True, slots=True)
class Listings:
    """The views of ingest, render and review."""

    known: Known

    def runs(self, reading: Reading, asked: Asked) -> Answer:
        """The newest runs."""
        try:
            limit = _limit(asked)
        except Refused as refused:
            return invalid(refused.wrong(["query", "limit"], asked.last("limit")))
        if lacking := self.known.lacking(reading, "ingest"):
            return lacking
        newest = runs.kept(reading.values.get("ingest")).newest
        return Answer(b"[%b]" % b",".join(newest[:limit]))

    def run(self, reading: Reading, asked: Asked) -> Answer:
        """One run."""
        if lacking := self.known.lacking(reading, "ingest"):
            return lacking
        record = runs.kept(reading.values.get("ingest")).records.find(asked.path["id"])
        return NO_RUN if record is None else encoded(runs.shown(record))

    def jobs(self, reading: Reading, asked: Asked) -> Answer:
        """Jobs, the last submitted first."""
        try:
            limit = None if asked.last("limit") is None else _positive(asked.last("limit") or "")
        except Refused as refused:
            return invalid(refused.wrong(["query", "limit"], asked.last("limit")))
        if lacking := self.known.lacking(reading, "render"):
            return lacking
        listed = jobs.kept(reading.values.get("render")).listed(_words(asked, "status"), _words(asked, "farm"), limit)
        return Answer(b'{"jobs":[%b]}' % listed)

    def job(self, reading: Reading, asked: Asked) -> Answer:
        """One job."""
        if lacking := self.known.lacking(reading, "render"):
            return lacking
        record = jobs.kept(reading.values.get("render")).records.find(asked.path["id"])
        return NO_JOB if record is None else Answer(record)

    def analytics(self, reading: Reading, asked: Asked) -> Answer:
        """What the history of the jobs comes to."""
        if lacking := self.known.lacking(reading, "render"):
            return lacking
        return encoded(analytics(jobs.kept(reading.values.get("render")), round(asked.now * MICRO)))

    def health(self, reading: Reading, asked: Asked) -> Answer:
        """How render is."""
        if lacking := self.known.lacking(reading, "render"):
            return lacking
        at = reading.at.get("render")
        loaded = None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
        return encoded(health(jobs.kept(reading.values.get("render")), round(asked.now * MICRO), loaded))

    def farms(self, reading: Reading, asked: Asked) -> Answer:
        """The render farms."""
        return encoded(farms(jobs.kept(reading.values.get("render")).by_farm))

    def playlists(self, reading: Reading, asked: Asked) -> Answer:
        """The playlists of a project; none where there is no such project."""
        if lacking := self.known.lacking(reading, "shotgrid"):
            return lacking
        studio: Studio | None = reading.values.get("shotgrid")
        name = asked.path["project"]
        found = studio.playlists.get(name, {}) if studio else {}
        if found is None:
            return detail(f"Failed to list the playlists of '{name}'", 502)
        rows = []
        for title, clips in found.items():
            if clips is None:
                return _failed(title)
            rows.append(Listed(title, *_summary(clips)))
        return encoded(PlaylistsShown(name, rows))

    def playlist(self, reading: Reading, asked: Asked) -> Answer:
        """One playlist."""
        if lacking := self.known.lacking(reading, "shotgrid"):
            return lacking
        studio: Studio | None = reading.values.get("shotgrid")
        project, title = asked.path["project"], asked.path["name"]
        found = studio.playlists.get(project, {}) if studio else {}
        if found is None:
            return detail(f"Failed to list the playlists of '{project}'", 502)
        if title not in found:
            return NO_PLAYLIST
        clips = found[title]
        if clips is None:
            return _failed(title)
        return encoded(PlaylistShown(project, title, Summary(*_summary(clips)), [*clips]))


def _failed(title: str) -> Answer:
    return detail(f"Failed to load playlist '{title}'", 502)


def _summary(clips: Playlist) -> tuple[int, int, float]:
    seconds = added(clip.duration_seconds or 0.0 for clip in clips)
    return len(clips), len({clip.shot for clip in clips}), seconds


def _limit(asked: Asked) -> int:
    if (text := asked.last("limit")) is None:
        return USUAL
    found = whole(text)
    at_least(found, 1)
    if found > runs.LISTED:
        raise Refused("less_than_equal", f"Input should be less than or equal to {runs.LISTED}", le=runs.LISTED)
    return found


def _positive(text: str) -> int:
    found = whole(text)
    if found <= 0:
        raise Refused("greater_than", "Input should be greater than 0", gt=0)
    return found


def _words(asked: Asked, name: str) -> frozenset[str]:
    given: Iterable[str] = (value for key, value in asked.query if key == name)
    return frozenset(value.strip().lower() for value in given if value)
