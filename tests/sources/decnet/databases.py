"""Databases as DECNET leaves them: the recorded ones, and rows of every kind."""

import gzip
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.services import connected, own_database

GOLDEN = Path(__file__).parents[2] / "golden" / "decnet"
SCHEMA = (GOLDEN / "inputs" / "schema-sqlite.sql").read_text()
PINNED = "2026-06-15T12:00:00.500000+00:00"
NOW = datetime.fromisoformat(PINNED)


@contextmanager
def dumped() -> Iterator[str]:
    """The recorded MariaDB database, in one of its own."""
    dump = gzip.decompress((GOLDEN / "inputs" / "decnet-mariadb.sql.gz").read_bytes()).decode()
    statements = re.sub(r"^/\*M!999999.*\n", "", dump)  # a command to the client that reads dumps
    with own_database("mariadb") as url:
        with connected(url, init_command="set sql_mode = 'NO_AUTO_VALUE_ON_ZERO'") as connection:
            for statement in re.split(r";\n", statements):
                if statement.strip():
                    connection.exec_driver_sql(statement.replace("%", "%%"))
        yield url


def add(path: Path, rows: Iterable[tuple[Any, Any, Any]], emails: Iterable[tuple[Any, Any]] = ()) -> None:
    """Rows of (ts, kind, success), and emails of (ts, success)."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "insert into orchestrator_events values (?, ?, ?, 'ssh', 'exec:df', 'a', 'b', ?, '{}')",
            [(uuid4().hex, *row) for row in rows],
        )
        connection.executemany(
            "insert into orchestrator_emails values (?, ?, 'm', 't', 'i', null, 's', 'r', 's', 'en', '/e', ?, '')",
            [(uuid4().hex, *row) for row in emails],
        )


def change(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def ago(**span: float) -> str:
    """A time before `NOW` as DECNET writes it to SQLite."""
    return text(NOW - timedelta(**span))


def text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"
