"""Times as Trafalgar's files write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.sources.trafalgar.times import iso, stamp

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-11T12:00:00+00:00",
        "2026-05-11T12:00:00Z",
        "2026-05-11T12:00:00",
        "2026-05-11T14:00:00+02:00",
        "20260511T12",
    ],
)
def test_iso_takes_what_fromisoformat_takes_and_utc_where_no_zone_is_named(text: str) -> None:
    assert iso(text) == NOON


@pytest.mark.parametrize(
    "value", ["yesterday", "", " 2026-05-11T12:00:00", "2026-05-11T12:00:00z", 1778500800, 1.5, None, True, [], {}]
)
def test_iso_takes_nothing_else(value: object) -> None:
    assert iso(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "2026-05-11T12:00:00Z",
        " 2026-05-11T12:00:00z ",
        "2026-05-11T12:00:00",
        1778500800,
        1778500800.0,
        "1778500800",
        "1.7785008e9",
    ],
)
def test_stamp_takes_numbers_too_and_is_lenient_with_text(value: object) -> None:
    assert stamp(value) == NOON.timestamp()


@pytest.mark.parametrize(
    "value", ["", "nope", "nan", "inf", float("nan"), float("inf"), 1e300, -1e18, 10**400, None, True, [], {}]
)
def test_stamp_takes_nothing_that_is_no_date(value: object) -> None:
    assert stamp(value) is None


zones = st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-1439, 1439))


@given(st.datetimes(timezones=zones | st.none()))
def test_both_agree_with_the_calendar_on_what_is_written_as_iso(moment: datetime) -> None:
    wanted = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    found = iso(moment.isoformat())
    assert found is not None
    assert found == wanted
    assert stamp(moment.isoformat()) == found.timestamp()
