"""What the text of one scalar of a configuration is worth, by the type that is wanted of it."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from exporter.core.secret import Secret
from exporter.core.units import Between, Like, Unfit, Unit
from exporter.core.window import Window, window

WHOLE = r"[-+]?(0|[1-9][0-9]{0,17})"
DECIMAL = WHOLE + r"(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,3})?"

ODD_NUMBERS = (
    (r"[-+]?0b[01_]+", "a binary number"),
    (r"[-+]?0x[0-9a-fA-F_]+", "a hexadecimal number"),
    (r"[-+]?0[0-7_]+", "an octal number"),
    (r".*:.*", "a number in base 60"),
    (r".*_.*", "a number with its underscores left out"),
)
READINGS: Mapping[str, str] = {
    "bool": "true or false",
    "float": "a number",
    "int": "a number",
    "merge": "a merge key",
    "null": "nothing",
    "timestamp": "a date",
    "value": "a sign of its own",
}


@dataclass(frozen=True, slots=True)
class Given:
    """A scalar's text.

    `kind` is what YAML 1.1 takes it for (`str`, `int`, …), `quoted` whether it stands in quotes or a block. `origin`
    says where it came from if that is not the document itself (`!env NAME`); such text is never shown to anyone.
    """

    text: str
    kind: str = "str"
    quoted: bool = False
    origin: str = ""


def text(given: Given) -> str:
    """Text as it was written; what YAML 1.1 reads as anything else must be quoted, so that all tools read the same."""
    if given.kind != "str":
        raise Unfit(f"text, in quotes because YAML 1.1 reads this as {_reading(given)}", given.text)
    return given.text


def whole(given: Given) -> int:
    """A whole number in decimal digits: no octal, no hexadecimal, no base 60, no underscores."""
    return int(_digits(given, WHOLE, "a whole number such as 15"))


def decimal(given: Given) -> float:
    """A finite number in decimal digits, with an exponent or without."""
    number = float(_digits(given, DECIMAL, "a number such as 15 or 0.5"))
    if not math.isfinite(number):
        raise Unfit("a finite number", given.text)
    return number


def flag(given: Given) -> bool:
    """`true` or `false`, and none of the other words YAML 1.1 has for them."""
    if given.quoted or given.text not in ("true", "false"):
        raise Unfit("true or false, without quotes", given.text)
    return given.text == "true"


def secret(given: Given) -> Secret:
    """Text that never prints; an empty one protects nothing and is refused."""
    if not (found := text(given)):
        raise Unfit("a secret that is not empty", "")
    return Secret(found)


def one_of(words: Iterable[str], given: Given) -> str:
    """One of a closed list of words."""
    allowed, found = tuple(words), text(given)
    if found not in allowed:
        raise Unfit(f"one of {', '.join(allowed)}", found, did_you_mean(found, allowed))
    return found


def path(given: Given, home: str | None) -> Path:
    """A path as it was written, `~/` at its start expanded to `home`; relative ones stay relative."""
    found = text(given)
    if not found or "\0" in found:
        raise Unfit("a path", found)
    if not found.startswith("~"):
        return Path(found)
    if home is None or not found.startswith("~/"):
        raise Unfit("a path; only ~/ is expanded, to the directory that HOME names", found)
    return Path(home, found[2:])


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The word that was probably meant, as a question; empty where none is near."""
    near = get_close_matches(word[:100], tuple(words), n=1)
    return f"did you mean {near[0]}?" if near else ""


CONVERSIONS: Mapping[Any, Callable[[Given], Any]] = {
    str: text,
    int: whole,
    float: decimal,
    bool: flag,
    Secret: secret,
    Window: lambda given: window(given.text),
}
"""The types whose values depend on nothing but the text."""


def marked(convert: Callable[[Given], Any], marks: tuple[object, ...]) -> Callable[[Given], Any]:
    """A conversion that also keeps to the marks of its field: `Unit`, `Between`, `Like`."""
    unit = next((mark for mark in marks if isinstance(mark, Unit)), None)

    def converted(given: Given) -> Any:
        value = convert(given) if unit is None else unit.parse(given.text)
        for mark in marks:
            _keep_to(mark, value, given, str if unit is None else unit.text)
        return value

    return converted


def _keep_to(mark: object, value: Any, given: Given, written: Callable[[float], str]) -> None:
    match mark:
        case Between(low, high) if not low <= value <= high:
            raise Unfit(f"{written(low)} to {written(high)}", given.text)
        case Like(pattern, expected) if not re.fullmatch(pattern, value):
            raise Unfit(expected, given.text)


def _digits(given: Given, pattern: str, expected: str) -> str:
    if given.quoted:
        raise Unfit(f"{expected}, without quotes", given.text)
    if not re.fullmatch(pattern, given.text):
        odd = given.kind in ("int", "float") and _reading(given) != READINGS[given.kind]
        advice = f"YAML 1.1 reads this as {_reading(given)}; write it in decimal" if odd else ""
        raise Unfit(expected, given.text, advice)
    return given.text


def _reading(given: Given) -> str:
    if given.kind in ("int", "float"):
        return next((name for pattern, name in ODD_NUMBERS if re.fullmatch(pattern, given.text)), READINGS[given.kind])
    return READINGS[given.kind]
