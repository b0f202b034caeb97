"""Publishing: what its families say of facts."""

from dataclasses import replace
from typing import Any

from exporter.core.family import Value
from exporter.domains.publishing import CONTENT, FAMILIES, QUEUE, WINDOWS, Content, Queue

QUIET = Queue({}, {}, {}, {}, {}, {}, 0, None, dict.fromkeys(WINDOWS, 0), 0)
UNKNOWN = Queue({("tiktok", "failed"): 1}, None, None, None, None, None, None, None, None, None)
NOTHING = Content(None, None, None, None, None, None)


def said(families: Any, facts: Any) -> dict[str, dict[tuple[str, ...], Value]]:
    """Samples by family; families that say nothing are left out."""
    found = {
        family.name.removeprefix("studio_publish_"): {
            key: value for key, value in family.points(facts) if value is not None
        }
        for family in families
    }
    return {name: values for name, values in found.items() if values}


def test_every_status_of_a_platform_has_a_sample() -> None:
    items = said(QUEUE, replace(QUIET, items={("tiktok", "failed"): 3, ("tiktok", "Failed"): 2, ("tiktok", "?"): 1}))
    assert items["items"] == {
        ("tiktok", "_other"): 3,
        ("tiktok", "failed"): 3,
        ("tiktok", "pending"): 0,
        ("tiktok", "processing"): 0,
        ("tiktok", "retry"): 0,
        ("tiktok", "scheduled"): 0,
        ("tiktok", "success"): 0,
    }


def test_a_quiet_queue_says_zero_where_it_can_and_no_times() -> None:
    assert said(QUEUE, QUIET) == {
        "active_accounts": {(): 0},
        "created_items": {("1h",): 0, ("24h",): 0},
        "future_rows": {(): 0},
    }


def test_what_is_not_known_is_absent() -> None:
    assert [*said(QUEUE, UNKNOWN)] == ["items"]
    assert said(CONTENT, NOTHING) == {}


def test_numbers_and_times_stand_by_platform() -> None:
    facts = replace(
        QUIET,
        oldest_pending={"tiktok": 10.5},
        oldest_processing={"other": 11.0},
        overdue={"tiktok": 1, "other": 0},
        stuck={"other": 2},
        without_post_id={"other": 3},
        active_accounts=4,
        last_created=12.25,
        created={"1h": 5, "24h": 6},
        future=7,
    )
    assert said(QUEUE, facts) == {
        "oldest_pending_timestamp_seconds": {("tiktok",): 10.5},
        "oldest_processing_timestamp_seconds": {("other",): 11.0},
        "overdue": {("other",): 0, ("tiktok",): 1},
        "stuck": {("other",): 2},
        "without_post_id": {("other",): 3},
        "active_accounts": {(): 4},
        "last_created_timestamp_seconds": {(): 12.25},
        "created_items": {("1h",): 5, ("24h",): 6},
        "future_rows": {(): 7},
    }


def test_content_stands_by_platform_and_status() -> None:
    facts = Content({"tiktok": 1}, {"tiktok": 2}, {"tiktok": 0.5}, 3, {"ready": 4, "lost": 1}, {("tiktok", "retry"): 5})
    found = said(CONTENT, facts)
    assert found["ready_clips"] == {("tiktok",): 1}
    assert found["published_clips"] == {("tiktok",): 2}
    assert found["clip_score_mean"] == {("tiktok",): 0.5}
    assert found["videos"] == {(): 3}
    assert found["clips"] == {
        ("_other",): 1,
        ("failed",): 0,
        ("pending",): 0,
        ("processing",): 0,
        ("published",): 0,
        ("ready",): 4,
    }
    assert found["jobs"]["tiktok", "retry"] == 5
    assert found["jobs"]["tiktok", "failed"] == 0


def test_distinct_clips_and_means_are_dropped_where_names_fold_rather_than_summed() -> None:
    dropping = {family.name for family in FAMILIES if family.merge == "drop"}
    assert dropping == {
        "studio_publish_ready_clips",
        "studio_publish_published_clips",
        "studio_publish_clip_score_mean",
    }
