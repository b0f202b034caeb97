"""Numbers and times in words."""

import pytest

from exporter.web.words import ago, clock_time, count, length, share, span

NOON = 1_800_014_400.0  # 2027-01-15 12:00:00 UTC


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "under 1 ms"),
        (0.0004, "under 1 ms"),
        (0.0123, "12 ms"),
        (0.9994, "999 ms"),
        (1.0, "1 s"),
        (1.25, "1.2 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (119, "1 min"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (86400, "1 d"),
        (277_200, "3 d 5 h"),
    ],
)
def test_a_span_is_said_in_its_largest_units(seconds: float, expected: str) -> None:
    assert span(seconds) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(-5, "0 s"), (0.4, "0 s"), (1.9, "1 s"), (61, "1 min")])
def test_an_age_is_never_negative_and_never_too_exact(seconds: float, expected: str) -> None:
    assert length(seconds) == expected


def test_a_moment_is_said_with_its_day_where_that_is_not_today() -> None:
    assert clock_time(NOON - 3600, NOON) == "11:00 UTC"
    assert clock_time(NOON - 86400, NOON) == "14 Jan 2027, 12:00 UTC"


def test_an_age_can_be_pointed_at() -> None:
    assert ago(NOON - 90, NOON) == (
        '<time datetime="2027-01-15T11:58:30Z" title="2027-01-15 11:58:30 UTC">1 min ago</time>'
    )


def test_things_are_counted() -> None:
    assert [count(0, "part"), count(1, "part"), count(1200, "part")] == ["0 parts", "1 part", "1,200 parts"]


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 5, "0 %"),
        (1, 8, "12.5 %"),
        (1, 4, "25 %"),
        (1, 999, "0.1 %"),
        (1, 1_000_000, "under 0.1 %"),
        (999_999, 1_000_000, "over 99.9 %"),
        (7, 7, "100 %"),
    ],
)
def test_a_share_is_none_or_all_only_if_it_is(part: int, whole: int, expected: str) -> None:
    assert share(part, whole) == expected
