"""Values as the system and others keep them: ids, times, scores and parameters in all their forms."""

from pathlib import Path
from typing import Any

import pytest

from tests.sources.stakazo.databases import NOW, Make, Rows, golden, made, opened, part, read, rows_of
from tests.sources.stakazo.recount import recount
from tests.sources.stakazo.tables import clip, log


def one_clip(form: Any) -> Rows:
    """Three logs of one clip and an account, whose ids are in this form."""
    logs = [log(clip_id=form, social_account_id=form, status=status) for status in ("pending", "success", "processing")]
    return {"publish_logs": [*logs, log(clip_id=form)], "clips": [clip(id=form)]}


@pytest.mark.parametrize(
    ("declared", "form"),
    [
        ("CHAR(36)", "0123456789abcdef0123456789abcdef"),
        ("CHAR(36)", "01234567-89ab-cdef-0123-456789abcdef"),
        ("UUID", "0123456789abcdef0123456789abcdef"),
        ("UUID", "12345678901234567890123456789012"),  # becomes a number
        ("UUID", "123e4567890123456789012345678901"),  # becomes infinity
        ("BLOB", bytes(range(16))),
    ],
)
async def test_ids_count_in_every_form_sqlite_keeps_them_in(sqlite: Make, declared: str, form: Any) -> None:
    found = await read(sqlite(one_clip(form), uuid=declared))
    assert found["studio_publish_ready_clips"] == {("tiktok",): 1}
    assert found["studio_publish_published_clips"] == {("tiktok",): 1}
    assert found["studio_publish_clip_score_mean"] == {("tiktok",): 0.5}
    assert found["studio_publish_active_accounts"] == {(): 1}


@pytest.mark.parametrize("declared", ["varchar(36)", "char(36)", "uuid"])
async def test_ids_count_in_every_form_mariadb_keeps_them_in(declared: str, tmp_path: Path) -> None:
    with made("mysql", tmp_path) as make:
        found = await read(make(one_clip("9f2c0c1e5d7b4a0c8e3f6a1b2c3d4e5f"), uuid=declared))
    assert found["studio_publish_ready_clips"] == {("tiktok",): 1}
    assert found["studio_publish_clip_score_mean"] == {("tiktok",): 0.5}
    assert found["studio_publish_active_accounts"] == {(): 1}


@pytest.mark.parametrize(
    ("stored", "epoch"),
    [
        ("2025-11-22 10:00:00.123456", NOW - 7200 + 0.123456),
        ("2025-11-22 10:00:00", NOW - 7200),
        ("2025-11-22T10:00:00", NOW - 7200),
        ("2025-11-22T10:00:00.5Z", NOW - 7200 + 0.5),
        ("2025-11-22 10:00:00+00:00", NOW - 7200),
        ("2025-11-22T12:00:00.250+02:00", NOW - 7200 + 0.25),
        ("2025-11-21 21:00:00-13:00", NOW - 7200),
        ("no time", None),
    ],
)
async def test_times_are_read_in_every_shape_sqlite_keeps_them_in(
    sqlite: Make, stored: str, epoch: float | None
) -> None:
    waiting = log(requested_at=stored, created_at=stored, updated_at=stored)
    found = await read(sqlite({"publish_logs": [waiting, {**waiting, "id": "7" * 32, "status": "processing"}]}))
    expected = {} if epoch is None else {(): pytest.approx(epoch, abs=1e-6)}
    assert found["studio_publish_last_created_timestamp_seconds"] == expected
    assert [*found["studio_publish_oldest_pending_timestamp_seconds"].values()] == [*expected.values()]
    assert [*found["studio_publish_oldest_processing_timestamp_seconds"].values()] == [*expected.values()]
    assert found["studio_publish_created_items"] == {("1h",): 0, ("24h",): 0 if epoch is None else 2}
    assert found["studio_publish_stuck"] == {("tiktok",): 0 if epoch is None else 1}
    assert found["studio_publish_future_rows"] == {(): 0}


@pytest.mark.parametrize("created", ["2025-06-01 10:00:00.000001", "2025-06-01T10:00:00+00:00"])
async def test_the_newest_is_known_also_when_nothing_was_created_for_long(make: Make, created: str) -> None:
    old, older = log(created_at=created), log(created_at="2024-01-01 00:00:00.000000")
    ahead = log(created_at="2025-11-22 12:30:00.000000")
    found = await read(make({"publish_logs": [old, older, ahead]}))
    fraction = 0.000001 if created.endswith("1") else 0
    assert found["studio_publish_last_created_timestamp_seconds"] == {
        (): pytest.approx(1748772000 + fraction, abs=1e-7)
    }
    assert found["studio_publish_future_rows"] == {(): 1}


async def test_a_row_in_the_future_in_two_ways_counts_once(make: Make) -> None:
    later = "2025-11-22 12:00:00.000001"
    rows = [
        log(requested_at=later, created_at=later),
        log(requested_at=later),
        log(status="processing", updated_at=later),
        log(status="success", requested_at=later, updated_at=later),
    ]
    found = await read(make({"publish_logs": rows}))
    assert found["studio_publish_future_rows"] == {(): 3}
    assert found["studio_publish_oldest_pending_timestamp_seconds"] == {}
    assert found["studio_publish_created_items"] == {("1h",): 3, ("24h",): 3}


async def test_scores_that_are_no_numbers_are_left_out_and_counted(sqlite: Make) -> None:
    scores = {"1": 0.25, "2": float("inf"), "3": "NaN", "4": float("-inf"), "5": None, "6": "high"}
    clips = [clip(id=key * 32, visual_score=score) for key, score in scores.items()]
    logs = [log(clip_id=key * 32) for key in (*scores, "1")]
    async with opened(sqlite({"clips": clips, "publish_logs": logs})) as source:
        taken = await part(source, "content").read(NOW)
    assert taken.value.facts.score == {"tiktok": 0.25}
    assert taken.skipped == {"invalid": 4}
    assert taken.records == 6


async def test_one_job_with_an_unspeakable_parameter_costs_no_other(tmp_path: Path) -> None:
    with made("postgresql", tmp_path) as make:
        rows = rows_of(golden("no_pending", tmp_path))
        bad = {**rows["jobs"][0], "id": "8" * 32, "dedup_key": None, "status": "FAILED"}
        found = await read(
            make({**rows, "jobs": [*rows["jobs"], {**bad, "params": r'{"title": "\u0000", "platform": "tiktok"}'}]})
        )
    assert recount(rows)["studio_publish_jobs"]["tiktok", "failed"] == 0
    assert found["studio_publish_jobs"]["tiktok", "failed"] == 1
