"""From the path of a request to the routes and streams of an Api that answer it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from re import Pattern
from urllib.parse import unquote

from exporter.core.api import Route, Stream

NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """What a path leads to, in the order of the Api, and what its braces took."""

    end: Route | Stream
    path: Mapping[str, str]

    @property
    def method(self) -> str:
        return self.end.method if isinstance(self.end, Route) else "GET"

    @property
    def template(self) -> str:
        return self.end.path if isinstance(self.end, Route) else self.end.sse


@dataclass(frozen=True, slots=True)
class Table:
    """The routes and streams of an Api, or of one of its apps; a stream comes before a route that would take its path
    for a name."""

    ends: Sequence[tuple[Pattern[str], Route] | tuple[Pattern[str], Stream]]
    sockets: Mapping[str, Stream]

    @classmethod
    def of(cls, every: Sequence[Route], followed: Sequence[Stream], app: str = "") -> "Table":
        """Those of one app, and those that belong to none; all of them for the empty name."""
        streams = [stream for stream in followed if app in ("", stream.app) or not stream.app]
        routes = [route for route in every if app in ("", route.app) or not route.app]
        first = ((pattern(each.sse), each) for each in streams)
        then = ((pattern(each.path), each) for each in routes)
        return cls([*first, *then], {stream.ws: stream for stream in streams})

    def found(self, path: str) -> Sequence[Match]:
        """All that a path leads to, whatever the method."""
        tried = ((each.fullmatch(path), end) for each, end in self.ends)
        return [Match(end, match.groupdict()) for match, end in tried if match]

    def turned(self, path: str) -> str | None:
        """The path with its slashes at the end gone, or with one put there, if that leads somewhere."""
        other = path.rstrip("/") if path.endswith("/") else f"{path}/"
        return other if path != "/" and self.found(other) else None


def pattern(path: str) -> Pattern[str]:
    """What a route's path matches: each name between braces takes one segment, which is not empty."""
    pieces = NAME.split(path)
    odd = (f"(?P<{piece}>[^/]+)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces))
    return re.compile("".join(odd))


def decoded(raw: str) -> str:
    """A path as the systems replaced saw it: escapes decoded, those of slashes too; what is no UTF-8 is replaced."""
    return unquote(raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
