"""What one scalar's text is worth."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.core import scalar
from exporter.core.scalar import Given
from exporter.core.units import Unfit


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_whole_numbers_round_trip(number: int) -> None:
    assert scalar.whole(Given(str(number), "int")) == number


@given(st.integers(-(10**12), 10**12).map(lambda thousandths: thousandths / 1000) | st.sampled_from([1e300, -1e-300]))
def test_decimal_numbers_round_trip(number: float) -> None:
    assert scalar.decimal(Given(str(number), "float")) == number


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("010", "int", "an octal number"),
        ("0x1f", "int", "a hexadecimal number"),
        ("0b11", "int", "a binary number"),
        ("1:30", "int", "a number in base 60"),
        ("1_000", "int", "a number with its underscores left out"),
        ("1:30.5", "float", "a number in base 60"),
    ],
)
def test_a_number_that_yaml_reads_in_its_own_way_is_refused_and_explained(text: str, kind: str, what: str) -> None:
    for convert in (scalar.whole, scalar.decimal):
        with pytest.raises(Unfit, match=f"found '{text}': YAML 1.1 reads this as {what}; write it in decimal"):
            convert(Given(text, kind))


@pytest.mark.parametrize("text", ["1.5", "1e3", "", "fifteen", "08", "9" * 19, "9" * 5000, "\u0661"])
def test_no_whole_number(text: str) -> None:
    with pytest.raises(Unfit, match="expected a whole number such as 15, found"):
        scalar.whole(Given(text))


@pytest.mark.parametrize("text", [".inf", "-.inf", ".nan", "nan", "", "1.", ".5", "1e9999"])
def test_no_number(text: str) -> None:
    with pytest.raises(Unfit, match=r"expected a number such as 15 or 0\.5, found"):
        scalar.decimal(Given(text, "float"))


def test_a_number_too_large_to_hold_is_refused() -> None:
    with pytest.raises(Unfit, match="expected a finite number, found '1e999'"):
        scalar.decimal(Given("1e999"))


def test_numbers_stand_without_quotes() -> None:
    with pytest.raises(Unfit, match="expected a whole number such as 15, without quotes, found '5'"):
        scalar.whole(Given("5", quoted=True))


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "True", "FALSE", "y", "1", ""])
def test_only_true_and_false_are_flags(text: str) -> None:
    assert scalar.flag(Given("true", "bool"))
    assert not scalar.flag(Given("false", "bool"))
    with pytest.raises(Unfit, match=f"expected true or false, without quotes, found '{text}'"):
        scalar.flag(Given(text, "bool"))


def test_a_quoted_true_is_text() -> None:
    with pytest.raises(Unfit, match="without quotes"):
        scalar.flag(Given("true", quoted=True))


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("no", "bool", "true or false"),
        ("42", "int", "a number"),
        ("1.5", "float", "a number"),
        ("007", "int", "an octal number"),
        ("22:15", "int", "a number in base 60"),
        ("2026-01-02", "timestamp", "a date"),
        ("null", "null", "nothing"),
        ("=", "value", "a sign of its own"),
    ],
)
def test_text_that_yaml_reads_as_something_else_must_be_quoted(text: str, kind: str, what: str) -> None:
    with pytest.raises(Unfit, match=f"expected text, in quotes because YAML 1.1 reads this as {what}, found '{text}'"):
        scalar.text(Given(text, kind))
    assert scalar.text(Given(text, "str", quoted=True)) == text


def test_a_word_of_a_closed_list() -> None:
    assert scalar.one_of(["draft", "active"], Given("draft")) == "draft"
    with pytest.raises(Unfit, match=r"^expected one of draft, active, found 'drat': did you mean draft\?$"):
        scalar.one_of(["draft", "active"], Given("drat"))
    with pytest.raises(Unfit, match=r"^expected one of draft, active, found 'zzz'$"):
        scalar.one_of(["draft", "active"], Given("zzz"))


def test_paths_are_as_written_and_home_is_expanded() -> None:
    assert scalar.path(Given("/srv/x.json"), None) == Path("/srv/x.json")
    assert scalar.path(Given("runs/x.json"), "/home/td") == Path("runs/x.json")
    assert scalar.path(Given("~/x.json"), "/home/td") == Path("/home/td/x.json")


@pytest.mark.parametrize(
    ("text", "home"), [("", "/home/td"), ("a\0b", "/home/td"), ("~/x", None), ("~other/x", "/home/td")]
)
def test_what_is_no_path(text: str, home: str | None) -> None:
    with pytest.raises(Unfit, match="expected a path"):
        scalar.path(Given(text), home)
