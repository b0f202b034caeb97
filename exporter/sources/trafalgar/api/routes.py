"""The Api: what its four programs answered, merged. Where two had the same path, the one that says more comes first."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from exporter.core.api import Answer, Api, Asked, Parameter, Reading, Route, Stream, View
from exporter.core.event import Event
from exporter.domains.render import Render
from exporter.sources.trafalgar.api import dashboard, farms, jobs, listings, renders, replies, runs
from exporter.sources.trafalgar.api.cache import Administration, Cache, Settings, Update
from exporter.sources.trafalgar.api.dashboard import Dashboard
from exporter.sources.trafalgar.api.known import Known
from exporter.sources.trafalgar.api.listings import Listings
from exporter.sources.trafalgar.api.mismatches import Group, Mismatch
from exporter.sources.trafalgar.api.page import PAGE
from exporter.sources.trafalgar.api.replies import Detail, Invalid

APPS = ("dashboard", "ingest", "render", "review")
TEXT: Mapping[str, Any] = {"type": "string"}
FILTERS = ("status", "farm")
NOT_READ: Mapping[int, Any] = {503: Detail}


def api(cache: Cache, parts: tuple[str, ...]) -> Api:
    """The Api of a source with these parts."""
    known = Known(parts)
    listings = Listings(known)
    return Api(
        routes=(
            *_dashboard(Dashboard(known, cache, {})),
            *_render(listings),
            *_ingest(listings),
            *_review(listings),
        ),
        refused=replies.refused,
        unknown=replies.UNKNOWN,
        disallowed=replies.disallowed,
        failed=replies.FAILED,
        too_large=replies.TOO_LARGE,
        bearer=replies.bearer,
        streams=tuple(stream for stream in STREAMS if stream.part in parts),
        slash="redirect",
    )


def landing(reading: Reading, asked: Asked) -> Answer:
    """The page at the root."""
    return Answer(PAGE, media="text/html; charset=utf-8")


def _dashboard(views: Dashboard) -> tuple[Route, ...]:
    name = (_path("name", "The name of a project, in any case."),)
    missing = {404: Detail, **NOT_READ}
    get = _getter("dashboard")
    return (
        Route(
            "GET", "/", landing, "A page of links.", "dashboard", True, token=False, answers={200: None}, example="/"
        ),
        get("/status", views.status, "The numbers of all parts, those of the status flat.", dashboard.FlatStatus),
        get("/metrics", views.metrics, "The numbers of all parts.", dashboard.Metrics),
        Route(
            "GET",
            "/admin/cache",
            views.administration,
            "The settings of the cache, and its buckets.",
            "dashboard",
            answers={200: Administration},
            example="/admin/cache",
        ),
        Route(
            "POST",
            "/admin/cache",
            views.change,
            "Changes settings and flushes; without a body, flushes.",
            "dashboard",
            answers={200: Settings, 400: Detail, 422: Invalid},
            body=Update,
            example="/admin/cache",
        ),
        Route(
            "GET",
            "/projects/{name}",
            views.project,
            "A project: its versions and shots, and what was published last.",
            "dashboard",
            parameters=name,
            answers={200: dashboard.ProjectShown, **missing},
            example="/projects/atlas_rising",
        ),
        Route(
            "GET",
            "/projects/{name}/episodes",
            views.episodes,
            "A project by episode.",
            "dashboard",
            parameters=name,
            answers={200: dashboard.EpisodesShown, **missing},
            example="/projects/atlas_rising/episodes",
        ),
        get("/errors", views.errors, "What the reconcile records disagree about.", list[Mismatch]),
        get("/errors/summary", views.summary, "The same by type and path.", list[Group]),
    )


def _render(views: Listings) -> tuple[Route, ...]:
    limit = Parameter("limit", "query", "Jobs at most.", {"type": "integer", "minimum": 1})
    words = {"type": "array", "items": TEXT}
    only = (Parameter(name, "query", f"Only jobs of such a {name}; may be repeated.", words) for name in FILTERS)
    get = _getter("render")
    return (
        get("/", listings.render_root, "That it runs.", listings.Message),
        get("/health", views.health, "How the store and its jobs are.", renders.RenderHealth),
        get("/farms", views.farms, "The render farms.", farms.FarmsShown),
        get("/jobs/metrics", views.analytics, "What the history of the jobs comes to.", renders.Analytics),
        Route(
            "GET",
            "/jobs",
            views.jobs,
            "The jobs, the last submitted first.",
            "render",
            parameters=(limit, *only),
            answers={200: jobs.JobsShown, 422: Invalid, **NOT_READ},
            example="/jobs?limit=3",
        ),
        Route(
            "GET",
            "/jobs/{id}",
            views.job,
            "One job.",
            "render",
            parameters=(_path("id", "The id of a job."),),
            answers={200: jobs.JobShown, 404: Detail, **NOT_READ},
            example="/jobs/mock-00001",
        ),
    )


def _ingest(views: Listings) -> tuple[Route, ...]:
    allowed = {"type": "integer", "minimum": 1, "maximum": runs.LISTED, "default": listings.USUAL}
    get = _getter("ingest")
    return (
        get("/", listings.ingest_root, "That it runs.", listings.Message),
        get("/health", listings.well, "That it is well.", listings.Healthy),
        Route(
            "GET",
            "/runs",
            views.runs,
            "The newest runs.",
            "ingest",
            parameters=(Parameter("limit", "query", "Runs at most.", allowed),),
            answers={200: list[runs.RunShown], 422: Invalid, **NOT_READ},
            example="/runs?limit=3",
        ),
        Route(
            "GET",
            "/runs/{id}",
            views.run,
            "One run.",
            "ingest",
            parameters=(_path("id", "The id of a run."),),
            answers={200: runs.RunShown, 404: Detail, **NOT_READ},
            example="/runs/run-00001",
        ),
    )


def _review(views: Listings) -> tuple[Route, ...]:
    project = _path("project", "The name of a project.")
    return (
        Route(
            "GET",
            "/projects/{project}/playlists",
            views.playlists,
            "The playlists of a project.",
            "review",
            parameters=(project,),
            answers={200: listings.PlaylistsShown, 502: Detail, **NOT_READ},
            example="/projects/atlas_rising/playlists",
        ),
        Route(
            "GET",
            "/projects/{project}/playlists/{name}",
            views.playlist,
            "A playlist and its clips.",
            "review",
            parameters=(project, _path("name", "The name of a playlist.")),
            answers={200: listings.PlaylistShown, 404: Detail, 502: Detail, **NOT_READ},
            example="/projects/atlas_rising/playlists/dailies",
        ),
    )


def _path(name: str, about: str) -> Parameter:
    return Parameter(name, "path", about, TEXT, required=True)


def _getter(app: str) -> Callable[[str, View, str, Any], Route]:
    """Makes routes without parameters for one of the programs."""

    def get(path: str, view: View, about: str, answer: Any) -> Route:
        return Route("GET", path, view, about, app, answers={200: answer, **NOT_READ}, example=path)

    return get


def run_frame(event: Event) -> str:
    """An event of a run, which had no name of its own among server-sent events."""
    return f"data: {json.dumps(event.payload)}"


def job_frame(event: Event) -> str:
    """An event of a job."""
    return f"event: {event.name}\ndata: {json.dumps(event.payload)}"


def message(event: Event) -> str:
    """An event as a WebSocket's message."""
    return msgspec.json.encode(event.payload).decode()


def snapshot(value: Render | None) -> str:
    """All jobs, the last submitted first."""
    return f'{{"event":"jobs.snapshot","jobs":[{jobs.kept(value).listed((), (), None).decode()}]}}'


STREAMS = (
    Stream(
        "runs",
        "ingest",
        "/runs/stream",
        "/runs/ws",
        run_frame,
        message,
        "Runs that come, change or go.",
        app="ingest",
    ),
    Stream(
        "jobs",
        "render",
        "/jobs/stream",
        "/jobs/ws",
        job_frame,
        message,
        "All jobs, then those that come, change or go.",
        opening=lambda value: f"event: jobs.snapshot\ndata: {snapshot(value)}",
        greeting=lambda value: f'{{"type":"connected","snapshot":{snapshot(value)}}}',
        app="render",
    ),
)
