"""Trafalgar, the web half of OnePiece: JSON files of ingest runs, render jobs and reconcile records, and ShotGrid."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from exporter.core.event import Event
from exporter.core.family import Family
from exporter.core.finish import Ask, Batch, Pipeline
from exporter.core.part import Part, Taken
from exporter.core.source import Context, Kind, Source
from exporter.core.units import Like
from exporter.domains import ingest as ingest_domain
from exporter.domains import production as production_domain
from exporter.domains import render as render_domain
from exporter.domains.finished import handed
from exporter.domains.ingest import Ingest
from exporter.domains.render import Render
from exporter.inputs.documents import Document, Layout
from exporter.inputs.handover import Handover
from exporter.inputs.worker import Worker
from exporter.sources.trafalgar import ingest, projects, reconcile, render, shotgrid
from exporter.sources.trafalgar.api import jobs, runs
from exporter.sources.trafalgar.api.cache import Cache
from exporter.sources.trafalgar.api.cache import Config as CacheConfig
from exporter.sources.trafalgar.api.routes import APPS, api
from exporter.sources.trafalgar.shotgrid import Config as SiteConfig

T = TypeVar("T", Ingest, Render)
Name = Annotated[str, Like(r"\S(.*\S)?", "a name that neither begins nor ends with a blank")]


@dataclass(frozen=True, slots=True)
class Config:
    """Where the files and the site are, and projects known besides; a part that is not configured does not exist."""

    ingest_registry: Path | None = field(default=None, metadata={"env": "ONEPIECE_INGEST_REGISTRY"})
    render_jobs: Path | None = field(default=None, metadata={"env": "TRAFALGAR_RENDER_JOBS_PATH"})
    shotgrid: SiteConfig | None = None
    projects: tuple[Name, ...] = field(default=(), metadata={"env": "ONEPIECE_DASHBOARD_PROJECTS"})
    project_registry: Path | None = field(default=None, metadata={"env": "ONEPIECE_DASHBOARD_PROJECT_REGISTRY"})
    reconcile: Path | None = None
    cache: CacheConfig = field(default_factory=CacheConfig)

    def partial_problems(self) -> Iterator[str]:
        """What no single field can tell."""
        named = (self.ingest_registry, self.render_jobs, self.shotgrid, self.projects, self.project_registry)
        if not any((*named, self.reconcile)):
            yield "nothing to read: expected one or more of " + ", ".join(item.name for item in fields(self)[:-1])


@dataclass(frozen=True, slots=True)
class _Listing(Generic[T]):
    """A kind of file that holds a list of records; `label` has its lanes, `at` gives its facts as they are at a time,
    `unchanged` says whether the records behind two are the same, and `events` what became of them."""

    name: str
    label: str
    layout: Layout[Any, Any, Any, T]
    at: Callable[[T, float], T]
    families: tuple[Family[T], ...]
    unchanged: Callable[[T, T], bool]
    events: Callable[[T, T], Iterable[Event]]


INGEST = _Listing("ingest", "show", runs.LAYOUT, ingest.at, ingest_domain.FAMILIES, runs.unchanged, runs.events)
RENDER = _Listing("render", "farm", jobs.LAYOUT, render.at, render_domain.FAMILIES, jobs.unchanged, jobs.events)


class _Reader(Generic[T]):
    """A part's read: the value is the same object until something it says changes, with the file or with time."""

    def __init__(self, document: Document[Any, Any, Any, T], kind: _Listing[T]) -> None:
        self._document: Document[Any, Any, Any, T] = document
        self._kind: _Listing[T] = kind
        self._last: T | None = None

    async def read(self, now: float) -> Taken[T]:
        content = await self._document.read(now)
        value, last = self._kind.at(content.value, now), self._last
        if last is None or (value is not last and (value != last or not await self._unchanged(value, last))):
            last = self._last = value
        skipped = Counter(content.skipped)
        if untimed := value.finishes.untimed:  # such a record is there, and counted; only its finish is not
            skipped["missing"] += untimed
        return Taken(last, content.origin, content.records, dict(skipped))

    async def _unchanged(self, value: T, last: T) -> bool:
        """Whether the records are the same, too: as they may be large, that is looked up on another thread."""
        return await asyncio.to_thread(self._kind.unchanged, value, last)


def _finishes(value: Ingest | Render, ask: Ask) -> Batch:
    return handed(value.finishes, ask)


class _Parts:
    """The parts of a source as they are made, and what must be closed with them."""

    def __init__(self, context: Context, cache: Cache) -> None:
        self._cache = cache
        self.made: list[Part[Any]] = []  # Any: each part has a value type of its own
        self._context = context
        self._workers: list[Worker] = []
        self._sites: list[shotgrid.Site] = []

    def listing(self, path: Path, kind: _Listing[T]) -> None:
        """The part of a file that holds a list of records, each of them some work that comes to its end."""
        document = Document(path, kind.layout, self._context.limits.document_size, self._worker(kind.name))
        handover: Handover[T] = Handover(_finishes)
        pipeline = Pipeline(kind.name, str(path), handover.pages, label=kind.label)
        read = _Reader(document, kind).read
        self.made.append(Part(kind.name, read, kind.families, self._context.schedule, pipeline, kind.events))

    def site(self, config: Config) -> None:
        """The parts of the site, if there is one, and of the projects known. These have a part of their own, and the
        later one, so that they are told also when the site is away, and are what it last said when it is not."""
        limits, schedule = self._context.limits, self._context.schedule
        registry = projects.Registry(config.project_registry) if config.project_registry else None
        known = projects.Known(config.projects, registry, self._worker("projects"))
        if asked := config.shotgrid:
            client = shotgrid.client(asked, limits.document_size, limits.rows_per_query)
            self._sites.append(shotgrid.Site(client, known, asked.timeout, self._cache.most_records))
            self.made.append(Part("shotgrid", self._sites[-1].read, shotgrid.FAMILIES, asked.schedule(schedule)))
        if asked or registry or config.projects:
            self.made.append(Part("projects", known.read, production_domain.PROJECTS, schedule))

    def reconcile(self, path: Path) -> None:
        """The part of the reconcile records."""
        read = reconcile.Reconcile(path, self._context.limits.document_size, self._worker("reconcile")).read
        self.made.append(Part("reconcile", read, production_domain.RECONCILE, self._context.schedule))

    async def close(self) -> None:
        """Ends threads and connections."""
        for worker in self._workers:
            worker.close()
        for site in self._sites:
            await site.close()

    def _worker(self, name: str) -> Worker:
        self._workers.append(Worker(f"{self._context.name}/{name}"))
        return self._workers[-1]


def source(config: Config, context: Context) -> Source:
    """A part for each file that is configured, each with a thread of its own, for the site, and for its projects."""
    cache = Cache(config.cache)
    parts = _Parts(context, cache)
    if config.ingest_registry:
        parts.listing(config.ingest_registry, INGEST)
    if config.render_jobs:
        parts.listing(config.render_jobs, RENDER)
    parts.site(config)
    if config.reconcile:
        parts.reconcile(config.reconcile)
    face = api(cache, tuple(part.name for part in parts.made))
    names = {"project": config.projects}
    return Source(context.name, "trafalgar", tuple(parts.made), names, parts.close, api=face)


KIND = Kind(
    config=Config,
    source=source,
    summary="OnePiece Trafalgar: ingest runs, render jobs and reconcile records (files), and ShotGrid (REST).",
    apps=APPS,
    token="TRAFALGAR_DASHBOARD_TOKEN",  # noqa: S106  # the name of a variable
)
