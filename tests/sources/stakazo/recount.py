"""Every number counted again from the rows, one by one, in plain Python: what any database must answer."""

import json
import math
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from tests.sources.stakazo.databases import NOW, Rows, Samples

PUBLISH = ("failed", "pending", "processing", "retry", "scheduled", "success")
CLIPS = ("failed", "pending", "processing", "published", "ready")
JOBS = ("completed", "failed", "pending", "processing", "retry")
CAMPAIGNS = ("active", "completed", "draft", "paused")


def at(value: str | None) -> float | None:
    if value is None:
        return None
    found = datetime.fromisoformat(value)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def past(value: str | None, seconds: float = 0.0) -> bool:
    """Whether a time lies more than some seconds before now."""
    found = at(value)
    return found is not None and found < NOW - seconds


def future(value: str | None) -> bool:
    found = at(value)
    return found is not None and found > NOW


def folded(found: Counter[Any], words: tuple[str, ...]) -> dict[tuple[str, ...], Any]:
    """Counts by (…, word): every word of each name, the rest under `_other`."""
    total: dict[tuple[str, ...], Any] = {(*key[:-1], word): 0 for key in found for word in words}
    for (*name, word), count in found.items():
        key = (*name, word if word in words else "_other")
        total[key] = total.get(key, 0) + count
    return total


def recount(rows: Rows) -> Samples:
    """All families, by labels."""
    return {**_queue(rows), **_content(rows), **_campaigns(rows)}


def _queue(rows: Rows) -> Samples:
    logs = rows["publish_logs"]
    for log in logs:
        assert isinstance(log["platform"], str)
    platforms = sorted({log["platform"] or "_other" for log in logs})

    def per_platform(chosen: list[Any]) -> dict[tuple[str, ...], Any]:
        found = Counter(log["platform"] or "_other" for log in chosen)
        return {(platform,): found[platform] for platform in platforms}

    def oldest(status: str, column: str) -> dict[tuple[str, ...], Any]:
        found: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for log in logs:
            when = at(log[column])
            if log["status"] == status and when is not None and when <= NOW:
                found[log["platform"] or "_other",].append(when)
        return {key: min(times) for key, times in found.items()}

    running = [log for log in logs if log["status"] == "processing"]
    due = [log for log in logs if log["status"] in ("pending", "scheduled")]
    created = [when for log in logs if (when := at(log["created_at"])) is not None and when <= NOW]
    ahead = [
        log
        for log in logs
        if future(log["created_at"])
        or (log["status"] == "pending" and future(log["requested_at"]))
        or (log["status"] == "processing" and future(log["updated_at"]))
    ]
    lost = [log for log in logs if log["status"] == "success" and log["external_post_id"] is None]
    return {
        "studio_publish_items": folded(Counter((log["platform"] or "_other", log["status"]) for log in logs), PUBLISH),
        "studio_publish_oldest_pending_timestamp_seconds": oldest("pending", "requested_at"),
        "studio_publish_oldest_processing_timestamp_seconds": oldest("processing", "updated_at"),
        "studio_publish_overdue": per_platform([log for log in due if past(log["scheduled_for"])]),
        "studio_publish_stuck": per_platform([log for log in running if past(log["updated_at"], 600)]),
        "studio_publish_without_post_id": per_platform(lost),
        "studio_publish_active_accounts": {(): len({log["social_account_id"] for log in running} - {None})},
        "studio_publish_last_created_timestamp_seconds": {(): max(created)} if created else {},
        "studio_publish_created_items": {
            ("1h",): sum(when >= NOW - 3600 for when in created),
            ("24h",): sum(when >= NOW - 86400 for when in created),
        },
        "studio_publish_future_rows": {(): len(ahead)},
    }


def _content(rows: Rows) -> Samples:
    scores = {clip["id"]: clip["visual_score"] for clip in rows["clips"]}
    ready: dict[str, set[Any]] = defaultdict(set)
    published: dict[str, set[Any]] = defaultdict(set)
    scored: dict[str, list[float]] = defaultdict(list)
    for log in rows["publish_logs"]:
        if not (platform := log["platform"]):
            continue
        ready[platform] |= {log["clip_id"]} if log["status"] in ("pending", "scheduled") else set()
        published[platform] |= {log["clip_id"]} if log["status"] == "success" else set()
        score = scores.get(log["clip_id"])
        if isinstance(score, float) and math.isfinite(score):
            scored[platform].append(score)
    return {
        "studio_publish_ready_clips": {(platform,): len(clips) for platform, clips in ready.items()},
        "studio_publish_published_clips": {(platform,): len(clips) for platform, clips in published.items()},
        "studio_publish_clip_score_mean": {(name,): math.fsum(of) / len(of) for name, of in scored.items()},
        "studio_publish_videos": {(): len(rows["video_assets"])},
        "studio_publish_clips": dict.fromkeys(((word,) for word in CLIPS), 0)
        | folded(Counter((clip["status"].lower(),) for clip in rows["clips"]), CLIPS),
        "studio_publish_jobs": folded(Counter((asked(job), job["status"].lower()) for job in rows["jobs"]), JOBS),
    }


def asked(job: Any) -> str:
    params = json.loads(job["params"]) if isinstance(job["params"], str) else job["params"]
    named = params.get("platform") if isinstance(params, dict) else None
    return named if isinstance(named, str) and named else "_other"


def _campaigns(rows: Rows) -> Samples:
    count = Counter((campaign["status"].lower(),) for campaign in rows["campaigns"])
    cents: Counter[Any] = Counter()
    for campaign in rows["campaigns"]:
        cents[campaign["status"].lower(),] += campaign["budget_cents"]
    nothing: dict[tuple[str, ...], Any] = {(word,): 0 for word in CAMPAIGNS}
    return {
        "studio_campaigns": nothing | folded(count, CAMPAIGNS),
        "studio_campaign_budget": nothing | {key: total / 100 for key, total in folded(cents, CAMPAIGNS).items()},
    }
