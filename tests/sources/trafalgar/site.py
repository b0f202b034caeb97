"""The part of a site of ShotGrid, and a small site for it to read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from exporter.core.part import Part, Schedule, Taken
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits
from exporter.domains.review import Playlists
from exporter.sources.trafalgar import KIND, Config
from exporter.sources.trafalgar.shotgrid import Config as SiteConfig
from tests.shotgrid_server import (
    KEY,
    SCRIPT,
    Asked,
    Site,
    clip,
    playlist,
    project,
    served,
    version,
)

ALPHA, BETA = project(1, "alpha"), project(2, "beta")
STAMP = "2026-05-11T08:00:00+00:00"
LATER = "2026-05-11T08:59:30+00:00"


@asynccontextmanager
async def opened(
    site: Site, *names: str, limits: Limits | None = None, key: str = KEY, within: float = 20.0
) -> AsyncIterator[Part[Any]]:
    """The part of a site that is served for as long as this lasts."""
    async with served(site) as address:
        config = Config(shotgrid=SiteConfig(address, SCRIPT, Secret(key), timeout=within), projects=names)
        source = KIND.source(config, Context("vfx", Schedule(), limits or Limits()))
        try:
            yield source.parts[0]
        finally:
            await source.close()


def small() -> Site:
    """Two projects with a playlist each, and three versions."""
    return Site(
        projects=[ALPHA, BETA],
        playlists=[playlist(11, ALPHA, "a", 101, 102), playlist(12, BETA, "b", 103)],
        clips=[clip(101, "s1"), clip(102, "s1"), clip(103, "s2")],
        versions=[
            version(1, ALPHA, "s1", "apr", STAMP),
            version(2, ALPHA, "s2", "wtg", STAMP),
            version(3, BETA, "s1", None, STAMP),
        ],
    )


def rows(review: Any) -> list[dict[str, Any]]:
    """The rows of the system's own JSON."""
    return [
        {
            "project": name,
            "playlists": read.count,
            "clips": read.clips,
            "shots": read.shots,
            "duration_seconds": read.footage,
        }
        for name, read in sorted(review.playlists.items())
        for read in (read or Playlists(),)
    ]


def is_listing(asked: Asked) -> bool:
    return asked.entity == "versions" and "filter[0][id[$in]]" not in asked.params


def is_by_id(asked: Asked) -> bool:
    return "filter[0][id[$in]]" in asked.params


def is_playlists(asked: Asked) -> bool:
    return asked.entity == "playlists"


def of_project(asked: Asked) -> str:
    return asked.params.get("filter[0][project]", "")


def is_login(asked: Asked) -> bool:
    return asked.entity == "login"


def is_projects(asked: Asked) -> bool:
    return asked.entity == "projects"


def counted(taken: Taken[Any]) -> dict[tuple[str, str], int]:
    return dict(taken.value.production.versions)


def entities(site: Site) -> list[str]:
    return [asked.entity for asked in site.asked]


KNOWN = ("atlas_rising", "signal_noir", "deep_harbor", "iron_orchard", "legacy_show")
