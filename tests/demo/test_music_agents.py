"""Music Agents in the simulated studio: the story, the files and the database that tell it."""

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from exporter.demo import music_agents, music_tables
from exporter.demo.music_agents import AGENTS, CONFIG, DATABASE, LOGS, ORCHESTRATOR, PHASES, RESULT, Training
from exporter.demo.music_reports import DISABLED, ROSTER, Night, Trained, report, result
from exporter.demo.music_tables import Record, create, save
from exporter.demo.studio import Studio
from exporter.demo.world import HISTORY, MINUTE, PACE, Agenda, Clock, chance

GOLDEN = Path(__file__).parents[1] / "golden" / "music_agents" / "inputs"
BEGAN = 1_800_000_000.0
PHASED = ("initializing", *PHASES)
NIGHT = Night(
    datetime(2026, 11, 20, 3, 25),  # noqa: DTZ001  # as upstream has them
    {"harvesting": 240.0, "validation": 120.0, "agent_training": 840.0, "monitoring": 180.0},
    {"agent_1": Trained(8.0, 0.5, 1.234), "agent_11": Trained(7.0, -0.25, 4.0)},
    datetime(2026, 11, 21, 3),  # noqa: DTZ001
)


class Live:
    """Music Agents under a clock that is told the time; `rows` and `files` are all there are by now."""

    def __init__(self, seed: int = 1, began: float = BEGAN) -> None:
        self.agenda = Agenda(Clock(began, PACE))
        self.training = Training(self.agenda, chance(seed, "music"))
        self.rows: dict[tuple[str, object], Record] = {}
        self.files: dict[str, str] = {}
        self.now = began
        self.go_on(0)

    def go_on(self, seconds: float) -> None:
        self.now += seconds
        self.agenda.advance(self.now)
        self.rows |= {key: dict(record) for key, record in self.training.dashboard.take().items()}
        self.files |= self.training.files
        self.training.files.clear()

    def of(self, table: str) -> list[Record]:
        return [row for (name, _), row in self.rows.items() if name == table]


def timeless(live: Live) -> list[Record]:
    times = {"timestamp", "created_at", "start_time", "end_time"}
    return [{column: value for column, value in row.items() if column not in times} for row in live.rows.values()]


def keys(document: Any) -> Any:
    """The keys of objects in objects; those of results and numbers of records differ from run to run."""
    varying = {"results", "records_by_type", "validation_stats", "agent_training", "quality_targets"}
    if not isinstance(document, dict):
        return None
    return {key: None if key in varying else keys(value) for key, value in document.items()}


def described(connection: sqlite3.Connection) -> dict[str, object]:
    """Columns and indexes of every table."""
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        table: [
            connection.execute(
                f"SELECT name, type, \"notnull\", pk, dflt_value FROM pragma_table_info('{table}')"
            ).fetchall(),
            sorted(connection.execute(f"SELECT name, \"unique\" FROM pragma_index_list('{table}')")),
        ]
        for table in tables
    }


def test_the_schema_is_upstreams(tmp_path: Path) -> None:
    real = sqlite3.connect((GOLDEN / "normal" / "dashboard.db").as_uri() + "?mode=ro", uri=True)
    with closing(real), closing(create(tmp_path / DATABASE)) as ours:
        assert described(ours) == described(real)
        assert ours.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_report_is_what_upstreams_writer_writes() -> None:
    logs = (GOLDEN / part / "orchestrator" / LOGS for part in ("normal", "real_pipeline_mock_agents"))
    real = "\n".join(path.read_text() for log in logs for path in log.glob("daily_report_*.txt"))

    def blurred(text: str) -> set[str]:
        """The kinds of lines there are; numbers and their signs are all one, and so are blanks at the end."""
        return {re.sub(r"[+-]?[0-9.]+", "0", re.sub(r" *║$", "║", line)) for line in text.splitlines()}

    text = report(date(2026, 11, 20), NIGHT, 7.6)
    assert blurred(text) <= blurred(real)
    assert {len(line) for line in text.splitlines()} == {len(line) for line in real.splitlines()}
    assert not text.endswith("\n")
    assert "║  Training Duration: 23.00 minutes " in text
    assert "║  Overall System Quality: 7.5/10 (-1.3%) " in text
    assert re.search(r"║ Trend Detective \(agent_1\) +║\n║   Quality: 8.0/10 \(\+0.5 vs yesterday\) +║\n║   Proc", text)
    assert text.count("No data available") == 10
    assert "║ - Focus on agent_11 (lowest score) " in text
    assert "STABLE →" in text
    assert "UP ↑" in report(date(2026, 11, 20), NIGHT, 7.4)


def test_a_result_and_the_configuration_have_the_shape_of_real_ones() -> None:
    home = GOLDEN / "normal" / "orchestrator"
    assert keys(result(NIGHT)) == keys(json.loads((home / RESULT).read_text()))
    ours = json.loads(Live().files[CONFIG])["training"]
    real = json.loads((home / CONFIG).read_text())["training"]
    assert ours.keys() <= real.keys()
    assert ours["quality_targets"].keys() == real["quality_targets"].keys()
    assert ours["agent_training"].keys() == real["agent_training"].keys() == ROSTER.keys()
    assert [agent for agent, settings in ours["agent_training"].items() if not settings["enabled"]] == [DISABLED]


def test_the_same_seed_tells_the_same_story_at_any_time() -> None:
    assert timeless(Live(3)) == timeless(Live(3, BEGAN + 12_345_678))
    assert timeless(Live(3)) != timeless(Live(4))


@pytest.mark.parametrize("seed", range(3))
def test_the_past_is_a_week_of_nights(seed: int) -> None:
    live = Live(seed)
    reports = sorted(name for name in live.files if name.startswith(LOGS))
    assert 4 <= len(reports) <= 8
    assert all(re.fullmatch(rf"{LOGS}/daily_report_\d{{4}}-\d\d-\d\d\.txt", name) for name in reports)
    assert all(f"[{name[-14:-4]}]" in live.files[name] for name in reports)
    statuses = Counter(session["status"] for session in live.of("training_sessions"))
    assert sum(statuses.values()) > 15
    assert statuses["completed"] > statuses["failed"] > 0
    severities = Counter(event["severity"] for event in live.of("events"))
    assert severities.keys() == {"info", "warning", "error", "critical"}
    assert sum(severities.values()) > 0.8 * HISTORY / (10 * MINUTE)
    nights = [str(session["start_time"])[11:] for session in live.of("training_sessions")]
    assert Counter(nights).most_common(1)[0][1] >= 5  # at the same time of the day
    assert {metric["agent_id"] for metric in live.of("agent_metrics")} == set(AGENTS)


def test_sessions_are_noted_as_upstream_notes_them() -> None:
    live = Live()
    for _ in range(800):
        live.go_on(20)
    ended = set()
    for session in live.of("training_sessions"):
        status = session["status"]
        ended.add(status)
        start, end = (session.get(column) for column in ("start_time", "end_time"))
        assert (end is not None) == (status in {"completed", "failed"})
        assert end is None or str(start) < str(end) <= datetime.fromtimestamp(live.now, UTC).isoformat()
        assert (session.get("error_message") is not None) == (status == "failed")
        assert (session["agents_trained"] != 0) == (status == "completed")
        assert session["phase"] in PHASED
        assert status != "completed" or session["phase"] == "monitoring"
    assert {"completed", "failed", "stopped"} <= ended
    starts = [event for event in live.of("events") if event["event_type"] == "training_start"]
    assert len(starts) == len(live.of("training_sessions"))


def test_a_session_goes_through_its_phases_one_at_a_time() -> None:
    live, seen = Live(), dict[object, list[object]]()
    for _ in range(1500):
        live.go_on(1)
        running = [row for row in live.of("training_sessions") if row["status"] == "running"]
        assert len(running) <= 1
        for session in running:
            phases = seen.setdefault(session["id"], [])
            if phases[-1:] != [session["phase"]]:
                phases.append(session["phase"])
    assert len(seen) >= 3
    assert all((one, two) in {*pairwise(PHASED)} or one == PHASED[0] for s in seen.values() for one, two in pairwise(s))
    assert max(map(len, seen.values())) >= len(PHASES)


def test_an_agent_is_in_trouble_for_a_while_and_then_has_no_data() -> None:
    live, silent = Live(), Counter[str]()
    for _ in range(400):
        live.go_on(20)
        latest = max(name for name in live.files if name.startswith(LOGS))
        blocks = re.findall(r"\((agent_\w+)\) +║\n║   Status: No data", live.files[latest])
        assert DISABLED in blocks
        silent.update(blocks)
        assert len(blocks) < 7
    assert len(silent) > 4
    errors = Counter(row["agent_id"] for row in live.of("events") if row["severity"] == "error")
    assert any(int(row["error_count"] or 0) > 3 for row in live.of("agent_metrics"))
    assert max(errors.values()) > 3 * min(errors.values())


def test_a_failed_run_leaves_its_result_and_yesterdays_report() -> None:
    live, failures = Live(), 0
    for _ in range(1500):
        before = dict(live.files)
        live.go_on(5)
        outcome = json.loads(live.files[RESULT])
        assert outcome["status"] in {"success", "failed"}
        if outcome["status"] == "failed" and live.files[RESULT] != before[RESULT]:
            failures += 1
            assert outcome["error"] in music_agents.ERRORS.values()
            assert {**live.files, RESULT: ""} == {**before, RESULT: ""}
    assert failures > 2


def test_files_are_written_in_place_when_they_changed_and_only_then(tmp_path: Path) -> None:
    agenda = Agenda(Clock(BEGAN, PACE))
    with music_agents.live(Studio(agenda, 1, tmp_path, lambda _: False)) as write:
        agenda.advance(BEGAN)
        write()
        home = tmp_path / ORCHESTRATOR
        files = {path for path in home.rglob("*") if path.is_file()}
        assert {home / CONFIG, home / RESULT} < files
        inode = (home / RESULT).stat().st_ino
        for path in files - {home / RESULT}:
            path.unlink()
        write()
        assert {path for path in home.rglob("*") if path.is_file()} == {home / RESULT}
        for second in range(0, 3000, 50):
            agenda.advance(BEGAN + second)
            write()
        assert (home / RESULT).stat().st_ino == inode
        assert [*(home / LOGS).iterdir()]
        assert not (home / CONFIG).exists()


def test_old_events_go_and_nothing_is_written_when_nothing_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(music_tables, "KEPT", {"events": 300, "agent_metrics": 40})
    agenda = Agenda(Clock(BEGAN, PACE))
    with (
        music_agents.live(Studio(agenda, 1, tmp_path, lambda _: False)) as write,
        closing(sqlite3.connect(tmp_path / DATABASE)) as reader,
    ):
        for second in range(0, 3000, 30):
            agenda.advance(BEGAN + second)
            write()
        counts = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM agent_metrics)"
        assert reader.execute(counts).fetchone() == (300, 40)
        before = reader.execute("PRAGMA data_version").fetchone()
        write()
        assert reader.execute("PRAGMA data_version").fetchone() == before


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    changed: dict[tuple[str, object], Record] = {
        ("events", 1): {"id": 1, "timestamp": "2026-11-20T03:00:00", "event_type": "alert", "message": "first"},
        ("events", 2): {"id": 2},
    }
    with closing(create(tmp_path / DATABASE)) as connection:
        with pytest.raises(sqlite3.IntegrityError):
            save(connection, changed)
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (0,)
