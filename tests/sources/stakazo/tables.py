"""The tables of Stakazo as its two generations of schemas declare them, on the three databases; and rows for them.

Only the five tables that are read, with all their columns (contract b). `create_all` is what the application makes
when it starts: native enums with upper-case labels. `alembic` is what its migrations make: every status a varchar, in
lower case.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

Dialect = Literal["sqlite", "postgresql", "mysql"]
Flavour = Literal["create_all", "alembic"]

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "video_assets": {
        "id": "uuid primary key", "title": "varchar(255)", "description": "text", "release_date": "time",
        "file_path": "varchar(500)", "file_size": "integer", "duration_ms": "integer",
        "idempotency_key": "varchar(255)", "created_at": "time", "updated_at": "time",
    },
    "clips": {
        "id": "uuid primary key", "video_asset_id": "uuid not null", "start_ms": "integer not null",
        "end_ms": "integer not null", "duration_ms": "integer not null", "visual_score": "float",
        "status": "clipstatus not null", "params": "json", "created_at": "time", "updated_at": "time",
    },
    "jobs": {
        "id": "uuid primary key", "job_type": "varchar(50) not null", "status": "jobstatus not null", "params": "json",
        "dedup_key": "varchar(255)", "video_asset_id": "uuid", "clip_id": "uuid", "result": "json",
        "error_message": "text", "created_at": "time", "updated_at": "time",
    },
    "campaigns": {
        "id": "uuid primary key", "name": "varchar(255) not null", "clip_id": "uuid not null",
        "budget_cents": "integer not null", "targeting": "json", "status": "campaignstatus not null",
        "created_at": "time", "updated_at": "time",
    },
    "publish_logs": {
        "id": "uuid primary key", "clip_id": "uuid not null", "platform": "varchar(50) not null",
        "social_account_id": "uuid", "status": "varchar(50) not null", "external_post_id": "varchar(255)",
        "external_url": "varchar(500)", "error_message": "text", "requested_at": "time not null",
        "published_at": "time", "retry_count": "integer not null", "max_retries": "integer not null",
        "last_retry_at": "time", "schedule_type": "varchar(50)", "scheduled_for": "time",
        "scheduled_window_end": "time", "scheduled_by": "varchar(100)", "extra_metadata": "json",
        "created_at": "time not null", "updated_at": "time not null",
    },
}  # fmt: skip

ENUMS: Mapping[str, tuple[str, ...]] = {
    "clipstatus": ("PENDING", "PROCESSING", "READY", "PUBLISHED", "FAILED"),
    "jobstatus": ("PENDING", "PROCESSING", "RETRY", "COMPLETED", "FAILED"),
    "campaignstatus": ("DRAFT", "ACTIVE", "PAUSED", "COMPLETED"),
}

TYPES: Mapping[Dialect, Mapping[str, str]] = {
    "sqlite": {"uuid": "CHAR(36)", "time": "DATETIME", "json": "JSON", "float": "FLOAT"},
    "postgresql": {"uuid": "uuid", "time": "timestamp", "json": "json", "float": "double precision"},
    "mysql": {"uuid": "char(36)", "time": "datetime(6)", "json": "json", "float": "double"},
}

ALEMBIC = (
    "create index idx_publish_logs_platform_status on publish_logs (platform, status)",
    "create index idx_publish_logs_clip_id on publish_logs (clip_id)",
    "create index idx_publish_logs_social_account_id on publish_logs (social_account_id)",
    "create index idx_clips_video_asset_id on clips (video_asset_id)",
    "create index idx_clips_status on clips (status)",
    "create index idx_jobs_status on jobs (status)",
    "create index idx_jobs_video_asset_id on jobs (video_asset_id)",
    "create index idx_jobs_clip_id on jobs (clip_id)",
)
"""What the migrations index, of the tables that are read."""


def statements(dialect: Dialect, flavour: Flavour = "create_all", **types: str) -> list[str]:
    """What makes the tables; `types` replaces what stands for `uuid`, `time`, `json`, `float` or an enum."""
    words = {**TYPES[dialect], **dict(_statuses(dialect, flavour)), **types}
    made = [
        f"create type {name} as enum ({_quoted(labels)})"
        for name, labels in ENUMS.items()
        if words[name] == name and dialect == "postgresql"
    ]
    for table, columns in COLUMNS.items():
        body = ", ".join(f"{name} {_typed(kind, words)}" for name, kind in columns.items())
        made.append(f"create table {table} ({body})")
    return [*made, *(ALEMBIC if flavour == "alembic" else ())]


def _typed(kind: str, words: Mapping[str, str]) -> str:
    name, _, rest = kind.partition(" ")
    return f"{words.get(name, name)} {rest}"


def _statuses(dialect: Dialect, flavour: Flavour) -> Iterable[tuple[str, str]]:
    for name, labels in ENUMS.items():
        if flavour == "alembic":
            yield name, "varchar(50) default 'pending'"
        else:
            yield name, {"sqlite": "VARCHAR(10)", "postgresql": name, "mysql": f"enum({_quoted(labels)})"}[dialect]


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def as_stored(table: str, row: Mapping[str, object], flavour: Flavour) -> dict[str, object]:
    """A row of the recorded SQLite files as PostgreSQL and MariaDB hold it: UUIDs with dashes, times naive, statuses
    by flavour."""
    convert: Mapping[str, Callable[[str], object]] = {
        "uuid": lambda value: str(uuid.UUID(value)),
        "json": str,
        "time": lambda value: datetime.fromisoformat(value).replace(tzinfo=None),
        **dict.fromkeys(ENUMS, str.lower if flavour == "alembic" else str.upper),
    }
    kinds = {name: kind.partition(" ")[0] for name, kind in COLUMNS[table].items()}
    return {
        name: value if value is None or kinds[name] not in convert else convert[kinds[name]](str(value))
        for name, value in row.items()
    }


def log(**more: Any) -> dict[str, Any]:
    """A row of publish_logs."""
    return {
        **dict.fromkeys(("social_account_id", "external_post_id", "external_url", "error_message", "published_at")),
        **dict.fromkeys(("last_retry_at", "schedule_type", "scheduled_for", "scheduled_window_end", "scheduled_by")),
        "id": uuid.uuid4().hex,
        "clip_id": "5" * 32,
        "platform": "tiktok",
        "status": "pending",
        "requested_at": "2025-11-22 11:00:00.000000",
        "retry_count": 0,
        "max_retries": 3,
        "extra_metadata": "null",
        "created_at": "2025-11-22 11:00:00.000000",
        "updated_at": "2025-11-22 11:00:00.000000",
        **more,
    }


def clip(**more: Any) -> dict[str, Any]:
    """A row of clips."""
    return {
        **dict.fromkeys(("params", "created_at", "updated_at")),
        "id": "5" * 32,
        "video_asset_id": "6" * 32,
        "start_ms": 0,
        "end_ms": 1,
        "duration_ms": 1,
        "visual_score": 0.5,
        "status": "READY",
        **more,
    }
