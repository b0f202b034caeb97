"""What errors that are hard to provoke mean: made as their drivers make them."""

import sqlite3
from pathlib import Path

import psycopg
import pymysql
import pytest

from exporter.core.codes import CODES
from exporter.core.errors import Malformed, ReadError, Refused, SchemaMismatch, TimedOut, Unreachable
from exporter.core.secret import Secret
from exporter.inputs.dialects import dialect_of
from exporter.inputs.meanings import KINDS, mysql_meaning, postgresql_meaning, sqlite_meaning

FILE = Path("a.db")


def sqlite_error(code: int, message: str = "said SQLite") -> sqlite3.Error:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY_RECOVERY, TimedOut),
        (sqlite3.SQLITE_IOERR_READ, Unreachable),
        (sqlite3.SQLITE_IOERR_SHORT_READ, Unreachable),
        (sqlite3.SQLITE_CORRUPT_INDEX, Malformed),
        (sqlite3.SQLITE_READONLY_RECOVERY, Refused),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, Refused),
    ],
)
def test_a_code_of_sqlite_means_what_its_low_byte_means(code: int, kind: type[ReadError]) -> None:
    found = sqlite_meaning(sqlite_error(code), FILE, 9.0)
    assert type(found) is kind
    assert str(found).startswith("a.db: ")


def test_what_else_sqlite_says_is_a_bug_of_ours() -> None:
    assert sqlite_meaning(sqlite_error(sqlite3.SQLITE_ERROR, "near x: syntax error"), FILE, 9.0) is None
    assert sqlite_meaning(sqlite3.ProgrammingError("Cannot operate on a closed database."), FILE, 9.0) is None


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("FATAL:  the database system is starting up", Unreachable),
        ("FATAL:  sorry, too many clients already", Unreachable),
        ("failed to resolve host 'database.example': Name or service not known", Unreachable),
        ('no pg_hba.conf entry for host "10.0.0.1"', Refused),
        ("fe_sendauth: no password supplied", Refused),
    ],
)
def test_a_connection_to_postgresql_that_could_not_be_made(said: str, kind: type[ReadError]) -> None:
    error = psycopg.OperationalError(f'connection failed: connection to server at "h", port 5432 failed:\n{said}')
    found = postgresql_meaning(error, "postgresql://h/n")
    assert type(found) is kind
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.AdminShutdown("x"), Unreachable),
        (psycopg.errors.TooManyConnections("x"), Unreachable),
        (psycopg.errors.SerializationFailure("x"), Unreachable),
        (psycopg.errors.LockNotAvailable("x"), TimedOut),
        (psycopg.errors.IdleInTransactionSessionTimeout("x"), TimedOut),
        (psycopg.errors.DivisionByZero("x"), Malformed),
        (psycopg.errors.DataCorrupted("x"), Malformed),
        (psycopg.DataError("date too large (after year 10K)"), Malformed),
        (psycopg.errors.UndefinedFunction("x"), SchemaMismatch),
    ],
)
def test_a_code_of_postgresql_means_what_its_class_means(error: psycopg.Error, kind: type[ReadError]) -> None:
    assert type(postgresql_meaning(error, "postgresql://h/n")) is kind


def test_what_else_postgresql_says_is_a_bug_of_ours() -> None:
    assert postgresql_meaning(psycopg.errors.SyntaxError("x"), "postgresql://h/n") is None
    assert postgresql_meaning(psycopg.errors.ReadOnlySqlTransaction("x"), "postgresql://h/n") is None


@pytest.mark.parametrize("code", [code for code, word in CODES.items() if word != "read_only"])
def test_a_code_of_mariadb_means_what_the_table_says(code: int) -> None:
    found = mysql_meaning(pymysql.OperationalError(code, "said the server"), "mysql://h/n")
    assert type(found) is KINDS[CODES[code]]
    assert str(found) == "mysql://h/n: said the server"


def test_a_connection_to_mariadb_that_took_too_long_or_was_lost() -> None:
    late = pymysql.OperationalError(2003, "Can't connect to MySQL server on 'h' (timed out)")
    assert type(mysql_meaning(late, "mysql://h/n")) is TimedOut
    assert str(mysql_meaning(pymysql.InterfaceError(0, ""), "mysql://h/n")) == "mysql://h/n: the connection was lost"


def test_what_else_mariadb_says_is_a_bug_of_ours() -> None:
    assert mysql_meaning(pymysql.ProgrammingError(1064, "syntax"), "mysql://h/n") is None
    assert mysql_meaning(pymysql.ProgrammingError(), "mysql://h/n") is None
    assert mysql_meaning(pymysql.OperationalError(1290, "read only"), "mysql://h/n") is None


def test_a_login_that_needs_another_package_says_which() -> None:
    dialect = dialect_of(Secret("mysql://u:hunter2@h/n"), 9.0)
    found = dialect.translated(RuntimeError("'cryptography' package is required for caching_sha2_password"))
    assert isinstance(found, Refused)
    assert str(found).endswith("pip install cryptography, or connect by TLS")
    assert dialect.translated(RuntimeError("a bug")) is None
