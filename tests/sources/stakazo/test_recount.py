"""Whatever the rows are, a database says what counting them one by one says."""

import itertools
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.stakazo.databases import NOW, made, read
from tests.sources.stakazo.recount import recount
from tests.sources.stakazo.tables import COLUMNS, Dialect

CENTRE = datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None)
WORDS = ["pending", "scheduled", "processing", "retry", "success", "failed", "Success", "pending ", "published", ""]
PLATFORMS = ["instagram", "Instagram", "instagram ", "other", "", "_other", "ñandú"]
SPANS = [0, 1e-6, 599.999999, 600, 600.000001, 3600, 3600.000001, 86400, 86400.000001, 200_000, 9e6, -1e-6, -90_000]
IDS = [f"{number:032x}" for number in (1, 2, 3)]

times = st.sampled_from([f"{CENTRE - timedelta(seconds=span):%Y-%m-%d %H:%M:%S.%f}" for span in SPANS])


def rows(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries(columns), max_size=12)


logs = rows(
    clip_id=st.sampled_from(IDS),
    platform=st.sampled_from(PLATFORMS),
    status=st.sampled_from(WORDS),
    social_account_id=st.none() | st.sampled_from(IDS),
    external_post_id=st.none() | st.just("post"),
    requested_at=times,
    updated_at=times,
    created_at=times,
    scheduled_for=st.none() | times,
)
campaigns = rows(status=st.sampled_from(["DRAFT", "ACTIVE", "PAUSED"]), budget_cents=st.integers(0, 10**7))
jobs = rows(
    status=st.sampled_from(["PENDING", "RETRY", "FAILED"]),
    params=st.none()
    | st.sampled_from(["null", "[]", "{}", '{"platform": "tiktok"}', '{"platform": 1}', '{"platform": ""}']),
)
scores = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=2, max_size=2)

REST: dict[str, dict[str, Any]] = {
    "publish_logs": {"retry_count": 0, "max_retries": 3},
    "clips": {"video_asset_id": IDS[0], "start_ms": 0, "end_ms": 0, "duration_ms": 0, "status": "READY"},
    "campaigns": {"name": "", "clip_id": IDS[0]},
    "jobs": {"job_type": ""},
}


def whole(table: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with all their columns and an id each."""
    ids = (f"{number:032x}" for number in itertools.count(1))
    return [{**dict.fromkeys(COLUMNS[table]), "id": next(ids), **REST[table], **row} for row in found]


def checked(dialect: Dialect) -> Callable[[], Any]:
    @given(logs, campaigns, jobs, scores)
    async def check(
        logs: list[dict[str, Any]],
        campaigns: list[dict[str, Any]],
        jobs: list[dict[str, Any]],
        scores: list[float | None],
    ) -> None:
        rows = {
            "publish_logs": whole("publish_logs", logs),
            "campaigns": whole("campaigns", campaigns),
            "jobs": whole("jobs", jobs),
            "clips": whole("clips", [{"visual_score": score} for score in scores]),  # the third clip is missing
            "video_assets": [],
        }
        with tempfile.TemporaryDirectory() as directory, made(dialect, Path(directory)) as make:
            found = await read(make(rows))
        wanted = {name: pytest.approx(said, rel=1e-9, abs=2e-6) for name, said in recount(rows).items()}
        assert found == wanted

    return check


test_sqlite_counts_as_one_by_one = settings(max_examples=60)(checked("sqlite"))
test_postgresql_counts_as_one_by_one = settings(max_examples=15)(checked("postgresql"))
test_mariadb_counts_as_one_by_one = settings(max_examples=15)(checked("mysql"))
