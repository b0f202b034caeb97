"""The tables of the simulated Music Agents dashboard (contract music-agents 2.6), and how they are written."""

import sqlite3
from itertools import count
from pathlib import Path

from exporter.demo.world import Moment

Record = dict[str, str | float | None]

SCHEMA = """
CREATE TABLE metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp TEXT NOT NULL,
    agent_id TEXT,
    metric_type TEXT NOT NULL,
    value REAL NOT NULL,
    notes TEXT,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp TEXT NOT NULL,
    event_type TEXT NOT NULL,
    agent_id TEXT,
    message TEXT NOT NULL,
    severity TEXT DEFAULT 'info',
    metadata TEXT,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE training_sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    start_time TEXT NOT NULL,
    end_time TEXT,
    agents_trained INTEGER DEFAULT 0,
    overall_improvement REAL DEFAULT 0.0,
    status TEXT DEFAULT 'running',
    phase TEXT,
    error_message TEXT,
    metadata TEXT,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE system_health (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp TEXT NOT NULL,
    cpu_percent REAL,
    memory_percent REAL,
    disk_percent REAL,
    uptime_seconds INTEGER,
    active_connections INTEGER DEFAULT 0,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE agent_metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    quality_score REAL DEFAULT 0.0,
    processing_time_ms INTEGER DEFAULT 0,
    error_count INTEGER DEFAULT 0,
    status TEXT DEFAULT 'online',
    improvement REAL DEFAULT 0.0,
    metadata TEXT,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_metrics_timestamp ON metrics(timestamp);
CREATE INDEX idx_metrics_agent ON metrics(agent_id);
CREATE INDEX idx_events_timestamp ON events(timestamp);
CREATE INDEX idx_training_start ON training_sessions(start_time);
CREATE INDEX idx_agent_metrics_agent ON agent_metrics(agent_id);
"""

EVENTS_KEPT = 5000
METRICS_KEPT = 2000

PRUNE = "DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?"
KEPT = {"events": EVENTS_KEPT, "agent_metrics": METRICS_KEPT}
"""Nothing upstream ever deletes these (contract 2.6); here somebody tidies up, so that the demo can stay for days."""


class Dashboard:
    """What the dashboard notes, until the writer takes it: each record then as it has become."""

    def __init__(self) -> None:
        self._numbers = {table: count(1) for table in ("events", "training_sessions", "agent_metrics")}
        self._changed: dict[tuple[str, object], Record] = {}

    def take(self) -> dict[tuple[str, object], Record]:
        """Records by table and id that changed since the last time."""
        taken, self._changed = self._changed, {}
        return taken

    def add(self, table: str, moment: Moment, values: Record) -> Record:
        """A new record, which gets its id; SQLite itself says when it was made, in UTC with a blank."""
        record: Record = {"id": next(self._numbers[table]), "created_at": f"{moment.utc:%Y-%m-%d %H:%M:%S}", **values}
        self.change(table, record, {})
        return record

    def change(self, table: str, record: Record, values: Record) -> None:
        """A record gets new values."""
        record |= values
        self._changed[table, record["id"]] = record

    def event(self, moment: Moment, kind: str, severity: str, message: str, agent: str | None = None) -> None:
        """A new event."""
        values: Record = {"event_type": kind, "severity": severity, "message": message, "agent_id": agent}
        self.add("events", moment, {"timestamp": local(moment), **values})


def local(moment: Moment) -> str:
    """A time as the system writes it: local, which is UTC in the studio, and without a zone."""
    return moment.utc.replace(tzinfo=None).isoformat()


def create(database: Path) -> sqlite3.Connection:
    """A connection to a new database; its journal is the rollback journal, which is SQLite's own choice."""
    connection = sqlite3.connect(database, timeout=30)
    connection.executescript(SCHEMA)
    return connection


def save(connection: sqlite3.Connection, changed: dict[tuple[str, object], Record]) -> None:
    """One transaction with all that changed, and in which old events and metrics go; none where nothing changed."""
    if not changed:
        return
    with connection:
        for (table, _), record in changed.items():
            connection.execute(_upsert(table, record), record)
        for table, kept in KEPT.items():
            connection.execute(PRUNE.format(table=table), (kept,))


def _upsert(table: str, record: Record) -> str:
    columns, values = ", ".join(record), ", ".join(f":{column}" for column in record)
    return f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({values})"  # noqa: S608  # names of ours
