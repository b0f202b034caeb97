"""The fire: what can go wrong with a file, a database, a server or a site, done to the studio and undone again."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.services import Wire
from tests.shotgrid_server import Asked, Fault, Site, endless, reset, saying, status, trickling
from tests.soak.pages import Part

HUGE = 1 << 40
"""Bytes of a file that has none on disk."""

ASIDE = ".aside"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that goes wrong while its context lasts, which parts it meets, and what they must say.

    While it does, the studio stands `still` where it would write over it, or be hurt itself.
    """

    name: str
    parts: tuple[Part, ...]
    reason: str
    context: Callable[[], AbstractContextManager[object]]
    still: bool = True


@contextmanager
def holding(path: Path, content: bytes) -> Iterator[None]:
    """A file that holds something else, written in place."""
    good = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(good)


@contextmanager
def torn(path: Path) -> Iterator[None]:
    """A file of which half is written."""
    good = path.read_bytes()
    with holding(path, good[: len(good) // 2]):
        yield


@contextmanager
def gone(path: Path) -> Iterator[None]:
    """A file, or a whole directory, that is not there, and then is the same again."""
    aside = path.with_name(path.name + ASIDE)
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


@contextmanager
def piped(path: Path) -> Iterator[None]:
    """A pipe in the place of a file, into which nobody writes."""
    with gone(path):
        os.mkfifo(path)
        try:
            yield
        finally:
            path.unlink()


@contextmanager
def swapped(path: Path, content: bytes) -> Iterator[None]:
    """Another file in the place of a file."""
    with gone(path):
        path.write_bytes(content)
        try:
            yield
        finally:
            path.unlink()


@contextmanager
def huge(path: Path) -> Iterator[None]:
    """A file with more bytes than anybody may read."""
    with gone(path):
        with path.open("wb") as file:
            file.truncate(HUGE)
        try:
            yield
        finally:
            path.unlink()


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """A database that somebody else has for himself."""
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute("begin exclusive")
        yield
        connection.execute("rollback")


@contextmanager
def renamed(database: Path, table: str) -> Iterator[None]:
    """A table that is called otherwise."""
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute(f"alter table {table} rename to {table}_moved")
        try:
            yield
        finally:
            connection.execute(f"alter table {table}_moved rename to {table}")


@contextmanager
def paused(wire: Wire) -> Iterator[None]:
    """A server that says nothing any more, and then goes on as if nothing had been."""
    wire.freeze()
    try:
        yield
    finally:
        wire.thaw()


@contextmanager
def cut(wire: Wire) -> Iterator[None]:
    """A server that is restarted: its connections end, and for a while there are no new ones."""
    wire.cut()
    try:
        yield
    finally:
        wire.mend()


@contextmanager
def answering(site: Site, fault: Fault, match: Callable[[Asked], object] = lambda _: True) -> Iterator[None]:
    """A site that answers like that, and wants everybody to log in again."""
    site.valid.clear()
    site.fault(match, fault)
    try:
        yield
    finally:
        site.faults.clear()


def of_studio(home: Path, dice: Random) -> list[Trouble]:
    """What is done to the files and databases of the demo."""
    registry, jobs = home / "ingest_runs.json", home / "render_jobs.json"
    stakazo, dashboard, decoys = home / "stakazo.db", home / "dashboard.db", home / "decnet.db"
    ingest, render = (("vfx", "ingest"),), (("vfx", "render"),)
    noted, noise = (("music", "database"),), dice.randbytes(100_000)
    quick = ("publishing", "queue"), ("publishing", "campaigns")
    return [
        Trouble("registry torn", ingest, "malformed", lambda: torn(registry)),
        Trouble("jobs gone", render, "missing", lambda: gone(jobs)),
        Trouble("publishing locked", quick, "timeout", lambda: locked(stakazo)),
        Trouble("registry is noise", ingest, "malformed", lambda: holding(registry, noise)),
        Trouble("jobs are a pipe", render, "unreachable", lambda: piped(jobs)),
        Trouble("dashboard is noise", noted, "malformed", lambda: swapped(dashboard, noise)),
        Trouble("registry huge", ingest, "too_large", lambda: huge(registry)),
        Trouble("campaigns moved", quick[1:], "schema", lambda: renamed(stakazo, "campaigns")),
        Trouble("decoys gone", (("decoys", "database"),), "missing", lambda: gone(decoys)),
        Trouble("orchestrator gone", (("music", "files"),), "missing", lambda: gone(home / "orchestrator")),
    ]


def of_servers(wires: Sequence[Wire], site: Site) -> list[Trouble]:
    """What is done to PostgreSQL, MariaDB and two sites of ShotGrid, or to the way there."""
    archive, lures, shotgrid = wires
    queue, events, versions = (("archive", "queue"),), (("lures", "database"),), (("vfx", "shotgrid"),)
    reviews = (("review", "shotgrid"),)

    def answers(name: str, reason: str, fault: Fault, match: Callable[[Asked], object] = lambda _: True) -> Trouble:
        return Trouble(name, reviews, reason, lambda: answering(site, fault, match), still=False)

    return [
        Trouble("PostgreSQL restarted", queue, "unreachable", lambda: cut(archive), still=False),
        answers("ShotGrid trickles", "timeout", trickling(site)),
        Trouble("MariaDB restarted", events, "unreachable", lambda: cut(lures), still=False),
        answers("ShotGrid refuses", "refused", status(403)),
        Trouble("MariaDB paused", events, "timeout", lambda: paused(lures), still=False),
        answers("ShotGrid speaks HTML", "malformed", saying("<html>", "text/html")),
        Trouble("PostgreSQL paused", queue, "timeout", lambda: paused(archive), still=False),
        answers("ShotGrid never ends", "too_large", endless, lambda asked: asked.entity != "login"),
        Trouble("ShotGrid paused", versions, "timeout", lambda: paused(shotgrid), still=False),
        answers("ShotGrid hangs up", "unreachable", reset),
        Trouble("ShotGrid restarted", versions, "unreachable", lambda: cut(shotgrid), still=False),
    ]
