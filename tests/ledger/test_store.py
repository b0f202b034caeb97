"""The store on SQLite, PostgreSQL and MariaDB: what it keeps, whom it refuses, and what it says when it cannot."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy.exc import IntegrityError

from exporter.core.finish import SECOND, Batch, Finish
from exporter.core.secret import Secret
from exporter.ledger.account import Account, Terms, apply, opened
from exporter.ledger.schema import STEPS
from exporter.ledger.store import LEASE, RENEWAL, Owner, Store, url_problem
from exporter.ledger.trouble import LedgerError
from tests.services import execute, own_database

NOW = 1_700_000_000 * SECOND
TERMS = Terms(600 * SECOND)
KEY = ("vfx", "render")
ODD = ("plain", "ünïcode", "two words ", "two words", "TWO WORDS", "'; drop table x", "%s :at", "x" * 128)


def owner(word: str = "me", host: str = "here", pid: int = 7, living: tuple[int, ...] = ()) -> Owner:
    return Owner(word, host, pid, lambda number: number in living)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


def sqlite(path: Path, who: Owner | None = None, **more: Any) -> Store:
    return Store(Secret(f"sqlite:///{path}"), who or owner(), **{"timeout": 0.05, **more})


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    found = sqlite(path)
    found.open(NOW)
    yield found
    found.close()


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest, path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{path}"
    else:
        with own_database(request.param) as address:
            yield address


def finish(key: str, at: int = 0, lane: str = "a", ok: bool | None = True, **more: Any) -> Finish:
    return Finish(key, NOW + at * SECOND, lane, ok, **more)


def begun(store: Store, key: tuple[str, str] = KEY) -> Account:
    account, delta = opened(Batch([finish("first", -5, ok=False)], ("a",), under=0), NOW, TERMS)
    store.commit(key, account, delta, NOW)
    return account


def added(store: Store, account: Account, *finishes: Finish, now: int = 0) -> Account:
    found, delta = apply(account, Batch(finishes), NOW + now * SECOND, TERMS)
    assert delta
    store.commit(KEY, found, delta, NOW)
    return found


# keeping


def test_what_was_committed_is_what_is_loaded(url: str) -> None:
    store = Store(Secret(url), owner())
    store.open(NOW)
    account = begun(store)
    begun(store, ("vfx", "ingest"))
    begun(store, ("Vfx", "render"))
    rows = [finish(f"k{i} {lane}", i, lane, ok=i % 3 > 0, duration=i * SECOND) for i, lane in enumerate(ODD)]
    rows += [finish("\0\ud800", 9, "b", ok=False), finish("ahead", 90_000, ok=False), finish("none", 3, ok=None)]
    account = added(store, account, *rows, now=9)
    account = added(store, account, finish("ahead", 100_000, attempt="x"), finish("y", ok=False, attempt="Y"), now=9)
    account = added(store, account, finish("ahead", 100_001, attempt="x"), now=9)
    account = replace(added(store, account, *(finish(f"l{i}", 700 + i, ok=False) for i in range(50)), now=800))
    store.close()
    again = Store(Secret(url), owner())
    again.open(NOW)
    assert again.load(KEY) == account
    assert next(iter(account.lanes)) == "a"
    assert again.load(("vfx", "nothing")) is None
    assert again.created == NOW
    again.release(NOW)


def test_two_sources_do_not_meet(store: Store) -> None:
    begun(store, ("other", "render"))
    account = added(store, begun(store), finish("one"))
    assert store.load(KEY) == account
    assert store.load(("other", "render")) != account


def test_a_finish_that_is_written_twice_is_a_bug(store: Store) -> None:
    account = begun(store)
    after, delta = apply(account, Batch([finish("one")]), NOW, TERMS)
    assert delta
    with pytest.raises(IntegrityError):
        store.commit(KEY, after, replace(delta, rows=[*delta.rows, *delta.rows]), NOW)
    assert store.load(KEY) == account


def test_an_account_that_is_not_the_one_on_disk_is_refused(store: Store) -> None:
    account = begun(store)
    added(store, account, finish("one"))
    after, delta = apply(account, Batch([finish("two")]), NOW, TERMS)
    assert delta
    with pytest.raises(LedgerError, match="somebody else wrote") as caught:
        store.commit(KEY, after, delta, NOW)
    assert caught.value.reason == "leased"


def test_a_file_keeps_a_log_and_says_how_large_it_is(path: Path, store: Store) -> None:
    begun(store)
    assert path.with_name("state.sqlite-wal").stat().st_size > 0
    assert store.size == sum(file.stat().st_size for file in path.parent.iterdir())
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("pragma journal_mode").fetchone() == ("wal",)


# the lease


def test_a_second_exporter_is_refused_until_the_first_ends(url: str) -> None:
    first, second = Store(Secret(url), owner("first")), Store(Secret(url), owner("second", host="there"))
    first.open(NOW)
    with pytest.raises(LedgerError, match=r"another exporter has it \(process 7 on here\).* 121 s") as caught:
        second.open(NOW)
    assert caught.value.reason == "leased"
    first.release(NOW)
    second.open(NOW)
    second.release(NOW)


@pytest.mark.parametrize(
    ("who", "later", "free"),
    [
        (owner("second", pid=8), 0, True),  # the first is no more
        (owner("second", pid=8, living=(7,)), 0, False),
        (owner("second", pid=7, living=(7,)), 0, True),  # a container begins anew under the same number
        (owner("second", "there", 8), LEASE - 1, False),
        (owner("second", "there", 8), LEASE, True),
        (owner("me", "there", 8), 0, True),
    ],
)
def test_a_lease_is_free_when_its_owner_is_gone_or_silent(
    path: Path, store: Store, who: Owner, later: int, free: bool
) -> None:
    second = sqlite(path, who)
    if not free:
        with pytest.raises(LedgerError):
            second.open(NOW + later)
        return
    second.open(NOW + later)
    account, delta = opened(Batch(()), NOW, TERMS)
    if who.token == "second":
        with pytest.raises(LedgerError, match="took it over") as caught:
            store.commit(KEY, account, delta, NOW)
        assert caught.value.reason == "leased"
        assert second.load(KEY) is None
    second.close()


def written(path: Path) -> tuple[Any, ...]:
    return path.read_bytes(), path.with_name("state.sqlite-wal").read_bytes()


def test_a_lease_is_renewed_seldom_and_by_every_commit(path: Path, store: Store) -> None:
    before = written(path)
    store.renew(NOW + RENEWAL - 1)
    assert written(path) == before
    store.renew(NOW + RENEWAL)
    assert written(path) != before
    assert store.held_until == NOW + RENEWAL + LEASE
    begun(store)
    assert store.held_until == NOW + LEASE
    store.renew(NOW - LEASE)  # the clock went back
    assert store.held_until == NOW


# versions


def test_a_store_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    newer = sqlite(path, steps=(*STEPS, ("update ledger_meta set value = '2' where name = 'version'",)))
    newer.open(NOW)
    newer.release(NOW)
    before = path.read_bytes()
    with pytest.raises(
        LedgerError, match=r"newer exporter wrote it .*knows version 1, and it is of version 2"
    ) as caught:
        sqlite(path).open(NOW)
    assert caught.value.reason == "schema"
    assert path.read_bytes() == before


def test_a_store_of_an_older_version_is_brought_to_this_one_with_all_it_has(url: str) -> None:
    old = Store(Secret(url), owner())
    old.open(NOW)
    account = begun(old)
    old.release(NOW)
    step = ("alter table ledger_account add extra integer", "update ledger_meta set value = '2' where name = 'version'")
    new = Store(Secret(url), owner(), steps=(*STEPS, step))
    for _ in range(2):
        new.open(NOW + 1)
        assert new.load(KEY) == account
        assert new.created == NOW
        new.release(NOW + 1)
    assert execute(url, "select value from ledger_meta where name = 'version'") == [("2",)]


def test_a_step_that_fails_changes_nothing(path: Path, store: Store) -> None:
    account = begun(store)
    store.release(NOW)
    broken = sqlite(path, steps=(*STEPS, ("alter table ledger_account add extra integer", "update missing set x = 1")))
    with pytest.raises(LedgerError):
        broken.open(NOW)
    store.open(NOW)
    assert store.load(KEY) == account
    assert "extra" not in str(execute(f"sqlite:///{path}", "select sql from sqlite_master"))


def test_a_version_that_is_no_number_is_refused(path: Path, store: Store) -> None:
    execute(f"sqlite:///{path}", "update ledger_meta set value = 'new' where name = 'version'")
    with pytest.raises(LedgerError, match="its version is 'new'"):
        sqlite(path).open(NOW)


# what can go wrong


def failure(store: Store, account: Account, key: str = "more") -> LedgerError:
    """What the store says when it is to write one more finish."""
    after, delta = apply(account, Batch([finish(key)]), NOW, TERMS)
    assert delta
    with pytest.raises(LedgerError) as caught:
        store.commit(KEY, after, delta, NOW)
    assert store.place in str(caught.value)
    return caught.value


def test_a_store_that_is_locked_says_so_and_goes_on_later(path: Path, store: Store) -> None:
    account = begun(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        assert failure(store, account).reason == "locked"
    assert store.load(KEY) == account
    added(store, account, finish("more"))


def test_a_server_that_is_locked_says_so() -> None:
    with own_database("postgresql") as url:
        first, second = Store(Secret(url), owner("first"), 0.2), Store(Secret(url), owner("second"), 0.2)
        first.open(NOW)
        with first._transaction({"postgresql": "BEGIN"}) as connection:  # a commit that hangs
            first._lease(connection)
            with pytest.raises(LedgerError) as caught:
                second.open(NOW)
        assert caught.value.reason == "locked"
        first.release(NOW)
        second.close()


def test_a_full_disk_loses_nothing(path: Path, store: Store) -> None:
    account = begun(store)
    with store._transaction({"sqlite": "BEGIN"}) as connection:  # a disk of the size of what is there
        pages = connection.exec_driver_sql("pragma page_count").scalar()
        connection.exec_driver_sql(f"pragma max_page_count = {pages}")
    after, delta = apply(account, Batch([finish(f"k{i}", duration=5) for i in range(500)]), NOW, TERMS)
    assert delta
    with pytest.raises(LedgerError, match="no room left") as caught:
        store.commit(KEY, after, delta, NOW)
    assert caught.value.reason == "full"
    assert store.load(KEY) == account
    store.commit(KEY, after, delta, NOW)
    assert store.load(KEY) == after


def test_a_file_that_may_not_be_written_is_still_read(store: Store) -> None:
    account = begun(store)
    with store._transaction({"sqlite": "BEGIN"}) as connection:  # nothing else is read-only to root
        connection.exec_driver_sql("pragma query_only = 1")
    assert failure(store, account).reason == "read_only"
    assert store.load(KEY) == account


def test_a_server_that_may_only_be_read_is_still_read() -> None:
    with own_database("postgresql") as url:
        store = Store(Secret(url), owner())
        store.open(NOW)
        account = begun(store)
        store.close()
        name = url.rsplit("/", 1)[1]
        execute(url, f"alter database {name} set default_transaction_read_only = on")
        assert failure(store, account).reason == "read_only"
        assert store.load(KEY) == account
        store.close()


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(LedgerError) as caught:
        sqlite(path).open(NOW)
    assert caught.value.reason == "corrupt"
    assert path.read_bytes() == content


def test_a_torn_file_is_found_when_it_is_opened(path: Path, store: Store) -> None:
    account = begun(store)
    added(store, account, *(finish(f"k{i}") for i in range(900)))
    store.release(NOW)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(LedgerError, match="move it away") as caught:
        sqlite(path).open(NOW)
    assert caught.value.reason == "corrupt"


def test_a_file_that_is_deleted_while_in_use_is_missed_and_made_anew(path: Path, store: Store) -> None:
    account = begun(store)
    path.unlink()
    assert failure(store, account).reason == "gone"
    store.open(NOW + 1)
    assert store.load(KEY) is None
    assert store.created == NOW + 1


def test_a_file_that_takes_its_place_is_another_store(path: Path, store: Store, tmp_path: Path) -> None:
    account = begun(store)
    other = sqlite(tmp_path / "other.sqlite", owner("before"))
    other.open(NOW)
    other.release(NOW)
    for left in path.parent.glob("state.sqlite*"):
        left.unlink()
    (tmp_path / "other.sqlite").rename(path)
    assert failure(store, account).reason == "gone"
    store.open(NOW)
    assert store.load(KEY) is None


def test_another_programs_database_is_left_alone(path: Path) -> None:
    execute(f"sqlite:///{path}", "create table theirs (x integer)")
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="another program's") as caught:
        sqlite(path).open(NOW)
    assert (caught.value.reason, path.read_bytes()) == ("schema", before)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"nowhere.state\.sqlite: it cannot be opened") as caught:
        sqlite(tmp_path / "nowhere" / "state.sqlite").open(NOW)
    assert caught.value.reason == "unreachable"


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_is_not_there_is_named_without_its_password(scheme: str) -> None:
    store = Store(Secret(f"{scheme}://user:hunter2@127.0.0.1:1/state"), owner())
    with pytest.raises(LedgerError, match=r"127\.0\.0\.1:1/state: it cannot be opened") as caught:
        store.open(NOW)
    assert caught.value.reason == "unreachable"
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_login_of_mysql_8_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any, **__: Any) -> None:
        raise RuntimeError(
            "'cryptography' package is required for sha256_password or caching_sha2_password auth methods"
        )

    monkeypatch.setattr(pymysql, "connect", connect)
    store = Store(Secret("mysql://user:hunter2@127.0.0.1:1/state"), owner())
    with pytest.raises(LedgerError, match=r"pip install cryptography, or connect by TLS$") as caught:
        store.open(NOW)
    assert caught.value.reason == "unreachable"


def test_a_server_that_began_anew_between_two_commits_is_not_noticed() -> None:
    with own_database("postgresql") as url:
        store = Store(Secret(url), owner())
        store.open(NOW)
        account = begun(store)
        execute(
            url,
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()",
        )
        account = added(store, account, finish("more"))
        assert store.load(KEY) == account
        store.close()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite:////var/lib/studio-exporter/state.sqlite", None),
        ("postgresql+asyncpg://me@host/state", None),
        ("mariadb://me@host/state", None),
        ("sqlite://", "the path of a file"),
        ("sqlite:///:memory:", "the path of a file"),
        ("oracle://me@host/state", "found 'oracle'"),
        ("/var/lib/state", "expected a database URL"),
        ("postgresql://me:pass@word@host/state", "expected no @ but the one before the host"),
        ("mariadb://m/e:password@host/state", "expected no @ but the one before the host"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_before_it_is(url: str, problem: str | None) -> None:
    found = url_problem(Secret(url))
    assert found is None if problem is None else problem in str(found)
