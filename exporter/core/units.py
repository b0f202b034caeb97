"""Durations and sizes as people write them, and the marks that ask for them in a configuration's dataclasses.

A field says what it takes by its type: `interval: Annotated[Seconds, Between(0.1, 3600)] = 15.0`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

MILLISECONDS: Mapping[str, int] = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
BYTES: Mapping[str, int] = {
    "TiB": 1 << 40,
    "GiB": 1 << 30,
    "MiB": 1 << 20,
    "KiB": 1 << 10,
    "TB": 10**12,
    "GB": 10**9,
    "MB": 10**6,
    "KB": 1000,
    "kB": 1000,
    "B": 1,
}
SHOWN = 60


class Unfit(ValueError):
    """Text that is not what was wanted. The message shows it; `expected` can stand alone where it must not be shown."""

    def __init__(self, expected: str, found: str, advice: str = "") -> None:
        super().__init__(f"expected {expected}, found {shown(found)}" + (f": {advice}" if advice else ""))
        self.expected = expected


def shown(text: str) -> str:
    """Text in quotes for a message, cut to a readable length."""
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 3] + "...")


def duration(text: str) -> float:
    """Seconds of a duration such as `200ms`, `15s`, `10m`, `2h` or `7d`; `Unfit`, a ValueError, for anything else."""
    return _amount(text, MILLISECONDS, "a duration such as 200ms, 15s, 10m, 2h or 7d") / 1000


def size(text: str) -> int:
    """Bytes of a size such as `512KiB`, `64MiB`, `10MB` or `1000B`; `Unfit`, a ValueError, for anything else."""
    return _amount(text, BYTES, "a size such as 512KiB, 64MiB, 1GiB, 10MB or 1000B")


def duration_text(seconds: float) -> str:
    """Seconds as a duration in the largest unit that holds them whole; parts of a millisecond are rounded away."""
    return _written(round(seconds * 1000), MILLISECONDS)


def size_text(number: float) -> str:
    """Bytes as a size in the largest unit that holds them whole."""
    return _written(round(number), BYTES)


def _amount(text: str, units: Mapping[str, int], expected: str) -> int:
    if not (found := re.fullmatch(r"([0-9]{1,12})([A-Za-z]*)", text)):
        raise Unfit(expected, text)
    if found[2] not in units:
        raise Unfit(expected, text, "the unit is missing" if not found[2] else "")
    return int(found[1]) * units[found[2]]


def _written(amount: int, units: Mapping[str, int]) -> str:
    unit = max((name for name, factor in units.items() if amount % factor == 0), key=lambda name: (units[name], name))
    return f"{amount // units[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class Unit:
    """Marks a number that is written with its unit: how text becomes the number, and the number text again."""

    parse: Callable[[str], float]
    text: Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Between:
    """Marks a number that must lie between two others, both included; in seconds or bytes where it has a unit."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Like:
    """Marks text that must match a pattern from end to end; `expected` says in words what the pattern asks for."""

    pattern: str
    expected: str


@dataclass(frozen=True, slots=True)
class Sound:
    """Marks a value that is looked at once it is decoded: `problem` says what is wrong with it, without showing what
    must not be shown; None where nothing is."""

    problem: Callable[[Any], str | None]


Seconds = Annotated[float, Unit(duration, duration_text)]
Bytes = Annotated[int, Unit(size, size_text)]
