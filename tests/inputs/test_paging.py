"""Pages over tables as plain lists: any page size gives every row once, and never one table far ahead of another."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exporter.core.finish import SECOND, Ask, Batch, Finish
from exporter.inputs.paging import Cursor, Kept, Place, Table, begin, key_text, moment, statement, turned

Rows = Sequence[tuple[int, int]]
"""Seconds of the epoch, and keys."""


def table(name: str) -> Table:
    return Table(f"select {name}", "k", "t", lambda row: Finish(f"{name}{row[0]}", row[2] * SECOND, name, ok=True))


class Tables:
    """What `Query` is to the pager, for two tables in memory."""

    dialect = "postgresql"

    def __init__(self, tables: dict[str, Rows], rows: int) -> None:
        self.tables = {name: sorted(rows) for name, rows in tables.items()}
        self.rows = rows

    def page(self, statement: str, most: int, /, **values: Any) -> list[tuple[Any, ...]]:
        assert most <= self.rows
        _, name, *_ = statement.split()
        found = [(key, moment(at * SECOND), at) for at, key in self.tables[name]]
        after = [row for row in found if (row[1], row[0]) > (values["at"], values.get("key", -1))]
        return after[:most]


ROWS = st.sets(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=40).map(list)


@given(one=ROWS, two=ROWS, most=st.integers(1, 9), floor=st.integers(0, 21))
def test_every_row_from_the_floor_on_comes_once_and_in_the_order_of_time(
    one: Rows, two: Rows, most: int, floor: int
) -> None:
    query: Any = Tables({"one": one, "two": two}, most)
    tables = [table("one"), table("two")]
    page = begin(tables, floor * SECOND + 999)
    seen: list[Finish] = []
    while not page.last:
        page = turned(query, tables, page.places)
        assert len(page.finishes) <= 2 * most
        assert not seen or not page.finishes or min(f.at for f in page.finishes) >= max(f.at for f in seen)
        seen += page.finishes
    assert sorted(each.key for each in seen) == sorted(
        f"{name}{key}" for name, rows in (("one", one), ("two", two)) for at, key in rows if at >= floor
    )


async def test_the_future_is_read_until_there_is_enough_of_it() -> None:
    query: Any = Tables({"one": [(at, at) for at in range(30_000)]}, 4000)

    async def read(work: Any) -> Any:
        return work(query)

    def never(*_: object) -> Batch:
        raise AssertionError

    kept = Kept(lambda _: [table("one")], never)
    pages = [batch async for batch in Cursor(read, kept).batches(Ask(now=5000 * SECOND, overlap=0, floor=0))]
    assert [len(page.finishes) for page in pages] == [4000] * 4
    assert pages[-1].finishes[-1].at == 15_999 * SECOND


async def test_an_account_is_opened_in_one_batch() -> None:
    async def read(work: Any) -> Any:
        return work("query")

    batch = Batch(())
    kept = Kept(lambda _: [], lambda query, ask: batch)
    assert [each async for each in Cursor(read, kept).batches(Ask(0, 0))] == [batch]


class Sqlite:
    """A database with one table; `odd` are its rows that are out of order, `looks` when it was asked for such."""

    dialect = "sqlite"
    rows = 10

    def __init__(self) -> None:
        self.now = 0
        self.odd: list[tuple[Any, ...]] = []
        self.looks: list[int] = []

    def page(self, statement: str, most: int, /, **values: Any) -> list[tuple[Any, ...]]:
        if "found.*" not in statement:
            return []
        self.looks.append(self.now)
        return self.odd

    async def read(self, work: Any) -> Any:
        return work(self)


async def looked(database: Sqlite, cursor: Cursor, minutes: Sequence[int]) -> list[int]:
    """The minutes at which a read looked for rows that are out of order; a finish may be ten minutes late."""
    database.looks.clear()
    for minute in minutes:
        database.now = minute
        ask = Ask(now=60 * minute * SECOND, overlap=600 * SECOND, floor=0)
        assert [batch async for batch in cursor.batches(ask)]
    return database.looks


async def test_rows_out_of_order_are_looked_for_rarely_until_there_are_some() -> None:
    database = Sqlite()
    cursor = Cursor(database.read, Kept(lambda _: [table("one")], lambda *_: Batch(())))
    assert await looked(database, cursor, [10, 10, 10, 11, 11, 12]) == [10, 11, 12]
    assert await looked(database, cursor, [5, 5, 6]) == [5, 6]  # the clock was put back
    database.odd = [("k", "2026", "k", "2026-", 1)]
    assert await looked(database, cursor, [6, 7, 7, 7]) == [7, 7, 7]
    database.odd = []
    assert await looked(database, cursor, [7, 7]) == [7, 7]


async def test_where_times_have_a_type_nothing_is_out_of_order() -> None:
    database = Sqlite()
    database.dialect = "mysql"
    cursor = Cursor(database.read, Kept(lambda _: [table("one")], lambda *_: Batch(())))
    assert await looked(database, cursor, [10, 12]) == []


def test_a_statement_has_no_row_value_and_no_key_before_the_first_row() -> None:
    plain = Table("select k, t from x", "k", "t", lambda _: None)
    only = Table("select k, t from x", "k", "t", lambda _: None, "ok = 1")
    assert statement(plain, Place(1)) == "select k, t from x where t >= :at and t <= :last order by t, k"
    assert statement(only, Place(1, 2)) == (
        "select k, t from x where t >= :at and (t > :at or k > :key) and t <= :last and ok = 1 order by t, k"
    )


def test_keys_as_people_read_them() -> None:
    assert [key_text("a"), key_text(7), key_text(b"\x0f\xff")] == ["a", "7", "0fff"]
