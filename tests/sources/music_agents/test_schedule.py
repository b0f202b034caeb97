"""Cron in a time zone: what Debian's cron would do, also when clocks are set."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.inputs.documents import Skip
from exporter.sources.music_agents.schedule import due

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("expression", "now", "expected"),
    [
        ("0 3 * * *", "2026-11-21T02:59:59+01:00", "2026-11-21T03:00:00+01:00"),
        ("0 3 * * *", "2026-11-21T03:00:00+01:00", "2026-11-22T03:00:00+01:00"),
        ("*/5 * * * *", "2026-11-21T02:59:59+01:00", "2026-11-21T03:00:00+01:00"),
        ("0 3 * * mon", "2026-11-21T12:00:00+01:00", "2026-11-23T03:00:00+01:00"),
        # summer time begins: 02:00 to 03:00 does not exist
        ("0 3 * * *", "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("30 2 * * *", "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00"),
        # it ends: 02:00 to 03:00 comes twice
        ("30 2 * * *", "2026-10-24T12:00:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("30 2 * * *", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"),
        ("45 2 * * *", "2026-10-25T02:30:00+01:00", "2026-10-26T02:45:00+01:00"),
        ("15 * * * *", "2026-10-25T02:15:00+02:00", "2026-10-25T02:15:00+01:00"),
    ],
)
def test_the_next_time_is_by_the_local_clock(expression: str, now: str, expected: str) -> None:
    assert due(expression, BERLIN, at(now)) == at(expected)


def test_another_zone_is_another_time() -> None:
    now = at("2026-11-21T12:00:00+00:00")
    assert due("0 3 * * *", ZoneInfo("UTC"), now) == at("2026-11-22T03:00:00+00:00")
    assert due("0 3 * * *", ZoneInfo("Asia/Kolkata"), now) == at("2026-11-22T03:00:00+05:30")


@pytest.mark.parametrize(
    "expression", ["", "daily", "@daily", "0 3 * *", "60 * * * *", "0 0 31 2 *", "0 0 31 2 *" * 50, "9" * 5000]
)
def test_what_is_no_expression_is_invalid(expression: str) -> None:
    with pytest.raises(Skip) as found:
        due(expression, BERLIN, at("2026-11-21T12:00:00+00:00"))
    assert found.value.reason == "invalid"


def test_an_expression_that_never_fits_has_no_next_time() -> None:
    assert due("* * */20 * 1L", BERLIN, at("2026-11-21T12:00:00+00:00")) is None


@given(st.sampled_from(["0 3 * * *", "*/7 1-3 * * *", "30 2 * * *", "59 * 25 10 *"]), st.floats(1.7e9, 2.2e9))
def test_the_next_time_is_always_in_the_future(expression: str, now: float) -> None:
    found = due(expression, BERLIN, now)
    assert found is not None
    assert found > now


@given(st.text("0123456789*/,-#LW MONJAN", max_size=40))
def test_any_text_is_a_time_or_invalid(expression: str) -> None:
    try:
        due(expression, BERLIN, 1.8e9)
    except Skip as skip:
        assert skip.reason == "invalid"  # noqa: PT017  # most texts raise it, some do not
