"""The orchestrator's JSON files in all the shapes they were seen in, and some that nobody has seen yet."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.core.finish import SECOND, Finish
from exporter.domains.training import Run
from exporter.inputs.documents import Skip
from exporter.sources.music_agents.records import Result, Settings, result, settings
from tests.sources.music_agents.golden import INPUTS

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def run(**fields: Any) -> Result:
    found = result(json.dumps(fields).encode(), UTC)
    assert isinstance(found, Result)
    return found


def configured(**training: Any) -> Settings:
    found = settings(json.dumps({"training": training}).encode())
    assert isinstance(found, Settings)
    return found


def test_a_failed_run_has_no_phases_and_no_agents() -> None:
    found = run(status="failed", error="no modules", timestamp="2026-11-20T03:00:05", total_time_seconds=5.2)
    at = "2026-11-20T03:00:05"
    finish = Finish(at, 1795143605 * SECOND, "run", ok=False, duration=5_200_000, attempt=at)
    assert found == Result(Run(False, 1795143605, 5.2, {}, {}), {}, finish)


@pytest.mark.parametrize(
    "scenario", ["normal", "real_pipeline_output", "real_pipeline_mock_agents", "result_quality_after_null"]
)
def test_recorded_results_are_read_without_a_flaw(scenario: str) -> None:
    found = result((INPUTS / scenario / "orchestrator" / "holistic_training_result.json").read_bytes(), UTC)
    assert isinstance(found, Result)
    assert not found.flaws
    assert found.run.succeeded


def test_the_time_is_local() -> None:
    text = b'{"status": "success", "timestamp": "2026-11-20T03:00:00"}'
    found = result(text, BERLIN)
    assert isinstance(found, Result)
    assert found.run.ended == 1795140000


def test_agents_are_known_of_a_run_without_phases_as_far_as_it_says() -> None:
    assert run(status="success", agents_trained=4).run.agents == {"trained": 4}


def test_odd_fields_are_counted_and_the_others_kept() -> None:
    found = run(
        status="great",
        timestamp="noon",
        total_time_seconds="long",
        phases={"harvesting": {"time_seconds": -1}, "validation": [], "cleanup": {"time_seconds": True}, "x": {}},
        agents_trained=3,
    )
    assert found.run == Run(None, None, None, {}, {"trained": 3})
    assert found.flaws == {"invalid": 3, "type": 3}
    assert run().flaws == {"missing": 2}


@pytest.mark.parametrize("number", [10**400, float("nan"), float("inf"), -0.1])
def test_numbers_that_no_duration_has_are_counted(number: float) -> None:
    found = run(status="success", timestamp="2026-11-20T03:00:00", total_time_seconds=number)
    assert (found.run.duration, found.flaws) == (None, {"invalid": 1})


@pytest.mark.parametrize("read", [lambda data: result(data, UTC), settings], ids=["result", "settings"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "invalid"),
        (b'{"status":', "invalid"),
        (b"[" * 100_000, "invalid"),
        (b'{"total_time_seconds": ' + b"9" * 5000 + b"}", "invalid"),
        (b"\xff{}", "encoding"),
        (b"null", "type"),
        (b"[]", "type"),
        (b'"text"', "type"),
    ],
    ids=str,
)
def test_what_is_no_object_is_skipped(read: Any, data: bytes, reason: str) -> None:
    found = read(data)
    assert isinstance(found, Skip)
    assert found.reason == reason


def test_disabled_training_has_no_schedule() -> None:
    assert configured(schedule="0 3 * * *").schedule == "0 3 * * *"
    assert configured(schedule="0 3 * * *", enabled=True).schedule == "0 3 * * *"
    assert configured(schedule="0 3 * * *", enabled=False) == Settings()
    assert configured(schedule="0 3 * * *", enabled="yes") == Settings(flaws={"type": 1})
    assert configured(schedule=3) == Settings(flaws={"type": 1})


def test_agents_are_enabled_unless_it_is_said_otherwise() -> None:
    found = configured(agent_training={"agent_1": {}, "agent_2": {"enabled": False}, "agent_3": {"enabled": 1}, "b": 3})
    assert found.enabled == {"agent_1": True, "agent_2": False, "b": True}
    assert found.flaws == {"type": 2}


def test_targets_are_those_of_agents() -> None:
    found = configured(
        quality_targets={
            "overall_system": 8.5,
            "description": "0 to 10",
            "agent_5a_veo_output_quality": 9,
            "agent_10_reach": 8.5,
            "agent_1": 7,
            "agent_2_audio": "high",
        }
    )
    assert found.targets == {"agent_5a": 9, "agent_10": 8.5, "agent_1": 7}
    assert found.flaws == {"type": 1}


def test_a_configuration_of_a_later_version_says_nothing() -> None:
    found = settings((INPUTS / "config_flat_head" / "orchestrator" / "training" / "config.json").read_bytes())
    assert found == Settings()


@given(ANY | st.fixed_dictionaries({"training": ANY, "phases": ANY, "status": ANY, "timestamp": ANY}))
def test_any_json_is_read_or_skipped(value: object) -> None:
    data = json.dumps(value).encode()
    assert isinstance(result(data, UTC), Result | Skip)
    assert isinstance(settings(data), Settings | Skip)
