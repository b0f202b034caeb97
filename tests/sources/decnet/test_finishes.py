"""Operations counted: the recorded databases at any page size, rows that come late, in the same second, too early, and
two tables that are read as one."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exporter.core.errors import SchemaMismatch
from exporter.core.finish import SECOND
from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.inputs.paging import Place, apart, statement
from exporter.sources.decnet import KIND, Config
from exporter.sources.decnet.finishes import TABLES
from tests.services import connected
from tests.sources.books import Book, counts, micros, pipeline, streaks
from tests.sources.decnet.databases import NOW, SCHEMA, add, ago, change, dumped, text

REFERENCE = {"file": 22, "email": 120, "traffic": 1}
WITHOUT_FUTURE = {"file": 22, "email": 119, "traffic": 0}


@asynccontextmanager
async def source_of(url: str, rows: int = 200_000) -> AsyncIterator[Source]:
    context = Context("decoys", Schedule(timeout=30.0), Limits(rows_per_query=rows))
    source = KIND.source(Config(Secret(url)), context)
    try:
        yield source
    finally:
        await source.close()


@asynccontextmanager
async def book_of(url: str, rows: int = 200_000) -> AsyncIterator[Book]:
    async with source_of(url, rows) as source:
        yield Book(pipeline(source))


def copied(database: Path, to: Path) -> Path:
    to.write_bytes(database.read_bytes())
    return to


async def test_the_account_opens_with_the_recorded_streaks_and_counts_nothing(recorded: Path) -> None:
    for rows in (200_000, 7):
        async with book_of(f"sqlite:///{recorded}", rows) as book:
            account = await book.read(NOW)
        assert streaks(account) == {**REFERENCE, "_other": 6}
        assert account.streak.length == 2  # an event and an email, after a success of the whole's last second
        assert counts(account) == {}
        traffic, email = account.lanes["traffic"], account.lanes["email"]
        assert traffic.last_success == micros(datetime.fromisoformat("2026-06-15T11:59:30.500001+00:00"))
        assert traffic.last_failure == email.last_failure == micros(NOW)  # they lie in the future
        assert account.lanes["file"].last_failure == traffic.last_success


async def test_the_recorded_streaks_without_what_lies_in_the_future(recorded: Path, tmp_path: Path) -> None:
    past = copied(recorded, tmp_path / "past.db")
    for table in ("orchestrator_events", "orchestrator_emails"):
        change(past, f"delete from {table} where ts > '{text(NOW)}'")
    async with book_of(f"sqlite:///{past}") as book:
        assert streaks(await book.read(NOW)) == {**WITHOUT_FUTURE, "_other": 6}


@pytest.mark.parametrize("rows", [50_000, 500, 137, 10])
async def test_all_rows_counted_one_by_one_come_to_the_recorded_streaks(
    recorded: Path, tmp_path: Path, rows: int
) -> None:
    """The account is opened before the first row, as if all of them were written during one outage."""
    outage = change(tmp_path / "decnet.db", SCHEMA)
    async with book_of(f"sqlite:///{outage}", rows) as book:
        await book.read(datetime.fromisoformat("2026-06-07T00:00:00+00:00"))
        copied(recorded, outage)
        account = await book.read(NOW)
        assert {lane: streaks(account)[lane] for lane in REFERENCE} == REFERENCE
        assert counts(account) == {
            "traffic": (1647, 108),
            "file": (1644, 169),
            "email": (848, 220),
            "_other": (6, 6),
        }
        assert account.streak.length == 2
        assert await book.read(NOW) is account


async def test_the_recorded_mariadb_comes_to_streaks_by_the_second() -> None:
    """Of whole seconds: what shares its second with a success has recovered."""
    with dumped() as url:
        async with book_of(url) as book:
            account = await book.read(NOW)
            at: dict[str, list[datetime]] = {}
            failures: dict[str, list[datetime]] = {}
            with connected(url) as connection:
                for table, lane in (("orchestrator_events", "kind"), ("orchestrator_emails", "'email'")):
                    asked = f"select cast({lane} as binary), success, ts from {table}"
                    for kind, success, ts in connection.exec_driver_sql(asked):
                        name = kind.decode() if isinstance(kind, bytes) else kind
                        name = name if table.endswith("emails") or name in ("file", "traffic") else "_other"
                        (at if success else failures).setdefault(name, []).append(ts)
            expected = {
                name: sum(name not in at or ts > max(at[name]) for ts in times) for name, times in failures.items()
            }
            assert streaks(account) == expected
            assert {name: expected[name] for name in ("file", "email")} == {"file": 22, "email": 120}
            assert await book.read(NOW) is account


@pytest.mark.parametrize("rows", [2, 3, 200_000])
async def test_rows_of_one_second_are_each_counted_once_on_mariadb(rows: int) -> None:
    with dumped() as url, connected(url) as connection:
        async with book_of(url, rows=20_000) as opening:
            opened = await opening.read(NOW + timedelta(hours=1))
        async with book_of(url, rows) as book:
            book.account = opened
            second = "2026-06-15 13:00:01"
            insert = "insert into orchestrator_events values (%s, %s, 'traffic', 'ssh', 'x', 'a', 'b', %s, '{}')"
            for number in range(5):
                connection.exec_driver_sql(insert, (f"first{number}", second, number % 2))
            await book.read(NOW + timedelta(hours=1, seconds=1))
            for number in range(4):  # they sort before the others of their second
                connection.exec_driver_sql(insert, (f"a-later{number}", second, 1))
            account = await book.read(NOW + timedelta(hours=1, seconds=2))
            assert counts(account)["traffic"] == (9, 3)
            assert await book.read(NOW + timedelta(hours=1, seconds=3)) is account


async def test_neither_table_hides_what_the_other_has_not_shown_yet(path: Path) -> None:
    """A thousand emails, all older than overlap, and an event at each end: with small pages the events are read through
    long before the emails are."""
    async with book_of(f"sqlite:///{path}", rows=10) as book:
        await book.read(NOW - timedelta(days=2))
        add(path, [(ago(days=1), "file", 1), (ago(), "file", 0)], [(ago(minutes=n), n % 10 > 0) for n in range(1000)])
        account = await book.read(NOW)
    assert counts(account) == {"file": (2, 1), "email": (1000, 100)}
    assert book.pages > 100


async def test_a_read_that_ends_early_goes_on_with_the_next(path: Path) -> None:
    async with book_of(f"sqlite:///{path}", rows=10) as book:
        await book.read(NOW - timedelta(days=2))
        add(path, [(ago(hours=n), "file", 0) for n in range(40)])
        for _ in range(10):
            account = await book.read(NOW, most=1)
    assert counts(account) == {"file": (40, 40)}
    assert book.pages <= 11


async def test_rows_are_counted_once_when_late_pruned_or_ahead_of_time(path: Path) -> None:
    async with book_of(f"sqlite:///{path}") as book:
        assert counts(await book.read(NOW)) == {}
        add(path, [(ago(), "traffic", 1), (ago(minutes=-30), "traffic", 0)], [(ago(minutes=9), 0)])
        assert counts(await book.read(NOW + timedelta(seconds=1))) == {"traffic": (2, 1), "email": (1, 1)}
        change(path, "delete from orchestrator_emails")
        add(path, [(ago(minutes=10), "traffic", 0), (ago(minutes=11), "traffic", 0)])
        account = await book.read(NOW + timedelta(minutes=1))
        assert counts(account) == {"traffic": (3, 2), "email": (1, 1)}
        assert streaks(account) == {"_other": 0, "email": 1, "file": 0, "traffic": 1}
        add(path, [(ago(minutes=-20), "traffic", 1)])
        account = await book.read(NOW + timedelta(minutes=20))
        assert streaks(account)["traffic"] == 0  # the failure of the future was seen, and so it was, before
        assert counts(await book.read(NOW + timedelta(hours=1))) == {"traffic": (4, 2), "email": (1, 1)}


SHAPES = (
    lambda at: at.isoformat(" "),
    lambda at: at.isoformat(" ", "seconds"),
    lambda at: at.isoformat(timespec="milliseconds"),
    lambda at: f"{at:%Y-%m-%d %H:%M:%S%z}",
    lambda at: f"{at:%Y-%m-%d %H:%M:%S%z}"[:-2],
    lambda at: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    lambda at: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
    lambda at: f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
)
"""Times as others write them: with a zone, a T, a Z, a shorter fraction or none."""


def zoned(at: datetime, hours: int, shape: int) -> str:
    return SHAPES[shape](at.astimezone(timezone(timedelta(hours=hours))))


@pytest.mark.parametrize("shape", range(len(SHAPES)))
@pytest.mark.parametrize("hours", [-12, -5, 0, 14])
async def test_a_time_counts_once_whatever_its_zone_and_shape(path: Path, hours: int, shape: int) -> None:
    async with book_of(f"sqlite:///{path}") as book:
        await book.read(NOW)
        add(path, [(zoned(NOW, hours, shape), "file", 0)])
        assert counts(await book.read(NOW + timedelta(minutes=2))) == {"file": (1, 1)}
        add(path, [(zoned(NOW + timedelta(minutes=2), hours, shape), "file", 1)])
        account = await book.read(NOW + timedelta(minutes=3))
        assert counts(account) == {"file": (2, 1)}
        assert abs(account.mark - micros(NOW + timedelta(minutes=2))) < SECOND
        for minutes in (4, 90):
            assert await book.read(NOW + timedelta(minutes=minutes)) is account


@pytest.mark.parametrize("rows", [7, 200_000])
async def test_times_of_all_zones_and_shapes_are_counted_in_the_order_of_time(path: Path, rows: int) -> None:
    """Two days of them after an outage, in pages that are small: none makes another come too late."""
    async with book_of(f"sqlite:///{path}", rows) as book:
        await book.read(NOW - timedelta(days=2))
        times = [NOW - timedelta(minutes=7 * n) for n in range(400)]
        mixed = [zoned(at, n % 27 - 12, n % len(SHAPES)) if n % 3 else text(at) for n, at in enumerate(times)]
        add(path, [(ts, "file", n % 5 > 0) for n, ts in enumerate(mixed[::2])], [(ts, 0) for ts in mixed[1::2]])
        account = await book.read(NOW)
        assert counts(account) == {"file": (200, 40), "email": (200, 200)}
        assert await book.read(NOW + timedelta(minutes=1)) is account


@pytest.mark.parametrize("hours", [-12, -5, 14])
async def test_an_account_opens_with_the_streaks_of_times_in_any_zone(path: Path, hours: int) -> None:
    rows = [(zoned(NOW - timedelta(minutes=n), hours * (n % 2), 0), "file", int(n == 5)) for n in range(1, 9)]
    add(path, rows, [(zoned(NOW - timedelta(hours=1), hours, 0), 1), (ago(hours=2), 0)])
    async with book_of(f"sqlite:///{path}") as book:
        account = await book.read(NOW)
        assert {lane: length for lane, length in streaks(account).items() if length} == {"file": 4}
        assert account.lanes["file"].last_failure == account.mark == micros(NOW - timedelta(minutes=1))
        assert account.lanes["email"].last_success == micros(NOW - timedelta(hours=1))
        assert await book.read(NOW) is account


async def test_a_time_without_a_fraction_counts_at_the_very_floor(path: Path) -> None:
    second = NOW.replace(microsecond=0)
    add(path, [(f"{second:%Y-%m-%d %H:%M:%S}", "file", 1)])
    async with book_of(f"sqlite:///{path}") as book:
        await book.read(NOW)
        add(path, [(f"{second - timedelta(seconds=601):%Y-%m-%d %H:%M:%S}", "file", 0)])
        assert counts(await book.read(NOW)) == {"file": (1, 1)}


async def test_words_are_told_apart_exactly_and_what_is_no_outcome_is_none(path: Path) -> None:
    async with book_of(f"sqlite:///{path}") as book:
        await book.read(NOW)
        rows = [(ago(), word, 0) for word in ("file", "File", "traffic ", "email", "")]
        add(path, [*rows, (ago(), "file", 2), (ago(), "file", "yes"), ("2026-06-31", "file", 0)], [(ago(), 0)])
        change(path, "update orchestrator_events set kind = cast(x'66696cff' as text) where kind = ''")
        assert counts(await book.read(NOW)) == {"_other": (4, 4), "file": (1, 1), "email": (1, 1)}


async def test_a_success_of_the_future_ends_a_streak_now(path: Path) -> None:
    add(path, [(ago(minutes=5), "file", 0), (ago(minutes=-5), "file", 1), (ago(minutes=-6), "file", 0)])
    async with book_of(f"sqlite:///{path}") as book:
        account = await book.read(NOW)
    lane = account.lanes["file"]
    assert (lane.streak.length, account.streak.length) == (0, 0)
    assert lane.last_success == lane.last_failure == micros(NOW)
    assert account.mark == micros(NOW - timedelta(minutes=5))


async def test_no_more_of_the_future_is_read_than_is_counted(path: Path) -> None:
    async with book_of(f"sqlite:///{path}", rows=4000) as book:
        await book.read(NOW)
        add(path, [(ago(hours=-1), "file", 1)] * 20_000)
        account = await book.read(NOW)
        assert counts(account) == {"file": (10_000, 0)}
        assert (book.pages, book.rows) == (4, 12_000)


async def test_a_table_without_a_column_says_so(path: Path) -> None:
    async with book_of(f"sqlite:///{path}") as book:
        await book.read(NOW)
        change(path, "alter table orchestrator_emails rename column success to worked")
        with pytest.raises(SchemaMismatch, match="no such column: success"):
            await book.read(NOW)


def test_reads_go_through_the_index_of_times(path: Path) -> None:
    query: Any = SimpleNamespace(dialect="sqlite")
    for table in apart(query, TABLES):
        for place in (Place("2026"), Place("2026", "key")):
            with closing(sqlite3.connect(path)) as connection:
                asked = f"explain query plan {statement(table, place)} limit 9"
                steps = [step for *_, step in connection.execute(asked, {"at": "", "key": "", "last": ""})]
            bounds = "(ts>?)" if table.odd else "(ts>? AND ts<?)"
            assert all("USING INDEX ix_orchestrator_" in step and f"_ts {bounds}" in step for step in steps[:1])
            assert len(steps) == 2, steps  # the other sorts the rows of one instant, or those that are out of order
