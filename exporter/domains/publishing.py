"""Publishing: what waits to be published, what was, and the clips and jobs behind it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from exporter.core.family import Family, Point
from exporter.domains.table import row, table

PENDING = "pending"
SCHEDULED = "scheduled"
PROCESSING = "processing"
RETRY = "retry"
SUCCESS = "success"
FAILED = "failed"
STATUSES = (FAILED, PENDING, PROCESSING, RETRY, SCHEDULED, SUCCESS)

CLIP_STATUSES = ("failed", "pending", "processing", "published", "ready")
JOB_STATUSES = ("completed", "failed", "pending", "processing", "retry")

STUCK = 600
"""Seconds without a change after which an item in processing counts as stuck."""

WINDOWS: Mapping[str, int] = {"1h": 3600, "24h": 86400}
"""Windows of `created`, in seconds."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The items and what is the matter with them. A fact that the source cannot tell is None.

    `items` counts by platform and status, the other mappings by platform, those of numbers with an entry for each
    platform of `items`. Times are epoch seconds, none of them in the future; `future` counts the items that are left
    out of times and windows because theirs is.
    """

    items: Mapping[tuple[str, str], int]
    oldest_pending: Mapping[str, float] | None
    oldest_processing: Mapping[str, float] | None
    overdue: Mapping[str, int] | None
    stuck: Mapping[str, int] | None
    without_post_id: Mapping[str, int] | None
    active_accounts: int | None
    last_created: float | None
    created: Mapping[str, int] | None
    future: int | None


@dataclass(frozen=True, slots=True)
class Content:
    """Distinct clips by platform, mean scores by platform, and how much there is of everything else; None where the
    source cannot tell. A platform without a score is left out of `score`."""

    ready: Mapping[str, int] | None
    published: Mapping[str, int] | None
    score: Mapping[str, float] | None
    videos: int | None
    clips: Mapping[str, int] | None
    jobs: Mapping[tuple[str, str], int] | None


def _by_platform(values: Mapping[str, float] | None) -> Iterator[Point]:
    return (((platform,), value) for platform, value in sorted((values or {}).items()))


def _created(facts: Queue) -> Iterator[Point]:
    if facts.created is not None:
        yield from (((window,), facts.created[window]) for window in WINDOWS)


def _clips(facts: Content) -> Iterable[Point]:
    return () if facts.clips is None else row(facts.clips, CLIP_STATUSES)


QUEUE: tuple[Family[Queue], ...] = (
    Family(
        "gauge",
        "studio_publish_items",
        "Publications on record when the source was last read in the background, by platform and status, of all time; "
        "words that are not exactly those of the list count as _other. Sum over platforms and statuses, after max by "
        "(source, platform, status) where several exporters watch one source.",
        lambda facts: table(facts.items, STATUSES),
        labels=("platform", "status"),
        named=("platform",),
    ),
    Family(
        "gauge",
        "studio_publish_oldest_pending_timestamp_seconds",
        "When the oldest publication that was pending at the last background read was requested, as seconds since "
        "1970; absent where none is pending, and times in the future are ignored. Take the min, never a sum.",
        lambda facts: _by_platform(facts.oldest_pending),
        labels=("platform",),
        named=("platform",),
        merge="min",
    ),
    Family(
        "gauge",
        "studio_publish_oldest_processing_timestamp_seconds",
        "When the publication that had been in processing longest at the last background read was last changed, as "
        "seconds since 1970; absent where none is, and times in the future are ignored. Take the min, never a sum.",
        lambda facts: _by_platform(facts.oldest_processing),
        labels=("platform",),
        named=("platform",),
        merge="min",
    ),
    Family(
        "gauge",
        "studio_publish_overdue",
        "Publications scheduled or pending whose scheduled time had passed at the last background read, by platform. "
        "Sum over platforms, after max by (source, platform) where several exporters watch one source.",
        lambda facts: _by_platform(facts.overdue),
        labels=("platform",),
        named=("platform",),
    ),
    Family(
        "gauge",
        "studio_publish_stuck",
        f"Publications in processing that had not changed for {STUCK // 60} minutes at the last background read, by "
        "platform. Sum over platforms, after max by (source, platform) where several exporters watch one source.",
        lambda facts: _by_platform(facts.stuck),
        labels=("platform",),
        named=("platform",),
    ),
    Family(
        "gauge",
        "studio_publish_without_post_id",
        "Publications on record as a success without the id of a post at the last background read, by platform: each "
        "is a success that nobody can look up. Sum over platforms, after max by (source, platform) where several "
        "exporters watch one source.",
        lambda facts: _by_platform(facts.without_post_id),
        labels=("platform",),
        named=("platform",),
    ),
    Family(
        "gauge",
        "studio_publish_active_accounts",
        "Distinct social accounts that had a publication in processing at the last background read; 0 between two "
        "quick ones. Never summed: an account may be known to several sources.",
        lambda facts: (((), facts.active_accounts),),
        merge="max",
    ),
    Family(
        "gauge",
        "studio_publish_last_created_timestamp_seconds",
        "When the newest publication on record at the last background read was created, as seconds since 1970; absent "
        "where there is none, and times in the future are ignored. Take the max, never a sum.",
        lambda facts: (((), facts.last_created),),
        merge="max",
    ),
    Family(
        "gauge",
        "studio_publish_created_items",
        "Publications on record that were created within the window before the last background read, both ends "
        "included. Windows overlap: never sum over windows; sum over sources.",
        _created,
        labels=("window",),
    ),
    Family(
        "gauge",
        "studio_publish_future_rows",
        "Publications that the timestamps leave out because their own lay in the future at the last background read: "
        "created, or requested while pending, or changed while in processing. Sum over sources.",
        lambda facts: (((), facts.future),),
    ),
)

CONTENT: tuple[Family[Content], ...] = (
    Family(
        "gauge",
        "studio_publish_ready_clips",
        "Distinct clips with a publication pending or scheduled at the last background read, by platform. A clip "
        "counts once for each platform, and may be published as well: never sum over platforms.",
        lambda facts: _by_platform(facts.ready),
        labels=("platform",),
        named=("platform",),
        merge="drop",
    ),
    Family(
        "gauge",
        "studio_publish_published_clips",
        "Distinct clips with a successful publication at the last background read, by platform. A clip counts once "
        "for each platform, and may be ready as well: never sum over platforms.",
        lambda facts: _by_platform(facts.published),
        labels=("platform",),
        named=("platform",),
        merge="drop",
    ),
    Family(
        "gauge",
        "studio_publish_clip_score_mean",
        "Mean visual score of the clips behind the publications of a platform at the last background read, a clip "
        "weighing once for each of its publications; missing and non-finite scores are left out. Never summed.",
        lambda facts: _by_platform(facts.score),
        labels=("platform",),
        named=("platform",),
        merge="drop",
    ),
    Family(
        "gauge",
        "studio_publish_videos",
        "Videos on record at the last background read. Sum over sources, after max by (source) where several "
        "exporters watch one source.",
        lambda facts: (((), facts.videos),),
    ),
    Family(
        "gauge",
        "studio_publish_clips",
        "Clips on record at the last background read, by status. Sum over statuses, after max by (source, status) "
        "where several exporters watch one source.",
        _clips,
        labels=("status",),
    ),
    Family(
        "gauge",
        "studio_publish_jobs",
        "Jobs on record at the last background read, by the platform they were asked to work for and by status; jobs "
        "that name none count as _other. Sum over platforms and statuses, after max by (source, platform, status) "
        "where several exporters watch one source.",
        lambda facts: table(facts.jobs or {}, JOB_STATUSES),
        labels=("platform", "status"),
        named=("platform",),
    ),
)

FAMILIES: tuple[Family[Queue] | Family[Content], ...] = (*QUEUE, *CONTENT)
