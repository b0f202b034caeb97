"""SQLite, read while others write, lock, replace and spoil it; and URLs of every kind, which are never shown."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from exporter.core.errors import Malformed, Missing, Refused, SchemaMismatch, TimedOut, TooLarge, Unreachable
from exporter.core.secret import Secret
from exporter.inputs.dialects import url_problem
from exporter.inputs.sql import Database, Query, Row, naive
from tests.fakes import until
from tests.services import writing

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select"
NOBODY = 65534


@asynccontextmanager
async def opened(url: str | Path, within: float = 10.0, rows: int = 1000) -> AsyncIterator[Database]:
    database = Database(Secret(url if isinstance(url, str) else f"sqlite:///{quote(str(url))}"), within, rows)
    try:
        yield database
    finally:
        await database.close()


def change(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        connection.executescript(script)
    return path


def content(path: Path) -> bytes:
    return path.read_bytes()


def put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def allow(path: Path, mode: int) -> None:
    path.chmod(mode)


def files() -> int:
    """How many this process has open."""
    return len([*Path("/proc/self/fd").iterdir()])


def asking(statement: str, **values: Any) -> Callable[[Query], list[Row]]:
    return lambda query: query(statement, **values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return change(tmp_path / "a.db", "create table t (a, b); insert into t values (1, 'x'), (2, null)")


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """One that every user may enter."""
    found = Path(tempfile.mkdtemp())
    found.chmod(0o755)
    yield found
    shutil.rmtree(found)


# what is read


async def test_rows_are_tuples(path: Path) -> None:
    async with opened(path) as database:
        assert await database.read(asking("select * from t order by a")) == [(1, "x"), (2, None)]
        assert {type(row) for row in await database.read(asking("select * from t"))} == {tuple}


async def test_values_are_bound_and_times_have_the_stored_shape(path: Path) -> None:
    at = naive(1781524800.0)
    async with opened(path) as database:
        assert await database.read(asking("select :at, :a, typeof(:at)", at=at, a="it's")) == [
            ("2026-06-15 12:00:00.000000", "it's", "text")
        ]


async def test_a_statement_says_which_dialect_it_is_in(path: Path) -> None:
    async with opened(path) as database:
        assert await database.read(lambda query: query.dialect) == "sqlite"


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001  # naive is the point
def test_times_come_through_seconds_to_the_microsecond(at: datetime) -> None:
    assert naive(at.replace(tzinfo=UTC).timestamp()) == at


async def test_text_that_is_not_utf8_is_text_still(path: Path) -> None:
    change(path, "insert into t values (3, cast(x'ff61' as text))")
    async with opened(path) as database:
        assert await database.read(asking("select b from t where a = 3")) == [("\udcffa",)]


@pytest.mark.parametrize("name", ["with space.db", "50%.db", "a?b#c.db", "ümlaut.db", "%41.db", "a@b:c.db"])
async def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    change(tmp_path / name, "create table t (a)")
    async with opened(tmp_path / name) as database:
        assert await database.read(asking("select * from t")) == []
        assert database.describe() == f"sqlite:///{tmp_path}/{name}"


async def test_what_work_raises_passes_through_and_the_next_read_is_well(path: Path) -> None:
    def work(query: Query) -> None:
        query("select 1")
        raise KeyError("a bug")

    async with opened(path) as database:
        with pytest.raises(KeyError, match="a bug"):
            await database.read(work)
        assert await database.read(asking("select 1")) == [(1,)]


async def test_a_wrong_statement_is_a_bug(path: Path) -> None:
    async with opened(path) as database:
        with pytest.raises(OperationalError, match="syntax"):
            await database.read(asking("selct 1"))


# beside those who write


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_reading_changes_nothing(path: Path, journal: str) -> None:
    change(path, f"pragma journal_mode = {journal}")
    before = content(path)
    async with opened(path) as database:
        assert await database.read(asking("select query_only from pragma_query_only")) == [(1,)]
    assert content(path) == before


WRITER = """
import sqlite3, sys
path, journal = sys.argv[1:]
connection = sqlite3.connect(path, timeout=30, isolation_level=None)
connection.execute(f"pragma journal_mode = {journal}")
connection.execute("pragma synchronous = off")
number = 0
print("writing", flush=True)
while True:
    number += 1
    connection.execute("begin immediate")
    connection.execute("insert into pairs values (?, 'left')", (number,))
    connection.execute("insert into pairs values (?, 'right')", (number,))
    connection.execute("commit")
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_every_read_is_one_moment_while_another_process_writes(tmp_path: Path, journal: str) -> None:
    path = change(tmp_path / "live.db", "create table pairs (number, side)")

    def both(query: Query) -> tuple[int, int]:
        ((left,),) = query("select count(*) from pairs where side = 'left'")
        ((right,),) = query("select count(*) from pairs where side = 'right'")
        return left, right

    with writing(WRITER, str(path), journal):
        async with opened(path) as database:
            seen = [await database.read(both) for _ in range(100)]
            while seen[-1] == seen[0]:
                seen.append(await database.read(both))
    assert all(left == right for left, right in seen)
    assert seen == sorted(seen)


async def test_a_lock_is_waited_for_no_longer_than_the_limit(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        async with opened(path, within=2.0) as database:
            other.execute("begin exclusive")
            with pytest.raises(TimedOut, match=r"a\.db: still locked by another process after 1\.8 s"):
                await database.read(asking("select * from t"))
            other.execute("commit")
            assert len(await database.read(asking("select * from t"))) == 2


async def test_a_lock_that_goes_in_time_is_no_failure(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin exclusive")
        async with opened(path) as database:
            reading = asyncio.create_task(database.read(asking("select count(*) from t")))
            await asyncio.sleep(0)
            other.execute("commit")
            assert await reading == [(2,)]


def as_nobody(path: Path, statement: str = "select count(*) from t") -> str:
    """What a user without rights gets of a database: rows, or the reason and message of its failure."""
    program = f"""
import asyncio
from exporter.core.errors import ReadError
from exporter.core.secret import Secret
from exporter.inputs.sql import Database

async def main():
    database = Database(Secret("sqlite:///{path}"), 10, 10)
    try:
        print(await database.read(lambda query: query({statement!r})))
    except ReadError as error:
        print(error.reason, error)
    await database.close()

if __import__("os").geteuid() == 0:
    __import__("os").setuid({NOBODY})
asyncio.run(main())
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return found.stdout.strip()


def given_away(path: Path) -> None:
    """Takes this user's rights away, where this is not root, who has them always."""
    path.chmod(path.stat().st_mode & 0o7555)


async def test_a_wal_that_was_closed_cleanly_needs_a_directory_to_write_in(open_directory: Path) -> None:
    path = change(open_directory / "a.db", "pragma journal_mode = wal; create table t (a)")
    path.chmod(0o644)
    given_away(open_directory)
    assert as_nobody(path) == (
        f"refused {path}: it is in WAL mode without its -wal and -shm files, which this user may not make in "
        f"{open_directory}: let the user write there, or wait until its application runs"
    )
    allow(open_directory, 0o755)
    with closing(sqlite3.connect(path)) as application:
        application.execute("insert into t values (1)")
        application.commit()
        given_away(open_directory)
        assert as_nobody(path) == "[(1,)]"
    allow(open_directory, 0o755)


def died_while_writing(path: Path) -> None:
    """Another process dies in the midst of a transaction that has reached the file."""
    program = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('pragma cache_size = 1');"
        "c.executemany('insert into t values (?)', [('x' * 5000,)] * 100); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    assert Path(f"{path}-journal").stat().st_size > 0


async def test_a_journal_that_a_dead_writer_left_is_not_ours_to_roll_back(tmp_path: Path) -> None:
    path = change(tmp_path / "a.db", "create table t (a); insert into t values (1)")
    died_while_writing(path)
    async with opened(path) as database:
        with pytest.raises(Refused, match="a writer died and left a journal to roll back"):
            await database.read(asking("select count(*) from t"))
        change(path, "select 1 from t")
        assert await database.read(asking("select count(*) from t")) == [(1,)]


# files that are not what they should be


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        with pytest.raises(Missing, match=r"a\.db: no such file"):
            await database.read(asking("select 1"))
        assert not (tmp_path / "a.db").exists()


async def test_a_file_that_comes_goes_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as database:
        for number in (1, 2):
            with pytest.raises(Missing):
                await database.read(asking("select 1"))
            change(path, f"create table t (a); insert into t values ({number})")
            assert await database.read(asking("select a from t")) == [(number,)]
            path.unlink()


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_a_file_that_takes_its_place_is_read(path: Path, tmp_path: Path, journal: str) -> None:
    change(path, f"pragma journal_mode = {journal}")
    async with opened(path) as database:
        assert len(await database.read(asking("select * from t"))) == 2
        change(tmp_path / "new", "create table t (a); insert into t values (7)").rename(path)
        assert await database.read(asking("select * from t")) == [(7,)]


@pytest.mark.parametrize("content", [b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.db").write_bytes(content)
    async with opened(tmp_path / "a.db") as database:
        with pytest.raises(Malformed, match=r"a\.db: (file is not a database|.*malformed)"):
            await database.read(asking("select 1 from sqlite_master"))


async def test_a_file_with_a_spoilt_page(path: Path) -> None:
    change(path, f"insert into t {ENDLESS} i, hex(randomblob(500)) from n limit 100")
    whole = content(path)
    put(path, whole[:4096] + b"\xff" * (len(whole) - 4096))
    async with opened(path) as database:
        with pytest.raises(Malformed, match=r"a\.db: database disk image is malformed"):
            await database.read(asking("select count(b) from t"))
        put(path, whole)
        assert await database.read(asking("select count(*) from t")) == [(102,)]


async def test_an_empty_file_has_no_tables(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    async with opened(tmp_path / "a.db") as database:
        with pytest.raises(SchemaMismatch, match="no such table: t"):
            await database.read(asking("select * from t"))


async def test_a_directory_is_no_database(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        with pytest.raises(Malformed, match=": not a file"):
            await database.read(asking("select 1"))


async def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.db")
    async with opened(tmp_path / "a.db") as database:
        with pytest.raises(Malformed, match=": not a file"):
            await database.read(asking("select 1"))


async def test_a_file_below_a_file(path: Path) -> None:
    async with opened(path / "b.db") as database:
        with pytest.raises(Missing, match="no such file"):
            await database.read(asking("select 1"))


async def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    async with opened(tmp_path / ("x" * 300)) as database:
        with pytest.raises(Unreachable, match="File name too long"):
            await database.read(asking("select 1"))


async def test_files_that_others_may_not_read(open_directory: Path) -> None:
    inner = open_directory / "inner"
    inner.mkdir()
    path = change(inner / "a.db", "create table t (a)")
    path.chmod(0o000)
    assert as_nobody(path) == (
        f"refused {path}: unable to open database file: it is there, but may this user read it and enter its directory?"
    )
    inner.chmod(0o000)
    assert as_nobody(path) == f"refused {path}: Permission denied"
    inner.chmod(0o700)


@pytest.mark.parametrize(
    ("statement", "message"),
    [("select 1 from nix", "no such table: nix"), ("select nix from t", "no such column: nix")],
)
async def test_what_the_schema_lacks_is_named(path: Path, statement: str, message: str) -> None:
    async with opened(path) as database:
        with pytest.raises(SchemaMismatch, match=rf"a\.db: {message}"):
            await database.read(asking(statement))
        change(path, "create table nix (a); alter table t add nix")
        assert len(await database.read(asking(statement))) in (0, 2)


# limits


async def test_a_query_of_endless_rows_is_ended_at_the_first_too_many(path: Path) -> None:
    async with opened(path, rows=3) as database:
        assert await database.read(asking("select value from json_each('[1, 2, 3]')")) == [(1,), (2,), (3,)]
        with pytest.raises(TooLarge, match=r"a\.db: a query gave more than 3 rows \(limits\.rows_per_query\)"):
            await database.read(asking(f"{ENDLESS} i from n"))


async def test_a_query_that_never_ends_is_stopped(path: Path) -> None:
    threads = {*threading.enumerate()}
    async with opened(path, within=2.0) as database:
        with pytest.raises(TimedOut, match=r"a\.db: a query took longer than 1\.8 s and was stopped"):
            await database.read(asking(f"{ENDLESS} max(i) from n"))
        assert await database.read(asking("select 1")) == [(1,)]
        assert len({*threading.enumerate()} - threads) == 1


async def test_many_short_queries_are_stopped_too(path: Path) -> None:
    def work(query: Query) -> None:
        while True:
            query("select 1")

    async with opened(path, within=2.0) as database:
        with pytest.raises(TimedOut, match="the time of the read was over before its last statement"):
            await database.read(work)


async def test_work_that_hangs_is_given_up_and_not_begun_again(path: Path) -> None:
    gate, threads = threading.Event(), {*threading.enumerate()}
    async with opened(path, within=0.05) as database:
        with pytest.raises(TimedOut, match=r"a\.db: no answer within 0.05 s"):
            await database.read(lambda _: gate.wait())
        with pytest.raises(TimedOut, match="the previous read has not returned"):
            await database.read(asking("select 1"))
        assert len({*threading.enumerate()} - threads) == 1
        gate.set()
        assert await again(database, asking("select 1")) == [(1,)]


async def again(database: Database, work: Callable[[Query], list[Row]]) -> list[Row]:
    """What the database gives once the read before has returned."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await database.read(work)
            except TimedOut:
                await asyncio.sleep(0)


async def test_a_read_that_is_cancelled_leaves_the_database_usable(path: Path) -> None:
    begun = threading.Event()

    def work(query: Query) -> list[Row]:
        begun.set()
        return query(f"{ENDLESS} max(i) from n")

    async with opened(path, within=3600) as database:
        reading = asyncio.create_task(database.read(work))
        await until(begun.is_set)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await again(database, asking("select 1")) == [(1,)]


async def test_a_timeout_of_the_works_own_is_not_taken_for_ours(path: Path) -> None:
    def work(query: Query) -> None:
        raise TimeoutError("the work's own")

    async with opened(path) as database:
        with pytest.raises(TimeoutError, match="the work's own"):
            await database.read(work)


async def test_closing_leaves_neither_files_nor_threads(path: Path) -> None:
    threads, before = {*threading.enumerate()}, files()
    for _ in range(200):
        async with opened(path) as database:
            await database.read(asking("select 1"))
    await until(lambda: {*threading.enumerate()} <= threads)
    assert files() <= before


async def test_closing_while_a_read_is_stuck_ends_both_when_it_returns(path: Path) -> None:
    gate, threads, before = threading.Event(), {*threading.enumerate()}, files()
    database = Database(Secret(f"sqlite:///{path}"), 0.05, 10)
    with pytest.raises(TimedOut):
        await database.read(lambda _: gate.wait())
    await database.close()
    gate.set()
    await until(lambda: {*threading.enumerate()} <= threads)
    assert files() <= before


# URLs


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:////var/lib/a.db", "sqlite:////var/lib/a.db"),
        ("sqlite+aiosqlite:///a.db", "sqlite:///a.db"),
        ("postgres://u:secret@db.example:5433/n?sslmode=require", "postgres://db.example:5433/n"),
        ("postgresql+asyncpg://u:secret@db.example/n?ssl=require", "postgresql://db.example/n"),
        ("postgresql://u:p%40ss%2Fsecret@[::1]:5432/n", "postgresql://[::1]:5432/n"),
        ("postgresql:///n?host=/run/postgresql&password=secret", "postgresql://localhost/n"),
        ("mysql+aiomysql://u:secret@db.example/n?charset=utf8", "mysql://db.example/n"),
        ("mariadb://u:secret@db.example:3306/n", "mariadb://db.example:3306/n"),
        ("mariadb+asyncmy://u:secret/:#?secret@db.example/n", "mariadb://db.example/n"),
    ],
)
def test_a_place_says_nothing_of_users_and_parameters(url: str, place: str) -> None:
    assert url_problem(Secret(url)) is None
    database = Database(Secret(url), 10, 10)
    assert database.describe() == place
    assert "secret" not in repr(database)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "expected a database URL such as sqlite:"),
        ("secret", "expected a database URL such as sqlite:"),
        ("postgresql://u:secret@h:secret/n", "expected a database URL such as sqlite:"),
        ("oracle://u:secret@h/n", "expected a URL of sqlite, postgresql, mysql or mariadb, found 'oracle'"),
        ("sqlite://", "expected the path of a file"),
        ("sqlite:///:memory:", "expected the path of a file"),
        ("postgresql://u:sec@ret@h/n", "expected no @ but the one before the host; in a user's name or password"),
        ("postgresql://u/s:secret@h/n", "expected no @ but the one before the host; in a user's name or password"),
        ("mysql://u:secret@h", "expected the name of a database, as in mysql://user@host/name"),
        ("mysql://u:secret@h/", "expected the name of a database, as in mysql://user@host/name"),
    ],
)
def test_a_url_that_cannot_be_used_says_why_and_nothing_else(url: str, problem: str) -> None:
    found = url_problem(Secret(url))
    assert found is not None
    assert found.startswith(problem)
    assert "secret" not in found


@given(st.sampled_from(["postgresql", "mysql", "sqlite"]), st.text(st.characters(codec="utf-8"), min_size=8))
@example("postgresql", "p@ssword:1/with?all#of%it")
@example("mysql", "12345678@h/x")
def test_no_part_of_a_password_is_ever_taken_for_anything_else(scheme: str, password: str) -> None:
    unlike = f"\u2603{password}\u2603"
    for written in (unlike, quote(unlike, safe="")):
        url = Secret(f"{scheme}://user:{written}@host/name")
        if url_problem(url) is None:
            assert "\u2603" not in Database(url, 10, 10).describe()


@pytest.mark.parametrize(
    ("url", "package", "extra"),
    [("postgresql://h/n", "psycopg", "postgres"), ("mariadb://h/n", "pymysql", "mysql")],
)
async def test_a_driver_that_is_not_there_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, url: str, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert url_problem(Secret(url)) == f"needs the package {package}: pip install 'studio-exporter[{extra}]'"
    async with opened(url) as database:
        with pytest.raises(Unreachable, match=f"its driver cannot be used: .*{package}"):
            await database.read(asking("select 1"))


def test_drivers_are_imported_only_where_they_are_used() -> None:
    program = """
import sys
from exporter.core.secret import Secret
from exporter.inputs.sql import Database
for url in ("sqlite:///a.db", "postgresql://u:p@h/n", "mysql://u:p@h/n"):
    Database(Secret(url), 10, 10)
print(sorted({"psycopg", "pymysql"} & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_what_is_said_of_a_failure_holds_no_secret(
    scheme: str, unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"{scheme}://someone:hunter2-secret@127.0.0.1:{unused_tcp_port}/n?password=hunter2-secret"
    async with opened(url) as database:
        with pytest.raises(Unreachable, match="refused") as caught:
            await database.read(asking("select 1"))
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(caught.value)
    assert "hunter2" not in told
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
