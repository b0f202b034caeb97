"""Trafalgar, the web half of OnePiece: JSON files of ingest runs, render jobs and reconcile records, and ShotGrid."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from exporter.core.family import Family
from exporter.core.part import Part, Taken
from exporter.core.source import Context, Kind, Source
from exporter.core.units import Like
from exporter.domains import ingest as ingest_domain
from exporter.domains import production as production_domain
from exporter.domains import render as render_domain
from exporter.inputs.documents import Document, Layout
from exporter.inputs.worker import Worker
from exporter.sources.trafalgar import ingest, projects, reconcile, render, shotgrid
from exporter.sources.trafalgar.shotgrid import Config as SiteConfig

T = TypeVar("T")
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

    def problems(self) -> Iterator[str]:
        """What no single field can tell."""
        named = (self.ingest_registry, self.render_jobs, self.shotgrid, self.projects, self.project_registry)
        if not any((*named, self.reconcile)):
            yield "nothing to read: expected one or more of " + ", ".join(item.name for item in fields(self))


class _Reader(Generic[T]):
    """A part's read: the value is the same object until something it says changes, with the file or with time."""

    def __init__(self, document: Document[Any, Any, T], at: Callable[[T, float], T]) -> None:
        self._document = document
        self._at = at
        self._last: T | None = None

    async def read(self, now: float) -> Taken[T]:
        content = await self._document.read(now)
        value = self._at(content.value, now)
        if self._last is None or value != self._last:
            self._last = value
        return Taken(self._last, content.origin, content.records, content.skipped)


class _Parts:
    """The parts of a source as they are made, and what must be closed with them."""

    def __init__(self, context: Context) -> None:
        self.made: list[Part[Any]] = []  # Any: each part has a value type of its own
        self._context = context
        self._workers: list[Worker] = []
        self._sites: list[shotgrid.Site] = []

    def document(
        self,
        name: str,
        path: Path,
        layout: Layout[Any, Any, T],
        at: Callable[[T, float], T],
        families: tuple[Family[T], ...],
    ) -> None:
        """A part of a file that holds a list of records."""
        document = Document(path, layout, self._context.limits.document_size, self._worker(name))
        self.made.append(Part(name, _Reader(document, at).read, families, self._context.schedule))

    def site(self, config: Config) -> None:
        """The parts of the site, if there is one, and of the projects known. These have a part of their own, and the
        later one, so that they are told also when the site is away, and are what it last said when it is not."""
        limits, schedule = self._context.limits, self._context.schedule
        registry = projects.Registry(config.project_registry) if config.project_registry else None
        known = projects.Known(config.projects, registry, self._worker("projects"))
        if asked := config.shotgrid:
            client = shotgrid.client(asked, limits.document_size, limits.rows_per_query)
            self._sites.append(shotgrid.Site(client, known, asked.timeout))
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
    parts = _Parts(context)
    if config.ingest_registry:
        parts.document("ingest", config.ingest_registry, ingest.LAYOUT, ingest.at, ingest_domain.FAMILIES)
    if config.render_jobs:
        parts.document("render", config.render_jobs, render.LAYOUT, render.at, render_domain.FAMILIES)
    parts.site(config)
    if config.reconcile:
        parts.reconcile(config.reconcile)
    return Source(context.name, "trafalgar", tuple(parts.made), {"project": config.projects}, parts.close)


KIND = Kind(
    config=Config,
    source=source,
    summary="OnePiece Trafalgar: ingest runs, render jobs and reconcile records (files), and ShotGrid (REST).",
)
