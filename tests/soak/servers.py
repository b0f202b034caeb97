"""What the demo's own databases know at one moment, put on a PostgreSQL and a MariaDB of the test's."""

from typing import Any

from sqlalchemy import text

from tests.services import connected
from tests.soak.count import World
from tests.sources.stakazo.databases import filled
from tests.sources.stakazo.tables import COLUMNS

EVENTS = """
create table orchestrator_events (
    uuid varchar(36) primary key, ts datetime(6) not null, kind varchar(16) not null, success boolean not null,
    index (ts), index (kind)
)
"""
EMAILS = """
create table orchestrator_emails (
    uuid varchar(36) primary key, ts datetime(6) not null, success boolean not null, index (ts)
)
"""


def archive(url: str, world: World) -> str:
    """Stakazo's tables, in an empty database; its URL."""
    rows: dict[str, list[dict[str, Any]]] = {
        table: [{column: record.get(column) for column in columns} for record in world["tables"][table]]
        for table, columns in COLUMNS.items()
    }
    for video in rows["video_assets"]:
        video["file_size"] = None  # an integer of SQLite may be longer than one of PostgreSQL
    return filled(url, rows)


def lures(url: str, world: World) -> str:
    """DECNET's tables, as far as they are read, in an empty database; its URL."""
    rows = [
        {"uuid": f"{number:036}", "ts": time, "kind": kind, "success": ok}
        for number, (time, kind, ok) in enumerate(world["operations"])
    ]
    with connected(url) as connection:
        connection.exec_driver_sql(EVENTS)
        connection.exec_driver_sql(EMAILS)
        for statement, chosen in (
            ("insert into orchestrator_events values (:uuid, :ts, :kind, :success)", False),
            ("insert into orchestrator_emails values (:uuid, :ts, :success)", True),
        ):
            mine = [row for row in rows if (row["kind"] == "email") is chosen]
            connection.execute(text(statement), mine)
    return url
