"""Values from outside as they can go into JSON: text that can be encoded, numbers that fit, nothing nested too deep."""

import json
from typing import Any

DEEPEST = 32
"""Levels of lists and objects: deeper ones are no value of the system's."""

LARGEST = 2**63
"""Integers from here on are written as floats."""

EXACT = 2**53
"""Integers up to here are floats too."""


def plain(value: Any, depth: int = DEEPEST) -> Any:  # Any: whatever JSON or SQLite has
    """The value with what cannot be encoded replaced. Raises RecursionError where it is nested too deep."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8") if not _encodable(value) else value
        case bytes():
            return value.decode("utf-8", "replace")
        case int() if not -LARGEST <= value < LARGEST:
            return float(value) if abs(value) < 10**300 else None
        case list() | dict() if depth == 0:
            raise RecursionError
        case list():
            return [plain(each, depth - 1) for each in value]
        case dict():
            return {plain(key): plain(value[key], depth - 1) for key in sorted(value)}
    return value


def fit(number: float) -> int:
    """A number as an integer that every reader of JSON keeps as it is: what a report says may be of any size."""
    return int(max(-EXACT, min(number, EXACT)))


def unpacked(text: Any) -> Any:  # Any: as above
    """What a column of JSON holds: decoded where it is JSON, as it is where not, and None where it is empty."""
    if not isinstance(text, str):
        return plain(text)
    try:
        return plain(json.loads(text)) if text else None
    except (ValueError, RecursionError):
        return plain(text)


def _encodable(text: str) -> bool:
    """Whether it has no half of a surrogate pair."""
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)
