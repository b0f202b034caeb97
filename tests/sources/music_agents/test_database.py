"""The dashboard's database: both generations of its schema, its own words, and times of two kinds."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from exporter.core.errors import Malformed, Missing, SchemaMismatch
from exporter.core.part import Taken
from exporter.core.secret import Secret
from exporter.domains.training import PHASES, SESSIONS, Sessions
from exporter.inputs.sql import Database, Row
from exporter.sources.music_agents.database import Dashboard, rows
from tests.sources.music_agents.golden import NOW, answer, database, points

BERLIN = ZoneInfo("Europe/Berlin")
HEAD = """
    create table training_sessions (
        id integer primary key, start_time timestamp default current_timestamp, end_time timestamp,
        status text default 'running', agents_trained integer, duration_seconds real, phase_times text
    );
    create table events (id integer primary key, timestamp timestamp, event_type text, severity text, message text);
    insert into training_sessions (start_time, status) values ('2026-11-20 03:00:00', 'running');
    insert into events (severity) values ('info'), ('ERROR');
"""


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Database]:
    made = Database(Secret(f"sqlite:///{path}"), timeout=10, rows=1000)
    try:
        yield made
    finally:
        await made.close()


async def read(path: Path, now: float = NOW, zone: str = "UTC") -> Taken[Sessions]:
    async with opened(path) as made:
        return await Dashboard(made, ZoneInfo(zone)).read(now)


def change(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


async def test_the_recorded_rows_give_every_family(tmp_path: Path) -> None:
    taken = await read(database("normal", tmp_path))
    found = points(SESSIONS, taken.value)
    status = answer("normal", "training_status")
    assert found["studio_training_running"] == {(): status["is_running"]}
    assert found["studio_training_phase"] == {(phase,): phase == status["current_phase"] for phase in PHASES}
    assert found["studio_training_oldest_running_timestamp_seconds"] == {(): 1795143600.645465}
    assert found["studio_training_sessions"] == {("completed",): 6, ("failed",): 1, ("running",): 1, ("stopped",): 1}
    errors = answer("normal", "system_errors")
    assert found["studio_training_events"] == {
        ("_other",): 2,
        ("critical",): errors["critical_count"],
        ("error",): errors["error_count"],
        ("info",): 157,
        ("warning",): errors["warning_count"],
    }
    newest = {1: 2, 2: 0, 3: 0, 4: 2, 6: 2, 7: 2, 8: 0, 9: 0, 10: 2, 11: 0}
    expected = {(f"agent_{number}",): count for number, count in newest.items()}
    assert found["studio_agent_errors"] == {**expected, ("agent_5a",): 2, ("agent_5b",): 0}
    counts = answer("normal", "status")["database"]
    assert taken.records == counts["training_sessions_count"] + counts["events_count"] + 12
    assert taken.skipped == {}
    assert str(tmp_path) in taken.origin


async def test_an_empty_database_says_that_nothing_was_found(tmp_path: Path) -> None:
    found = points(SESSIONS, (await read(database("empty_database", tmp_path))).value)
    status = answer("empty_database", "training_status")
    assert found["studio_training_running"] == {(): status["is_running"]}
    assert found["studio_training_phase"] == {(phase,): phase == status["current_phase"] for phase in PHASES}
    assert set(found["studio_training_sessions"].values()) == {0}
    assert set(found["studio_training_events"].values()) == {0}
    assert "studio_agent_errors" not in found
    assert "studio_training_oldest_running_timestamp_seconds" not in found


async def test_the_samples_of_a_first_start_are_no_errors(tmp_path: Path) -> None:
    """As recorded: two events and a row of each agent, whose 0 errors nobody counted."""
    sample = answer("first_start", "agents_agent_8")["metrics_history"][0]
    assert (sample["id"], sample["error_count"]) == (9, 0)
    assert answer("first_start", "status")["database"]["agent_metrics_count"] == 12
    samples = ",".join(f"('2026-11-21T03:00:34.301118', 'agent_{number}')" for number in range(12))
    path = change(
        database("first_start", tmp_path),
        f"""
        insert into events (timestamp, event_type, message) values
            ('2026-11-21T03:00:34', 'system_start', 'Dashboard backend started'),
            ('2026-11-21T03:00:34', 'training_complete', 'Holistic training completed');
        insert into agent_metrics (timestamp, agent_id) values {samples};
        """,
    )
    assert (await read(path)).value.errors == {}
    change(path, "insert into agent_metrics (timestamp, agent_id, error_count) values ('2026-11-22', 'agent_8', 3)")
    assert (await read(path)).value.errors == {"agent_8": 3}


async def test_the_later_generation_of_the_schema_has_no_phases_and_no_agents(tmp_path: Path) -> None:
    found = points(SESSIONS, (await read(change(tmp_path / "head.db", HEAD))).value)
    assert found["studio_training_running"] == {(): 1}
    assert found["studio_training_phase"] == {**{(phase,): 0 for phase in PHASES}, ("_other",): 1}
    assert found["studio_training_events"][("error",)] == 1
    assert "studio_agent_errors" not in found


@pytest.mark.parametrize(("make", "statements"), [(lambda path: database("normal", path), 5), (None, 4)])
async def test_a_read_is_a_handful_of_statements(
    make: Callable[[Path], Path] | None, statements: int, tmp_path: Path
) -> None:
    asked: list[str] = []
    async with opened(make(tmp_path) if make else change(tmp_path / "head.db", HEAD)) as made:

        def work(query: Callable[[str], list[Row]]) -> None:
            def counted(statement: str) -> list[Row]:
                asked.append(statement)
                return query(statement)

            rows(counted)

        await made.read(work)
    assert len(asked) == statements


async def test_naive_times_are_local_and_those_of_the_database_itself_utc(tmp_path: Path) -> None:
    path = change(tmp_path / "head.db", HEAD)
    assert (await read(path, zone="Europe/Berlin")).value.oldest_running == 1795143600  # 03:00 UTC
    change(path, "update training_sessions set start_time = '2026-11-20T03:00:00'")
    assert (await read(path, zone="Europe/Berlin")).value.oldest_running == 1795140000  # 02:00 UTC


async def test_the_first_of_an_hour_that_comes_twice_is_meant(tmp_path: Path) -> None:
    path = change(tmp_path / "head.db", HEAD)
    change(path, "update training_sessions set start_time = '2026-10-25T02:30:00'")
    assert (await read(path, zone="Europe/Berlin")).value.oldest_running == 1792888200  # 00:30 UTC


async def test_starts_in_the_future_and_those_that_are_none_are_not_the_oldest(tmp_path: Path) -> None:
    path = change(
        database("empty_database", tmp_path),
        """
        insert into training_sessions (start_time) values
            ('yesterday'), ('2026-11-21T04:00:00'), ('2026-11-21T02:00:00'), (17);
        """,
    )
    taken = await read(path)
    assert taken.value.oldest_running == 1795226400
    assert taken.value.sessions == {"running": 4}
    assert taken.skipped == {"invalid": 2}  # 17 became the text '17'
    assert taken.value.phase == "_other"


async def test_the_newest_session_is_the_one_written_last(tmp_path: Path) -> None:
    path = database("normal", tmp_path)
    change(path, "insert into training_sessions (start_time, status) values ('2026-01-01T00:00:00', 'Completed')")
    value = (await read(path)).value
    assert (value.running, value.phase, value.sessions["completed"], value.sessions["running"]) == (False, "idle", 7, 1)
    change(path, "insert into training_sessions (start_time, status, phase) values ('zzz', 'RUNNING', 'Validation')")
    value = (await read(path)).value
    assert (value.running, value.phase, value.sessions["running"]) == (True, "validation", 2)


async def test_odd_words_and_counts_are_folded_or_counted(tmp_path: Path) -> None:
    path = change(
        database("empty_database", tmp_path),
        """
        insert into training_sessions (start_time, status) values ('2026-01-01', 'paused'), ('2026-01-01', null);
        insert into events (timestamp, event_type, message, severity) values
            ('x', 'x', 'x', 'Warning'), ('x', 'x', 'x', 7);
        insert into agent_metrics (timestamp, agent_id, error_count) values
            ('x', 'agent_1', null), ('x', 'agent_2', 'many'), ('x', 'agent_3', 1), ('x', 'agent_3', 4);
        """,
    )
    taken = await read(path)
    found = points(SESSIONS, taken.value)
    assert found["studio_training_sessions"][("_other",)] == 2
    assert found["studio_training_events"] == {
        **{(level,): 0 for level in ("critical", "error", "info")},
        ("warning",): 1,
        ("_other",): 1,
    }
    assert taken.value.errors == {"agent_3": 4}
    assert taken.skipped == {"missing": 1, "type": 1}


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("drop table events", "expected a table events, found agent_metrics, training_sessions"),
        ("alter table events drop column severity", "expected a column severity in the table events"),
        ("alter table agent_metrics drop column error_count", "expected a column error_count in the table agent"),
        ("alter table training_sessions rename column status to state", "expected a column status"),
    ],
)
async def test_what_is_missing_is_named(script: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatch, match=message):
        await read(change(database("normal", tmp_path), script))


async def test_a_database_that_is_none_or_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(Missing):
        await read(tmp_path / "nowhere.db")
    (tmp_path / "text.db").write_text("no database at all, but long enough to be looked at" * 100)
    with pytest.raises(Malformed):
        await read(tmp_path / "text.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(SchemaMismatch, match="found none that is known"):
        await read(tmp_path / "empty.db")


async def test_a_value_is_the_same_object_until_something_it_says_changes(tmp_path: Path) -> None:
    path = database("normal", tmp_path)
    async with opened(path) as made:
        dashboard = Dashboard(made, BERLIN)
        first = (await dashboard.read(NOW)).value
        change(path, "insert into system_health (timestamp) values ('2026-11-21T03:00:31')")
        assert (await dashboard.read(NOW + 15)).value is first
        change(path, "insert into events (timestamp, event_type, message) values ('x', 'x', 'x')")
        assert (await dashboard.read(NOW + 30)).value.events["info"] == first.events["info"] + 1
