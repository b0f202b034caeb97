"""Music Agents: the orchestrator's files, the dashboard's SQLite database, and the machine they run on."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from exporter.core.family import over
from exporter.core.finish import Batch, Pipeline
from exporter.core.part import Part, Taken
from exporter.core.scalar import did_you_mean
from exporter.core.secret import Secret
from exporter.core.source import Context, Kind, Source
from exporter.core.units import Sound, shown
from exporter.domains import host as host_domain
from exporter.domains import training as training_domain
from exporter.domains.training import Sessions, Training
from exporter.inputs.dialects import url_problem
from exporter.inputs.handover import Handover
from exporter.inputs.sql import Database
from exporter.inputs.worker import Worker
from exporter.inputs.writing import Writing
from exporter.sources.music_agents.api import events, face
from exporter.sources.music_agents.api.asking import Look
from exporter.sources.music_agents.api.papers import Cabinet, Filed
from exporter.sources.music_agents.api.tables import Book, Recorded
from exporter.sources.music_agents.api.writes import Writes
from exporter.sources.music_agents.database import Dashboard
from exporter.sources.music_agents.files import Files
from exporter.sources.music_agents.host import Machine
from exporter.sources.music_agents.reports import ROSTER

T = TypeVar("T")


def _filed(value: Filed) -> Training:
    return value.facts


def _recorded(value: Recorded) -> Sessions:
    return value.facts


REPORTS = over(training_domain.REPORTS, _filed)
SESSIONS = over(training_domain.SESSIONS, _recorded)


def database_url(database: Secret) -> Secret:
    """The URL of a database, of a path too."""
    return database if "://" in database.reveal() else Secret(f"sqlite:///{database.reveal()}")


def database_problem(database: Secret) -> str | None:
    """Why a database cannot be read, without showing it; None if it can."""
    url = database_url(database)
    if (problem := url_problem(url)) or url.reveal().startswith("sqlite"):
        return problem
    return "expected the path of an SQLite database, or a URL such as sqlite:////path/dashboard.db"


def timezone_problem(name: str) -> str | None:
    """Why a name is none of a time zone; None if it is."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(name, available_timezones())
        return f"expected an IANA name such as Europe/Berlin, found {shown(name)}" + (f": {near}" if near else "")
    return None


@dataclass(frozen=True, slots=True)
class Config:
    """Where the orchestrator and the dashboard's database are (a path, or a URL that begins with `sqlite:`), the IANA
    name of the time zone of their local times, and whether the exporter's own machine is measured. A part that is not
    configured does not exist."""

    orchestrator: Path | None = field(default=None, metadata={"env": "ORCHESTRATOR_PATH"})
    database: Annotated[Secret, Sound(database_problem)] | None = field(default=None, metadata={"env": "DATABASE_PATH"})
    timezone: Annotated[str, Sound(timezone_problem)] = "UTC"
    host: bool = True

    def url(self) -> Secret | None:
        """The database's URL, of a path too."""
        return self.database and database_url(self.database)

    def partial_problems(self) -> Iterator[str]:
        """What no single field can tell."""
        if not (self.orchestrator or self.database or self.host):
            yield "nothing to read: expected orchestrator, database, host or several of them"


def source(config: Config, context: Context) -> Source:
    """A part for all files, for the database and for the machine, as far as they are configured, each with a thread of
    its own."""
    zone = ZoneInfo(config.timezone)
    workers: list[Worker] = []
    databases: list[Database] = []

    def worker(name: str) -> Worker:
        workers.append(Worker(f"{context.name}/{name}"))
        return workers[-1]

    async def close() -> None:
        for each in workers:
            each.close()
        for database in databases:
            await database.close()
        if changing:
            await changing.writing.close()

    parts: list[Part[Any]] = []  # Any: each part has a value type of its own
    changing: Writes | None = None
    if config.orchestrator:
        files = Files(config.orchestrator, zone, context.limits.document_size)
        read = _on(worker("files"), Cabinet(config.orchestrator, files, zone).read)
        runs = _pipeline("training_run", str(config.orchestrator), training_domain.RUN)
        parts.append(Part("files", read, REPORTS, context.schedule, runs, events.filed))
    if url := config.url():
        databases.append(database := Database(url, context.schedule.timeout, context.limits.rows_per_query))
        sessions = _pipeline("training_session", database.describe(), training_domain.SESSION)
        look = Book(Dashboard(database, zone), zone).read
        parts.append(Part("database", look, SESSIONS, context.schedule, sessions, events.recorded))
        if context.api.writes:
            changing = Writes(context.name, Writing(url, context.schedule.timeout), zone)
    if config.host:
        machine = Machine()
        parts.append(Part("host", _on(worker("host"), machine.read), host_domain.FAMILIES, context.schedule))
    sight = Look(zone, config.timezone, frozenset(part.name for part in parts))
    return Source(context.name, "music_agents", tuple(parts), {"agent": ROSTER}, close, api=face(sight, changing))


def _pipeline(name: str, place: str, lane: str) -> Pipeline[Filed | Recorded]:
    """One of two, and no lane of one: a session usually is a run, so their sum would count it twice."""
    handover: Handover[Filed | Recorded] = Handover(lambda value, _: Batch(value.finishes, under=0))
    return Pipeline(name, place, handover.pages, lanes=(lane,))


def _on(worker: Worker, read: Callable[[float], Taken[T]]) -> Callable[[float], Awaitable[Taken[T]]]:
    """A read that blocks, on a thread of its own."""

    async def read_there(now: float) -> Taken[T]:
        return await worker.run(partial(read, now))

    return read_there


KIND = Kind(
    config=Config,
    source=source,
    summary="Music Agents: training reports and results (files), sessions and events (SQLite), and the machine itself.",
)
