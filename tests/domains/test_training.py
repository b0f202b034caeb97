"""Training: what is said of sessions, of runs and of agents, and what is left unsaid."""

from dataclasses import replace

from exporter.core.family import Value
from exporter.domains.training import FAMILIES, REPORTS, SESSIONS, Agent, Run, Sessions, Training

NONE_YET = Training(Run(), None, None, {}, {}, {}, {})
IDLE = Sessions({}, running=False, phase="idle", oldest_running=None, events={}, errors={})


def of(name: str, facts: Sessions | Training) -> dict[tuple[str, ...], Value]:
    families = SESSIONS if isinstance(facts, Sessions) else REPORTS
    found = next(family for family in families if family.name == name)
    return {labels: value for labels, value in found.points(facts) if value is not None}  # type: ignore[arg-type]  # its own


def test_names_are_unique_and_bounded_labels_are_declared() -> None:
    names = [family.name for family in FAMILIES]
    assert len(set(names)) == len(names) == 19
    assert all(set(family.named) == set(family.labels) & {"agent"} for family in FAMILIES)


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert [name for family in REPORTS if of(name := family.name, NONE_YET)] == []


def test_of_an_answer_without_rows_the_words_are_0() -> None:
    assert of("studio_training_running", IDLE) == {(): False}
    assert of("studio_training_sessions", IDLE) == {
        (word,): 0 for word in ("completed", "failed", "running", "stopped")
    }
    assert of("studio_training_events", IDLE) == {(word,): 0 for word in ("critical", "error", "info", "warning")}
    assert of("studio_training_oldest_running_timestamp_seconds", IDLE) == {}
    assert of("studio_agent_errors", IDLE) == {}


def test_exactly_one_phase_is_1() -> None:
    for phase, said in (("idle", "idle"), ("validation", "validation"), ("tea", "_other"), ("_other", "_other")):
        values = of("studio_training_phase", replace(IDLE, phase=phase))
        assert [labels for labels, value in values.items() if value] == [(said,)]
        assert values[said,] == 1
        assert {("idle",), ("agent_training",), ("cleanup",)} <= set(values)


def test_unknown_words_are_folded() -> None:
    facts = replace(IDLE, sessions={"running": 1, "tea": 2, "break": 3}, events={"debug": 4})
    assert of("studio_training_sessions", facts)["_other",] == 5
    assert of("studio_training_events", facts)["_other",] == 4


def test_phases_the_run_did_not_have_took_no_time_at_all() -> None:
    facts = replace(NONE_YET, last=Run(phases={"harvesting": 1.5, "tea": 2, "break": 3}))
    durations = of("studio_training_last_run_phase_duration_seconds", facts)
    assert durations == {("harvesting",): 1.5, ("_other",): 5}


def test_agents_without_data_are_absent() -> None:
    facts = replace(
        NONE_YET, reported={"a": True, "b": False}, agents={"a": Agent(8.1, None, 0.5)}, enabled={"b": False}
    )
    assert of("studio_agent_reported", facts) == {("a",): True, ("b",): False}
    assert of("studio_agent_enabled", facts) == {("b",): False}
    assert of("studio_agent_quality_score", facts) == {("a",): 8.1}
    assert of("studio_agent_quality_change_score", facts) == {}
    assert of("studio_agent_processing_seconds", facts) == {("a",): 0.5}
