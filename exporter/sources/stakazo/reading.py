"""Facts from the rows of a few aggregate statements, by the rules of contract b and e."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from exporter.core.errors import SchemaMismatch
from exporter.core.family import OTHER
from exporter.domains.campaigns import Campaigns
from exporter.domains.publishing import PENDING, PROCESSING, SCHEDULED, STUCK, SUCCESS, WINDOWS, Content, Queue
from exporter.inputs.sql import Query, naive
from exporter.sources.stakazo.columns import Columns
from exporter.sources.stakazo.statements import CLIPS, COVERED, COVERS, JOBS, ODD_SCORES, QUEUE, SCORES, SPENT

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The facts, the records they were made of, and those left out, by reason."""

    facts: T
    records: int
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """Publications that have these in common, or, with a count of 0, some of them once more.

    `since` is the oldest time they have been waiting (pending) or running (processing) since, `newest` the last one
    they were created at, as the database has times; neither lies in the future. `first` (where they are pending) and
    `last` are the same where the future counts. The rest are numbers of publications, `ahead` of those that are created
    there. Behind the 26 characters of SQLite's `newest` and `last` stands the text that they were made of.
    """

    platform: str | None
    status: str | None
    account: Any  # Any, here and below: a UUID in any form; a time, or SQLite's text of one
    count: int
    since: Any
    future: int
    stuck: int
    overdue: int
    without_post_id: int
    newest: Any
    hour: int
    day: int
    first: Any
    last: Any
    ahead: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """The queue, and what of it is nowhere but in the JSON, which knows no future: items by status, when the first one
    that is pending was requested (epoch seconds), when the last was created (ISO 8601, with a Z where the database
    knows its zone), and how many will have been."""

    facts: Queue
    statuses: Mapping[str, int]
    first_pending: float | None
    last_run: str | None
    ahead: int


@dataclass(frozen=True, slots=True)
class Stock:
    """The content, and what is nowhere but in the JSON: how long a publication took, in milliseconds; None where none
    is known."""

    facts: Content
    mean_ms: float | None


def queue(query: Query, columns: Columns, now: float) -> Found[Backlog]:
    """What waits, runs and was done, at `now` (epoch seconds).

    Raises SchemaMismatch where items cannot be told apart.
    """
    columns.check("publish_logs", "platform", "status")
    times = {
        "now": naive(now),
        "hour": naive(now - WINDOWS["1h"]),
        "day": naive(now - WINDOWS["24h"]),
        "stuck": naive(now - STUCK),
        "edge": f"{naive(now - 2 * WINDOWS['24h']):%Y-%m-%d}",
    }
    statements = [columns.filled("publish_logs", statement) for statement in QUEUE[query.dialect]]
    cells = [Cell(*row) for statement in statements for row in query(statement, **times)]
    items = {key: count for key, count in _items(cells).items() if count}
    facts = _queue(cells, items, lambda *names: columns.has("publish_logs", *names))
    first = min(
        (epoch(cell.first) for cell in cells if cell.status == PENDING and cell.first is not None), default=None
    )
    backlog = Backlog(facts, by_status(items), first, _last_run(cells), sum(cell.ahead for cell in cells))
    return Found(backlog, sum(items.values()))


def _queue(cells: list[Cell], items: Mapping[tuple[str, str], int], told: Callable[..., bool]) -> Queue:
    running = [cell for cell in cells if cell.status == PROCESSING]
    due = [cell for cell in cells if cell.status in (PENDING, SCHEDULED)]
    done = [cell for cell in cells if cell.status == SUCCESS]
    platforms = sorted({platform for platform, _ in items})

    def number(of: list[Cell], what: str, column: str) -> dict[str, int] | None:
        return _by_platform(platforms, of, what) if told(column) else None

    return Queue(
        items=items,
        oldest_pending=_oldest(cells, PENDING) if told("requested_at") else None,
        oldest_processing=_oldest(cells, PROCESSING) if told("updated_at") else None,
        overdue=number(due, "overdue", "scheduled_for"),
        stuck=number(running, "stuck", "updated_at"),
        without_post_id=number(done, "without_post_id", "external_post_id"),
        active_accounts=len({cell.account for cell in running} - {None}) if told("social_account_id") else None,
        last_created=max((epoch(cell.newest) for cell in cells if cell.newest is not None), default=None),
        created=_created(cells) if told("created_at") else None,
        future=sum(cell.future for cell in cells) if told("created_at", "requested_at", "updated_at") else None,
    )


def _items(cells: list[Cell]) -> Counter[tuple[str, str]]:
    items: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        items[cell.platform or OTHER, cell.status or OTHER] += cell.count
    return items


def by_status(counts: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Counts by platform and status, without the platforms."""
    found: Counter[str] = Counter()
    for (_, status), count in counts.items():
        found[status] += count
    return dict(found)


def _by_platform(platforms: list[str], cells: list[Cell], what: str) -> dict[str, int]:
    total = Counter(dict.fromkeys(platforms, 0))
    for cell in cells:
        if number := getattr(cell, what):
            total[cell.platform or OTHER] += number
    return dict(total)


def _oldest(cells: list[Cell], status: str) -> dict[str, float]:
    oldest: dict[str, float] = {}
    for cell in cells:
        if cell.status == status and cell.since is not None:
            platform, since = cell.platform or OTHER, epoch(cell.since)
            oldest[platform] = min(since, oldest.get(platform, since))
    return oldest


def _created(cells: list[Cell]) -> dict[str, int]:
    return {"1h": sum(cell.hour for cell in cells), "24h": sum(cell.day for cell in cells)}


def epoch(value: Any) -> float:
    """A database's time, naive or aware, or SQLite's text of one, as epoch seconds; naive is UTC."""
    found = datetime.fromisoformat(value[:26]) if isinstance(value, str) else value
    return float((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def _last_run(cells: list[Cell]) -> str | None:
    last = max((cell.last or cell.newest for cell in cells if cell.last or cell.newest), default=None)
    if last is None:
        return None
    found = _written(last) if isinstance(last, str) else last
    return f"{found.astimezone(UTC).replace(tzinfo=None).isoformat()}Z" if found.tzinfo else str(found.isoformat())


def _written(text: str) -> datetime:
    """SQLite's time as it was written, or where nobody but SQLite can read that, as it reads it."""
    try:
        return datetime.fromisoformat(text[26:])
    except ValueError:
        return datetime.fromisoformat(text[:26])


def content(query: Query, columns: Columns, now: float) -> Found[Stock]:
    """Clips, jobs and videos; what the schema has no place for is None.

    Raises SchemaMismatch where that is all of it.
    """
    if not any(map(columns.found.get, ("publish_logs", "clips", "jobs", "video_assets"))):
        raise SchemaMismatch("no such table: publish_logs, clips, jobs, video_assets")
    ready, published, score = _clips_by_platform(query, columns)
    clips, odd = _clips(query, columns)
    jobs = _jobs(query) if columns.has("jobs", "status", "params") else None
    videos, mean = _totals(query, columns)
    records = sum((clips or {}).values()) + sum((jobs or {}).values()) + (videos or 0)
    return Found(Stock(Content(ready, published, score, videos, clips, jobs), mean), records, {"invalid": odd})


def _totals(query: Query, columns: Columns) -> tuple[int | None, float | None]:
    """How many videos there are, and the mean time in milliseconds that a publication took."""
    videos = "select count(*) as number from video_assets" if columns.found["video_assets"] else "select null as number"
    timed = columns.has("publish_logs", "status", "requested_at", "published_at")
    spent = SPENT[query.dialect] if timed else "select 0 as finished, null as spent"
    ((number, finished, microseconds),) = query(
        f"select number, finished, spent from ({videos}) videos, ({spent}) publications"  # noqa: S608  # text of ours
    )
    return number, int(microseconds) / (1000 * finished) if finished else None


Totals = tuple[Mapping[str, int] | None, Mapping[str, int] | None, Mapping[str, float] | None]


def _clips_by_platform(query: Query, columns: Columns) -> Totals:
    """Distinct clips ready and published, and mean scores. Rows without a platform are left out: neither numbers of
    distinct things nor means can be put together with those of another under one name."""
    if not columns.has("publish_logs", "platform", "status", "clip_id"):
        return None, None, None
    scored = columns.has("clips", "id", "visual_score")
    ready: Counter[str] = Counter()
    published: Counter[str] = Counter()
    scores: dict[str, float] = {}
    way = COVERED if query.dialect == "sqlite" and query(COVERS) else query.dialect
    for statement in (SCORES if scored else CLIPS)[way]:
        for platform, waiting, done, *score in query(statement):
            if not platform:
                continue
            ready[platform] += int(waiting)
            published[platform] += int(done)
            if score and score[0] is not None:
                scores[platform] = float(score[0])
    return dict(ready), dict(published), scores if scored else None


def _clips(query: Query, columns: Columns) -> tuple[Mapping[str, int] | None, int]:
    """Clips by status, and how many have a score that is no finite number."""
    if not columns.has("clips", "status"):
        return None, 0
    odd = ODD_SCORES[query.dialect] if columns.has("clips", "visual_score") else "null"
    rows = query(f"select status, count(*), count({odd}) from clips group by status")  # noqa: S608  # text of ours
    return _by_status((status, count) for status, count, _ in rows), sum(odd for _, _, odd in rows)


def _by_status(rows: Iterable[tuple[Any, int]]) -> dict[str, int]:
    """Counts by words of an enum, which one schema writes in capitals and the other in small letters."""
    counts: Counter[str] = Counter()
    for status, count in rows:
        counts[str(status).lower()] += int(count)
    return dict(counts)


def _jobs(query: Query) -> Mapping[tuple[str, str], int]:
    jobs: Counter[tuple[str, str]] = Counter()
    for asked, status, count in query(JOBS[query.dialect]):
        jobs[_platform(asked), str(status).lower()] += count
    return dict(jobs)


def _platform(asked: str | None) -> str:
    """The platform that a job's parameters name, from its JSON: numbers, lists, null and empty text name none."""
    return json.loads(asked, strict=False) or OTHER if asked is not None and asked.startswith('"') else OTHER


def campaigns(query: Query, columns: Columns, now: float) -> Found[Campaigns]:
    """Campaigns and their budgets, from cents. Raises SchemaMismatch where there is no campaigns.status."""
    columns.check("campaigns", "status")
    statement = "select status, count(*), sum({budget_cents}) from campaigns group by status"
    rows = query(columns.filled("campaigns", statement))
    count = _by_status((status, count) for status, count, _ in rows)
    cents = _by_status((status, total or 0) for status, _, total in rows)
    budget = {status: total / 100 for status, total in cents.items()}
    return Found(Campaigns(count, budget if columns.has("campaigns", "budget_cents") else None), sum(count.values()))
