"""Times that are local unless they say otherwise."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.sources.music_agents.times import beginning, epoch

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T03:00:00", 1795140000.0),
        ("2026-11-20T03:00:00.645465", 1795140000.645465),
        ("2026-11-20 03:00:00", 1795143600.0),
        ("2026-11-20T03:00:00Z", 1795143600.0),
        ("2026-11-20 03:00:00+01:00", 1795140000.0),
        ("2026-10-25T02:30:00", 1792888200.0),
        ("2026-03-29T02:30:00", 1774747800.0),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1795140000, None),
    ],
)
def test_a_time_is_local_with_a_t_and_utc_with_a_space(text: object, expected: float | None) -> None:
    assert epoch(text, BERLIN) == expected


def test_a_day_begins_at_local_midnight() -> None:
    assert beginning(date(2026, 11, 20), BERLIN) == 1795129200


@given(st.text() | st.datetimes().map(str) | st.datetimes().map(lambda time: time.isoformat()))
def test_any_text_is_a_time_or_none(text: str) -> None:
    assert isinstance(epoch(text, BERLIN), float | None)
