"""The grammar of the reports, against what the system itself read in them, and against damage."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.domains.training import Agent
from exporter.inputs.documents import Skip
from exporter.sources.music_agents.reports import Report, decode
from tests.sources.music_agents.golden import INPUTS, answer

LOGS = INPUTS / "normal" / "orchestrator" / "logs"
WHOLE = (LOGS / "daily_report_2026-11-20.txt").read_bytes()


def report(data: bytes | str) -> Report:
    found = decode(data.encode() if isinstance(data, str) else data)
    assert isinstance(found, Report)
    return found


def reason(data: bytes) -> str:
    found = decode(data)
    assert isinstance(found, Skip)
    return found.reason


@pytest.mark.parametrize("recorded", answer("normal", "training_history")["history"], ids=lambda one: str(one["date"]))
def test_recorded_reports_are_read_as_the_system_read_them(recorded: dict[str, object]) -> None:
    found = report((LOGS / f"daily_report_{recorded['date']}.txt").read_bytes())
    agents = recorded["agents"]
    assert isinstance(agents, list)
    assert found.day.isoformat() == recorded["date"]
    assert found.quality == recorded["overall_quality"]
    assert (found.duration or 0) / 60 == pytest.approx(recorded["duration_minutes"])
    assert found.agents == {
        agent["id"]: Agent(agent["quality"], agent["improvement"], agent["processing_time"]) for agent in agents
    }
    assert found.whole
    assert not found.flaws


def test_a_report_without_a_duration_has_none() -> None:
    assert report((LOGS / "daily_report_2026-11-11.txt").read_bytes()).duration is None


def test_agents_without_data_are_named_as_silent() -> None:
    assert report(WHOLE).silent == {"agent_10"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "missing"),
        (b"\xff\xfe\x00bad", "encoding"),
        (b"DAILY TRAINING REPORT", "missing"),
        (b"DAILY TRAINING REPORT [yesterday]", "invalid"),
        (b"DAILY TRAINING REPORT [2026-02-30]", "invalid"),
        (b"DAILY TRAINING REPORT [20261120]", "invalid"),
        (b"DAILY TRAINING REPORT []", "invalid"),
    ],
)
def test_what_has_no_date_is_no_report(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_of_a_number_that_is_none_only_the_number_is_lost() -> None:
    """`8.2.1` made the system give up on the whole report."""
    found = report(WHOLE.replace(b"Quality: 8.1/10 (+0.1", b"Quality: 8.2.1/10 (+0.1").replace(b"1.48s", b"....s"))
    assert found.agents["agent_1"] == Agent(None, 0.1, 1.32)
    assert found.agents["agent_2"] == Agent(8.5, 0.2, None)
    assert found.quality == 8.1
    assert found.flaws == {"invalid": 2}
    header = report(WHOLE.replace(b"System Quality: 8.1", b"System Quality: 8.2.1").replace(b"3.97 min", b"3.9.7 min"))
    assert (header.quality, header.duration, header.flaws) == (None, None, {"invalid": 2})


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("Quality: 8.5/10 (+0.2 vs yesterday)", "Quality: 8.5/10 (0.2 vs yesterday)"),
        ("Processing: 1.48s", "Processing: 1.48"),
        ("Processing: 1.48s", "Status: Improved"),
        ("Processing: 1.48s", ""),
    ],
)
def test_an_agent_without_both_lines_has_no_data(line: str, instead: str) -> None:
    found = report(WHOLE.decode().replace(line, instead))
    assert "agent_2" not in found.agents
    assert "agent_2" in found.silent
    assert len(found.agents) == 10


def test_a_number_too_large_for_a_float_is_none() -> None:
    found = report(f"DAILY TRAINING REPORT [2026-11-20]\nOverall System Quality: {'9' * 400}/10 (+1.0%)\n╚╝")
    assert (found.quality, found.flaws) == (None, {"invalid": 1})


@given(st.integers(0, len(WHOLE)))
def test_a_report_cut_anywhere_says_nothing_that_the_whole_does_not(length: int) -> None:
    found, whole = decode(WHOLE[:length]), report(WHOLE)
    if isinstance(found, Skip):
        assert found.reason in ("missing", "encoding")
        return
    assert found.day == date(2026, 11, 20)
    assert found.quality in (None, whole.quality)
    assert found.agents.items() <= whole.agents.items()
    assert found.silent <= whole.silent
    assert found.whole or found.flaws == {"missing": 1}


@given(st.binary() | st.text().map(lambda text: f"DAILY TRAINING REPORT [2026-11-20]{text}".encode()))
def test_any_bytes_are_a_report_or_a_reason(data: bytes) -> None:
    assert isinstance(decode(data), Report | Skip)
