"""Windows as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.core.window import LONGEST, UNITS, Window, window


@given(st.sampled_from(sorted(UNITS)), st.data())
def test_every_length_up_to_the_longest_is_a_window_that_keeps_its_text(unit: str, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, LONGEST // UNITS[unit]))
    assert window(f"{number}{unit}") == Window(f"{number}{unit}", number * UNITS[unit])


@pytest.mark.parametrize("text", ["1s", "01h", "604800s", "10080m", "168h", "7d"])
def test_the_ends_are_inside(text: str) -> None:
    assert 1 <= window(text).seconds <= LONGEST


@pytest.mark.parametrize("text", ["0s", "000h", "8d", "169h", "10081m", "604801s", "999999999d"])
def test_what_is_too_short_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"expected a window of 1s to 7d, found '{text}'"):
        window(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h",
        "60",
        "1H",
        "1w",
        "100ms",
        "1h30m",
        "-1h",
        "+1h",
        "1.5h",
        "1_0m",
        " 1h",
        "1h\n",
        "\u0661h",
        "9" * 10 + "s",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a number and one of s, m, h, d, as in 15m or 7d, found"):
        window(text)


@given(st.text())
def test_text_is_a_window_or_a_value_error(text: str) -> None:
    try:
        assert window(text).text == text
    except ValueError as error:
        assert "expected" in str(error)  # noqa: PT017  # either outcome is right, no other is
