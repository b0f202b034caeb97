"""An Api is a legacy face of a source: the routes of the system replaced, its JSON habits and its refusals.

A view is a pure function: of what was last read, the request and the time it makes an answer, and causes no read. What
is served where, tokens, streams and counting are the business of `exporter.web`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from exporter.core.address import Address
from exporter.core.event import Event
from exporter.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Access:
    """Who reaches a source's Api, and where.

    Without a `token` nobody does, unless it is `public`. `listen` are addresses of its own: that of the whole Api, with
    the empty name, or those of its apps, with theirs. `cors` are the origins whose pages may read it, `*` for any.
    `writes` allows what changes the system.
    """

    token: Secret | None = None
    listen: tuple[tuple[str, Address], ...] = ()
    public: bool = False
    cors: tuple[str, ...] = ()
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """The last good values of a source's parts, by part; a part is absent until it was read, and again once its value
    has grown too old. `at` says when (epoch seconds) the read began that brought each."""

    values: Mapping[str, Any] = field(default_factory=dict)  # Any: each part has a value type of its own
    at: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: what its path held, its parameters in their order, decoded, its body and that body's media type (as
    sent, empty where there is none); `now` is epoch seconds."""

    now: float
    path: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    media: str = ""

    def first(self, name: str) -> str | None:
        """A parameter's first value; None where it is not given."""
        return next((value for key, value in self.query if key == name), None)

    def last(self, name: str) -> str | None:
        """A parameter's last value; None where it is not given."""
        return next((value for key, value in reversed(self.query) if key == name), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets. `due` names parts to be read at once, as far as they are not being read already; the answer
    does not wait for them."""

    body: bytes
    status: int = 200
    media: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    due: tuple[str, ...] = ()


View = Callable[[Reading, Asked], Answer]
Live = Callable[[Reading, Asked], Awaitable[Answer]]
"""A view that has to look at the system itself: single-flight and limited by its source, which says so."""

Refusal = Literal["unconfigured", "missing", "wrong"]
"""Why a caller is not let in: no token is configured; none was sent; another one was."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as the OpenAPI document has it; `schema` is JSON Schema."""

    name: str
    where: Literal["path", "query"]
    about: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One path of an Api and what answers it.

    `path` is as `/runs/{id}`; a name between braces takes one segment. `app` says which of the system's programs had
    it, where it had several. `constant` promises that the answer depends on the reading's values alone (not on when
    they were read), so that it is made once for each. `answers` gives for each status the type whose JSON the body is,
    None where it is no JSON; `example` is a target to try, with its parameters. `token` False serves it also without
    one on the Api's own address, as a page for people that holds nothing of the system.
    """

    method: Literal["GET", "POST", "DELETE"]
    path: str
    view: View | Live
    about: str
    app: str = ""
    constant: bool = False
    token: bool = True
    parameters: tuple[Parameter, ...] = ()
    answers: Mapping[int, Any] = field(default_factory=dict)
    body: Any = None
    example: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """The events of a part as clients of the system follow them: server-sent events at `sse`, WebSocket at `ws`.

    `frame` is an event as a frame of server-sent events, without its `id:` line and its final blank line; `message` as
    a text message of a WebSocket. `opening` and `greeting` are what a new listener gets first, made of the part's value
    (None: nothing was read yet); None where that is nothing.
    """

    name: str
    part: str
    sse: str
    ws: str
    frame: Callable[[Event], str]
    message: Callable[[Event], str]
    about: str
    opening: Callable[[Any], str] | None = None
    greeting: Callable[[Any], str] | None = None
    keepalive: str = "data: {}"
    app: str = ""


@dataclass(frozen=True, slots=True)
class Api:
    """All that clients of one system could ask, and how it said no.

    `bearer` finds the token in an Authorization header, None where there is none by the system's own rules.
    `refused` (with that header, empty where there was none), `unknown` (no such path), `disallowed` (no such method;
    with those of the path's routes, in their order), `failed` (a bug) and `too_large` (a body over the cap) are its
    answers; `busy` is for one listener too many. `head` says that HEAD works where GET does; `slash` what a path with a
    slash too many or too few gets. `options` is what OPTIONS gets with those methods, None where it is no method.
    """

    routes: tuple[Route, ...]
    refused: Callable[[Refusal, str], Answer]
    unknown: Answer
    disallowed: Callable[[Sequence[str]], Answer]
    failed: Answer
    too_large: Answer
    bearer: Callable[[str], str | None]
    streams: tuple[Stream, ...] = ()
    head: bool = False
    slash: Literal["redirect", "unknown"] = "unknown"
    options: Callable[[Sequence[str]], Answer] | None = None
    busy: Answer = Answer(b'{"detail":"Too many listeners."}', 503, headers={"Retry-After": "30"})
