"""Changes of an SQLite database: whole or not at all, one after the other, within limits, and never a new file."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from threading import Event

import pytest

from exporter.core.errors import Malformed, Missing, ReadError, Refused, SchemaMismatch, TimedOut, TooLarge
from exporter.core.secret import Secret
from exporter.inputs.writing import WAITING, Change, Writing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "a b?.db"
    run(made, "create table things (id integer primary key, name text)")
    return made


def run(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def things(path: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select id, name from things order by id").fetchall()


@asynccontextmanager
async def opened(path: Path, seconds: float = 10) -> AsyncIterator[Writing]:
    made = Writing(Secret(f"sqlite:///{str(path).replace('?', '%3F')}"), seconds)
    try:
        yield made
    finally:
        await made.close()


def adding(name: str) -> "Added":
    return Added(name)


class Added:
    """A change that adds a thing, and gives its number."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, change: Change) -> int:
        return change.run("insert into things (name) values (:name)", name=self.name)


async def test_a_change_is_committed_and_tells_the_row_it_added(path: Path) -> None:
    async with opened(path) as writing:
        assert await writing.change(adding("a")) == 1
        assert await writing.change(adding("b")) == 2
        assert await writing.change(lambda change: change.rows("select name from things where id = :id", id=2)) == [
            ("b",)
        ]
    assert things(path) == [(1, "a"), (2, "b")]


async def test_what_fails_in_the_middle_is_undone(path: Path) -> None:
    def half(change: Change) -> None:
        change.run("insert into things (name) values ('half')")
        raise LookupError

    async with opened(path) as writing:
        with pytest.raises(LookupError):
            await writing.change(half)
        assert await writing.change(adding("whole")) == 1
    assert things(path) == [(1, "whole")]


async def test_changes_take_turns(path: Path) -> None:
    def once(change: Change) -> bool:
        if change.rows("select 1 from things"):
            return False
        change.run("insert into things (name) values ('first')")
        return True

    async with opened(path) as writing:
        done = await asyncio.gather(*(writing.change(once) for _ in range(16)))
    assert sorted(done) == [False] * 15 + [True]
    assert len(things(path)) == 1


async def test_two_processes_do_not_both_win(path: Path) -> None:
    """The lock is taken before the first look, not with the first row."""

    def look(change: Change) -> None:
        change.rows("select 1 from things")
        with closing(sqlite3.connect(path, timeout=0)) as other, pytest.raises(sqlite3.OperationalError, match="lock"):
            other.execute("insert into things (name) values ('other')")

    async with opened(path) as writing:
        await writing.change(look)
    assert things(path) == []


async def test_not_too_many_wait(path: Path) -> None:
    async with opened(path) as writing:
        found = await asyncio.gather(
            *(writing.change(adding(str(number))) for number in range(WAITING + 3)), return_exceptions=True
        )
    assert [type(each) for each in found].count(TooLarge) == 3
    assert len(things(path)) == WAITING


@pytest.mark.parametrize(
    ("script", "statement", "error"),
    [
        ("", "insert into nobody values (1)", SchemaMismatch),
        ("", "insert into things (nobody) values (1)", SchemaMismatch),
        (
            "alter table things add column needed not null default 1",
            "insert into things values (1, 'a', null)",
            SchemaMismatch,
        ),
    ],
)
async def test_errors_are_told_in_our_words(path: Path, script: str, statement: str, error: type[ReadError]) -> None:
    run(path, script)
    async with opened(path) as writing:
        with pytest.raises(error, match="a b"):
            await writing.change(lambda change: change.run(statement))


async def test_a_mistake_of_ours_is_no_read_error(path: Path) -> None:
    async with opened(path) as writing:
        with pytest.raises(sqlite3.OperationalError, match="syntax"):
            await writing.change(lambda change: change.run("insert things"))


async def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    async with opened(tmp_path / "none.db") as writing:
        with pytest.raises(Missing, match=r"none\.db: no such file"):
            await writing.change(adding("a"))
    assert not (tmp_path / "none.db").exists()


async def test_what_may_not_be_written_to_is_refused(tmp_path: Path) -> None:
    """A directory cannot be opened for anybody, root neither."""
    async with opened(tmp_path) as writing:
        with pytest.raises(Refused, match="may this user write to it"):
            await writing.change(adding("a"))


async def test_a_file_that_is_no_database_is_malformed(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("no database at all, but long enough to have a header of one" * 20)
    async with opened(path) as writing:
        with pytest.raises(Malformed):
            await writing.change(adding("a"))


async def test_a_lock_that_is_held_is_waited_for_and_told(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin exclusive")
        async with opened(path, seconds=0.2) as writing:
            with pytest.raises(TimedOut):
                await writing.change(adding("a"))
            other.execute("rollback")
    assert things(path) == []


async def test_what_nobody_waits_for_any_more_is_not_committed(path: Path) -> None:
    begun, go, over = Event(), Event(), Event()

    def slow(change: Change) -> None:
        change.run("insert into things (name) values ('late')")
        begun.set()
        go.wait()

    async with opened(path, seconds=0.2) as writing:
        with pytest.raises(TimedOut, match=r"not changed within 0\.2 s"):
            await writing.change(slow)
        assert begun.is_set()
        with pytest.raises(TimedOut):  # it has not returned
            await writing.change(adding("next"))
        go.set()
        while not over.is_set():
            try:
                assert await writing.change(adding("next")) == 1
                over.set()
            except TimedOut:
                continue
    assert things(path) == [(1, "next")]


async def test_a_statement_without_end_is_stopped(path: Path) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    async with opened(path, seconds=0.2) as writing:
        with pytest.raises(TimedOut):
            await writing.change(lambda change: change.rows(endless))


async def test_a_timeout_of_the_work_itself_is_no_timeout_of_ours(path: Path) -> None:
    def late(change: Change) -> None:
        raise TimeoutError("of its own")

    async with opened(path) as writing:
        with pytest.raises(TimeoutError, match="of its own"):
            await writing.change(late)
