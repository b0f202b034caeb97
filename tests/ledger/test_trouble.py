"""What the errors of the servers' drivers say about the store: as they are made, and as a real server makes them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pymysql
import pytest
from sqlalchemy import make_url

from exporter.core.codes import CODES
from exporter.core.secret import Secret
from exporter.ledger.store import Owner, Store
from exporter.ledger.trouble import REASONS, LedgerError, meaning
from tests.services import connected, execute, own_database

NOW = 1_700_000_000_000_000


def opened(url: str) -> Store:
    store = Store(Secret(url), Owner("me", "here", 7, lambda _: False))
    store.open(NOW)
    return store


@pytest.mark.parametrize("code", CODES)
def test_what_a_code_of_mariadb_tells_a_reader_it_tells_the_ledger(code: int) -> None:
    found = meaning(pymysql.OperationalError(code, "said the server"), "mysql://h/n")
    assert found is not None
    assert found.reason in REASONS
    assert str(found).startswith("ledger mysql://h/n: ")
    assert str(found).endswith(" (said the server)")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1021, "full"),
        (1049, "unreachable"),
        (1130, "unreachable"),
        (1142, "read_only"),
        (1146, "schema"),
        (1194, "corrupt"),
        (1203, "unreachable"),
        (1213, "locked"),
        (1290, "read_only"),
        (1317, "locked"),
        (2002, "unreachable"),
        (0, "unreachable"),
    ],
)
def test_a_code_of_mariadb_has_a_reason(code: int, reason: str) -> None:
    found = meaning(pymysql.OperationalError(code, "said the server"), "mysql://h/n")
    assert found is not None
    assert found.reason == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (psycopg.errors.IdleInTransactionSessionTimeout("x"), "unreachable"),
        (psycopg.errors.InvalidSchemaName("x"), "schema"),
        (psycopg.errors.QueryCanceled("x"), "locked"),
        (psycopg.errors.DiskFull("x"), "full"),
    ],
)
def test_a_code_of_postgresql_has_a_reason(error: psycopg.Error, reason: str) -> None:
    found = meaning(error, "postgresql://h/n")
    assert found is not None
    assert found.reason == reason


def test_what_else_a_server_says_is_a_bug_of_ours() -> None:
    assert meaning(pymysql.ProgrammingError(1064, "syntax"), "mysql://h/n") is None
    assert meaning(pymysql.IntegrityError(1062, "duplicate"), "mysql://h/n") is None
    assert meaning(psycopg.errors.SyntaxError("x"), "postgresql://h/n") is None


@contextmanager
def user(url: str, more: str) -> Iterator[str]:
    """The URL of a database as a user of this test's own, who may do with it what it likes, but for `more`."""
    name = f"studio_{uuid4().hex[:16]}"
    database = make_url(url).database
    execute(url, f"create user {name} identified by 'hunter2' {more}", f"grant all on {database}.* to {name}")
    try:
        yield make_url(url).set(username=name, password="hunter2").render_as_string(hide_password=False)
    finally:
        execute(url, f"drop user {name}")


def test_mariadb_has_no_connection_left_for_the_ledger() -> None:
    with (
        own_database("mariadb") as url,
        user(url, "with max_user_connections 1") as own,
        connected(own),
        pytest.raises(LedgerError, match="max_user_connections") as caught,
    ):
        opened(own)
    assert caught.value.reason == "unreachable"
    assert "hunter2" not in str(caught.value)


def test_a_statement_that_somebody_ends_is_no_bug() -> None:
    with own_database("mariadb") as url, connected(url) as other:
        store = opened(url)
        other.exec_driver_sql("lock tables ledger_account write")
        reasons: list[str] = []

        def loading() -> None:
            with pytest.raises(LedgerError) as caught:
                store.load(("vfx", "render"))
            reasons.append(caught.value.reason)

        thread = threading.Thread(target=loading)
        thread.start()
        waiting = "select id from information_schema.processlist where state like 'Waiting for table%%' and db = "
        while not (rows := execute(url, f"{waiting}'{make_url(url).database}'")):
            assert thread.is_alive()
        execute(url, f"kill query {rows[0][0]}")
        thread.join()
        other.exec_driver_sql("unlock tables")
    assert reasons == ["locked"]
