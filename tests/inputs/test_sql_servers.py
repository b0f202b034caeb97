"""PostgreSQL and MariaDB as they are, and as they hang, restart, lock, refuse and go away."""

import asyncio
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from exporter.core.errors import Malformed, Missing, Refused, SchemaMismatch, TimedOut, TooLarge, Unreachable
from exporter.core.secret import Secret
from exporter.inputs.sql import Database, Query, Row, naive
from tests.fakes import until
from tests.services import SERVERS, Server, Wire, connected, execute, mute, own_database, wired

SECRET = "hunter2-secret"
SCHEME = {"postgresql": "postgresql", "mariadb": "mariadb"}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.param
    return found


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    with own_database(server) as url:
        execute(url, "create table t (a int, b varchar(20))", "insert into t values (1, 'x'), (2, null)")
        yield url


@asynccontextmanager
async def opened(url: str, within: float = 10.0, rows: int = 1000) -> AsyncIterator[Database]:
    database = Database(Secret(url), within, rows)
    try:
        yield database
    finally:
        await database.close()


def asking(statement: str, **values: Any) -> Callable[[Query], list[Row]]:
    return lambda query: query(statement, **values)


ALL = asking("select a, b from t order by a")
ROWS = [(1, "x"), (2, None)]


async def again(database: Database, work: Callable[[Query], list[Row]]) -> list[Row]:
    """What the database gives once it can."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await database.read(work)
            except (TimedOut, Unreachable):
                await asyncio.sleep(0)


# what is read


async def test_rows_are_tuples(url: str) -> None:
    async with opened(url) as database:
        assert await database.read(ALL) == ROWS
        assert {type(row) for row in await database.read(ALL)} == {tuple}


async def test_a_statement_says_which_dialect_it_is_in(server: Server, url: str) -> None:
    async with opened(url) as database:
        assert await database.read(lambda query: query.dialect) == {"postgresql": server, "mariadb": "mysql"}[server]


@pytest.mark.parametrize("suffix", ["+asyncpg", "+psycopg2", ""])
async def test_suffixes_of_other_drivers_of_postgresql_are_accepted(suffix: str) -> None:
    with own_database("postgresql") as url:
        async with opened(
            url.replace("postgresql:", f"postgresql{suffix}:") + ("?ssl=prefer" if suffix == "+asyncpg" else "")
        ) as database:
            assert await database.read(asking("select 1")) == [(1,)]


@pytest.mark.parametrize("scheme", ["mysql+aiomysql", "mysql+asyncmy", "mariadb", "mariadb+mariadbconnector"])
async def test_suffixes_of_other_drivers_of_mariadb_are_accepted(scheme: str) -> None:
    with own_database("mariadb") as url:
        async with opened(url.replace("mysql:", f"{scheme}:") + "?charset=latin1&autocommit=true") as database:
            assert await database.read(asking("select '☃'")) == [("☃",)]
            assert database.describe() == f"{scheme.split('+')[0]}://127.0.0.1:3306/{make_url(url).database}"


async def test_times_are_utc(server: Server, url: str) -> None:
    at = naive(1781524800.25)
    kind = {"postgresql": "timestamp(6)", "mariadb": "datetime(6)"}[server]
    execute(url, f"create table times (at {kind})", "insert into times values ('2026-06-15 12:00:00.25')")
    zone = {"postgresql": "select current_setting('timezone')", "mariadb": "select @@time_zone"}[server]
    async with opened(url) as database:
        assert await database.read(asking("select at from times where at = :at", at=at)) == [(at,)]
        assert await database.read(asking(zone)) in ([("UTC",)], [("+00:00",)])


async def test_times_that_python_has_no_room_for_are_null() -> None:
    with own_database("postgresql") as url:
        async with opened(url) as database:
            odd = (
                "select 'infinity'::timestamp, '-infinity'::timestamptz, '0044-03-15 BC'::date, '2026-06-15'::timestamp"
            )
            assert await database.read(asking(odd)) == [(None, None, None, naive(1781481600.0))]


async def test_text_of_a_database_without_an_encoding() -> None:
    with own_database("postgresql") as url:
        name = make_url(url).database
        execute(
            url.replace(f"/{name}", "/postgres"),
            f"drop database {name}",
            f"create database {name} encoding sql_ascii template template0 lc_collate 'C' lc_ctype 'C'",
        )
        clear = f"{url}?client_encoding=utf8"
        execute(clear, "create table t (a text)", "insert into t values ('\u2603')")
        async with opened(url) as database:
            assert await database.read(asking("select a from t")) == [("\u2603",)]
            execute(clear, "insert into t values (E'\\xff')")
            with pytest.raises(Malformed, match="invalid byte sequence"):
                await database.read(asking("select a from t"))


async def test_all_statements_of_a_read_see_one_moment(url: str) -> None:
    def work(query: Query) -> tuple[list[Row], list[Row]]:
        before = query("select count(*) from t")
        execute(url, "insert into t values (3, 'y')", "create table later (a int)")
        return before, query("select count(*) from t")

    async with opened(url) as database:
        assert await database.read(work) == ([(2,)], [(2,)])
        assert await database.read(asking("select count(*) from t")) == [(3,)]


async def test_nothing_can_be_written(server: Server, url: str) -> None:
    writing = {
        "postgresql": ("create sequence s", "select nextval('s')"),
        "mariadb": ("create sequence s", "select nextval(s)"),
    }[server]
    execute(url, writing[0])
    async with opened(url) as database:
        with pytest.raises(DBAPIError, match=r"(?i)read.only transaction"):
            await database.read(asking(writing[1]))
        assert await database.read(ALL) == ROWS


async def test_nothing_is_held_between_reads(server: Server, url: str) -> None:
    async with opened(url) as database:
        await database.read(ALL)
        with connected(url) as other:
            if server == "mariadb":
                other.exec_driver_sql("set lock_wait_timeout = 1")
            other.exec_driver_sql("drop table t")


async def test_what_a_pooler_would_hand_on_has_no_limits_of_ours() -> None:
    with own_database("postgresql") as url:
        async with opened(url) as database:
            await database.read(asking("select 1"))
            ours = "select application_name, state, query from pg_stat_activity where datname = current_database()"
            seen = execute(url, ours + " and application_name = 'studio-exporter'")
            assert [(name, state) for name, state, _ in seen] == [("studio-exporter", "idle")]

            def settings(query: Query) -> list[Row]:
                return query("select current_setting('statement_timeout'), current_setting('lock_timeout')")

            assert await database.read(settings) == [("9s", "9s")]
            connection = database._connection
            assert connection is not None
            left = connection.exec_driver_sql("show statement_timeout").scalar()
            assert left == execute(url, "show statement_timeout")[0][0]


# limits


SLOW = {
    "postgresql": "select count(*) from generate_series(1, 1000000000) a",
    "mariadb": "select count(*) from seq_1_to_1000000 a, seq_1_to_1000000 b where a.seq + b.seq < 0",
}
RUNNING = {
    "postgresql": "select count(*) from pg_stat_activity where datname = current_database() "
    "and state = 'active' and pid <> pg_backend_pid()",
    "mariadb": "select count(*) from information_schema.processlist where db = database() "
    "and info is not null and id <> connection_id()",
}


async def test_a_slow_query_is_stopped_in_the_server(server: Server, url: str) -> None:
    threads = {*threading.enumerate()}
    async with opened(url, within=2.0) as database:
        with pytest.raises(TimedOut, match=r"statement timeout|max_statement_time exceeded"):
            await database.read(asking(SLOW[server]))
        assert execute(url, RUNNING[server]) == [(0,)]
        assert await database.read(ALL) == ROWS
        assert len({*threading.enumerate()} - threads) == 1


async def test_a_read_that_is_cancelled_frees_the_thread(server: Server, url: str) -> None:
    begun = threading.Event()

    def work(query: Query) -> list[Row]:
        begun.set()
        return query(SLOW[server])

    async with opened(url, within=2.0) as database:
        reading = asyncio.create_task(database.read(work))
        await until(begun.is_set)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await again(database, ALL) == ROWS


@contextmanager
def locked(server: Server, url: str) -> Iterator[None]:
    """The table, for anybody else."""
    with connected(url) as other:
        if server == "postgresql":
            other.exec_driver_sql("begin")
            other.exec_driver_sql("lock table t in access exclusive mode")
        else:
            other.exec_driver_sql("lock tables t write")
        yield


async def test_a_lock_is_waited_for_no_longer_than_the_limit(server: Server, url: str) -> None:
    async with opened(url, within=0.5) as database:
        assert await database.read(ALL) == ROWS
        with locked(server, url), pytest.raises(TimedOut):
            await database.read(ALL)
        assert await again(database, ALL) == ROWS


async def test_a_query_of_too_many_rows_is_ended_at_the_first_too_many(server: Server, url: str) -> None:
    many = {
        "postgresql": "select generate_series(1, 100000000)",
        "mariadb": "select seq from seq_1_to_100000000",
    }
    async with opened(url, rows=3) as database:
        with pytest.raises(TooLarge, match=r"/studio_.*: a query gave more than 3 rows \(limits.rows_per_query\)"):
            await database.read(asking(many[server]))
        assert await database.read(ALL) == ROWS


# what is refused or missing


@pytest.mark.parametrize(
    ("statement", "names"),
    [("select 1 from nix", r"nix"), ("select nix from t", "nix"), ("select t.nix from t", "nix")],
)
async def test_what_the_schema_lacks_is_named(url: str, statement: str, names: str) -> None:
    async with opened(url) as database:
        with pytest.raises(SchemaMismatch, match=names):
            await database.read(asking(statement))
        execute(url, "create table nix (a int)", "alter table t add nix int")
        assert len(await database.read(asking(statement))) in (0, 2)


async def test_a_wrong_statement_is_a_bug(url: str) -> None:
    async with opened(url) as database:
        with pytest.raises(DBAPIError, match="syntax"):
            await database.read(asking("selct 1"))


async def test_a_database_that_is_not_there(url: str) -> None:
    async with opened(f"{url}_not") as database:
        with pytest.raises(Missing, match=r"(does not exist|Unknown database)"):
            await database.read(ALL)


@contextmanager
def user(server: Server, url: str) -> Iterator[str]:
    """The URL with a user who may enter the database, and nothing else."""
    name = f"studio_{uuid4().hex[:12]}"
    make, drop = {
        "postgresql": (f"create role {name} login password '{SECRET}'", f"drop role {name}"),
        "mariadb": (f"create user {name} identified by '{SECRET}'", f"drop user {name}"),
    }[server]
    execute(url, make)
    try:
        if server == "mariadb":
            execute(url, f"grant create view on {make_url(url).database}.* to {name}")
        yield make_url(url).set(username=name, password=SECRET).render_as_string(hide_password=False)
    finally:
        execute(url, drop)


async def test_a_table_that_the_user_may_not_read(server: Server, url: str) -> None:
    with user(server, url) as limited:
        async with opened(limited) as database:
            with pytest.raises(Refused, match=r"(permission denied for table t|SELECT command denied)") as caught:
                await database.read(ALL)
            assert SECRET not in told(caught.value)
            execute(url, f"grant select on t to {make_url(limited).username}")
            assert await database.read(ALL) == ROWS
            execute(url, f"revoke select on t from {make_url(limited).username}")


async def test_a_user_that_is_not_let_in(server: Server, url: str) -> None:
    stranger = make_url(url).set(username="studio_nobody", password=SECRET).render_as_string(hide_password=False)
    async with opened(stranger) as database:
        with pytest.raises(Refused, match=r"(does not exist|authentication failed|Access denied)") as caught:
            await database.read(ALL)
    assert SECRET not in told(caught.value)


def told(error: BaseException) -> str:
    """All that could be printed of an error."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)


async def test_a_wrong_password(server: Server) -> None:
    """PostgreSQL may be set up to trust everybody, so that here a server says no by hand."""
    if server == "mariadb":
        with own_database(server) as url, user(server, url) as limited:
            await refused(limited.replace(SECRET, f"{SECRET}-no"))
    else:
        async with saying_no() as port:
            await refused(f"postgresql://someone:{SECRET}-no@127.0.0.1:{port}/name")


async def refused(url: str) -> None:
    async with opened(url) as database:
        with pytest.raises(Refused, match=r"(password authentication failed|Access denied)") as caught:
            await database.read(ALL)
    assert SECRET not in told(caught.value)


@asynccontextmanager
async def saying_no() -> AsyncIterator[int]:
    """A server of PostgreSQL's protocol that asks for a password and does not like it."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            length = int.from_bytes(await reader.readexactly(4))
            body = await reader.readexactly(length - 4)
            if int.from_bytes(body[:4]) == 3 << 16:
                break
            writer.write(b"N")  # neither TLS nor GSSAPI
        writer.write(b"R" + (8).to_bytes(4) + (3).to_bytes(4))
        await reader.readexactly(1)
        await reader.readexactly(int.from_bytes(await reader.readexactly(4)) - 4)
        no = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "someone"\0\0'
        writer.write(b"E" + (len(no) + 4).to_bytes(4) + no)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


# networks, and servers that come and go


END_ALL = {
    "postgresql": "select count(pg_terminate_backend(pid)) from pg_stat_activity "
    "where datname = current_database() and pid <> pg_backend_pid()",
    "mariadb": "select id from information_schema.processlist where db = database() and id <> connection_id()",
}


def end_all(server: Server, url: str) -> None:
    """Ends every other connection to the database, as a restart does."""
    rows = execute(url, END_ALL[server])
    if server == "mariadb":
        execute(url, *(f"kill {number}" for (number,) in rows))
    else:
        assert rows == [(1,)]


async def test_a_server_that_was_restarted_between_reads_is_read_at_once(server: Server, url: str) -> None:
    async with opened(url) as database:
        for _ in range(3):
            assert await database.read(ALL) == ROWS
            end_all(server, url)


async def test_a_wire_that_was_cut_between_reads_is_no_failure(url: str) -> None:
    async with wired(url) as wire, opened(wire.url(url)) as database:
        assert await database.read(ALL) == ROWS
        wire.cut()
        wire.mend()
        assert await database.read(ALL) == ROWS
        assert wire.accepted == 2


async def test_a_server_that_is_away_is_tried_once_each_read(url: str) -> None:
    async with wired(url) as wire, opened(wire.url(url)) as database:
        assert await database.read(ALL) == ROWS
        wire.cut()
        for accepted in (2, 3):
            with pytest.raises(Unreachable):
                await database.read(ALL)
            assert wire.accepted == accepted
        wire.mend()
        assert await database.read(ALL) == ROWS


async def test_a_connection_that_ends_in_the_midst_of_a_read(server: Server, url: str) -> None:
    def work(query: Query) -> list[Row]:
        end_all(server, url)
        return query("select 1")

    async with opened(url) as database:
        with pytest.raises(Unreachable):
            await database.read(work)
        assert await database.read(ALL) == ROWS


async def test_a_server_that_accepts_and_says_nothing(server: Server) -> None:
    threads = {*threading.enumerate()}
    async with mute() as port, opened(f"{SCHEME[server]}://u:{SECRET}@127.0.0.1:{port}/n", within=0.1) as database:
        with pytest.raises(TimedOut, match=r"/n: no answer within 0.1 s"):
            await database.read(ALL)
        with pytest.raises(TimedOut, match="the previous read has not returned") as caught:
            await database.read(ALL)
        assert SECRET not in told(caught.value)
        assert len({*threading.enumerate()} - threads) == 1


async def test_the_thread_of_a_mute_server_is_freed(server: Server) -> None:
    async with mute() as port, opened(f"{SCHEME[server]}://u:{SECRET}@127.0.0.1:{port}/n", within=0.1) as database:
        said = ""
        async with asyncio.timeout(30):
            while "previous" not in said:
                said = await failure(database)
            while "previous" in said:
                said = await failure(database)


async def failure(database: Database) -> str:
    with pytest.raises(TimedOut) as caught:
        await database.read(ALL)
    await asyncio.sleep(0)
    return str(caught.value)


async def silence(wire: Wire) -> None:
    """Nothing gets through any more by the time it returns."""
    wire.freeze()


async def test_a_server_that_falls_silent_between_two_statements(url: str) -> None:
    threads, loop = {*threading.enumerate()}, asyncio.get_running_loop()

    async with wired(url) as wire:

        def work(query: Query) -> list[Row]:
            query("select 1")
            asyncio.run_coroutine_threadsafe(silence(wire), loop).result()
            return query("select 2")

        async with opened(wire.url(url), within=0.3) as database:
            with pytest.raises(TimedOut, match=r"no answer within 0\.3 s"):
                await database.read(work)
            wire.thaw()
            assert await again(database, ALL) == ROWS
            assert len({*threading.enumerate()} - threads) == 1


async def test_the_thread_of_a_server_that_fell_silent_is_freed(url: str) -> None:
    async with wired(url) as wire, opened(wire.url(url), within=0.3) as database:
        assert await database.read(ALL) == ROWS
        wire.freeze()
        assert "no answer within 0.3 s" in await failure(database)
        async with asyncio.timeout(30):
            while "previous" in await failure(database):
                pass


async def test_a_bug_is_not_kept_waiting_by_a_server_that_fell_silent(url: str) -> None:
    loop = asyncio.get_running_loop()
    async with wired(url) as wire:

        def work(query: Query) -> None:
            query("select 1")
            asyncio.run_coroutine_threadsafe(silence(wire), loop).result()
            raise KeyError("a bug")

        async with opened(wire.url(url), within=5.0) as database:
            with pytest.raises(KeyError, match="a bug"):
                await database.read(work)
            wire.thaw()


async def test_the_loop_goes_on_while_a_server_is_silent(url: str) -> None:
    async with wired(url) as wire, opened(wire.url(url), within=0.3) as database:
        await database.read(ALL)
        wire.freeze()
        reading = asyncio.create_task(database.read(ALL))
        turns = 0
        while not reading.done():
            turns += 1
            await asyncio.sleep(0)
        assert turns > 1000
        assert isinstance(reading.exception(), TimedOut)
        wire.thaw()


async def test_closing_says_goodbye(server: Server, url: str) -> None:
    count = {
        "postgresql": "select count(*) from pg_stat_activity where datname = current_database()",
        "mariadb": "select count(*) from information_schema.processlist where db = database()",
    }[server]
    async with opened(url) as database:
        await database.read(ALL)
        assert execute(url, count) == [(2,)]
    await until(lambda: execute(url, count) == [(1,)])


async def test_nothing_is_logged_of_what_fails(server: Server, url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with wired(url) as wire, opened(wire.url(url), within=0.5) as database:
        await database.read(ALL)
        wire.cut()
        with pytest.raises(Unreachable):
            await database.read(ALL)
        wire.mend()
        with pytest.raises(TimedOut):
            await database.read(asking(SLOW[server]))
    assert [record.getMessage() for record in caplog.records if record.name != "asyncio"] == []
