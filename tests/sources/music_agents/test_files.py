"""The orchestrator's files: recorded ones give what the system said of them where that was true, damaged ones less."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest

from exporter.core.errors import Malformed, Missing, ReadError
from exporter.core.family import Value
from exporter.core.part import Taken
from exporter.domains.training import REPORTS, Training
from exporter.sources.music_agents.files import Files
from exporter.sources.music_agents.reports import ROSTER
from tests.sources.music_agents.golden import NOW, answer, by_label, lay, points

UTC = ZoneInfo("UTC")
LIMIT = 1 << 20


def files(root: Path, zone: ZoneInfo = UTC) -> Files:
    return Files(root, zone, LIMIT)


def read(scenario: str, tmp_path: Path) -> Taken[Training]:
    return files(lay(scenario, tmp_path)).read(NOW)


def said(taken: Taken[Training]) -> dict[str, dict[tuple[str, ...], Value]]:
    return points(REPORTS, taken.value)


def recorded_agents(scenario: str) -> dict[str, tuple[float, float, float]]:
    """Quality, change and seconds of the agents that the system had data of: it says 0 for the others."""
    return {
        agent["id"]: (agent["quality_score"], agent["improvement"], agent["processing_time_ms"] / 1000)
        for agent in answer(scenario, "agents_status")
        if agent["quality_score"]
    }


def agents(taken: Taken[Training]) -> dict[str, tuple[Value, Value, Value]]:
    return {name: (agent.quality, agent.change, agent.processing) for name, agent in taken.value.agents.items()}


@pytest.mark.parametrize(
    "scenario",
    [
        "config_flat_head",
        "config_is_list",
        "empty_database",
        "malformed_config",
        "malformed_result",
        "no_reports",
        "normal",
        "real_pipeline_mock_agents",
        "real_pipeline_output",
        "result_is_list",
        "result_quality_after",
        "result_quality_after_null",
    ],
)
def test_agents_are_as_the_system_said(scenario: str, tmp_path: Path) -> None:
    assert agents(read(scenario, tmp_path)) == recorded_agents(scenario)


@pytest.mark.parametrize(
    "scenario", ["report_mtime_skew", "report_newest_empty", "report_newest_not_utf8", "sample_report_newest"]
)
def test_a_report_that_is_not_the_newest_or_not_readable_does_not_hide_the_newest(
    scenario: str, tmp_path: Path
) -> None:
    """Here the system answers with an old report, or with zeros."""
    assert agents(read(scenario, tmp_path)) == recorded_agents("normal")


def test_the_normal_files_give_every_family(tmp_path: Path) -> None:
    taken = read("normal", tmp_path)
    found = said(taken)
    assert set(found) == {family.name for family in REPORTS}
    assert found["studio_training_quality_score"] == {(): answer("normal", "dashboard_overview")["overall_quality"]}
    assert found["studio_training_last_run_success"] == {(): 1}
    assert found["studio_training_last_run_timestamp_seconds"] == {(): 1795143852.345678}
    assert found["studio_training_last_run_duration_seconds"] == {(): 276.41}
    assert found["studio_training_last_run_phase_duration_seconds"] == {
        ("agent_training",): 142.37,
        ("cleanup",): 0,
        ("harvesting",): 28.11,
        ("monitoring",): 0,
        ("production",): 0,
        ("validation",): 0,
    }
    assert found["studio_training_agents"] == {("failed",): 1, ("trained",): 9}
    assert found["studio_training_next_run_timestamp_seconds"] == {(): 1795316400}  # 2026-11-22T03:00:00Z, as recorded
    assert answer("normal", "training_schedule")["next_run"] == "2026-11-22T03:00:00"
    reported = by_label(found["studio_agent_reported"])
    assert reported == {name: float(name != "agent_10") for name in ROSTER}
    assert list(reported.values()).count(1) == answer("normal", "dashboard_overview")["agents_trained"]
    online = {agent["id"]: float(agent["status"] == "online") for agent in answer("normal", "agents_status")}
    assert by_label(found["studio_agent_enabled"]) == online
    assert by_label(found["studio_agent_quality_target_score"])["agent_5a"] == 9
    assert len(found["studio_agent_quality_target_score"]) == 12
    assert (taken.records, taken.skipped) == (13, {})
    assert "daily_report_2026-11-20.txt" in taken.origin


def test_the_sample_is_a_report_of_its_date_where_there_is_no_other(tmp_path: Path) -> None:
    found = said(read("only_sample_report", tmp_path))
    assert found["studio_training_quality_score"] == {(): 7.6}
    assert len(found["studio_agent_quality_score"]) == 12


def test_a_result_has_no_say_in_the_quality(tmp_path: Path) -> None:
    """Where the result has `system_quality_after` the system answers with that; nothing ever writes it."""
    assert answer("result_quality_after", "dashboard_overview")["overall_quality"] == 8.6
    assert said(read("result_quality_after", tmp_path))["studio_training_quality_score"] == {(): 8.1}


def test_a_report_cut_short_is_served_as_far_as_it_goes(tmp_path: Path) -> None:
    taken = read("report_newest_truncated", tmp_path)
    assert agents(taken) == {"agent_1": (8.1, 0.1, 1.32), "agent_2": (8.5, 0.2, 1.48)}
    assert taken.value.reported == {"agent_1": True, "agent_2": True}
    assert taken.value.quality == 8.1
    assert taken.skipped["missing"] == 1


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("malformed_config", "invalid"),
        ("config_is_list", "type"),
        ("malformed_result", "invalid"),
        ("result_is_list", "type"),
        ("report_newest_empty", "missing"),
        ("report_newest_not_utf8", "encoding"),
    ],
)
def test_an_unreadable_file_is_counted_and_named(scenario: str, reason: str, tmp_path: Path) -> None:
    taken = read(scenario, tmp_path)
    assert taken.skipped == {reason: 1}
    assert f"({reason})" in taken.origin


@pytest.mark.parametrize("scenario", ["malformed_result", "result_is_list", "missing_result"])
def test_without_a_result_the_report_tells_of_the_last_run(scenario: str, tmp_path: Path) -> None:
    root = lay(scenario if scenario != "missing_result" else "normal", tmp_path)
    if scenario == "missing_result":
        (root / "holistic_training_result.json").unlink()
    last = files(root).read(NOW).value.last
    assert (last.succeeded, last.ended, last.phases, last.agents) == (None, 1795132800, {}, {})
    assert last.duration == pytest.approx(3.97 * 60)


@pytest.mark.parametrize("scenario", ["config_flat_head", "malformed_config", "config_is_list"])
def test_without_a_training_configuration_nothing_is_said_of_it(scenario: str, tmp_path: Path) -> None:
    found = said(read(scenario, tmp_path))
    silent = {"studio_training_next_run_timestamp_seconds", "studio_agent_enabled", "studio_agent_quality_target_score"}
    assert {family.name for family in REPORTS} - set(found) == silent


def test_without_reports_nothing_is_said_of_agents_but_what_is_configured(tmp_path: Path) -> None:
    found = said(read("no_reports", tmp_path))
    assert "studio_training_quality_score" not in found
    assert "studio_agent_reported" not in found
    assert len(found["studio_agent_enabled"]) == 12


def test_a_report_without_data_says_so_of_every_agent(tmp_path: Path) -> None:
    found = said(read("real_pipeline_output", tmp_path))
    assert set(by_label(found["studio_agent_reported"]).values()) == {0}
    assert "studio_agent_quality_score" not in found
    assert found["studio_training_agents"] == {("failed",): 10, ("trained",): 0}


def test_a_schedule_that_is_none_is_counted_and_the_rest_is_said(tmp_path: Path) -> None:
    root = lay("normal", tmp_path)
    path = root / "training" / "config.json"
    path.write_text(path.read_text().replace("0 3 * * *", "every night"))
    taken = files(root).read(NOW)
    assert (taken.value.next_run, len(taken.value.enabled), taken.skipped) == (None, 12, {"invalid": 1})


def test_a_directory_with_nothing_to_read_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"training/config\.json"):
        files(tmp_path / "nowhere").read(NOW)
    (tmp_path / "logs").mkdir()
    with pytest.raises(Missing, match="found none of them"):
        files(tmp_path).read(NOW)


def test_where_nothing_can_be_read_it_is_said_why(tmp_path: Path) -> None:
    (tmp_path / "holistic_training_result.json").write_text("[")
    with pytest.raises(Malformed, match=r"holistic_training_result\.json \(invalid\)"):
        files(tmp_path).read(NOW)
    (tmp_path / "holistic_training_result.json").unlink()
    (tmp_path / "training" / "config.json").mkdir(parents=True)
    with pytest.raises(ReadError, match="found a directory"):
        files(tmp_path).read(NOW)


def report(root: Path, day: str, quality: str = "8.0", name: str | None = None) -> Path:
    """A small report, whole but for its agents."""
    path = root / "logs" / (name or f"daily_report_{day}.txt")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"║ DAILY TRAINING REPORT [{day}] ║\n║ Overall System Quality: {quality}/10 (+0.0%) ║\n╚=╝")
    os.utime(path, (NOW - 3600, NOW - 3600))
    return path


def test_a_value_is_the_same_object_until_something_it_says_changes(tmp_path: Path) -> None:
    report(tmp_path, "2026-11-19")
    reader = files(tmp_path)
    first = reader.read(NOW).value
    os.utime(report(tmp_path, "2026-11-18", "1.0"), (NOW, NOW))
    assert reader.read(NOW + 15).value is first
    report(tmp_path, "2026-11-20", "9.0")
    second = reader.read(NOW + 30).value
    assert (first.quality, second.quality) == (8, 9)
    (tmp_path / "logs" / "daily_report_2026-11-20.txt").unlink()
    assert reader.read(NOW + 45).value.quality == 8


def test_of_two_reports_of_a_day_the_one_named_after_it_counts(tmp_path: Path) -> None:
    report(tmp_path, "2026-11-20", "7.0")
    report(tmp_path, "2026-11-20", "1.0", "zz_daily_report.txt")
    assert files(tmp_path).read(NOW).value.quality == 7


def test_a_report_of_tomorrow_is_ignored_until_then(tmp_path: Path) -> None:
    report(tmp_path, "2026-11-20", "7.0")
    report(tmp_path, "2026-11-22", "1.0")
    reader = files(tmp_path)
    taken = reader.read(NOW)
    assert (taken.value.quality, taken.skipped["invalid"]) == (7, 1)
    assert reader.read(NOW + 86400).value.quality == 1


def test_days_begin_in_the_configured_time_zone(tmp_path: Path) -> None:
    report(tmp_path, "2026-11-22", "1.0")
    late = 1795302000.0  # 2026-11-22T00:00 in Berlin is 2026-11-21T23:00Z
    berlin = files(tmp_path, ZoneInfo("Europe/Berlin"))
    assert berlin.read(late - 1).value.quality is None
    assert berlin.read(late).value.last.ended == late
    assert files(tmp_path).read(late).value.quality is None


def test_a_run_that_ended_in_the_future_has_no_time(tmp_path: Path) -> None:
    root = lay("normal", tmp_path)
    last = files(root).read(1795143852.0).value.last
    assert (last.ended, last.succeeded, last.duration) == (None, True, 276.41)


def test_a_file_changed_within_the_same_second_is_read_again(tmp_path: Path) -> None:
    path = report(tmp_path, "2026-11-20", "7.0")
    os.utime(path, (NOW, NOW))
    reader = files(tmp_path)
    assert reader.read(NOW).value.quality == 7
    path.write_text(path.read_text().replace("7.0", "6.0"))
    os.utime(path, (NOW, NOW))
    assert reader.read(NOW + 1).value.quality == 6


def test_one_report_more_than_is_read_fails_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.inputs.texts.MOST", 1)
    report(tmp_path, "2026-11-19")
    report(tmp_path, "2026-11-20")
    with pytest.raises(ReadError, match="2 files match"):
        files(tmp_path).read(NOW)


def test_a_file_that_is_too_large_is_counted_alone(tmp_path: Path) -> None:
    root = lay("normal", tmp_path)
    with (root / "logs" / "daily_report_2026-11-21.txt").open("wb") as file:
        file.truncate(LIMIT + 1)
    taken = files(root).read(NOW)
    assert (taken.value.quality, taken.skipped["invalid"]) == (8.1, 1)
    assert "daily_report_2026-11-21.txt (invalid)" in taken.origin


@contextmanager
def nobody() -> Iterator[None]:
    """As somebody who may not read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_file_that_may_not_be_read_is_counted_alone() -> None:
    with TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        root = lay("normal", place)
        (root / "logs" / "daily_report_2026-11-19.txt").chmod(0)
        with nobody():
            taken = files(root).read(NOW)
    assert (taken.value.quality, taken.skipped["missing"]) == (8.1, 1)


def test_a_report_that_is_a_directory_is_counted_alone(tmp_path: Path) -> None:
    root = lay("normal", tmp_path)
    (root / "logs" / "daily_report_2026-11-21.txt").mkdir()
    taken = files(root).read(NOW)
    assert (taken.value.quality, taken.skipped["type"]) == (8.1, 1)
