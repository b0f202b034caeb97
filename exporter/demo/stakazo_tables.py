"""The tables of the simulated Stakazo, as upstream's create_all makes them, with the index that the command `indexes`
asks for; and how records are written to them."""

import sqlite3
from pathlib import Path
from random import Random
from typing import NamedTuple
from uuid import UUID

from exporter.demo.world import Moment

Value = str | int | float | None
Record = dict[str, Value]

SCHEMA = """
CREATE TABLE video_assets (
    id CHAR(36) NOT NULL PRIMARY KEY,
    title VARCHAR(255),
    description TEXT,
    release_date DATETIME,
    file_path VARCHAR(500),
    file_size INTEGER,
    duration_ms INTEGER,
    idempotency_key VARCHAR(255) UNIQUE,
    created_at DATETIME,
    updated_at DATETIME
);
CREATE TABLE social_accounts (
    id CHAR(36) NOT NULL PRIMARY KEY,
    platform VARCHAR(50) NOT NULL,
    handle VARCHAR(255) NOT NULL,
    external_id VARCHAR(255),
    is_main_account INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    extra_metadata JSON,
    encrypted_credentials BLOB,
    credentials_version VARCHAR(50),
    credentials_updated_at DATETIME,
    oauth_provider VARCHAR(50),
    oauth_access_token TEXT,
    oauth_refresh_token TEXT,
    oauth_expires_at DATETIME,
    oauth_scopes JSON,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL
);
CREATE TABLE clips (
    id CHAR(36) NOT NULL PRIMARY KEY,
    video_asset_id CHAR(36) NOT NULL REFERENCES video_assets (id),
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    visual_score FLOAT,
    status VARCHAR(10) NOT NULL,
    params JSON,
    created_at DATETIME,
    updated_at DATETIME
);
CREATE TABLE jobs (
    id CHAR(36) NOT NULL PRIMARY KEY,
    job_type VARCHAR(50) NOT NULL,
    status VARCHAR(10) NOT NULL,
    params JSON,
    dedup_key VARCHAR(255) UNIQUE,
    video_asset_id CHAR(36) REFERENCES video_assets (id),
    clip_id CHAR(36) REFERENCES clips (id),
    result JSON,
    error_message TEXT,
    created_at DATETIME,
    updated_at DATETIME
);
CREATE TABLE campaigns (
    id CHAR(36) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    clip_id CHAR(36) NOT NULL REFERENCES clips (id),
    budget_cents INTEGER NOT NULL,
    targeting JSON,
    status VARCHAR(9) NOT NULL,
    created_at DATETIME,
    updated_at DATETIME
);
CREATE TABLE publish_logs (
    id CHAR(36) NOT NULL PRIMARY KEY,
    clip_id CHAR(36) NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
    platform VARCHAR(50) NOT NULL,
    social_account_id CHAR(36) REFERENCES social_accounts (id) ON DELETE SET NULL,
    status VARCHAR(50) NOT NULL,
    external_post_id VARCHAR(255),
    external_url VARCHAR(500),
    error_message TEXT,
    requested_at DATETIME NOT NULL,
    published_at DATETIME,
    retry_count INTEGER NOT NULL,
    max_retries INTEGER NOT NULL,
    last_retry_at DATETIME,
    schedule_type VARCHAR(50),
    scheduled_for DATETIME,
    scheduled_window_end DATETIME,
    scheduled_by VARCHAR(100),
    extra_metadata JSON,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL
);
CREATE INDEX ix_publish_logs_updated_at ON publish_logs (updated_at);
"""

TABLES = ("video_assets", "social_accounts", "clips", "jobs", "campaigns", "publish_logs")

CLEAR = "DELETE FROM publish_logs WHERE id = ?"
CLIPS_OF = "(SELECT id FROM clips WHERE video_asset_id = ?)"
DELETE = (
    f"DELETE FROM publish_logs WHERE clip_id IN {CLIPS_OF}",  # noqa: S608  # here and below: nothing but text from above
    f"DELETE FROM campaigns WHERE clip_id IN {CLIPS_OF}",  # noqa: S608
    "DELETE FROM jobs WHERE video_asset_id = ?",
    "DELETE FROM clips WHERE video_asset_id = ?",
    "DELETE FROM video_assets WHERE id = ?",
)
"""What goes with a video; upstream's own statements, as SQLite minds no foreign keys unless it is asked to."""


class Taken(NamedTuple):
    """Records by table and id, as they now are, and the ids of publications and of videos that were deleted."""

    changed: dict[str, dict[str, Record]]
    cleared: list[str]
    deleted: list[str]


class Desk:
    """Where the story puts what changed until the writer takes it, each record then as it has become."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._taken = _nothing()

    def take(self) -> Taken:
        """All that changed since the last time."""
        taken, self._taken = self._taken, _nothing()
        return taken

    def add(self, table: str, moment: Moment, values: Record) -> Record:
        """A new record, which gets an id and its times; columns that are not named are null."""
        identity = UUID(int=self._dice.getrandbits(128), version=4).hex
        record: Record = {"id": identity, "created_at": moment.utc.strftime(TIME), **values}
        self.change(table, record, moment, {})
        return record

    def change(self, table: str, record: Record, moment: Moment, values: Record) -> None:
        """A record gets new values."""
        record |= values
        record["updated_at"] = moment.utc.strftime(TIME)
        self._taken.changed[table][str(record["id"])] = record

    def clear(self, publication: str) -> None:
        """A publication is deleted."""
        self._taken.changed["publish_logs"].pop(publication, None)
        self._taken.cleared.append(publication)

    def delete(self, video: str) -> None:
        """A video is deleted, and with it all that was made of it."""
        self._taken.deleted.append(video)


TIME = "%Y-%m-%d %H:%M:%S.%f"
"""Naive UTC, as SQLAlchemy writes it (contract b)."""


def create(database: Path) -> sqlite3.Connection:
    """A connection to a new database; its journal is the rollback journal, which is SQLite's own choice."""
    connection = sqlite3.connect(database, timeout=30)
    connection.executescript(SCHEMA)
    return connection


def save(connection: sqlite3.Connection, taken: Taken) -> None:
    """One transaction with all that was taken; none where that is nothing."""
    if not (any(taken.changed.values()) or taken.cleared or taken.deleted):
        return
    with connection:
        for table, records in taken.changed.items():
            for record in records.values():
                connection.execute(_upsert(table, record), record)
        connection.executemany(CLEAR, [(publication,) for publication in taken.cleared])
        for statement in DELETE:
            connection.executemany(statement, [(video,) for video in taken.deleted])


def _upsert(table: str, record: Record) -> str:
    columns, values = ", ".join(record), ", ".join(f":{column}" for column in record)
    return f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({values})"  # noqa: S608  # names of ours


def _nothing() -> Taken:
    return Taken({table: {} for table in TABLES}, [], [])
