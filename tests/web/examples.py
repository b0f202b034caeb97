"""A board as the tests of the listeners need it: sources told how their reads went."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from exporter.core.family import Family
from exporter.core.part import Part, Schedule, Taken
from exporter.core.source import Limits, Source
from exporter.runtime import itself, standing
from exporter.runtime.board import Board
from exporter.runtime.guard import Failure
from exporter.runtime.itself import Reload, Traffic
from exporter.runtime.standing import Outcome
from exporter.web.server import Served, application
from tests.fakes import START, Time, gauge, giving, part

THINGS = gauge()
CATALOGUE: Mapping[str, tuple[Family[Any], ...]] = {
    "things": (THINGS,),
    "sources": standing.FAMILIES,
    "exporter": itself.FAMILIES,
}


class Example:
    """A board, a clock that stands still, and everything the listeners read."""

    def __init__(self) -> None:
        self.time = Time()
        self.board = Board([family for families in CATALOGUE.values() for family in families])
        self.traffic = Traffic(START)
        self.reload = Reload(good=True, at=START)

    def served(self, **more: Any) -> Served:
        parts = {"started": START, "catalogue": CATALOGUE, "loaded": lambda: self.reload, **more}
        return Served(self.board, self.traffic, self.time.clock, **parts)

    def add(self, name: str, *parts: str, kind: str = "test", limit: int = 20_000) -> Source:
        """A source with parts of these names, which have not been read yet."""
        schedule = Schedule()
        made: list[Part[Any]] = [part(giving(()), THINGS, name=each, schedule=schedule) for each in parts or ("main",)]
        source = Source(name, kind, tuple(made))
        self.board.add(source, Limits(series_per_source=limit), self.time.clock.now())
        return source

    def read(self, name: str, points: Any, part: str = "main", seconds: float = 0.02, **skipped: int) -> None:
        """A read of a part that went well."""
        taken = Taken(points, "a test", skipped=skipped)
        source = next(source for source in self.board.sources if source.name == name)
        blocks = self.board.render(name, next(each for each in source.parts if each.name == part), points)
        self._post(name, part, seconds, taken, blocks)

    def fail(self, name: str, reason: str, message: str, part: str = "main") -> None:
        """A read of a part that failed."""
        self._post(name, part, 10.0, Failure(reason, message), None)

    def _post(self, name: str, part: str, seconds: float, found: Any, blocks: Any) -> None:
        clock = self.time.clock
        self.board.post(name, part, Outcome(clock.now(), clock.monotonic(), seconds, found, blocks))

    def pass_time(self, seconds: float) -> None:
        """Time goes by, and what is too old by then leaves the page."""
        self.time.advance(seconds)
        self.board.expire(self.time.clock.monotonic())


Client = TestClient[web.Request, web.Application]


@asynccontextmanager
async def asking(served: Served) -> AsyncIterator[Client]:
    """A client of a real server on a free port; it sends no headers of its own and unpacks nothing."""
    quiet = ("Accept", "Accept-Encoding", "User-Agent")
    async with TestClient(TestServer(application(served)), auto_decompress=False, skip_auto_headers=quiet) as client:
        yield client


class Seen(HTMLParser):
    """What a parser makes of markup: its elements with their attributes, and its text."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data
