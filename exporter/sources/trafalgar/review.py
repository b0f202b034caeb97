"""Review playlists and their clips, of the whole site at once (contract b.3).

The system asked for each project, its playlists, and then for each playlist once more for the project, for the playlist
and for its versions: 40 calls for six projects with nine playlists. Here all playlists come with one query, and the
versions of all of them 500 at a time:

    GET /entities/playlists?fields=id,name,code,versions,project&page[number]=n&page[size]=500
    GET /entities/versions?fields=code,entity,…&filter[0][id[$in]]=1,2,3&page[number]=n&page[size]=500

Where the site cannot answer the first, its projects are asked for one by one as in the recording, so that one of them
does not hide the others:

    GET /entities/playlists?fields=id,name,code,versions,project&filter[0][project]=ID&page[number]=n&page[size]=500

A playlist's versions are those that the list names. The system looked it up again by code, and so found nothing where
its name is another. Of several of one name one counts, as in the system: that which has it as its code, else the first.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from exporter.core.errors import ReadError
from exporter.domains.review import Playlists, Review
from exporter.inputs.shotgrid import PAGE, Page, Query, Row, ShotGrid
from exporter.sources.trafalgar.api.clips import ClipShown, Playlist
from exporter.sources.trafalgar.api.clips import Playlists as Shown
from exporter.sources.trafalgar.versions import named

PLAYLISTS = Query("playlists", ("id", "name", "code", "versions", "project"))
FIELDS = (
    "code",
    "entity",
    "sg_path_to_movie",
    "sg_uploaded_movie",
    "sg_path_to_frames",
    "sg_uploaded_movie_frame_count",
    "sg_uploaded_movie_frame_rate",
    "frame_range",
    "user",
)


class Clip(NamedTuple):
    """A version that can be played: the name of its shot, and the seconds that it runs, 0 where that is unknown."""

    shot: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of the site's review: the facts of its projects, how many rows that took and were left out, by
    reason, why something could not be read, by project, and the playlists themselves."""

    review: Review
    records: int
    skipped: Mapping[str, int]
    failures: Mapping[str, str]
    playlists: Shown


Listed = dict[str, Page | ReadError]
"""The rows of playlists by the name of their project, or why there are none."""


async def review(client: ShotGrid, projects: Mapping[str, int], known: Iterable[str], until: float) -> Read:
    """The review of each project of the site by name, given its id; `until` is in seconds of the loop's clock.

    One that is known and not on the site has no playlists, as in the system. Where not one list of playlists could be
    read, raises the first of their errors.
    """
    listed = await _listed(client, projects, until)
    skipped = Counter[str]()
    chosen = {name: _by_name(page.rows, skipped) for name, page in listed.items() if isinstance(page, Page)}
    rows, lost = await _versions(client, chosen.values(), until)
    failures = {name: str(error) for name, error in listed.items() if isinstance(error, ReadError)}
    found: dict[str, Playlists | None] = {name: Playlists() for name in known} | dict.fromkeys(failures)
    unread = dict.fromkeys(found, 0) | dict.fromkeys(failures, 1)
    shown = dict[str, Mapping[str, Playlist | None] | None](dict.fromkeys(failures))
    for name, playlists in chosen.items():
        shown[name] = {title: _clips(ids, rows, lost) for title, ids in sorted(playlists.items())}
        whole = [ids for _, ids in sorted(playlists.items()) if lost.keys().isdisjoint(ids)]
        found[name], unread[name] = _counted(whole, rows), len(playlists) - len(whole)
        if unread[name]:
            failures[name] = next(str(lost[id_]) for ids in playlists.values() for id_ in ids if id_ in lost)
    for page in listed.values():
        skipped.update(page.skipped if isinstance(page, Page) else ())
    return Read(Review(found, unread), sum(map(len, chosen.values())) + len(rows), skipped, failures, shown)


async def _listed(client: ShotGrid, projects: Mapping[str, int], until: float) -> Listed:
    """The playlists of all projects by one query, or else by one for each."""
    try:
        page = await client.rows(PLAYLISTS, until)
    except ReadError:
        return await _listed_singly(client, projects, until)
    of: dict[int, list[Row]] = {id_: [] for id_ in projects.values()}
    for row in page.rows:
        project = row.fields.get("project")
        if isinstance(project, dict) and project.get("id") in of:
            of[project["id"]].append(row)
    pages: Listed = {name: Page(tuple(of[id_]), {}) for name, id_ in projects.items()}
    return pages


async def _listed_singly(client: ShotGrid, projects: Mapping[str, int], until: float) -> Listed:
    async def listed(id_: int) -> Page | ReadError:
        try:
            return await client.rows(replace(PLAYLISTS, more={"filter[0][project]": str(id_)}), until)
        except ReadError as error:
            return error

    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(listed(id_)) for name, id_ in sorted(projects.items())}
    found = {name: task.result() for name, task in tasks.items()}
    errors = [error for error in found.values() if isinstance(error, ReadError)]
    if errors and len(errors) == len(found):
        raise errors[0]
    return found


def _counted(playlists: Iterable[tuple[int, ...]], rows: Mapping[int, Row]) -> Playlists:
    """The facts of the playlists of a project, each given as the ids of its versions."""
    clips = [[clip for id_ in ids if id_ in rows and (clip := playable(rows[id_]))] for ids in playlists]
    return Playlists(
        len(clips),
        sum(map(len, clips)),
        sum(len({clip.shot for clip in one}) for one in clips),
        math.fsum(clip.seconds for one in clips for clip in one),
    )


def _by_name(rows: Iterable[Row], skipped: Counter[str]) -> dict[str, tuple[int, ...]]:
    """The ids of the versions of each playlist; one without a name is skipped."""
    chosen: dict[str, Row] = {}
    for row in rows:
        if not (name := row.text("playlist_name", "name", "code")):
            skipped["missing"] += 1
        elif name not in chosen or (row.text("code") == name != chosen[name].text("code")):
            chosen[name] = row
    return {name: _ids(row.fields.get("versions")) for name, row in chosen.items()}


def _ids(versions: object) -> tuple[int, ...]:
    """Ids of the versions that a playlist refers to, each once."""
    found = [one.get("id") for one in versions if isinstance(one, dict)] if isinstance(versions, list) else []
    return tuple(dict.fromkeys(id_ for id_ in found if isinstance(id_, int) and not isinstance(id_, bool)))


async def _versions(
    client: ShotGrid, playlists: Iterable[Mapping[str, tuple[int, ...]]], until: float
) -> tuple[dict[int, Row], dict[int, ReadError]]:
    """Versions by id, and the ids of those that could not be read, with the reason."""
    every = [*dict.fromkeys(id_ for one in playlists for ids in one.values() for id_ in ids)]
    batches = [every[start : start + PAGE] for start in range(0, len(every), PAGE)]
    rows: dict[int, Row] = {}
    lost: dict[int, ReadError] = {}

    async def read(batch: list[int]) -> None:
        ids = ",".join(map(str, batch))
        try:
            page = await client.rows(Query("versions", FIELDS, {"filter[0][id[$in]]": ids}), until)
        except ReadError as error:
            lost.update(dict.fromkeys(batch, error))
        else:
            rows.update((row.id, row) for row in page.rows)

    async with asyncio.TaskGroup() as group:
        for batch in batches:
            group.create_task(read(batch))
    return rows, lost


def _clips(ids: Iterable[int], rows: Mapping[int, Row], lost: Mapping[int, ReadError]) -> Playlist | None:
    """A playlist as it is shown; None where one of its versions could not be read."""
    if not lost.keys().isdisjoint(ids):
        return None
    return tuple(shown for id_ in ids if id_ in rows and (shown := clip_shown(rows[id_])))


def playable(row: Row) -> Clip | None:
    """A version as a clip: None without a source, which is a path or an object with one or with a URL."""
    if not _path(row):
        return None
    frames, rate = (_number(row.fields.get(f"sg_uploaded_movie_frame_{name}")) for name in ("count", "rate"))
    return Clip(named(row.fields.get("entity")) or row.text("code"), frames / rate if rate else 0.0)


def clip_shown(row: Row) -> ClipShown | None:
    """The same as the system's API shows it."""
    path = _path(row)
    if not path:
        return None
    count, rate = (row.fields.get(f"sg_uploaded_movie_frame_{name}") for name in ("count", "rate"))
    known = count is not None and _number(rate)
    return ClipShown(
        shot=named(row.fields.get("entity")) or row.text("code"),
        version=row.text("code"),
        source_path=str(path),
        frame_range=row.text("frame_range"),
        user=named(row.fields.get("user")),
        duration_seconds=_number(count) / _number(rate) if known else None,
    )


def _path(row: Row) -> object:
    """The first source that a version has."""
    sources = (row.fields.get(name) for name in ("sg_path_to_movie", "sg_uploaded_movie", "sg_path_to_frames"))
    return next(filter(None, map(_source, sources)), None)


def _source(value: object) -> object:
    return (value.get("local_path") or value.get("url")) if isinstance(value, dict) else value


def _number(value: object) -> float:
    """A count or a rate; 0 where it is none, or none that can be."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
    return float(value) if good else 0.0  # type: ignore[arg-type]  # `good` says that it is a number
