"""What the page must say of Stakazo, counted row by row from the simulator's memory, as `tests.soak.count` does."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.soak.count import Expected, Record, Samples, World, epoch

ITEMS = ("failed", "pending", "processing", "retry", "scheduled", "success")
CLIPS = ("failed", "pending", "processing", "published", "ready")
JOBS = ("completed", "failed", "pending", "processing", "retry")
CAMPAIGNS = ("active", "completed", "draft", "paused")
STUCK = 600


def queue(world: World, source: str, at: float) -> Samples:
    """Publications, and what is the matter with them at that moment."""
    found, logs = Expected(source), world["tables"]["publish_logs"]
    for platform, mine in by_platform(logs):
        for status in ITEMS:
            found.put("publish_items", len(of(mine, status)), platform=platform, status=status)
        pending, running = of(mine, "pending"), of(mine, "processing")
        for name, times in (
            ("pending", [epoch(log["requested_at"]) for log in pending]),
            ("processing", [epoch(log["updated_at"]) for log in running]),
        ):
            past = (time for time in times if time <= at)
            found.oldest(f"publish_oldest_{name}_timestamp_seconds", past, platform=platform)
        due = [log["scheduled_for"] for log in of(mine, "pending", "scheduled") if log.get("scheduled_for")]
        found.put("publish_overdue", sum(epoch(time) < at for time in due), platform=platform)
        stuck = sum(epoch(log["updated_at"]) < at - STUCK for log in running)
        found.put("publish_stuck", stuck, platform=platform)
        lost = sum(log.get("external_post_id") is None for log in of(mine, "success"))
        found.put("publish_without_post_id", lost, platform=platform)
    running = of(logs, "processing")
    found.put("publish_active_accounts", len({log["social_account_id"] for log in running} - {None}))
    created = [epoch(log["created_at"]) for log in logs]
    found.put("publish_last_created_timestamp_seconds", max(time for time in created if time <= at))
    for window, seconds in (("1h", 3600), ("24h", 86400)):
        found.put("publish_created_items", sum(at - seconds <= time <= at for time in created), window=window)
    found.put("publish_future_rows", sum(time > at for time in created))
    return found.samples


def content(world: World, source: str, at: float) -> Samples:
    """Clips, jobs and videos."""
    found, tables = Expected(source), world["tables"]
    scores = {clip["id"]: clip["visual_score"] for clip in tables["clips"]}
    for platform, mine in by_platform(tables["publish_logs"]):
        ready = {log["clip_id"] for log in of(mine, "pending", "scheduled")}
        done = {log["clip_id"] for log in of(mine, "success")}
        known = [scores[log["clip_id"]] for log in mine if log["clip_id"] in scores]
        found.put("publish_ready_clips", len(ready), platform=platform)
        found.put("publish_published_clips", len(done), platform=platform)
        if known:
            found.put("publish_clip_score_mean", math.fsum(known) / len(known), platform=platform)
    found.put("publish_videos", len(tables["video_assets"]))
    clips = Counter(clip["status"].lower() for clip in tables["clips"])
    for status in CLIPS:
        found.put("publish_clips", clips[status], status=status)
    jobs = Counter((json.loads(job["params"])["platform"], job["status"].lower()) for job in tables["jobs"])
    for platform in {platform for platform, _ in jobs}:
        for status in JOBS:
            found.put("publish_jobs", jobs[platform, status], platform=platform, status=status)
    return found.samples


def campaigns(world: World, source: str, at: float) -> Samples:
    """Campaigns, and what they may spend."""
    found = Expected(source)
    for status in CAMPAIGNS:
        mine = [each for each in world["tables"]["campaigns"] if each["status"].lower() == status]
        found.put("campaigns", len(mine), status=status)
        found.put("campaign_budget", sum(each["budget_cents"] for each in mine) / 100, status=status)
    return found.samples


def by_platform(logs: list[Record]) -> Iterator[tuple[str, list[Record]]]:
    for platform in sorted({log["platform"] for log in logs}):
        yield platform, [log for log in logs if log["platform"] == platform]


def of(logs: list[Record], *statuses: Any) -> list[Record]:
    return [log for log in logs if log["status"] in statuses]
