"""Every exchange that was recorded with the system, and the inputs of a scenario as they lay there."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from exporter.core.api import Access
from exporter.core.part import Schedule, Taken
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.domains.host import Filesystem, Host
from exporter.sources.music_agents import KIND, Config
from tests.api.replay import BEARER, MATTER, TOKEN, Exchange
from tests.sources.music_agents import golden
from tests.sources.music_agents.golden import database, lay

CROSS_ORIGIN = ("access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers", "vary")
PUBLIC = Access(public=True, cors=("*",))
WRITING = Access(Secret(TOKEN), cors=("*",), writes=True)
CREATED = "2026-11-21 03:00:34"

VOLATILE: Mapping[str, tuple[str, ...]] = {
    "/api/dashboard/overview": ("$.timestamp",),
    "/api/dashboard/quick-stats": ("$.uptime_hours",),
    "/api/status": ("$.timestamp",),
    "/api/system/alerts": ("$.alerts[*].timestamp",),
    "/api/system/health": tuple(
        f"$.{name}"
        for name in (
            *("active_connections", "cpu_percent", "disk_percent", "memory_percent"),
            *("timestamp", "uptime_hours", "uptime_seconds"),
        )
    ),
    "/api/storyboard/project/create": ("$.project_id",),
    "/api/training/start": ("$.timestamp",),
    "/api/training/stop": ("$.timestamp",),
}
MOMENTS: Mapping[str, tuple[str, ...]] = {
    "/api/training/status": ("$.last_session.start_time",),
    "/api/logs/training": ("$[*].date",),
}
"""The same, where a session was started while it was recorded."""
"""Fields that are the time of the request, or the machine that it was recorded on."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange; `raw` is the body as it was written, where it was short enough to be kept."""

    name: str
    at: float
    exchange: Exchange
    raw: str | None

    @property
    def scenario(self) -> str:
        return self.name.split("/")[0]

    @property
    def path(self) -> str:
        return self.exchange.target.split("?")[0]


@cache
def exchanges() -> tuple[Recorded, ...]:
    return tuple(map(kept, golden.exchanges()))


def kept(found: Mapping[str, Any]) -> Recorded:
    request, path = found["request"], found["request"]["path"].split("?")[0]
    exchange = Exchange(
        found["name"],
        request["method"],
        request["path"],
        found["status"],
        sane(path, found["body"]) if "body" in found else found.get("text"),
        request.get("headers", {}),
        request.get("body", "").encode(),
        found["headers"],
        (*MATTER, *CROSS_ORIGIN),
        ignore=VOLATILE.get(path, ()) + (MOMENTS.get(path, ()) if found["name"].startswith("training_") else ()),
    )
    at = datetime.fromisoformat(found["at"]).timestamp()
    return Recorded(found["name"], at, exchange, found.get("raw"))


def sane(path: str, body: Any) -> Any:
    """Without the alerts about the machine that it was recorded on, which was busy at times."""
    if path != "/api/system/alerts":
        return body
    kept = [alert for alert in body["alerts"] if "CPU" not in alert["message"]]
    return {"alerts": kept, "count": len(kept), "has_critical": body["has_critical"]}


def of(*scenarios: str) -> Iterator[Recorded]:
    return (each for each in exchanges() if each.scenario in scenarios)


def scenarios() -> list[str]:
    return sorted({each.scenario for each in exchanges()})


def with_token(exchange: Exchange, name: str | None = None) -> Exchange:
    return replace(exchange, sent={**dict(exchange.sent), **BEARER}, name=name or exchange.name)


# inputs


def source(scenario: str, root: Path, access: Access = PUBLIC) -> Source:
    """The source over the inputs that a scenario was recorded with."""
    inputs = {"bad_params": "normal", "debug_mode": "normal", "storyboard": "normal", "training_lifecycle": "normal"}
    laid = inputs.get(scenario, "normal" if scenario == "unknown" else scenario)
    orchestrator = lay(laid, root)
    sample = orchestrator / "logs" / "sample_daily_report.txt"
    if sample.exists():
        rewrite(sample)
    path = database(laid, root)
    if scenario == "first_start":
        begin(path)
    return quieted(Config(orchestrator, Secret(str(path))), access)


def quieted(config: Config, access: Access = PUBLIC) -> Source:
    """A source on a machine of which there is nothing to tell."""
    made = KIND.source(config, Context("music", Schedule(), Limits(), access))
    return replace(made, parts=tuple(replace(part, read=quiet) if part.name == "host" else part for part in made.parts))


async def quiet(now: float) -> Taken[Host]:
    """The machine as it was when `normal/system_health` was recorded, of which there is nothing to be warned."""
    root = Filesystem(size=1000.0, used=303.0, available=697.0)
    return Taken(Host(0.048, 945.0, 1000.0, {"/": root}, 1795228560.0, {"listen": 1500, "none": 1}), "a machine")


def rewrite(sample: Path) -> None:
    """The sample as it was when the answers were recorded: with the numbers they have, in the shape it has here."""
    status = sample.stat()
    (found,) = (each for each in exchanges() if each.name == "sample_report_newest/training_history")
    assert isinstance(found.exchange.body, dict)
    sample.write_text("\n".join(written(found.exchange.body["history"][0])), encoding="utf-8")
    os.utime(sample, (status.st_atime, status.st_mtime))


def written(report: Mapping[str, Any]) -> Iterable[str]:
    rule = "═" * 78
    lines = [
        f" DAILY TRAINING REPORT [{report['date']}]",
        f" Training Duration: {report['duration_minutes']} minutes",
        f" Overall System Quality: {report['overall_quality']}/10 ({report['quality_change']:+}%)",
    ]
    for agent in report["agents"]:
        lines += [
            f"{agent['name']} ({agent['id']})",
            f"  Quality: {agent['quality']}/10 ({agent['improvement']:+} vs yesterday)",
            f"  Processing: {agent['processing_time']}s",
        ]
    return [f"╔{rule}╗", *(f"║ {line:<76} ║" for line in lines), f"╚{rule}╝"]


def begin(path: Path) -> None:
    """The rows that the system made up at its first start, as far as answers show them."""
    bodies = {each.name: each.exchange.body for each in of("first_start")}
    events: Any = bodies["first_start/logs_export"]
    agents: Any = bodies["first_start/agents_status"]
    sample: Any = bodies["first_start/agents_agent_8"]
    time = sample["metrics_history"][0]["timestamp"]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "insert into events (id, timestamp, event_type, agent_id, message, severity, created_at)"
            " values (:id, :timestamp, :event_type, :agent_id, :message, :severity, :created_at)",
            events,
        )
        connection.executemany(
            "insert into agent_metrics"
            " (timestamp, agent_id, quality_score, processing_time_ms, improvement, created_at)"
            " values (?, ?, ?, ?, ?, ?)",
            [
                (time, each["id"], each["quality_score"], each["processing_time_ms"], each["improvement"], CREATED)
                for each in agents
            ],
        )
