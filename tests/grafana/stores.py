"""The stores of a studio in which nothing happens but what a test lets happen, and a configuration that reads them."""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from exporter.demo import decnet, music_tables, stakazo_tables
from exporter.demo.trafalgar import replace, rewrite

Outcomes = Sequence[tuple[float, bool]]
"""Units of work that came to their end: when (epoch seconds), and whether they succeeded."""

CONFIG = """\
refresh: {{interval: 300ms, timeout: 1s, max_stale: 10m}}
state: sqlite:///{home}/state.sqlite
sources:
  - {{name: vfx, kind: trafalgar, ingest_registry: {home}/ingest_runs.json, render_jobs: {home}/render_jobs.json}}
  - {{name: decoys, kind: decnet, database: "sqlite:///{home}/decnet.db"}}
  - {{name: publishing, kind: stakazo, database: "sqlite:///{home}/stakazo.db"}}
  - {{name: music, kind: music_agents, orchestrator: {home}/music, database: {home}/dashboard.db, host: false}}
"""


@dataclass
class Stores:
    """Where they are, and what is in those that are files. A time is never the same twice."""

    home: Path
    runs: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    last: float = 0.0

    @property
    def ingest(self) -> Path:
        return self.home / "ingest_runs.json"

    @property
    def render(self) -> Path:
        return self.home / "render_jobs.json"

    @property
    def operations(self) -> Path:
        return self.home / "decnet.db"

    @property
    def publications(self) -> Path:
        return self.home / "stakazo.db"

    @property
    def result(self) -> Path:
        return self.home / "music" / "holistic_training_result.json"

    @property
    def sessions(self) -> Path:
        return self.home / "dashboard.db"

    def now(self) -> float:
        self.last = max(time.time(), self.last + 0.001)
        return self.last

    def finish(self, pipeline: str, lane: str, *succeeded: bool) -> None:
        """Units of work of a lane come to their end, one after the other, and are on record all at once."""
        FINISHES[pipeline](self, lane, [(self.now(), ok) for ok in succeeded])


def laid(home: Path) -> Stores:
    """Stores without any work in them."""
    stores = Stores(home)
    (home / "music" / "training").mkdir(parents=True)
    rewrite(home / "music" / "training" / "config.json", "{}")
    for create, path in (
        (decnet.create, stores.operations),
        (stakazo_tables.create, stores.publications),
        (music_tables.create, stores.sessions),
    ):
        create(path).close()
    write_runs(stores)
    write_jobs(stores)
    return stores


def configured(stores: Stores) -> Path:
    """The configuration of an exporter that reads them, and keeps a ledger."""
    path = stores.home / "config.yaml"
    path.write_text(CONFIG.format(home=stores.home), encoding="utf-8")
    return path


def write_runs(stores: Stores) -> None:
    rewrite(stores.ingest, json.dumps(stores.runs))


def write_jobs(stores: Stores) -> None:
    replace(stores.render, json.dumps(stores.jobs))


def insert(path: Path, table: str, *rows: Mapping[str, object]) -> None:
    """Rows of the same columns, in one transaction."""
    columns = ", ".join(rows[0])
    values = ", ".join(f":{column}" for column in rows[0])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(f"insert into {table} ({columns}) values ({values})", rows)


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def run(started: float, ended: float | None, show: str, *, ok: bool = True) -> dict[str, Any]:
    """An ingest run; without an end it still runs."""
    info = dict.fromkeys(("episode", "scene", "shot", "descriptor"), "A") | {"show_code": show, "extension": "exr"}
    processed = [{"path": "/in/a.exr", "bucket": "client_in", "key": "a.exr", "media_info": info}]
    report = {"processed": processed, "invalid": [] if ok else [["/in/b.tmp", "Checksum mismatch"]], "warnings": []}
    times = {"started_at": iso(started), "completed_at": ended and iso(ended)}
    return {"id": uuid4().hex, **times, "report": report}


def job(status: str, at: float, farm: str) -> dict[str, Any]:
    """A render job that came to a status."""
    request = {"dcc": "nuke", "scene": "/prod/a.nk", "frames": "1-10", "output": "/prod/renders", "farm": farm}
    ended = iso(at) if status in ("completed", "failed") else None
    return {
        "job_id": uuid4().hex,
        "farm": farm,
        "farm_type": farm,
        "request": request,
        "message": None,
        "status": status,
        "created_at": iso(at),
        "updated_at": iso(at),
        "completed_at": ended,
        "status_history": [{"status": status, "timestamp": iso(at)}],
    }


def publication(status: str, at: float, platform: str) -> dict[str, object]:
    """A row of publish_logs that came to a status."""
    moment = naive(at, " ")
    done = status == "success"
    return {
        "id": uuid4().hex,
        "clip_id": "5" * 32,
        "platform": platform,
        "status": status,
        "requested_at": moment,
        "external_post_id": uuid4().hex if done else None,
        "published_at": moment if done else None,
        "retry_count": 0,
        "max_retries": 3,
        "created_at": moment,
        "updated_at": moment,
    }


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def naive(at: float, separator: str = "T") -> str:
    """A time in UTC that does not say so."""
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(separator, "microseconds")


def _ingested(stores: Stores, lane: str, outcomes: Outcomes) -> None:
    stores.runs += [run(at, at, lane, ok=ok) for at, ok in outcomes]
    write_runs(stores)


def _rendered(stores: Stores, lane: str, outcomes: Outcomes) -> None:
    stores.jobs += [job("completed" if ok else "failed", at, lane) for at, ok in outcomes]
    write_jobs(stores)


def _operated(stores: Stores, lane: str, outcomes: Outcomes) -> None:
    common = {"kind": lane, "protocol": "ssh", "action": "exec:df", "dst_decky_uuid": "a", "payload": "{}"}
    rows = [{"uuid": uuid4().hex, "ts": naive(at, " "), "success": int(ok), **common} for at, ok in outcomes]
    insert(stores.operations, "orchestrator_events", *rows)


def _published(stores: Stores, lane: str, outcomes: Outcomes) -> None:
    rows = [publication("success" if ok else "failed", at, lane) for at, ok in outcomes]
    insert(stores.publications, "publish_logs", *rows)


def _trained(stores: Stores, _: str, outcomes: Outcomes) -> None:
    """Only the last run is on record."""
    at, ok = outcomes[-1]
    rewrite(stores.result, json.dumps({"status": "success" if ok else "failed", "timestamp": naive(at)}))


def _held(stores: Stores, _: str, outcomes: Outcomes) -> None:
    rows = [
        {"start_time": naive(at), "end_time": naive(at), "status": "completed" if ok else "failed"}
        for at, ok in outcomes
    ]
    insert(stores.sessions, "training_sessions", *rows)


FINISHES: Mapping[str, Callable[[Stores, str, Outcomes], None]] = {
    "ingest": _ingested,
    "render": _rendered,
    "operation": _operated,
    "publish": _published,
    "training_run": _trained,
    "training_session": _held,
}
