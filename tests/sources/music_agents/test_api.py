"""The JSON of old beyond what was recorded: the machine, other time zones, limits, what cannot be read, odd values."""

import csv
import io
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from exporter.core.api import Access
from exporter.core.part import Part, Schedule, Taken
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.domains.host import Filesystem, Host
from exporter.sources.music_agents import KIND, Config
from exporter.sources.music_agents.api import papers, picks, tables
from tests.api.replay import TOKEN, Desk, Exchange, Got, served
from tests.sources.music_agents.golden import NOW, database, lay
from tests.sources.music_agents.recorded import PUBLIC

HOUR = 3600.0
BUSY = Host(
    cpu=0.9312,
    memory_available=150.0,
    memory_size=1000.0,
    filesystems={"/": Filesystem(size=1000.0, used=910.0, available=80.0)},
    booted=NOW - 100 * HOUR,
    connections={"listen": 3, "established": 4},
)
SILENT = Host(None, None, None, {}, None, None)


def source(config: Config, host: Host | None = None, access: Access = PUBLIC) -> Source:
    made = KIND.source(config, Context("music", Schedule(), Limits(), access))
    if host is None:
        return made

    async def read(now: float) -> Taken[Host]:
        return Taken(host, "a machine")

    parts: tuple[Part[Any], ...] = made.parts
    return replace(made, parts=tuple(replace(part, read=read) if part.name == "host" else part for part in parts))


@asynccontextmanager
async def desk_of(config: Config, host: Host | None = None, access: Access = PUBLIC) -> AsyncIterator[Desk]:
    async with served(source(config, host, access), NOW, access) as desk:
        yield desk


def everything(root: Path, timezone: str = "UTC") -> Config:
    return Config(lay("normal", root), Secret(str(database("normal", root))), timezone)


def tables_only(path: Path) -> Config:
    return Config(database=Secret(str(path)), host=False)


async def ask(desk: Desk, target: str, method: str = "GET") -> Got:
    return await desk.ask(Exchange("", method, target, 200))


async def get(desk: Desk, target: str) -> Any:
    found = await ask(desk, target)
    assert found.status == 200, found.body
    return json.loads(found.body)


def change(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


# the machine


async def test_a_busy_machine_is_warned_of(tmp_path: Path) -> None:
    async with desk_of(everything(tmp_path), BUSY) as desk:
        assert await get(desk, "/api/system/health") == {
            "active_connections": 7,
            "cpu_percent": 93.1,
            "disk_percent": 91.9,
            "memory_percent": 85.0,
            "timestamp": "2026-11-21T03:00:31",
            "uptime_hours": 100.0,
            "uptime_seconds": 360_000,
        }
        alerts = await get(desk, "/api/system/alerts")
        assert [(alert["type"], alert["message"]) for alert in alerts["alerts"]] == [
            ("warning", "High CPU usage: 93.1%"),
            ("warning", "High memory usage: 85.0%"),
            ("critical", "Critical disk usage: 91.9%"),
            ("warning", "Low quality for Master Distributor: 0.0"),
        ]
        assert (alerts["count"], alerts["has_critical"]) == (4, True)
        health = await get(desk, "/api/agents/health")
        assert (health["critical_alerts"], health["warnings"]) == (1, 3)
        assert (await get(desk, "/api/dashboard/quick-stats"))["uptime_hours"] == 100.0


async def test_what_the_machine_does_not_tell_is_null(tmp_path: Path) -> None:
    """The system answered with zeros for everything, and stored them."""
    async with desk_of(everything(tmp_path), SILENT) as desk:
        found = await get(desk, "/api/system/health")
        assert {value for key, value in found.items() if key != "timestamp"} == {None}
        assert (await get(desk, "/api/dashboard/quick-stats"))["uptime_hours"] is None


# where and when


async def test_times_are_local_and_the_zone_has_its_name(tmp_path: Path) -> None:
    """The system said UTC, and 03:00, whatever was configured."""
    config = everything(tmp_path, "Europe/Berlin")
    assert config.orchestrator
    settings = config.orchestrator / "training" / "config.json"
    settings.write_text('{"training": {"schedule": "*/20 5 * * *", "description": "caf\\u00e9"}}')
    async with desk_of(config) as desk:
        assert (await ask(desk, "/api/training/schedule")).body == (
            b'{"description":"caf\\u00e9","enabled":true,"next_run":"2026-11-21T05:00:00",'
            b'"schedule":"*/20 5 * * *","timezone":"Europe/Berlin"}\n'
        )
        overview = await get(desk, "/api/dashboard/overview")
        assert (overview["timestamp"], overview["next_training"]) == ("2026-11-21T04:00:31", "2026-11-21T05:00:00")
        assert (await get(desk, "/api/agents/agent_1"))["last_updated"] == "2026-11-20T04:05:00"


async def test_the_last_run_has_no_time_where_no_calendar_has_it(tmp_path: Path) -> None:
    result = '{"status": "success", "timestamp": "0001-01-01T00:00:00+14:00"}'
    (tmp_path / "holistic_training_result.json").write_text(result)
    async with desk_of(Config(tmp_path, host=False)) as desk:
        assert (await get(desk, "/api/dashboard/overview"))["last_training"] is None


@pytest.mark.parametrize(
    "text",
    [
        '{"training": {"enabled": false}}',
        '{"training": {"schedule": "at noon"}}',
        '{"training": {"schedule": 5}}',
        '{"training": {"schedule": "0 0 30 2 *"}}',
    ],
)
async def test_a_run_that_never_comes_has_no_time(tmp_path: Path, text: str) -> None:
    config = everything(tmp_path)
    assert config.orchestrator
    (config.orchestrator / "training" / "config.json").write_text(text)
    async with desk_of(config) as desk:
        assert (await get(desk, "/api/training/schedule"))["next_run"] is None
        assert (await get(desk, "/api/dashboard/overview"))["next_training"] is None


async def test_odd_values_of_the_configuration_are_shown_as_far_as_json_has_them(tmp_path: Path) -> None:
    config = everything(tmp_path)
    assert config.orchestrator
    agent = '{"enabled": 0, "priority": 1%s, "description": "\\ud800"}' % ("0" * 30)
    text = f'{{"training": {{"agent_training": {{"agent_1": {agent}, "agent_2": 5}}}}}}'
    (config.orchestrator / "training" / "config.json").write_text(text)
    async with desk_of(config) as desk:
        found = await get(desk, "/api/agents/agent_1")
        assert (found["status"], found["enabled"], found["priority"], found["description"]) == ("offline", 0, 1e30, "?")
        assert (await get(desk, "/api/agents/agent_2"))["priority"] == "medium"


async def test_a_configuration_without_end_is_none(tmp_path: Path) -> None:
    config = everything(tmp_path)
    assert config.orchestrator
    deep = '{"training": {"description": ' + "[" * 100 + "]" * 100 + "}}"
    (config.orchestrator / "training" / "config.json").write_text(deep)
    async with desk_of(config) as desk:
        assert (await get(desk, "/api/training/schedule"))["description"] == "Daily training"


async def test_a_report_of_astronomic_numbers_is_shown(tmp_path: Path) -> None:
    config = everything(tmp_path)
    assert config.orchestrator
    report = config.orchestrator / "logs" / "daily_report_2026-11-20.txt"
    large = "9" * 308
    text = report.read_text().replace("Processing: 1.32s", f"Processing: {large}s")
    text = text.replace("Training Duration: 3.97", f"Training Duration: {large}")
    status = report.stat()
    report.write_text(text)
    os.utime(report, (status.st_atime, 1e11))  # of the year 5138
    async with desk_of(config) as desk:
        assert (await get(desk, "/api/agents/agent_1"))["processing_time_ms"] == 2**53
        assert (await get(desk, "/api/training/history"))["daily_duration_ms"][0] == 2**53
        assert (await get(desk, "/api/metrics/trends"))["average_processing_time"] == 2**53
        assert (await get(desk, "/api/dashboard/overview"))["training_speed_ms"] == 2**53


# what cannot be read


FILES = ("/api/dashboard/overview", "/api/agents/status", "/api/training/history", "/api/metrics/comparison")
TABLES = (
    "/api/status",
    "/api/training/status",
    "/api/logs/export",
    "/api/metrics/history/quality",
    "/api/system/errors",
)


async def test_a_part_that_was_not_read_is_told_and_the_others_are_served(tmp_path: Path) -> None:
    lay("normal", tmp_path)
    config = Config(tmp_path / "orchestrator", Secret(str(tmp_path / "gone.db")))
    async with desk_of(config, BUSY) as desk:
        for target in TABLES:
            found = await ask(desk, target)
            assert found.status == 503, target
            assert json.loads(found.body) == {
                "error": "The database could not be read, or not yet; see /metrics.",
                "status": 503,
            }
        assert (await get(desk, "/api/agents/status"))[0]["errors"] is None
        assert (await get(desk, "/api/dashboard/overview"))["current_phase"] is None


async def test_before_the_first_read_nothing_is_made_up(tmp_path: Path) -> None:
    async with served(source(everything(tmp_path)), NOW, PUBLIC, read=False) as desk:
        for target in (*FILES, *TABLES, "/api/system/health", "/api/system/alerts"):
            assert (await ask(desk, target)).status == 503, target
        assert (await ask(desk, "/api/endpoints")).status == 200


async def test_what_is_not_configured_is_empty() -> None:
    async with desk_of(Config(host=False)) as desk:
        assert (await get(desk, "/api/training/history"))["history"] == []
        assert (await get(desk, "/api/agents/health"))["average_quality"] == 0
        assert await get(desk, "/api/system/logs/recent") == []
        status = await get(desk, "/api/training/status")
        assert (status["current_phase"], status["last_session"]) == ("idle", None)
        assert set((await get(desk, "/api/status"))["database"].values()) == {None}
        overview = await get(desk, "/api/dashboard/overview")
        assert (overview["last_training"], overview["overall_quality"]) == (None, 0.0)


async def test_the_later_schema_has_no_rows_to_show_but_is_read(tmp_path: Path) -> None:
    path = change(
        tmp_path / "dashboard.db",
        """
        create table training_sessions (id integer primary key, start_time, status, duration_seconds);
        create table events (id integer primary key, severity);
        create table metrics (value);
        insert into training_sessions (start_time, status) values ('2026-11-20 03:00:00', 'running');
        insert into events (severity) values ('error');
        """,
    )
    async with desk_of(tables_only(path)) as desk:
        status = await get(desk, "/api/training/status")
        assert (status["is_running"], status["current_phase"]) == (True, None)
        assert status["last_session"]["agents_trained"] is None
        assert await get(desk, "/api/logs/export") == []
        counts = (await get(desk, "/api/status"))["database"]
        assert counts == {
            "agent_metrics_count": None,
            "events_count": 1,
            "metrics_count": 0,
            "system_health_count": None,
            "training_sessions_count": 1,
        }


# rows


async def test_cells_of_any_kind_are_shown(tmp_path: Path) -> None:
    path = change(
        database("empty_database", tmp_path),
        """
        insert into events (timestamp, event_type, message, severity, metadata) values
            ('2026-11-21T03:00:00', x'ff41', cast(x'c328' as text), 5, '[1e999, 1' || printf('%030d', 0) || ']'),
            (3.5, 9223372036854775807, 9e999, 'error', printf('%.*c', 40, '[') || printf('%.*c', 40, ']'));
        insert into metrics (timestamp, metric_type, value) values ('x', 'quality', 9e999), ('y', 7, 1);
        """,
    )
    async with desk_of(tables_only(path)) as desk:
        number, event = await get(desk, "/api/system/logs/recent?limit=-1")
        assert (event["type"], event["status"], event["timestamp"]) == ("\ufffdA", "5", "03:00:00")
        assert event["message"].endswith("(")
        assert (number["timestamp"], number["type"], number["message"]) == ("3.5", str(2**63 - 1), "Inf")
        exported = await get(desk, "/api/logs/export?days=99999999999999999999")
        assert [each["metadata"] for each in exported] == ["[" * 40 + "]" * 40, [None, 1e30]]
        assert (await get(desk, "/api/metrics/history/quality"))["history"][0]["value"] is None
        assert (await get(desk, "/api/metrics/history/7"))["count"] == 1


async def test_no_more_is_kept_than_there_is_room_for(tmp_path: Path) -> None:
    rows = picks.KEPT + 50
    path = change(
        database("empty_database", tmp_path),
        f"""
        create temp table n as with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
            select i from n;
        insert into events (timestamp, event_type, message, severity)
            select printf('2026-11-21T02:%06d', i), 'a', printf('%.*c', 10000, 'x'), 'warning' from n;
        insert into metrics (timestamp, metric_type, value) select printf('%06d', i), 'often', i from n;
        insert into metrics (timestamp, metric_type, value) select printf('%06d', i), 'seldom', i from n where i < 6;
        insert into agent_metrics (timestamp, agent_id) select printf('%06d', i), 'agent_1' from n;
        """,
    )
    async with desk_of(tables_only(path)) as desk:
        logs = await get(desk, f"/api/system/logs/recent?limit={rows}")
        assert len(logs) == picks.KEPT
        assert len(logs[0]["message"]) == picks.LONGEST
        assert len(await get(desk, "/api/logs/export")) == picks.KEPT
        often = await get(desk, "/api/metrics/history/often?limit=-1")
        assert (often["count"], often["history"][0]["value"]) == (picks.KEPT, rows)
        assert (await get(desk, "/api/metrics/history/seldom"))["count"] == 5
        errors = await get(desk, "/api/system/errors")
        assert (len(errors["warnings"]), errors["warning_count"]) == (50, 50)
        assert len((await get(desk, "/api/agents/agent_1"))["metrics_history"]) == 10
        assert (await get(desk, "/api/status"))["database"]["events_count"] == rows


async def test_no_more_reports_are_kept_than_there_is_room_for(tmp_path: Path) -> None:
    logs = tmp_path / "orchestrator" / "logs"
    logs.mkdir(parents=True)
    for number in range(papers.KEPT + 5):
        path = logs / f"daily_report_{number}.txt"
        path.write_text("DAILY TRAINING REPORT [2026-11-20]")
        os.utime(path, (number, number))
    async with desk_of(Config(tmp_path / "orchestrator", host=False)) as desk:
        assert len((await get(desk, "/api/training/history?days=99999"))["dates"]) == papers.KEPT


async def test_an_export_has_the_days_that_were_asked_for(tmp_path: Path) -> None:
    async with desk_of(everything(tmp_path)) as desk:
        whole = await get(desk, "/api/logs/export?days=30")
        assert len(whole) == 234
        for days in (0, 1, 3, 7, -1):
            found = await get(desk, f"/api/logs/export?days={days}")
            assert found == [event for event in whole if within(event, days)], days


def within(event: Any, days: int) -> bool:
    """By the text of the times, which are all in UTC here: 2026-11-21T03:00:31 less so many days."""
    first = f"2026-11-{21 - days:02}T03:00:31" if days >= 0 else "9"
    text = event["timestamp"] if event["timestamp"] != "yesterday" else event["created_at"].replace(" ", "T")
    return bool(text >= first)


async def test_an_export_as_csv_holds_the_same(tmp_path: Path) -> None:
    async with desk_of(everything(tmp_path)) as desk:
        events = await get(desk, "/api/logs/export?days=30")
        answer = await ask(desk, "/api/logs/export?format=csv&days=30")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="events.csv"'
        found = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
        assert len(found) == len(events) == 234
        for row, event in zip(found, events, strict=True):
            assert row.keys() == event.keys()
            assert row["message"] == event["message"]
            assert row["agent_id"] == (event["agent_id"] or "")
            metadata = event["metadata"]
            assert row["metadata"] == (
                metadata
                if isinstance(metadata, str)
                else json.dumps(metadata, separators=(",", ":"))
                if metadata
                else ""
            )


# habits


async def test_views_read_nothing_and_an_unchanged_database_is_the_same_value(tmp_path: Path) -> None:
    made = source(everything(tmp_path))
    first = {part.name: (await part.read(NOW)).value for part in made.parts if part.name != "host"}
    second = {part.name: (await part.read(NOW + 1)).value for part in made.parts if part.name != "host"}
    await made.close()
    assert all(first[name] is second[name] for name in first)


async def test_rows_are_read_again_when_some_were_added_and_all_of_them_now_and_then(tmp_path: Path) -> None:
    path = database("normal", tmp_path)
    newest = "/api/system/logs/recent?limit=1"
    async with desk_of(tables_only(path)) as desk:
        change(path, "update events set message = 'changed'")
        await desk.read()
        assert (await get(desk, newest))[0]["message"] == "Timestamp not ISO"
        change(path, "insert into metrics (timestamp, metric_type, value) values ('2027', 'quality', 1)")
        await desk.read()
        assert (await get(desk, "/api/metrics/history/quality?limit=1"))["history"][0]["timestamp"] == "2027"
        assert (await get(desk, newest))[0]["message"] == "Timestamp not ISO"
        for _ in range(tables.WHOLE):
            await desk.read()
        assert (await get(desk, newest))[0]["message"] == "changed"
        change(path, "delete from events where id < 234")
        await desk.read()
        assert len(await get(desk, "/api/logs/export?days=999")) == 1


async def test_a_touched_report_is_the_newest_again(tmp_path: Path) -> None:
    config = everything(tmp_path)
    assert config.orchestrator
    async with desk_of(config) as desk:
        assert (await get(desk, "/api/dashboard/overview"))["last_training"] == "2026-11-20"
        os.utime(config.orchestrator / "logs" / "daily_report_2026-11-12.txt", (NOW, NOW))
        await desk.read("files")
        assert (await get(desk, "/api/dashboard/overview"))["last_training"] == "2026-11-12"


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
ODD = (
    "%00",
    "%FF%FE",
    "%F0%9F%98%80",
    "a" * 4000,
    "-" + "9" * 5000,
    "9" * 5000,
    "9" * 4000,
    "%0d%0a",
    "..%2f..%2fetc",
    "1&limit=x",
    "",
)


@pytest.mark.parametrize("odd", ODD)
async def test_hostile_requests_get_an_answer_of_the_system(tmp_path: Path, odd: str) -> None:
    made = source(everything(tmp_path), BUSY)
    async with served(made, NOW, PUBLIC) as desk:
        assert made.api
        paths = [route.path.replace("{", "").replace("}", "") for route in made.api.routes]
        named = [f"/api/agents/{odd}", f"/api/metrics/history/{odd}", f"/api/storyboard/project/{odd}", f"/api/{odd}"]
        queries = [f"{path}?{name}={odd}" for path in paths for name in ("limit", "days", "format", odd[:1500])]
        others = [(method, target) for target in (*paths, *named) for method in METHODS]
        for method, target in (*others, *(("GET", query) for query in queries)):
            found = await ask(desk, target, method)
            assert found.status < 500 or found.status == 501, (method, target, found.body)
            if found.status >= 400 and found.status != 405 and method != "HEAD":
                assert "error" in json.loads(found.body), (method, target)
            assert found.body.isascii() or found.headers["Content-Type"] != "application/json"


async def test_names_come_back_as_they_were_sent(tmp_path: Path) -> None:
    async with desk_of(everything(tmp_path)) as desk:
        for name in ('"quoted"\\', "snow☃", "😀", "\x7f", "a b", "<b>"):
            found = await ask(desk, f"/api/agents/{quote(name)}")
            assert found.body.isascii()
            assert json.loads(found.body)["id"] == name


@pytest.mark.parametrize(
    ("access", "sent", "status", "error"),
    [
        (Access(), {}, 503, "No token is configured"),
        (Access(Secret(TOKEN)), {}, 401, "A bearer token is needed"),
        (Access(Secret(TOKEN)), {"Authorization": "Bearer"}, 401, "A bearer token is needed"),
        (Access(Secret(TOKEN)), {"Authorization": "Bearer x"}, 401, "The bearer token is wrong"),
        (Access(Secret(TOKEN)), {"Authorization": f"bearer  {TOKEN}"}, 200, ""),
    ],
)
async def test_who_may_ask(tmp_path: Path, access: Access, sent: dict[str, str], status: int, error: str) -> None:
    async with desk_of(everything(tmp_path), access=access) as desk:
        found = await desk.ask(Exchange("", "GET", "/api/status", status, sent=sent))
    assert found.status == status
    body = json.loads(found.body)
    if error:
        assert list(body) == ["error", "status"]
        assert body["error"].startswith(error)
        assert body["status"] == status
        assert found.headers.get("WWW-Authenticate", "") == ("Bearer" if status == 401 else "")


async def test_every_route_describes_itself_and_its_example_works(tmp_path: Path) -> None:
    made = source(everything(tmp_path), BUSY)
    assert made.api
    async with served(made, NOW, PUBLIC) as desk:
        assert len(made.api.routes) == 26
        for route in made.api.routes:
            found = await ask(desk, route.example, route.method)
            assert found.status in route.answers, route.example
            names = {parameter.name for parameter in route.parameters if parameter.where == "path"}
            assert {f"{{{name}}}" for name in names} == {part for part in route.path.split("/") if part[:1] == "{"}
        document = json.loads((await ask(desk, "/openapi.json")).body)
        assert len(document["paths"]) >= 25
