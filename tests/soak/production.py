"""What the page must say of ShotGrid and of what is stored, counted as `tests.soak.count` does."""

import math
from collections import Counter, defaultdict

from exporter.demo.shows import SHOWS
from tests.soak.count import Expected, Record, Samples, World

NEVER_THERE = "saltmarsh"
"""A project that is on record, and that the site never had."""

WORDS = {"apr": "approved", "pub": "published", None: "unknown"}


def site(world: World, source: str, at: float) -> Samples:
    """Versions of the site, and the playlists of each project that is known."""
    found, tables = Expected(source), world["site"]
    statuses, shots = Counter[tuple[str, str]](), defaultdict[str, set[str]](set)
    for version in tables["versions"]:
        project, word = of(version, "project"), version["attributes"]["sg_status_list"]
        statuses[project, WORDS.get(word, word)] += 1
        shots[project].add(of(version, "entity"))
    for project, names in shots.items():
        found.put("shots", len(names), project=project)
        for word in {*WORDS.values()} | {word for name, word in statuses if name == project}:
            found.put("versions", statuses[project, word], project=project, status=word)
    versions = {version["id"]: version for version in tables["versions"]}
    for project in known(world):
        mine = [row for row in tables["playlists"] if of(row, "project") == project]
        clips = [[*clips_of(playlist, versions)] for playlist in mine]
        found.put("review_playlists", len(mine), project=project)
        found.put("review_unread_playlists", 0, project=project)
        found.put("review_clips", sum(map(len, clips)), project=project)
        found.put("review_shots", sum(len({of(clip, "entity") for clip in one}) for one in clips), project=project)
        seconds = math.fsum(footage(clip) for one in clips for clip in one)
        found.put("review_footage_seconds", seconds, project=project)
    return found.samples


def projects(world: World, source: str, at: float) -> Samples:
    """How many are known, to the file as well; what the site once had and has no more is not."""
    found = Expected(source)
    found.put("projects", len(known(world)))
    return found.samples


def stored(world: World, source: str, at: float) -> Samples:
    """Where ShotGrid, the file system and S3 disagree; versions are compared as text."""
    found = Expected(source)
    asked, files, cloud = (frozenset(map(tuple, world["stored"][name])) for name in ("shotgrid", "files", "s3"))
    for place, there in (("fs", files), ("s3", cloud)):
        found.put("reconcile_errors", len(asked - there), mismatch=f"missing_in_{place}")
        found.put("reconcile_errors", len(there - asked), mismatch=f"orphan_in_{place}")
    both = {shot for shot, _ in asked} & {shot for shot, _ in files}
    newest = ({shot: max(v for of, v in keys if of == shot) for shot in both} for keys in (asked, files))
    one, other = newest
    found.put("reconcile_errors", sum(one[shot] != other[shot] for shot in both), mismatch="version_mismatch")
    return found.samples


def known(world: World) -> set[str]:
    """The names of all projects."""
    return {*SHOWS.values(), NEVER_THERE, *(row["attributes"]["name"] for row in world["site"]["projects"])}


def of(row: Record, what: str) -> str:
    name: str = row["relationships"][what]["data"]["name"]
    return name


def clips_of(playlist: Record, versions: dict[int, Record]) -> list[Record]:
    """The versions of a playlist that can be played."""
    watched = [versions[one["id"]] for one in playlist["relationships"]["versions"]["data"] if one["id"] in versions]
    return [version for version in watched if version["attributes"]["sg_path_to_movie"]]


def footage(version: Record) -> float:
    """The seconds that it runs."""
    told = version["attributes"]
    seconds: float = told["sg_uploaded_movie_frame_count"] / told["sg_uploaded_movie_frame_rate"]
    return seconds
