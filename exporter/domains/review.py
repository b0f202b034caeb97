"""Review: playlists, the clips in them, and how much footage that is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from exporter.core.family import Family, Point


@dataclass(frozen=True, slots=True)
class Playlists:
    """The playlists of a project that could be read, their clips, their shots (distinct within a playlist), and the
    seconds that the clips run."""

    count: int = 0
    clips: int = 0
    shots: int = 0
    footage: float = 0.0


@dataclass(frozen=True, slots=True)
class Review:
    """What was read by project (None where not even the list of playlists could be), and how many playlists of each
    project could not; such a list counts as one."""

    playlists: Mapping[str, Playlists | None]
    unread: Mapping[str, int]


def _each(of: Callable[[Playlists], float]) -> Callable[[Review], Iterator[Point]]:
    return lambda facts: (((project,), of(read)) for project, read in sorted(facts.playlists.items()) if read)


FAMILIES: tuple[Family[Review], ...] = (
    Family(
        "gauge",
        "studio_review_playlists",
        "Review playlists read at the last background read, by project; those that could not be are not among them. "
        "Sum over projects; where several exporters watch one source, after max by (source, project).",
        _each(lambda read: read.count),
        labels=("project",),
        named=("project",),
    ),
    Family(
        "gauge",
        "studio_review_clips",
        "Versions with media in the review playlists of the last background read, by project; one counts in each of "
        "its playlists. Sum over projects; where several exporters watch one source, after max by (source, project).",
        _each(lambda read: read.clips),
        labels=("project",),
        named=("project",),
    ),
    Family(
        "gauge",
        "studio_review_shots",
        "Shots in the review playlists of the last background read, by project; one counts once in each of its "
        "playlists. Sum over projects; where several exporters watch one source, after max by (source, project).",
        _each(lambda read: read.shots),
        labels=("project",),
        named=("project",),
    ),
    Family(
        "gauge",
        "studio_review_footage_seconds",
        "Running time of the clips in the review playlists of the last background read, by project; a clip whose "
        "length or frame rate is unknown adds nothing. Sum over projects; where several exporters watch one source, "
        "after max by (source, project).",
        _each(lambda read: read.footage),
        labels=("project",),
        named=("project",),
    ),
    Family(
        "gauge",
        "studio_review_unread_playlists",
        "Review playlists that could not be read at the last background read, by project; a project whose list of "
        "playlists could not be read counts one. Sum over projects; where several exporters watch one source, after "
        "max by (source, project).",
        lambda facts: (((project,), count) for project, count in sorted(facts.unread.items())),
        labels=("project",),
        named=("project",),
    ),
)
