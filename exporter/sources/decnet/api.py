"""The count of failures as DECNET's own endpoint gave it, with its grammar of windows and its refusals (contract a).

The endpoint answers with what is true now, so its view is a live one. DECNET knew users and their roles; here there is
one token, which may read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from exporter.core.api import Answer, Api, Asked, Live, Parameter, Reading, Refusal, Route
from exporter.core.errors import ReadError
from exporter.core.window import LONGEST, UNITS
from exporter.sources.decnet.live import Counts, Question

PATH = "/api/v1/orchestrator/events/stats"

SINCE = re.compile(r"(\d+)([smhd])\n?")
"""Digits of any script; a line end goes through, as it did."""

FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("0", "f", "false", "n", "no", "off"), False),
    **dict.fromkeys(("1", "t", "true", "y", "yes", "on"), True),
}
KINDS = ("traffic", "file", "email")

encoded = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Stats:
    """The failures on record in a window: `since` as it was asked for, `success` false, `kind` null for all kinds."""

    since: str
    success: bool
    kind: Literal["traffic", "file", "email"] | None
    count: int


@dataclass(frozen=True, slots=True)
class Detail:
    """Why not."""

    detail: str


def refusal(status: int, why: str, **headers: str) -> Answer:
    """What is said instead of an answer."""
    return Answer(
        encoded(Detail(why)), status, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


INVALID = refusal(422, "Invalid request parameters")
ONLY_FAILURES = refusal(422, "only success=false is supported on this surface today")
NO_WINDOW = refusal(422, r"since must match ^(\d+)[smhd]$ (e.g. '15m', '1h', '24h', '7d')")
NOTHING = refusal(422, "since must be > 0")
TOO_LONG = refusal(422, "since exceeds maximum window of 7 days, 0:00:00")


def question(asked: Asked) -> Question | Answer:
    """What is asked, or the first thing wrong with it, in the order in which DECNET looked."""
    success, kind, since = asked.last("success"), asked.last("kind"), asked.last("since")
    wanted = None if success is None else FLAGS.get(success.lower())
    if (success is not None and wanted is None) or kind not in (None, *KINDS):
        return INVALID
    if wanted is not False:
        return ONLY_FAILURES
    window = seconds("1h" if since is None else since)
    return window if isinstance(window, Answer) else Question(window, kind)


def seconds(since: str) -> int | Answer:
    """The length of a window, or what is wrong with it."""
    if (found := SINCE.fullmatch(since)) is None:
        return NO_WINDOW
    digits = "".join(str(int(digit)) for digit in found[1]).lstrip("0")
    if not digits:
        return NOTHING
    if len(digits) > len(str(LONGEST)) or int(digits) * UNITS[found[2]] > LONGEST:
        return TOO_LONG
    return int(digits) * UNITS[found[2]]


def counted(counts: Counts) -> Live:
    """The view, over what counts."""

    async def view(reading: Reading, asked: Asked) -> Answer:
        wanted = question(asked)
        if isinstance(wanted, Answer):
            return wanted
        count = await counts.count(wanted, asked.now)
        if isinstance(count, ReadError):
            return refusal(503, f"The database cannot be read now: {count.reason}", Retry_After="1")
        since = asked.last("since")
        told = {"since": "1h" if since is None else since, "success": False, "kind": wanted.kind, "count": count}
        return Answer(encoded(told))

    return view


PARAMETERS = (
    Parameter(
        "since",
        "query",
        "How long ago the window began: a number of seconds, minutes, hours or days, 1s to 7d.",
        {"type": "string", "pattern": "^[0-9]+[smhd]$", "default": "1h"},
    ),
    Parameter("success", "query", "Only failures are counted.", {"type": "boolean", "enum": [False]}, required=True),
    Parameter(
        "kind", "query", "One kind of operation; all where it is left out.", {"type": "string", "enum": [*KINDS]}
    ),
)


def refused(why: Refusal, header: str) -> Answer:
    """One and the same for every wrong token, whatever is wrong with it."""
    if why == "unconfigured":
        return refusal(503, "No token is configured for this source: see api.token.")
    return refusal(401, "Could not validate credentials", WWW_Authenticate="Bearer")


def bearer(header: str) -> str | None:
    """What stands after `Bearer` and one blank, in just these letters."""
    return header.removeprefix("Bearer ") if header.startswith("Bearer ") else None


def api(counts: Counts) -> Api:
    """The one endpoint."""
    stats = Route(
        "GET",
        PATH,
        counted(counts),
        "Failures of the orchestrator on record in a window that ends now.",
        parameters=PARAMETERS,
        answers={200: Stats, 422: Detail, 503: Detail},
        example=f"{PATH}?since=1h&success=false",
    )
    return Api(
        routes=(stats,),
        refused=refused,
        unknown=refusal(404, "Not Found"),
        disallowed=lambda methods: refusal(405, "Method Not Allowed", Allow=methods[0]),
        failed=refusal(500, "Internal Server Error"),
        too_large=refusal(413, "Request body too large"),
        bearer=bearer,
        slash="redirect",
    )
