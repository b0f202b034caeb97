"""Durations and sizes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.core.units import BYTES, MILLISECONDS, Unfit, duration, duration_text, shown, size, size_text


@pytest.mark.parametrize(
    ("text", "seconds"), [("200ms", 0.2), ("15s", 15.0), ("10m", 600.0), ("2h", 7200.0), ("7d", 604800.0), ("0s", 0.0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "number"),
    [("64MiB", 64 << 20), ("512KiB", 512 << 10), ("1GiB", 1 << 30), ("10MB", 10**7), ("2kB", 2000), ("1000B", 1000)],
)
def test_sizes(text: str, number: int) -> None:
    assert size(text) == number


@pytest.mark.parametrize(
    "text", ["", "s", "15 s", " 15s", "15s\n", "15S", "1.5h", "-1s", "1h30m", "1:30", "\u0661s", "1" * 13 + "s"]
)
def test_what_is_no_duration_is_refused_with_what_was_expected_and_found(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration such as 200ms, 15s, 10m, 2h or 7d, found ") as caught:
        duration(text)
    assert str(caught.value).endswith(repr(text))


@pytest.mark.parametrize("text", ["", "MiB", "64 MiB", "64mib", "64M", "0x40B", "1.5GiB", "-1B", "1_000B"])
def test_what_is_no_size_is_refused_with_what_was_expected_and_found(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a size such as 512KiB, 64MiB, 1GiB, 10MB or 1000B, ") as caught:
        size(text)
    assert str(caught.value).endswith(repr(text))


def test_a_bare_number_is_told_that_its_unit_is_missing() -> None:
    with pytest.raises(ValueError, match="found '15': the unit is missing"):
        duration("15")
    with pytest.raises(ValueError, match="found '1000': the unit is missing"):
        size("1000")


@given(st.integers(0, 10**12 - 1), st.sampled_from(sorted(MILLISECONDS)))
def test_a_duration_is_its_number_of_units(number: int, unit: str) -> None:
    assert duration(f"{number}{unit}") == number * MILLISECONDS[unit] / 1000


@given(st.integers(0, 10**12 - 1).map(lambda milliseconds: milliseconds / 1000))
def test_durations_round_trip(seconds: float) -> None:
    assert duration(duration_text(seconds)) == seconds


@given(st.integers(0, 10**9), st.sampled_from(sorted(BYTES)))
def test_sizes_round_trip(number: int, unit: str) -> None:
    assert size(f"{number}{unit}") == number * BYTES[unit]
    assert size(size_text(number * BYTES[unit])) == number * BYTES[unit]


def test_the_largest_unit_that_holds_it_whole_is_written() -> None:
    assert [duration_text(seconds) for seconds in (0.25, 90.0, 120.0, 86400.0)] == ["250ms", "90s", "2m", "1d"]
    assert [size_text(number) for number in (1, 1500, 2000, 4096)] == ["1B", "1500B", "2kB", "4KiB"]


@given(st.text())
def test_text_is_a_duration_or_unfit(text: str) -> None:
    try:
        assert duration(text) >= 0
    except Unfit as unfit:
        assert unfit.expected in str(unfit)  # noqa: PT017  # either outcome is right, no other is


def test_long_text_is_cut_in_messages() -> None:
    assert shown("x" * 60) == repr("x" * 60)
    assert shown("x" * 61) == repr("x" * 57 + "...")
