"""Publications counted: the recorded life cycles at several read rhythms, what an account opens with, and drift."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from exporter.core.errors import SchemaMismatch
from exporter.core.finish import Batch, Finish
from exporter.core.source import Limits
from exporter.ledger.account import Account, Terms, history_of
from exporter.ledger.account import opened as account_of
from exporter.sources.stakazo.finishes import finish
from tests.sources.books import OVERLAP, Book, counts, micros, pipeline, streaks
from tests.sources.stakazo.databases import NOW, Make, Rows, editing, golden, made, opened, rows_of
from tests.sources.stakazo.lifecycles import RHYTHMS, TRUE, holding, states
from tests.sources.stakazo.tables import Dialect, log

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql", "mysql")
ONE_FAILURE_TOO_MANY = ("06b_dies_between_commits.json", "06c_slow_upload_reconciled_meanwhile.json")
"""The system itself wrote that they failed; a reader that is slow enough does not see it."""

GONE_BEFORE = {("11c_clip_deleted_postgresql_sql.json", "15 s"), ("11c_clip_deleted_postgresql_sql.json", "300 s")}
"""The failure was deleted before anybody read it."""


@asynccontextmanager
async def book_of(url: str, rows: int = 200_000) -> AsyncIterator[Book]:
    async with opened(url, Limits(rows_per_query=rows)) as source:
        yield Book(pipeline(source))


async def lived(url: str, name: str, rhythm: str) -> Account:
    """The account of a life cycle that was opened a second before."""
    cycle = states(name)
    async with book_of(url) as book:
        with holding(url) as hold:
            hold([])
            account = await book.read(cycle[0][0] - timedelta(seconds=1))
            for at, rows in RHYTHMS[rhythm](cycle):
                hold(rows)
                account = await book.read(at)
    return account


def total(account: Account) -> tuple[int, int]:
    """Succeeded and failed."""
    failed = sum(lane.failed for lane in account.lanes.values())
    return sum(lane.finished for lane in account.lanes.values()) - failed, failed


@pytest.mark.parametrize("rhythm", RHYTHMS)
async def test_recorded_life_cycles_come_to_the_true_counts(sqlite: Make, rhythm: str) -> None:
    url = sqlite({})
    for name, true in TRUE.items():
        seen = (name, rhythm) not in GONE_BEFORE
        extra = name in ONE_FAILURE_TOO_MANY and rhythm != "300 s"
        expected = (true["succeeded"], true["failed"] * seen + extra)
        assert total(await lived(url, name, rhythm)) == expected, name
    assert set(ONE_FAILURE_TOO_MANY) == {name for name, true in TRUE.items() if true.get("the_ledger_cannot")}


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
async def test_recorded_life_cycles_on_servers(dialect: Dialect, tmp_path: Path) -> None:
    with made(dialect, tmp_path) as make:
        url = make({})
        for name, true in TRUE.items():
            expected = true["succeeded"], true["failed"] + (name in ONE_FAILURE_TOO_MANY)
            assert total(await lived(url, name, "every commit")) == expected, name


async def test_a_failure_is_not_ended_by_its_own_shadow(make: Make) -> None:
    account = await lived(make({}), "02_engine_failure_not_raised.json", "every commit")
    lane = account.lanes["instagram"]
    assert (lane.streak.length, account.streak.length, lane.last_success) == (1, 1, None)
    assert lane.failing.replace("-", "").endswith("68")
    assert {*account.lanes} == {"instagram", "tiktok", "youtube", "other"}


async def test_a_post_takes_as_long_as_its_first_row_says(make: Make) -> None:
    lane = (await lived(make({}), "01_success.json", "every commit")).lanes["instagram"]
    assert (lane.finished, lane.untimed) == (1, 0)
    assert lane.duration == 2_003_000  # of the engine's row, which was committed before the worker's
    assert lane.last_success == micros(datetime(2025, 11, 22, 12, 0, 7, 9000, UTC))


# what an account opens with


def recounted(rows: Rows, at: float) -> tuple[dict[str, int], int]:
    """Streaks, and the pipeline's, of all rows taken one by one."""
    history = history_of([each for each in finishes(rows) if each], micros(at))
    return {lane: past.streak for lane, past in history.lanes.items()}, history.streak


def finishes(rows: Rows) -> Iterator[Finish | None]:
    for row in rows["publish_logs"]:
        names = ("id", "updated_at", "platform", "status", "external_post_id", "requested_at", "published_at")
        given = [row[name] for name in (*names, "retry_count", "last_retry_at", "extra_metadata")]
        given[2] = given[2] or "_other"
        given[3] = given[3].lower()
        yield finish(tuple(given), told=True)


@pytest.mark.parametrize("scenario", ["normal", "edge", "no_pending", "all_active", "empty"])
async def test_an_account_opens_with_the_streaks_of_all_rows(make: Make, tmp_path: Path, scenario: str) -> None:
    rows = rows_of(golden(scenario, tmp_path))
    expected, whole = recounted(rows, NOW)
    async with book_of(make(rows)) as book:
        account = await book.read(NOW)
        assert {lane: length for lane, length in streaks(account).items() if length} == {
            lane: length for lane, length in expected.items() if length
        }
        assert account.streak.length == whole
        assert counts(account) == {}
        assert await book.read(NOW) is account


def failed(minutes: float, **more: Any) -> dict[str, Any]:
    """A row that failed so many minutes ago."""
    return log(status="failed", updated_at=ago(minutes), **more)


def published(minutes: float, **more: Any) -> dict[str, Any]:
    return log(status="success", published_at=ago(minutes), updated_at=ago(minutes), external_post_id="p", **more)


def ago(minutes: float) -> str:
    return f"{datetime.fromtimestamp(NOW - 60 * minutes, UTC):%Y-%m-%d %H:%M:%S.%f}"


def given_up(minutes: float) -> dict[str, str]:
    return {"extra_metadata": f'{{"reconciled": true, "reconciled_at": "{ago(minutes).replace(" ", "T")}"}}'}


async def test_history_takes_each_failure_at_its_own_time(make: Make) -> None:
    """Touched rows, given up ones, retried ones; those before the success of their platform are over."""
    rows = [
        published(60),
        failed(70),
        failed(5, **given_up(61)),
        failed(5, last_retry_at=ago(62)),
        failed(50),
        failed(5, **given_up(40)),
        failed(5, last_retry_at=ago(30)),
        failed(5, **given_up(45), last_retry_at=ago(55)),
        failed(20, platform="youtube"),
        failed(10, platform=""),
        failed(-10, platform="instagram"),
        failed(3, extra_metadata='{"reconciled_at": [1]}', platform="instagram"),
        failed(2, extra_metadata='["reconciled_at"]', platform="instagram"),
        log(status="success", published_at=ago(1), updated_at=ago(1), extra_metadata='{"worker_id": "w"}'),
    ]
    async with book_of(make({"publish_logs": rows})) as book:
        account = await book.read(NOW)
    expected = {"tiktok": 4, "youtube": 1, "_other": 1, "instagram": 3, "other": 0}
    assert streaks(account) == expected
    assert account.streak.length == sum(expected.values())
    assert account.lanes["tiktok"].last_failure == micros(NOW - 30 * 60)
    assert account.lanes["instagram"].last_failure == micros(NOW)
    assert account.mark == micros(NOW - 60)  # the shadow's
    by_hand, _ = account_of(
        Batch([each for each in finishes({"publish_logs": rows}) if each]), micros(NOW), Terms(OVERLAP)
    )
    assert streaks(by_hand) | {"other": 0} == expected


# forms and drift


def zoned(minutes: float, hours: int) -> str:
    """So many minutes ago, as Python's own driver of SQLite writes a time with a zone."""
    return datetime.fromtimestamp(NOW - 60 * minutes, timezone(timedelta(hours=hours))).isoformat(" ")


@pytest.mark.parametrize("hours", [-12, -5, 5, 14])
async def test_times_with_a_zone_are_counted_once(sqlite: Make, hours: int) -> None:
    async with book_of(url := sqlite({})) as book, holding_one(url) as hold:
        await book.read(NOW - 3600)
        failure = {**failed(30), "updated_at": zoned(30, hours)}
        success = {**published(29), "updated_at": zoned(29, hours), "published_at": zoned(29, hours)}
        rest = [failure, failed(28)]
        hold([success, *rest])
        account = await book.read(NOW - 27 * 60)
        assert counts(account) == {"tiktok": (3, 2)}
        assert streaks(account)["tiktok"] == 1
        hold([{**success, "updated_at": zoned(1, hours)}, *rest])
        assert counts(await book.read(NOW)) == {"tiktok": (3, 2)}


async def test_small_pages_of_all_zones_lose_nothing(sqlite: Make) -> None:
    async with book_of(url := sqlite({}), rows=80) as book, holding_one(url) as hold:
        await book.read(NOW - 2 * 86400)
        hold([{**failed(7 * n), "updated_at": zoned(7 * n, n % 27 - 12) if n % 3 else ago(7 * n)} for n in range(300)])
        account = await book.read(NOW)
        assert counts(account) == {"tiktok": (300, 300)}
        assert await book.read(NOW + 60) is account


async def test_statuses_count_in_capitals_and_pages_of_any_size(make: Make) -> None:
    async with book_of(url := make({}), rows=80) as book:
        await book.read(NOW - 86400)
        with holding(url) as hold:
            hold(
                [{**failed(n), "status": "FAILED"} for n in range(200)] + [published(n, platform="x") for n in range(9)]
            )
        account = await book.read(NOW)
    assert counts(account) == {"tiktok": (200, 200), "x": (1, 0)}
    assert book.pages > 2


async def test_what_is_touched_is_not_counted_again(make: Make) -> None:
    async with book_of(url := make({})) as book, holding_one(url) as hold:
        await book.read(NOW - 3600)
        rows = [failed(30), published(30), log(status="success", updated_at=ago(30))]
        hold(rows)
        assert counts(await book.read(NOW - 1700)) == {"tiktok": (3, 1)}
        hold([{**row, "updated_at": ago(1)} for row in rows])
        assert counts(await book.read(NOW)) == {"tiktok": (3, 1)}


@asynccontextmanager
async def holding_one(url: str) -> AsyncIterator[Any]:
    with holding(url) as hold:
        yield hold


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("retry_count", (3, 1)),
        ("last_retry_at", (3, 1)),
        ("requested_at", (3, 1)),
        ("published_at", (3, 1)),
        ("extra_metadata", (2, 1)),  # a success without a post may be the shadow of a failure then
    ],
)
async def test_a_column_that_is_missing_is_done_without(make: Make, column: str, expected: tuple[int, int]) -> None:
    async with book_of(url := make({})) as book:
        with editing(url) as connection:
            connection.execute(text(f"alter table publish_logs drop column {column}"))
        await book.read(NOW - 3600)
        for row in (failed(9), published(8), log(status="success", updated_at=ago(7))):
            given = {name: value for name, value in row.items() if name != column}
            values = ", ".join(f":{name}" for name in given)
            with editing(url) as connection:
                connection.execute(text(f"insert into publish_logs ({', '.join(given)}) values ({values})"), given)
        assert counts(await book.read(NOW)) == {"tiktok": expected}


@pytest.mark.parametrize("column", ["external_post_id", "updated_at"])
async def test_a_column_that_is_needed_is_named_until_it_is_back(make: Make, column: str) -> None:
    async with book_of(url := make({})) as book:
        await book.read(NOW)
        with editing(url) as connection:
            connection.execute(text(f"alter table publish_logs rename column {column} to other"))
        for _ in range(2):
            with pytest.raises(SchemaMismatch, match=column):
                await book.read(NOW)
        with editing(url) as connection:
            connection.execute(text(f"alter table publish_logs rename column other to {column}"))
        await book.read(NOW)


def test_rows_that_tell_of_no_finish_are_left_out() -> None:
    def told(status: str, updated: object, metadata: str | None = None) -> Finish | None:
        return finish(("k", updated, "tiktok", status, None, None, None, 0, None, metadata), told=True)

    assert told("failed", None) is None
    assert told("success", "no time") is None
    assert told("failed ", ago(1)) is None
    assert told("failed", ago(1), '{"reconciled_at": "no time"}') == told("failed", ago(1), '"reconciled_at" {')
    assert told("failed", ago(1), "[" * 100_000 + '"reconciled_at"') == told("failed", ago(1))
