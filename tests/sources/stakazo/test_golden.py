"""The recorded databases against the recorded answers, where those tell the truth, and against the truth where not.

Where each recorded number is found (all but three have a place):

    overview      total_* and *_jobs: sums of videos, clips, jobs, campaigns; *_logs and scheduled_publications: items
    queue         counts: items; oldest_pending_age_seconds: now - the least oldest_pending. avg_processing_time_ms has
                  no family: a mean over all of history, which the ledger's histogram of durations replaces
    orchestrator  last_run_at: last_created; actions_*: created; active_workers: active_accounts; queue_saturation: a
                  quotient of items
    platforms     clips_ready, clips_published; avg_score: the mean, 0.0 where there is none; jobs_*: always 0 there
    campaigns     counts; total_budget_spent, always 0.0 there, has no family: nothing says what was spent
"""

from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exporter.core.family import Value
from tests.sources.stakazo.databases import NOW, Samples, answers, golden, made, read, rows_of
from tests.sources.stakazo.recount import recount
from tests.sources.stakazo.tables import Dialect, Flavour

RECORDED = answers()
SCENARIOS = sorted({name.partition(".")[0] for name in RECORDED} - {"timestamptz", "varchar_status"})
DRIFT = {"timestamptz": "future_pending", "varchar_status": "no_pending"}
"""Scenarios of PostgreSQL alone, and those whose rows they have."""

Truth = dict[tuple[str, ...], Any]

FUTURE: Truth = {("orchestrator", "actions_last_run"): 1, ("orchestrator", "actions_last_24h"): 28}
UNTRUE: dict[str, Truth] = {
    # a log created at 14:00 counts for the windows and as the last run
    "edge": {
        ("orchestrator", "last_run_at"): "2025-11-22T12:00:00",
        ("orchestrator", "actions_last_run"): 20,
        ("orchestrator", "actions_last_24h"): 122,
    },
    # all three logs are requested and created in the future
    "future_pending": {
        ("orchestrator", "last_run_at"): None,
        ("orchestrator", "actions_last_run"): 0,
        ("orchestrator", "actions_last_24h"): 0,
        ("queue", "oldest_pending_age_seconds"): None,
    },
    # one was created in 2026; on SQLite as text, which is compared as such
    "raw_T": {("orchestrator", "last_run_at"): "2025-11-22T11:20:52.768452", **FUTURE},
    "raw_aware": {("orchestrator", "last_run_at"): "2025-11-22T11:20:52.768452", **FUTURE},
    # statuses in small letters are counted nowhere there
    "lower_enum": {
        ("overview", "pending_jobs"): 3,
        ("overview", "processing_jobs"): 2,
        ("overview", "failed_jobs"): 1,
        ("campaigns", "active"): 3,
        ("campaigns", "completed"): 2,
    },
}
UNTRUE["timestamptz"] = UNTRUE["future_pending"]


def total(found: Samples, family: str, **labels: str) -> float:
    """The sum of a family's samples with these values of its labels, of which the last is the status."""
    wanted = tuple(labels.values())
    return sum(number(value) for key, value in found[family].items() if not wanted or key[-len(wanted) :] == wanted)


def number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value


def as_recorded(found: Samples) -> dict[str, dict[str, Any]]:
    """Samples in the words of the recorded answers."""
    items = {status: total(found, "studio_publish_items", status=status) for status in STATUSES}
    jobs = {
        status: total(found, "studio_publish_jobs", status=status) for status in ("pending", "processing", "failed")
    }
    oldest = [number(value) for value in found["studio_publish_oldest_pending_timestamp_seconds"].values()]
    last = found["studio_publish_last_created_timestamp_seconds"].get(())
    everything = total(found, "studio_publish_items")
    return {
        "overview": {
            "total_videos": total(found, "studio_publish_videos"),
            "total_clips": total(found, "studio_publish_clips"),
            "total_jobs": total(found, "studio_publish_jobs"),
            "total_campaigns": total(found, "studio_campaigns"),
            **{f"{status}_jobs": count for status, count in jobs.items()},
            "success_logs": items["success"],
            "failed_logs": items["failed"],
            "scheduled_publications": items["pending"],
        },
        "queue": {
            **{status: items[status] for status in ("pending", "processing", "success", "failed")},
            "oldest_pending_age_seconds": NOW - min(oldest) if oldest else None,
        },
        "orchestrator": {
            "last_run_at": None if last is None else _iso(number(last)),
            "actions_last_run": found["studio_publish_created_items"]["1h",],
            "actions_last_24h": found["studio_publish_created_items"]["24h",],
            "queue_saturation": (items["pending"] + items["processing"]) / everything if everything else 0.0,
            "active_workers": found["studio_publish_active_accounts"][()],
        },
        "platforms": {
            platform: {
                "clips_ready": found["studio_publish_ready_clips"].get((platform,), 0),
                "clips_published": found["studio_publish_published_clips"].get((platform,), 0),
                "avg_score": found["studio_publish_clip_score_mean"].get((platform,), 0.0),
            }
            for platform in ("instagram", "tiktok", "youtube", "other")
        },
        "campaigns": {
            status: total(found, "studio_campaigns", status=status)
            for status in ("draft", "active", "paused", "completed")
        },
    }


STATUSES = ("pending", "processing", "success", "failed")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat()


def expected(scenario: str, dialect: str) -> dict[str, dict[str, Any]]:
    """What was recorded, without what has no family, and with the truth in the place of what is not true."""
    found = deepcopy(RECORDED[f"{scenario}.{dialect}"])
    found.get("queue", {}).pop("avg_processing_time_ms", None)
    found["campaigns"].pop("total_budget_spent")
    for facts in found.get("platforms", {}).values():
        assert (facts.pop("jobs_completed"), facts.pop("jobs_failed")) == (0, 0)
    for (end, name), value in UNTRUE.get(scenario, {}).items():
        if end in found:
            assert found[end][name] != value, f"{scenario}: {end}.{name} tells the truth"
            found[end][name] = value
    return found


def near(value: Any) -> Any:
    """Floats to nine digits, as they depend on the order of a sum; oldest ages to the microsecond."""
    if isinstance(value, dict):
        return {key: near(each) for key, each in value.items()}
    return pytest.approx(value, rel=1e-9, abs=2e-6) if isinstance(value, float) else value


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_sqlite_says_what_was_recorded(scenario: str, tmp_path: Path) -> None:
    path = golden(scenario, tmp_path)
    found = await read(f"sqlite:///{path}")
    said, wanted = as_recorded(found), expected(scenario, "sqlite")
    assert {end: said[end] for end in wanted} == near(wanted)
    assert found == near(recount(rows_of(path)))


ELSEWHERE = [
    *(("postgresql", scenario) for scenario in (*SCENARIOS, *DRIFT)),
    *(("mysql", scenario) for scenario in SCENARIOS if scenario not in ("inf_score", "nan_score")),
]
"""MariaDB has no numbers that are not finite."""


@pytest.mark.parametrize("flavour", ["create_all", "alembic"])
@pytest.mark.parametrize(("dialect", "scenario"), ELSEWHERE)
async def test_the_same_rows_say_the_same_elsewhere(
    dialect: Dialect, scenario: str, flavour: Flavour, tmp_path: Path
) -> None:
    rows = rows_of(golden(DRIFT.get(scenario, scenario), tmp_path))
    types = {"timestamptz": {"time": "timestamptz"}, "varchar_status": {"jobstatus": "varchar(50)"}}.get(scenario, {})
    with made(dialect, tmp_path) as make:
        found = await read(make(rows, flavour, **types))
    assert found == near(recount(rows))
    if f"{scenario}.postgresql" in RECORDED:
        said, wanted = as_recorded(found), expected(scenario, "postgresql")
        assert {end: said[end] for end in wanted} == near(wanted)


async def test_jobs_count_for_the_platform_they_were_asked_for(tmp_path: Path) -> None:
    found = (await read(f"sqlite:///{golden('edge', tmp_path)}"))["studio_publish_jobs"]
    assert {key[0]: value for key, value in found.items() if key[1] == "failed"} == {
        "_other": 11,  # an empty name, null, a number, a list, no name, no object
        "Instagram": 1,
        '"instagram"': 1,
        "instagram": 5,
        "other": 2,
        "tiktok": 0,
        "youtube": 0,
    }
