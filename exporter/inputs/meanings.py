"""What the errors of the database drivers mean, as errors of this package that speak to people and hold no secret."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exporter.core.codes import CODES, Word
from exporter.core.errors import (
    Malformed,
    Missing,
    ReadError,
    Refused,
    SchemaMismatch,
    TimedOut,
    Unreachable,
)

PRIMARY = 0xFF
"""The low byte of SQLite's codes says what happened; the rest says where in SQLite."""


def sqlite_meaning(error: Any, path: Path, limit: float) -> ReadError | None:
    """What an error of SQLite means for the file at `path` and a limit in seconds; None for what is a bug of ours."""
    code = getattr(error, "sqlite_errorcode", 0)
    match code & PRIMARY:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return TimedOut(f"{path}: still locked by another process after {limit:g} s")
        case sqlite3.SQLITE_INTERRUPT:
            return TimedOut(f"{path}: a query took longer than {limit:g} s and was stopped")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_FORMAT:
            return Malformed(f"{path}: {error}")
        case sqlite3.SQLITE_READONLY:
            return Refused(f"{path}: {_unwritable(code, path)}")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return Refused(f"{path}: {error}: it is there, but may this user read it and enter its directory?")
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_FULL | sqlite3.SQLITE_NOLFS:
            return Unreachable(f"{path}: {error}")
    named = str(error).startswith(("no such table", "no such column"))
    return SchemaMismatch(f"{path}: {error}") if named else None


def _unwritable(code: int, path: Path) -> str:
    """Why a database that is only read must be written to, and what helps (contract decnet, SQLite use)."""
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return "a writer died and left a journal to roll back, which only a writer can do: start its application"
    return (
        f"it is in WAL mode without its -wal and -shm files, which this user may not make in {path.parent}: "
        "let the user write there, or wait until its application runs"
    )


STATES: Mapping[str, type[ReadError]] = {
    "08": Unreachable,
    "22": Malformed,
    "25P03": TimedOut,
    "28": Refused,
    "3D": Missing,
    "3F": SchemaMismatch,
    "40": Unreachable,
    "42": SchemaMismatch,
    "42501": Refused,
    "53": Unreachable,
    "55P03": TimedOut,
    "57": Unreachable,
    "57014": TimedOut,
    "58": Unreachable,
    "XX": Malformed,
}
"""PostgreSQL's codes, whole or by their class (its manual, appendix A)."""

SYNTAX = "42601"

SAID: tuple[tuple[tuple[str, ...], type[ReadError]], ...] = (
    (("timeout expired",), TimedOut),
    (("password", "pg_hba.conf", "authentication failed", 'FATAL:  role "', "permission denied"), Refused),
    (('FATAL:  database "',), Missing),
)
"""What libpq says of a connection that could not be made: it gives no code."""


def postgresql_meaning(error: Any, place: str) -> ReadError | None:
    """What an error of psycopg means; None for what is a bug of ours."""
    state = getattr(error, "sqlstate", None)
    # without the statement, and without the lines that show where in it
    said = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    text = f"{place}: {' '.join(said.split())}"
    if state is None:
        if type(error).__name__ == "DataError":  # a value that Python has no room for
            return Malformed(text)
        return next((kind for words, kind in SAID if any(word in said for word in words)), Unreachable)(text)
    found = STATES.get(state) or STATES.get(state[:2])
    return found(text) if found and state != SYNTAX else None


KINDS: Mapping[Word, type[ReadError]] = {
    "away": Unreachable,
    "late": TimedOut,
    "login": Refused,
    "denied": Refused,
    "schema": SchemaMismatch,
    "missing": Missing,
    "damaged": Malformed,
    "full": Unreachable,
}
"""What the codes of MariaDB and MySQL mean to those who only read; that they may not write is a bug of ours."""


def mysql_meaning(error: Any, place: str) -> ReadError | None:
    """What an error of PyMySQL means; None for what is a bug of ours."""
    code: Any = error.args[0] if error.args else None
    if code in (0, ""):  # the connection was closed under it
        return Unreachable(f"{place}: the connection was lost")
    word = CODES.get(code)
    if word is None or (found := KINDS.get(word)) is None:
        return None
    said = f"{place}: {error.args[1] if len(error.args) > 1 else error}"
    late = found is Unreachable and "timed out" in said
    return TimedOut(said) if late else found(said)
