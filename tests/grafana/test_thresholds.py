"""The file of thresholds: what it gives, what it refuses, and what divided durations are."""

import pytest

from exporter.core.errors import ConfigError
from grafana.generate.alert import beyond, number
from grafana.generate.thresholds import FILE, Level, parse, read

TEXT = FILE.read_text(encoding="utf-8")


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        parse(text)
    return [problem.message for problem in refused.value.problems]


def test_a_level_has_numbers_and_says_them_with_their_unit() -> None:
    waiting = read()["render_waiting"]
    assert (waiting["warning"], waiting.text("warning"), waiting.lasting) == (7200, "2h", 600)
    assert read()["disk_used"].text("critical") == "97%"
    assert read()["agent_quality_change"].text("critical") == "-2"
    assert read().silence["publish"].severities == ("warning",)
    with pytest.raises(KeyError):
        read().silence["publish"]["critical"]


@pytest.mark.parametrize(
    ("level", "expression"),
    [
        (Level("", warning=3), "x > 3"),
        (Level("", warning=3, at_least=True), "x >= 3"),
        (Level("", warning=-0.1, below=True), "x < -0.1"),
        (Level("", warning=-1, below=True, at_least=True), "x <= -1"),
        (Level("", warning=0.0000001), "x > 0.0000001"),
    ],
)
def test_a_level_is_compared_as_it_says(level: Level, expression: str) -> None:
    assert beyond("x", level, "warning") == expression


def test_numbers_are_written_without_an_exponent() -> None:
    found = [number(value) for value in (14.4 * 0.05, 7200.0, 0.05, 100.0, 1e-7)]
    assert found == ["0.72", "7200", "0.05", "100", "0.0000001"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("at_least: true, warning: 3, critical: 5}", "warning: 5, critical: 3}", "critical must be above warning"),
        ("warning: 0.5, critical: 0.1}", "warning: 0.1, critical: 0.5}", "critical must be below warning"),
        ("unit: score, below: true, warning: 0, critical: -1", "unit: score", "expected a warning, a critical or both"),
        ("warning: 12h, critical: 2d}", "warning: 12 hours}", "expected a duration"),
        ("rate: 14.4", "rate: 21", "the rate 21 can never be reached: 21 times 0.05 is all or more"),
        ("short: 5m", "short: 2h", "short must be shorter than long"),
        ("{long: 1h, short: 5m", "{long: 8h, short: 5m", "expected windows with the fastest first, each long one once"),
        ("ages: # durations", "ages:\n  disk_used: {about: twice, warning: 1h}", "stands among the ages too"),
        ("grafana: http://localhost:3000", "grafana: localhost", "an http address without a slash at its end"),
    ],
)
def test_what_cannot_be_is_refused(old: str, new: str, message: str) -> None:
    assert old in TEXT
    assert any(message in found for found in problems(TEXT.replace(old, new, 1)))


def test_durations_are_divided_and_other_numbers_are_not() -> None:
    usual, short = read(), read().divided(60)
    assert short["render_waiting"]["warning"] == 120
    assert short["render_waiting"].lasting == 10
    assert short["pipeline_failure_streak"] == usual["pipeline_failure_streak"]
    assert short["disk_used"]["warning"] == 0.9
    assert short["disk_used"].lasting == 10
    assert (short.objective.windows[0].long, short.objective.windows[0].rate) == (60, 14.4)
    assert (short.gap, short.lasting["part_down"], short.silence["operation"]["critical"]) == (5, 5, 360)
    assert (short.span(3600), short.divided(2).span(3600)) == (60, 30)
