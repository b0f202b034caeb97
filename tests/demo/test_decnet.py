"""DECNET in the simulated studio: its story, and the database that tells it."""

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from exporter.demo import decnet
from exporter.demo.decnet import DATABASE, PRUNE_EVERY, WEIGHTS, Orchestrator, Row
from exporter.demo.studio import Studio
from exporter.demo.world import DAY, HISTORY, MINUTE, PACE, Agenda, Clock, chance

GOLDEN = Path(__file__).parents[1] / "golden" / "decnet" / "inputs" / "schema-sqlite.sql"
BEGAN = 1_800_000_000.0
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
COUNTS = "SELECT (SELECT count(*) FROM orchestrator_events), (SELECT count(*) FROM orchestrator_emails)"


def history(seed: int, began: float = BEGAN) -> tuple[list[Row], list[Row]]:
    agenda = Agenda(Clock(began, PACE))
    orchestrator = Orchestrator(agenda, chance(seed, "decnet"))
    agenda.advance(began)
    return orchestrator.take()


def described(connection: sqlite3.Connection) -> dict[str, object]:
    """Columns and indexes of every table."""

    def names(statement: str) -> list[str]:
        return [name for (name,) in connection.execute(statement)]

    return {
        table: (
            connection.execute(f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}')").fetchall(),
            {
                index: names(f"SELECT name FROM pragma_index_info('{index}')")
                for index in names(f"SELECT name FROM pragma_index_list('{table}')")
            },
        )
        for table in names("SELECT name FROM sqlite_master WHERE type = 'table'")
    }


def test_the_schema_is_upstreams(tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as real, closing(decnet.create(tmp_path / DATABASE)) as ours:
        real.executescript(GOLDEN.read_text())
        assert described(ours) == described(real)
        assert ours.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ours.execute("PRAGMA synchronous").fetchone() == (1,)
        assert ours.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
        assert ours.execute("SELECT version_num FROM alembic_version").fetchall() == [("4a914b1d62a0",)]


def test_the_same_seed_tells_the_same_story_at_any_time() -> None:
    def timeless(rows: tuple[list[Row], list[Row]]) -> list[Row]:
        return [(row[0], *row[2:]) for part in rows for row in part]

    assert timeless(history(3)) == timeless(history(3, BEGAN + 12_345_678))
    assert timeless(history(3)) != timeless(history(4))


@pytest.mark.parametrize("seed", range(3))
def test_the_past_is_a_week_of_one_action_a_minute(seed: int) -> None:
    events, emails = history(seed)
    rows = len(events) + len(emails)
    assert 0.95 * HISTORY / MINUTE < rows <= HISTORY / MINUTE
    kinds = Counter(event[2] for event in events)
    kinds["email"] = len(emails)
    assert kinds.keys() == WEIGHTS.keys()
    for kind, weight in WEIGHTS.items():
        assert kinds[kind] / rows == pytest.approx(weight / 100, abs=0.02)
    assert len({row[0] for row in events + emails}) == rows


def test_rows_are_as_upstream_writes_them() -> None:
    events, emails = history(1)
    for rows in (events, emails):
        times = [str(row[1]) for row in rows]
        assert times == sorted(times)
        assert all(TIME.fullmatch(time) for time in times)
    for _, _, kind, protocol, action, source, target, success, payload in events:
        assert protocol == "ssh"
        assert str(action).startswith("exec:" if kind == "traffic" else "file:")
        assert (source is None) == (kind == "file")
        assert source != target
        assert (json.loads(str(payload))["rc"] == 0) == (success == 1)
    for row in emails:
        message, path, success = row[4], row[10], row[11]
        assert bool(message) == bool(path) == (success == 1)
    known = {row[4] for row in emails}
    replies = [row[5] for row in emails if row[5]]
    assert len(replies) > 100
    assert known.issuperset(replies)


def test_an_operation_fails_in_a_streak_now_and_then_and_recovers() -> None:
    events, emails = history(1)
    outcomes = {kind: [event[7] for event in events if event[2] == kind] for kind in ("traffic", "file")}
    outcomes["email"] = [email[11] for email in emails]
    for kind, ended in outcomes.items():
        streaks = [len(list(streak)) for success, streak in groupby(ended) if success == 0]
        assert max(streaks) >= 3, kind
        assert max(streaks) < 60
        assert sum(streaks) < 0.35 * len(ended)


def test_pruning_keeps_the_newest_of_each_decky(tmp_path: Path) -> None:
    events, emails = history(1)
    with closing(decnet.create(tmp_path / DATABASE)) as connection, connection:
        connection.executemany(decnet.INSERT_EVENT, events)
        connection.executemany(decnet.INSERT_EMAIL, emails)
        decnet.prune(connection, events=50, emails=20)
        for table, decky, keep, rows, at in (
            ("orchestrator_events", "dst_decky_uuid", 50, events, 6),
            ("orchestrator_emails", "mail_decky_uuid", 20, emails, 2),
        ):
            by_decky = {uuid: [row[0] for row in rows if row[at] == uuid] for uuid in {row[at] for row in rows}}
            left = {uuid for (uuid,) in connection.execute(f"SELECT uuid FROM {table}")}
            assert left == {uuid for uuids in by_decky.values() for uuid in uuids[-keep:]}
            per_decky = connection.execute(f"SELECT DISTINCT count(*) FROM {table} GROUP BY {decky}").fetchall()
            assert per_decky == [(keep,)]


def test_the_writer_inserts_as_time_passes_and_prunes_every_hundred_ticks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = decnet.prune
    monkeypatch.setattr(decnet, "prune", lambda connection: real(connection, events=100, emails=30))
    agenda, now, sizes = Agenda(Clock(BEGAN, PACE)), BEGAN, []
    with (
        decnet.live(Studio(agenda, 1, tmp_path, lambda _: False)) as write,
        closing(sqlite3.connect(tmp_path.joinpath(DATABASE).as_uri() + "?mode=ro", uri=True)) as reader,
    ):
        for _ in range(1000):
            agenda.advance(now)
            write()
            sizes.append(sum(reader.execute(COUNTS).fetchone()))
            now += 7
    assert max(sizes) <= 4 * 100 + 2 * 30 + PRUNE_EVERY + 7
    assert any(later < sooner for sooner, later in pairwise(sizes))
    assert (now - BEGAN) * PACE > 4 * DAY


def test_nothing_is_written_when_nothing_happened(tmp_path: Path) -> None:
    agenda = Agenda(Clock(BEGAN, PACE))
    with decnet.live(Studio(agenda, 1, tmp_path, lambda _: False)) as write:
        write()
        with closing(sqlite3.connect(tmp_path / DATABASE)) as reader:
            before = reader.execute("PRAGMA data_version").fetchone()
            write()
            assert reader.execute("PRAGMA data_version").fetchone() == before
            assert reader.execute(COUNTS).fetchone() == (0, 0)
            agenda.advance(BEGAN)
            write()
            assert reader.execute("PRAGMA data_version").fetchone() != before
            assert sum(reader.execute(COUNTS).fetchone()) > 9000
