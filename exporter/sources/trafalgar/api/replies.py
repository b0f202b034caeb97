"""Answers in the system's own way: compact JSON, and what its validation said of bad input (contract a)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from exporter.core.api import Answer, Refusal
from exporter.sources.trafalgar.api.records import plain

_ENCODE = msgspec.json.Encoder().encode

_NUMBER = re.compile(r"[-+]?\d+(?:_\d+)*(?:\.0*)?")
_LONGEST = 4300
"""Digits of a whole number that is still looked at."""


class Detail(msgspec.Struct):
    """Why there is no answer."""

    detail: str


class Wrong(msgspec.Struct):
    """One thing that is wrong with a request; `ctx` is left out where a type of fault has none."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any
    ctx: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Invalid(msgspec.Struct):
    """All that is wrong with a request."""

    detail: list[Wrong]


class Refused(ValueError):
    """A value that is not taken: the type of the fault and what is said of it; `ctx` is its context, if any."""

    def __init__(self, kind: str, said: str, **ctx: Any) -> None:
        super().__init__(said)
        self.kind = kind
        self.said = said
        self.ctx = ctx

    def wrong(self, loc: list[str | int], value: Any) -> Wrong:
        """The same as an item of an answer."""
        return Wrong(self.kind, loc, self.said, value, self.ctx or msgspec.UNSET)


def encoded(value: Any, status: int = 200) -> Answer:
    """A value as JSON, with question marks for halves of surrogate pairs."""
    try:
        return Answer(_ENCODE(value), status)
    except UnicodeEncodeError:
        return Answer(_ENCODE(plain(msgspec.to_builtins(value))), status)


def detail(said: str, status: int, headers: Mapping[str, str] | None = None) -> Answer:
    """A word on why there is no other answer."""
    return Answer(encoded(Detail(said)).body, status, headers=headers or {})


def invalid(*wrong: Wrong) -> Answer:
    """The answer to bad input."""
    return encoded(Invalid([*wrong]), 422)


def whole(text: str) -> int:
    """A whole number as a parameter has it; raises Refused."""
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        raise Refused("int_parsing", "Input should be a valid integer, unable to parse string as an integer")
    digits = stripped.partition(".")[0].replace("_", "")
    if len(digits) > _LONGEST:
        raise Refused("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size")
    return int(digits)


def at_least(value: float, least: float) -> None:
    """Raises Refused where a number is too small."""
    if value < least:
        raise Refused("greater_than_equal", f"Input should be greater than or equal to {least:g}", ge=least)


UNCONFIGURED = detail("Dashboard authentication token is not configured.", 503)
WRONG = detail("Invalid authentication token.", 401)
UNKNOWN = detail("Not Found", 404)
FAILED = Answer(b"Internal Server Error", 500, "text/plain; charset=utf-8")
TOO_LARGE = detail("Request body is too large.", 413)


def refused(why: Refusal, header: str) -> Answer:
    """What a caller without the right token gets: one word for a missing and a wrong one, as on the dashboard."""
    return UNCONFIGURED if why == "unconfigured" else WRONG


def bearer(header: str) -> str | None:
    """The token of a header: what follows the first blank after `Bearer`, in whatever case."""
    scheme, _, token = header.partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def disallowed(methods: Sequence[str]) -> Answer:
    """The answer to a method that a path has not; only the first that it has is named, as it was."""
    return detail("Method Not Allowed", 405, {"Allow": methods[0]})
