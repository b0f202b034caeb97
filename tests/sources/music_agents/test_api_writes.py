"""The three routes that change the system: only where it is allowed, each a whole transaction, and one at a time."""

import asyncio
import json
import logging
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from exporter.core.api import Access
from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits
from exporter.sources.music_agents import KIND, Config
from exporter.sources.music_agents.api.picks import KEPT
from tests.api.replay import BEARER, TOKEN, Desk, Exchange, Got, served
from tests.sources.music_agents.golden import NOW, database
from tests.sources.music_agents.recorded import WRITING

START, STOP, CREATE = "/api/training/start", "/api/training/stop", "/api/storyboard/project/create"
JSON = {"Content-Type": "application/json"}


@asynccontextmanager
async def desk_of(path: Path, access: Access = WRITING, timezone: str = "UTC") -> AsyncIterator[Desk]:
    config = Config(database=Secret(str(path)), timezone=timezone, host=False)
    made = KIND.source(config, Context("music", Schedule(), Limits(), access))
    async with served(made, NOW, access) as desk:
        yield desk


async def post(desk: Desk, path: str, body: object = None, sent: dict[str, str] | None = None) -> Got:
    content = b"" if body is None else json.dumps(body).encode()
    headers = {**BEARER, **(JSON if body is not None else {}), **(sent or {})}
    return await desk.ask(Exchange("", "POST", path, 200, sent=headers, content=content))


async def get(desk: Desk, path: str) -> Any:
    return json.loads((await desk.ask(Exchange("", "GET", path, 200, sent=BEARER))).body)


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def change(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


RUNNING = "select id, end_time from training_sessions where status = 'running'"
STARTED = "select message from events where event_type = 'training_start' and id > 234"


async def test_of_16_starts_at_once_one_wins_and_the_others_are_told_which(tmp_path: Path) -> None:
    path = database("empty_database", tmp_path)
    async with desk_of(path) as desk:
        found = await asyncio.gather(*(post(desk, START, {"force": True}) for _ in range(16)))
    assert Counter(each.status for each in found) == {200: 1, 409: 15}
    assert {json.loads(each.body)["training_id"] for each in found} == {1}
    assert {json.loads(each.body)["status"] for each in found} == {"started", "already_running"}
    assert rows(path, RUNNING) == [(1, None)]
    assert rows(path, "select message from events") == [("Training started (session 1)",)]


async def test_a_stop_ends_every_session_that_is_running_with_an_event_each(tmp_path: Path) -> None:
    """Sixteen, as the races of the system left them, of which it could stop one."""
    path = database("normal", tmp_path)
    change(path, "insert into training_sessions (start_time) values ('2026-11-20T04:00:00'), ('2026-11-20T05:00:00')")
    async with desk_of(path, timezone="Europe/Berlin") as desk:
        found = await asyncio.gather(*(post(desk, STOP) for _ in range(8)))
    bodies = [json.loads(each.body) for each in found]
    assert {each.status for each in found} == {200}
    at = "2026-11-21T04:00:31"
    assert [body for body in bodies if body["status"] == "stopped"] == [
        {"status": "stopped", "timestamp": at, "training_id": 11}
    ]
    assert [body["status"] for body in bodies].count("no_running_session") == 7
    assert rows(path, RUNNING) == []
    stopped = "select id, end_time from training_sessions where status = 'stopped' and end_time is not null"
    assert rows(path, stopped) == [(9, at), (10, at), (11, at)]
    assert rows(path, "select timestamp, message, severity, created_at from events where id > 234") == [
        (at, f"Training stopped (session {number})", "info", "2026-11-21 03:00:31") for number in (9, 10, 11)
    ]


async def test_what_was_done_is_shown_after_the_read_that_it_asks_for(tmp_path: Path) -> None:
    async with desk_of(database("empty_database", tmp_path)) as desk:
        assert (await post(desk, START)).status == 200
        assert desk.due == ["database"]
        await desk.read("database")
        status = await get(desk, "/api/training/status")
        assert (status["is_running"], status["current_phase"]) == (True, "initializing")
        assert (await post(desk, START)).status == 409
        assert desk.due == ["database"]  # nothing was changed


async def test_nothing_is_half_done(tmp_path: Path) -> None:
    """A session without its event would be one that the log does not know."""
    path = database("normal", tmp_path)
    change(path, "update training_sessions set status = 'stopped'; drop table events")
    async with desk_of(path) as desk:
        found = await post(desk, START)
    assert found.status == 503
    assert json.loads(found.body) == {"error": "The database could not be changed: schema", "status": 503}
    assert rows(path, RUNNING) == []


async def test_the_later_schema_is_told_apart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "dashboard.db"
    change(
        path, "create table training_sessions (id integer primary key, start_time, status); create table events (id)"
    )
    async with desk_of(path) as desk:
        found = await post(desk, START)
    assert found.status == 503
    assert "has no column named phase" in caplog.text


async def test_a_database_that_is_locked_or_gone_is_told(tmp_path: Path) -> None:
    path = database("empty_database", tmp_path)
    async with desk_of(path) as desk:
        path.unlink()
        found = await post(desk, START)
    assert (found.status, json.loads(found.body)["error"]) == (503, "The database could not be changed: missing")
    assert not path.exists()


@pytest.mark.parametrize(
    ("path", "content", "media", "status", "error"),
    [
        (START, b"{bad", "application/json", 400, "the body is not valid JSON"),
        (START, b"[" * 60_000, "application/json", 400, "the body is not valid JSON"),
        (START, b"\xff\xfe", "application/json", 400, "the body is not valid JSON"),
        (START, b"{}", "text/plain", 415, "expected a body of the media type application/json"),
        (START, b"[1]", "application/json", 400, 'expected a JSON object such as {"force": false}, or no body'),
        (CREATE, b"", "", 415, "expected a body of the media type application/json"),
        (CREATE, b'{"name": [1]}', "application/json", 400, "name: expected text, a number or null"),
        (CREATE, b'{"music": true}', "application/json", 400, "music: expected text, a number or null"),
        (CREATE, b'{"artist": "%s"}' % (b"x" * 4097), "application/json", 400, "artist: expected at most 4096"),
        (CREATE, b'{"name": %s}' % (b"[" * 2000 + b"]" * 2000), "application/json", 400, ""),
        (
            CREATE,
            b'{"name": %s}' % (b"[" * 40 + b"]" * 40),
            "application/json",
            400,
            "name: expected text, a number or",
        ),
        (CREATE, b"x" * 70_000, "application/json", 413, "Request body too large"),
    ],
)
async def test_hostile_bodies_are_refused(
    tmp_path: Path, path: str, content: bytes, media: str, status: int, error: str
) -> None:
    base = database("empty_database", tmp_path)
    async with desk_of(base) as desk:
        sent = {**BEARER, **({"Content-Type": media} if media else {})}
        found = await desk.ask(Exchange("", "POST", path, status, sent=sent, content=content))
    assert found.status == status
    assert error in json.loads(found.body)["error"]
    assert rows(base, "select name from sqlite_master where name = 'storyboard_projects'") == []
    assert rows(base, "select * from events") == []


@pytest.mark.parametrize("media", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.a+json"])
async def test_json_has_several_names(tmp_path: Path, media: str) -> None:
    async with desk_of(database("empty_database", tmp_path)) as desk:
        assert (await post(desk, START, {"force": False}, {"Content-Type": media})).status == 200


async def test_projects_are_kept(tmp_path: Path) -> None:
    async with desk_of(database("empty_database", tmp_path), timezone="Europe/Berlin") as desk:
        await desk.read()
        assert await get(desk, "/api/storyboard/projects") == []
        first = await post(desk, CREATE, {"name": "Neön ☃", "music": "a.mp3", "artist": 5})
        assert first.body == (b'{"name":"Ne\\u00f6n \\u2603","project_id":"proj_20261121_040031","status":"created"}\n')
        second = json.loads((await post(desk, CREATE, {"name": "\ud800 '; drop table events", "music": 10**400})).body)
        assert second["project_id"] == "proj_20261121_040031_2"
        await desk.read("database")
        assert await get(desk, "/api/storyboard/projects") == [
            {
                "created": "2026-11-21",
                "id": "proj_20261121_040031_2",
                "name": "? '; drop table events",
                "scenes": 0,
                "status": "created",
            },
            {
                "created": "2026-11-21",
                "id": "proj_20261121_040031",
                "name": "Neön ☃",
                "scenes": 0,
                "status": "created",
            },
        ]
        opened = await get(desk, "/api/storyboard/project/proj_20261121_040031")
        assert (opened["name"], opened["scenes"]) == ("Neön ☃", [])
        assert await get(desk, "/api/storyboard/project/proj_x") == {"error": "Project not found", "status": 404}


async def test_there_is_room_for_so_many_projects(tmp_path: Path) -> None:
    path = database("empty_database", tmp_path)
    async with desk_of(path) as desk:
        assert (await post(desk, CREATE, {})).status == 200
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executemany(
                "insert into storyboard_projects (id, created, status) values (?, '2026-01-01', 'created')",
                [(f"proj_{number}",) for number in range(KEPT - 1)],
            )
        found = await post(desk, CREATE, {})
        assert (found.status, json.loads(found.body)) == (
            409,
            {"error": f"{KEPT} projects are kept, which is all there is room for"},
        )
    assert rows(path, "select count(*) from storyboard_projects") == [(KEPT,)]


async def test_each_change_has_a_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "exporter.sources.music_agents")
    async with desk_of(database("empty_database", tmp_path)) as desk:
        for path, body in ((START, {"force": True}), (START, {}), (STOP, None), (STOP, None), (CREATE, {"name": "\n"})):
            await post(desk, path, body)
    assert [record.getMessage() for record in caplog.records] == [
        "source music: training session 1 was started (force)",
        "source music: no training session was started: session 1 is running",
        "source music: training stopped: 1 sessions up to 1",
        "source music: no training session was stopped: none is running",
        "source music: storyboard project proj_20261121_030031 was created",
    ]


READ_ONLY = {"error": "Not served: this is read-only, unless api.writes allows it for a source", "status": 501}


@pytest.mark.parametrize("access", [Access(public=True), Access(Secret(TOKEN))])
@pytest.mark.parametrize("path", [START, STOP, CREATE])
async def test_nothing_is_changed_unless_it_is_allowed(tmp_path: Path, access: Access, path: str) -> None:
    base = database("normal", tmp_path)
    before = base.read_bytes()
    async with desk_of(base, access) as desk:
        found = await post(desk, path, {"name": "x"})
    assert (found.status, json.loads(found.body)) == (501, READ_ONLY)
    assert base.read_bytes() == before


@pytest.mark.parametrize("path", [START, STOP, CREATE])
async def test_nobody_without_the_token_changes_anything(tmp_path: Path, path: str) -> None:
    base = database("normal", tmp_path)
    before = base.read_bytes()
    async with desk_of(base) as desk:
        for token in ("", "Bearer wrong", "Basic x"):
            found = await post(desk, path, {}, {"Authorization": token})
            assert found.status == 401
            assert json.loads(found.body).keys() == {"error", "status"}
    assert base.read_bytes() == before


async def test_without_a_database_there_is_nothing_to_write_to() -> None:
    made = KIND.source(Config(), Context("music", Schedule(), Limits(), WRITING))
    async with served(made, NOW, WRITING, read=False) as desk:
        assert (await post(desk, START)).status == 501
