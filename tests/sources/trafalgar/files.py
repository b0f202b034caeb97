"""Files as Trafalgar writes them, and a source that reads them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from exporter.core.family import Value
from exporter.core.part import Part, Schedule, Taken
from exporter.core.source import Context, Limits, Source
from exporter.sources.trafalgar import KIND, Config

GOLDEN = Path(__file__).parents[2] / "golden" / "trafalgar"
NOW = 1778490000.0  # 2026-05-11T09:00:00Z, a quarter of an hour after the newest golden run
SCHEDULE = Schedule(interval=15.0, timeout=10.0, max_stale=150.0)

Samples = dict[tuple[str, ...], Value]


def given(name: str) -> Path:
    """A golden input."""
    return GOLDEN / "inputs" / name


def answer(name: str) -> Any:
    """A recorded answer."""
    return json.loads((GOLDEN / "responses" / name).read_text())["response"]


def written(path: Path, value: object) -> Path:
    """The file, with the value in it."""
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


@asynccontextmanager
async def opened(config: Config, limits: Limits | None = None) -> AsyncIterator[Source]:
    source: Source = KIND.source(config, Context("vfx", SCHEDULE, limits or Limits()))
    try:
        yield source
    finally:
        await source.close()


async def read(config: Config, now: float = NOW) -> Taken[Any]:
    """What the only part that is configured finds."""
    async with opened(config) as source:
        (part,) = source.parts
        return await part.read(now)


async def ingested(path: Path, now: float = NOW) -> Taken[Any]:
    return await read(Config(ingest_registry=path), now)


async def rendered(path: Path, now: float = NOW) -> Taken[Any]:
    return await read(Config(render_jobs=path), now)


def samples(part: Part[Any], value: Any) -> dict[str, Samples]:
    """The points of each family by its name."""
    return {family.name: dict(family.points(value)) for family in part.families}
