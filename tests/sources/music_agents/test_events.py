"""What is told to those who follow a source: sessions that start, go on and end, and runs that ended."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from exporter.core.api import Access
from exporter.core.event import Event
from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.sources.music_agents import KIND, Config
from exporter.sources.music_agents.api import events
from exporter.sources.music_agents.api.papers import NOTHING as NO_FILES
from exporter.sources.music_agents.api.tables import NOTHING as NO_DATABASE
from tests.sources.music_agents.golden import NOW, database, lay

PUBLIC = Access(public=True)
BEGIN = "insert into training_sessions (start_time, phase, status) values ('2026-11-21T03:00:00', '{}', '{}')"


def made(config: Config) -> Source:
    return KIND.source(config, Context("music", Schedule(), Limits(), PUBLIC))


async def told(path: Path, *scripts: str) -> list[list[tuple[str, Any, Any]]]:
    """The events of each script: what, of which session, in which phase."""
    source = made(Config(database=Secret(str(path)), host=False))
    (part,) = source.parts
    assert part.events
    value, found = (await part.read(NOW)).value, []
    for script in scripts:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)
        after = (await part.read(NOW)).value
        found.append([short(event) for event in part.events(value, after)])
        assert list(part.events(after, after)) == []
        value = after
    await source.close()
    return found


def short(event: Event) -> tuple[str, Any, Any]:
    assert event.payload["event"] == event.name
    session = event.payload["session"]
    return event.name, session["id"], session["phase"]


async def test_a_session_is_followed_from_start_to_end(tmp_path: Path) -> None:
    assert await told(
        database("empty_database", tmp_path),
        BEGIN.format("initializing", "running"),
        "update training_sessions set phase = 'harvesting'",
        "update training_sessions set agents_trained = 3",
        "update training_sessions set status = 'completed', end_time = '2026-11-21T03:04:00'",
        "update training_sessions set metadata = '{}'",
    ) == [
        [("session.started", 1, "initializing")],
        [("session.phase", 1, "harvesting")],
        [],
        [("session.ended", 1, "harvesting")],
        [],
    ]


async def test_sessions_that_nobody_saw_running_have_started_and_ended_in_their_order(tmp_path: Path) -> None:
    script = ";".join((BEGIN.format("monitoring", "failed"), BEGIN.format("initializing", "running")))
    assert await told(database("normal", tmp_path), script) == [
        [
            ("session.started", 10, "monitoring"),
            ("session.ended", 10, "monitoring"),
            ("session.started", 11, "initializing"),
        ]
    ]


async def test_one_that_runs_again_starts_again(tmp_path: Path) -> None:
    path = database("normal", tmp_path)
    assert await told(path, "update training_sessions set status = 'running' where id = 8") == [
        [("session.started", 8, "monitoring")]
    ]


async def test_rows_that_come_into_sight_or_go_are_no_events(tmp_path: Path) -> None:
    """The newest 50 are looked at: when newer ones are deleted, older ones are seen again."""
    path = database("empty_database", tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 60)"
            " insert into training_sessions (start_time, status)"
            " select printf('2026-11-01T%02d:00:00', i), 'completed' from n"
        )
    assert await told(path, "delete from training_sessions where id > 40", "delete from training_sessions") == [[], []]


@pytest.mark.parametrize(("change", "count"), [(lambda text: text, 0), (lambda text: text.replace(":12.", ":13."), 1)])
async def test_the_result_of_another_run_is_a_run_that_ended(
    tmp_path: Path, change: Callable[[str], str], count: int
) -> None:
    orchestrator = lay("normal", tmp_path)
    result = orchestrator / "holistic_training_result.json"
    source = made(Config(orchestrator, host=False))
    (part,) = source.parts
    assert part.events
    before = (await part.read(NOW)).value
    result.write_text(change(result.read_text()))
    after = (await part.read(NOW + 60)).value
    found = list(part.events(before, after))
    await source.close()
    assert [event.name for event in found] == ["run.finished"] * count
    for event in found:
        run = event.payload["run"]
        assert run["timestamp"] == "2026-11-20T03:04:13.345678"
        assert (run["status"], run["total_time_seconds"], run["agents"]) == (
            "success",
            276.41,
            {"failed": 1, "trained": 9},
        )
        assert run["phases"]["agent_training"] == 142.37


def test_nothing_becomes_of_nothing() -> None:
    assert list(events.filed(NO_FILES, NO_FILES)) == []
    assert list(events.recorded(NO_DATABASE, NO_DATABASE)) == []
