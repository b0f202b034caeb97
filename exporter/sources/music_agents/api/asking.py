"""The habits of this Api: how it writes JSON and reads numbers, and what each refusal says."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from exporter.core.api import Answer, Asked, Reading, Refusal, View
from exporter.domains.host import Host
from exporter.sources.music_agents.api.answers import Failure, Refused
from exporter.sources.music_agents.api.papers import NOTHING as NO_FILES
from exporter.sources.music_agents.api.papers import Filed
from exporter.sources.music_agents.api.tables import NOTHING as NO_DATABASE
from exporter.sources.music_agents.api.tables import Recorded

NO_HOST = Host(None, None, None, {}, None, None)
HTML = "text/html; charset=utf-8"
ESCAPED = re.compile("[^\x00-\x7e]")
BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
SHOWN = 40
"""Characters of a parameter that are shown to whoever sent it."""

NOT_ALLOWED = """\
<!doctype html>
<html lang=en>
<title>405 Method Not Allowed</title>
<h1>Method Not Allowed</h1>
<p>The method is not allowed for the requested URL.</p>
"""

ENCODER = msgspec.json.Encoder()


class Unfit(Exception):
    """A request that cannot be answered as it was meant; it carries what it gets instead."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Seen:
    """What a view looks at: the values of the parts, `now` in epoch seconds, and the time zone and its name. What is
    not configured is empty; `told` are the parts of which something is known, those that do not exist among them."""

    files: Filed
    database: Recorded
    host: Host
    told: frozenset[str]
    now: float
    zone: tzinfo
    timezone: str

    def local(self, at: float | None) -> str | None:
        """Epoch seconds as the system wrote times: local, and without a zone."""
        try:
            return None if at is None else local(at, self.zone)
        except (ValueError, OverflowError):  # of a year that no calendar has
            return None

    @property
    def timestamp(self) -> str:
        return local(self.now, self.zone)


def local(at: float, zone: tzinfo) -> str:
    """Epoch seconds as a local time without a zone."""
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None).isoformat()


@dataclass(frozen=True, slots=True)
class Look:
    """How a source's views see: its time zone and the name of it, and which parts there are."""

    zone: tzinfo
    timezone: str
    parts: frozenset[str]

    def seen(self, reading: Reading, now: float) -> Seen:
        values = reading.values
        return Seen(
            files=values.get("files", NO_FILES),
            database=values.get("database", NO_DATABASE),
            host=values.get("host", NO_HOST),
            told=frozenset(("files", "database", "host")) - (self.parts - values.keys()),
            now=now,
            zone=self.zone,
            timezone=self.timezone,
        )

    def view(self, make: Callable[[Seen, Asked], Any], *parts: str) -> View:
        """A view that answers with what `make` gives, or with 503 while one of the parts that it needs is configured
        but could not be read: the system said zeros then."""

        def answered(reading: Reading, asked: Asked) -> Answer:
            seen = self.seen(reading, asked.now)
            if unread := [part for part in parts if part not in seen.told]:
                return unavailable(f"The {unread[0]} could not be read, or not yet; see /metrics.")
            try:
                made = make(seen, asked)
            except Unfit as unfit:
                return unfit.answer
            return made if isinstance(made, Answer) else answer(made)

        return answered


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """JSON as the system wrote it: nothing but ASCII, and a line feed at the end."""
    body = ENCODER.encode(value)
    if not body.isascii():
        body = ESCAPED.sub(escaped, body.decode()).encode()
    return Answer(body + b"\n", status, headers=headers or {})


def escaped(found: re.Match[str]) -> str:
    """One character as JSON escapes it; what lies beyond 16 bits takes two."""
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def failure(said: str, status: int) -> Answer:
    """As the system told of its own exceptions, with a status that says whose fault it is."""
    return answer(Failure(said), status)


def unavailable(said: str) -> Answer:
    return answer(Refused(said, 503), 503)


def whole(asked: Asked, name: str, default: int) -> int:
    """A parameter that is a whole number, as Python reads them; the first of several. Raises Unfit."""
    value = asked.first(name)
    if value is None:
        return default
    try:
        return int(value)
    except ValueError:
        found = value if len(value) <= SHOWN else f"{value[:SHOWN]}..."
        raise Unfit(failure(f"{name}: expected a whole number, found {found!r}", 400)) from None


def newest(found: Sequence[Any], limit: int) -> Sequence[Any]:
    """As many as SQLite's LIMIT would give: all there are for a negative number, none for one that it has no room
    for."""
    if not -(2**63) <= limit < 2**63:
        return ()
    return found if limit < 0 else found[:limit]


# refusals


UNKNOWN = answer(Refused("Endpoint not found", 404), 404)
FAILED = answer(Refused("Internal server error", 500), 500)
TOO_LARGE = answer(Refused("Request body too large", 413), 413)
BUSY = answer(Refused("Too many listeners", 503), 503, {"Retry-After": "30"})
REFUSALS: Mapping[Refusal, Answer] = {
    "unconfigured": answer(Refused("No token is configured for this source (api.token), nor is it public", 503), 503),
    "missing": answer(Refused("A bearer token is needed", 401), 401, {"WWW-Authenticate": "Bearer"}),
    "wrong": answer(Refused("The bearer token is wrong", 401), 401, {"WWW-Authenticate": "Bearer"}),
}


def refused(why: Refusal, header: str) -> Answer:
    """The system let everybody in, so these words are ours."""
    return REFUSALS[why]


def bearer(header: str) -> str | None:
    found = BEARER.fullmatch(header)
    return found[1] if found else None


def methods(found: Sequence[str]) -> str:
    """What Flask says may be sent to a path whose routes have these methods."""
    return ", ".join(each for name in found for each in ((name, "HEAD") if name == "GET" else (name,))) + ", OPTIONS"


def disallowed(found: Sequence[str]) -> Answer:
    return Answer(NOT_ALLOWED.encode(), 405, HTML, {"Allow": methods(found)})


def options(found: Sequence[str]) -> Answer:
    return Answer(b"", 200, HTML, {"Allow": methods(found)})
