"""The views of the system itself: the machine, its events and logs, and what there is to ask."""

import csv
import io
from collections.abc import Iterable
from typing import Any

import msgspec

from exporter.core.api import Answer, Asked
from exporter.sources.music_agents.api.agents import alerts, disk_used, memory_used, processors
from exporter.sources.music_agents.api.answers import (
    Alerts,
    LogLine,
    MetricHistory,
    SevereEvents,
    Status,
    SystemHealth,
)
from exporter.sources.music_agents.api.asking import Seen, Unfit, failure, newest, whole
from exporter.sources.music_agents.api.picks import COUNTED
from exporter.sources.music_agents.api.rows import Event
from exporter.sources.music_agents.reports import ROSTER

DAY = 24 * 3600
COLUMNS = ("id", "timestamp", "event_type", "agent_id", "message", "severity", "metadata", "created_at")
"""Those of a CSV export, as the table has them."""


def health(seen: Seen, asked: Asked) -> SystemHealth:
    """The machine when it was last read; nothing is written down of it."""
    host = seen.host
    uptime = None if host.booted is None else max(0.0, seen.now - host.booted)
    return SystemHealth(
        active_connections=None if host.connections is None else sum(host.connections.values()),
        cpu_percent=processors(seen),
        disk_percent=disk_used(seen),
        memory_percent=memory_used(seen),
        timestamp=seen.timestamp,
        uptime_hours=None if uptime is None else round(uptime / 3600, 1),
        uptime_seconds=None if uptime is None else int(uptime),
    )


def recent(seen: Seen, asked: Asked) -> list[LogLine]:
    return [*newest(seen.database.tables.lines, whole(asked, "limit", 50))]


def severe(seen: Seen, asked: Asked) -> SevereEvents:
    """The counts are those of the lists, which are not longer than 50, as they always were."""
    found = seen.database.tables.severe
    critical, errors, warnings = (found.get(word, ()) for word in ("critical", "error", "warning"))
    return SevereEvents(critical, len(critical), len(errors), errors, len(warnings), warnings)


def warned(seen: Seen, asked: Asked) -> Alerts:
    found = alerts(seen)
    return Alerts(found, len(found), any(alert.type == "critical" for alert in found))


def metrics(seen: Seen, asked: Asked) -> MetricHistory:
    name = asked.path["metric_name"]
    found = tuple(newest(seen.database.tables.metrics.get(name, ()), whole(asked, "limit", 100)))
    return MetricHistory(len(found), found, name)


def status(seen: Seen, asked: Asked) -> Status:
    return Status(
        agents=len(ROSTER),
        database={f"{name}_count": seen.database.tables.counts.get(name) for name in COUNTED},
        status="online",
        system="Music Production Dashboard Backend",
        timestamp=seen.timestamp,
        version="2.0",
    )


def export(seen: Seen, asked: Asked) -> Any:  # Any: the events themselves, or an answer that is no JSON
    """The events of the last days, at most those that are kept, newest first."""
    days = whole(asked, "days", 7)
    form = asked.first("format")
    if form not in (None, "json", "csv"):
        raise Unfit(failure("Invalid format", 400))
    tables = seen.database.tables
    dated = zip(tables.events, tables.times, strict=True)
    found = [event for event, at in dated if at is None or seen.now - at <= days * DAY]
    if form != "csv":
        return found
    headers = {"Content-Disposition": 'attachment; filename="events.csv"'}
    return Answer(table(found).encode(), 200, "text/csv; charset=utf-8", headers)


def cell(value: Any) -> Any:  # Any: the cell of a table
    """What is no plain value is written as the JSON that it is."""
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value


def table(events: Iterable[Event]) -> str:
    """Events as CSV (RFC 4180), with a line of names."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    rows.writerows([cell(getattr(event, name)) for name in COLUMNS] for event in events)
    return written.getvalue()
