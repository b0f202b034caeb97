"""The five endpoints of Stakazo's dashboard, with its fields and its refusals (contract a).

Numbers that never changed there stay as they were: no job is completed for a platform and no budget is spent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from exporter.core.api import Answer, Api, Asked, Reading, Refusal, Route, View
from exporter.domains import campaigns as campaigns_domain
from exporter.domains import publishing
from exporter.domains.campaigns import Campaigns
from exporter.sources.stakazo.reading import Backlog, Stock, by_status

T = TypeVar("T")
encoded = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Overview:
    """How much there is of everything; publications are scheduled that are pending."""

    total_videos: int
    total_clips: int
    total_jobs: int
    total_campaigns: int
    pending_jobs: int
    processing_jobs: int
    failed_jobs: int
    success_logs: int
    failed_logs: int
    scheduled_publications: int


@dataclass(frozen=True, slots=True)
class QueueStats:
    """Publications of all time by status; how long they took and the first that is pending has been waiting, null
    where there is none. The age is below zero where that lies in the future."""

    pending: int
    processing: int
    success: int
    failed: int
    avg_processing_time_ms: float | None
    oldest_pending_age_seconds: float | None


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """Publications created in the last hour and day, the future included; the share of all that is pending or in
    processing; accounts that have one in processing."""

    last_run_at: str | None
    actions_last_run: int
    actions_last_24h: int
    queue_saturation: float
    active_workers: int


@dataclass(frozen=True, slots=True)
class Platform:
    """Distinct clips of a platform, and their mean score, 0 where there is none. Jobs were never counted."""

    clips_ready: int
    clips_published: int
    avg_score: float
    jobs_completed: int = 0
    jobs_failed: int = 0


@dataclass(frozen=True, slots=True)
class Platforms:
    """Those that have just these names."""

    instagram: Platform
    tiktok: Platform
    youtube: Platform
    other: Platform


@dataclass(frozen=True, slots=True)
class CampaignStats:
    """Campaigns by status. What was spent is nowhere on record."""

    draft: int
    active: int
    paused: int
    completed: int
    total_budget_spent: float = 0.0


@dataclass(frozen=True, slots=True)
class Detail:
    """Why not."""

    detail: str


class Untold(Exception):
    """What the schema has no place for."""


def told(fact: T | None, column: str) -> T:
    """A fact of a column; raises Untold where the schema lacks that."""
    if fact is None:
        raise Untold(column)
    return fact


def overview(backlog: Backlog, stock: Stock, campaigns: Campaigns) -> Overview:
    """As of the last read of each."""
    jobs = by_status(told(stock.facts.jobs, "jobs.params"))
    items = backlog.statuses
    return Overview(
        total_videos=told(stock.facts.videos, "video_assets"),
        total_clips=sum(told(stock.facts.clips, "clips.status").values()),
        total_jobs=sum(jobs.values()),
        total_campaigns=sum(campaigns.count.values()),
        pending_jobs=jobs.get("pending", 0),
        processing_jobs=jobs.get("processing", 0),
        failed_jobs=jobs.get("failed", 0),
        success_logs=items.get(publishing.SUCCESS, 0),
        failed_logs=items.get(publishing.FAILED, 0),
        scheduled_publications=items.get(publishing.PENDING, 0),
    )


def queue(now: float, backlog: Backlog, stock: Stock) -> QueueStats:
    """As of the last read, with the age at `now` (epoch seconds)."""
    items = backlog.statuses
    told(backlog.facts.oldest_pending, "publish_logs.requested_at")
    first = backlog.first_pending
    return QueueStats(
        pending=items.get(publishing.PENDING, 0),
        processing=items.get(publishing.PROCESSING, 0),
        success=items.get(publishing.SUCCESS, 0),
        failed=items.get(publishing.FAILED, 0),
        avg_processing_time_ms=stock.mean_ms,
        oldest_pending_age_seconds=None if first is None else (moment(now) - moment(first)).total_seconds(),
    )


def orchestrator(backlog: Backlog) -> Orchestrator:
    """As of the last read."""
    facts, items = backlog.facts, backlog.statuses
    created, everything = told(facts.created, "publish_logs.created_at"), sum(items.values())
    under_way = items.get(publishing.PENDING, 0) + items.get(publishing.PROCESSING, 0)
    return Orchestrator(
        last_run_at=backlog.last_run,
        actions_last_run=created["1h"] + backlog.ahead,
        actions_last_24h=created["24h"] + backlog.ahead,
        queue_saturation=under_way / everything if everything else 0.0,
        active_workers=told(facts.active_accounts, "publish_logs.social_account_id"),
    )


def platforms(stock: Stock) -> Platforms:
    """As of the last read."""
    ready = told(stock.facts.ready, "publish_logs.clip_id")
    published = told(stock.facts.published, "publish_logs.clip_id")
    score = told(stock.facts.score, "clips.visual_score")

    def one(name: str) -> Platform:
        return Platform(ready.get(name, 0), published.get(name, 0), score.get(name, 0.0))

    return Platforms(instagram=one("instagram"), tiktok=one("tiktok"), youtube=one("youtube"), other=one("other"))


def campaigns(found: Campaigns) -> CampaignStats:
    """As of the last read."""
    return CampaignStats(**{status: found.count.get(status, 0) for status in campaigns_domain.STATUSES})


def moment(at: float) -> datetime:
    """Epoch seconds to the microsecond, as the system kept them."""
    return datetime.fromtimestamp(at, UTC)


# routes


def detail(status: int, why: str, **headers: str) -> Answer:
    """What is said instead of an answer."""
    return Answer(
        encoded(Detail(why)), status, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def telling(tell: Callable[..., object], *parts: str) -> View:
    """A view of the values of some parts."""
    return aging(lambda now, *values: tell(*values), *parts)


def aging(tell: Callable[..., object], *parts: str) -> View:
    """A view of the time (epoch seconds) and the values of some parts."""

    def view(reading: Reading, asked: Asked) -> Answer:
        if lacking := [part for part in parts if part not in reading.values]:
            return detail(503, f"Not read yet, or not for too long: {', '.join(lacking)}", Retry_After="1")
        try:
            return Answer(encoded(tell(asked.now, *(reading.values[part] for part in parts))))
        except Untold as lack:
            return detail(503, f"The database has no {lack}")

    return view


def route(name: str, about: str, kind: type[Any], view: View, constant: bool = True) -> Route:
    """An endpoint, which says the same until something else is read unless it is not `constant`."""
    path = f"/dashboard/stats/{name}"
    return Route("GET", path, view, about, constant=constant, answers={200: kind, 503: Detail}, example=path)


ROUTES = (
    route(
        "overview",
        "How much there is of everything.",
        Overview,
        telling(overview, "queue", "content", "campaigns"),
    ),
    route("queue", "The publishing queue.", QueueStats, aging(queue, "queue", "content"), constant=False),
    route("orchestrator", "What was queued lately.", Orchestrator, telling(orchestrator, "queue")),
    route("platforms", "Clips by platform.", Platforms, telling(platforms, "content")),
    route("campaigns", "Campaigns by status.", CampaignStats, telling(campaigns, "campaigns")),
)


def bearer(header: str) -> str | None:
    """The token behind `Bearer`, in any letters."""
    scheme, _, credentials = header.partition(" ")
    return credentials if scheme.lower() == "bearer" and credentials else None


def refused(why: Refusal, header: str) -> Answer:
    """Forbidden without a token, unauthorized with a wrong one."""
    if why == "unconfigured":
        return detail(503, "No token is configured for this source: see api.token.")
    if why == "wrong":
        return detail(401, "Invalid or expired token", WWW_Authenticate="Bearer")
    return detail(403, "Invalid authentication credentials" if " " in header else "Not authenticated")


API = Api(
    routes=ROUTES,
    refused=refused,
    unknown=detail(404, "Not Found"),
    disallowed=lambda methods: detail(405, "Method Not Allowed", Allow=methods[0]),
    failed=detail(500, "Internal Server Error"),
    too_large=detail(413, "Request body too large"),
    bearer=bearer,
    slash="redirect",
)
