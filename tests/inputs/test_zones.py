"""Times as text, compared by SQLite: what it takes them for is what Python reads, and what is not odd sorts so."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.core.finish import SECOND, instant
from exporter.inputs.zones import odd, utc


def asked(text: object, what: str) -> object:
    with closing(sqlite3.connect(":memory:")) as connection:
        return connection.execute(f"select {what} from (select ? as t)", (text,)).fetchone()[0]


ZONES = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
SPAN = datetime(1990, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001  # as strategies take them
TIMES = st.datetimes(*SPAN) | st.datetimes(*SPAN, timezones=ZONES)
WRITTEN = st.builds(
    lambda at, blank, exact, end: f"{at.isoformat(blank, exact)}{'' if at.tzinfo else end}",
    TIMES,
    st.sampled_from(" T"),
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
    st.sampled_from(["", "Z", "-05", "+0530"]),
)


@given(WRITTEN)
def test_a_time_means_to_sqlite_what_it_means_to_python(text: str) -> None:
    found = asked(text, utc("t"))
    assert isinstance(found, str)
    assert len(found) == 26
    read, meant = instant(found), instant(text)
    assert read is not None
    assert meant is not None
    assert abs(read - meant) <= 500


@given(WRITTEN, WRITTEN)
def test_what_is_not_odd_sorts_as_it_follows_but_for_a_second(one: str, two: str) -> None:
    first, second = instant(one), instant(two)
    assert first is not None
    assert second is not None
    if abs(first - second) >= SECOND and not asked(one, odd("t")) and not asked(two, odd("t")):
        assert (one < two) == (first < second)


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-11 08:59:30.123456", "2026-05-11 08:59:30.123", "2026-05-11 08:59:30", "2026-05-11 08:59",
        "2026-05-11", "2026-05-11 08:59:30.123Z", "2026-05-11 08:59:30.123456+00:00", "2026-05-11 08:59:30+00:00",
    ],
)  # fmt: skip
def test_what_is_utc_and_has_a_blank_is_not_odd(text: str) -> None:
    assert asked(text, odd("t")) == 0


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-11 08:59:30-05:00", "2026-05-11 08:59:30.123-05", "2026-05-11 08:59:30.123456-05:00",
        "2026-05-11T08:59:30", "2026-05-11 08:59-0500",
    ],
)  # fmt: skip
def test_what_is_in_another_zone_or_has_a_t_is_odd(text: str) -> None:
    assert asked(text, odd("t")) == 1


@pytest.mark.parametrize("text", [None, "", "no time", "2026-13-11T08:59:30", "2026-05-11T08:59:30 Berlin", b"\xff"])
def test_what_is_no_time_is_null(text: object) -> None:
    assert asked(text, utc("t")) is None
