"""What can be wrong with the ledger's store, and how the errors of drivers tell it."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from exporter.core.codes import CODES, Word
from exporter.core.errors import StudioError

REASONS = ("corrupt", "full", "gone", "leased", "locked", "read_only", "schema", "unreachable", "bug")
"""The closed vocabulary of the label `reason`: torn or no database; no room; deleted or replaced while in use; another
exporter has it; somebody else holds a lock; may not be written; of a newer version or another program; cannot be
opened; a fault of the exporter."""


class LedgerError(StudioError):
    """The store cannot be used; the message is for the person who can mend it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def meaning(error: object, place: str) -> LedgerError | None:
    """What a driver's error says about the store at `place`; None where it says that the exporter is wrong."""
    reason = _of_sqlite(error) if isinstance(error, sqlite3.Error) else _of_server(error)
    return None if reason is None else LedgerError(reason, f"ledger {place}: {ADVICE[reason]} ({_said(error)})")


ADVICE: Mapping[str, str] = {
    "corrupt": "it is damaged or no database; move it away, and new accounts open at 0",
    "full": "there is no room left to write",
    "locked": "another process holds a lock on it, or what was asked of it took too long",
    "read_only": "it cannot be written to; the exporter must be able to write the file and its directory",
    "schema": "its tables are not those of a ledger",
    "unreachable": "it cannot be opened; is it there, and may the exporter use it?",
}

SQLITE: Mapping[int, str] = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_PERM: "read_only",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
    sqlite3.SQLITE_FORMAT: "corrupt",
    sqlite3.SQLITE_CANTOPEN: "unreachable",
    sqlite3.SQLITE_IOERR: "unreachable",
    sqlite3.SQLITE_AUTH: "unreachable",
}

STATES: Mapping[str, str] = {
    "08": "unreachable",
    "25006": "read_only",
    "25P03": "unreachable",
    "28": "unreachable",
    "3D": "unreachable",
    "3F": "schema",
    "40": "locked",
    "42501": "read_only",
    "42P01": "schema",
    "42703": "schema",
    "53": "unreachable",
    "53100": "full",
    "55P03": "locked",
    "57": "unreachable",
    "57014": "locked",
    "58": "unreachable",
    "XX": "corrupt",
}
"""PostgreSQL's codes, whole or by their class (its manual, appendix A)."""

SAID: Mapping[Word, str] = {
    "away": "unreachable",
    "late": "locked",
    "login": "unreachable",
    "denied": "read_only",
    "read_only": "read_only",
    "schema": "schema",
    "missing": "unreachable",
    "damaged": "corrupt",
    "full": "full",
}
"""What the codes of MariaDB and MySQL say of the store."""


def _of_sqlite(error: sqlite3.Error) -> str | None:
    if str(error).startswith(("no such table", "no such column")):
        return "schema"
    return SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)


def _of_server(error: Any) -> str | None:
    code: Any = error.args[0] if getattr(error, "args", ()) else None
    if isinstance(code, int):
        return SAID[CODES[code]] if code in CODES else "unreachable" if code == 0 else None
    state = getattr(error, "sqlstate", None)
    if state is None:  # libpq gives no code for a connection that could not be made or was lost
        return "unreachable"
    return STATES.get(state) or STATES.get(state[:2])


def _said(error: Any) -> str:
    """The driver's words without its statement and its values."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    args: tuple[Any, ...] = getattr(error, "args", ())
    return " ".join(str(primary or (args[1] if len(args) > 1 else error)).split())
