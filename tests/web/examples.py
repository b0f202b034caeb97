"""A board as the tests of the listeners need it: sources told how their reads went."""

from collections.abc import AsyncIterator, Mapping, Sequence
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
from exporter.web.frame import Frame
from exporter.web.server import Served, application
from exporter.web.status import Concern, Status, routes
from exporter.web.work import Worked
from tests.fakes import START, Time, gauge, giving, part, things

THINGS = gauge()
CATALOGUE: Mapping[str, tuple[Family[Any], ...]] = {
    "things": (THINGS,),
    "sources": standing.FAMILIES,
    "exporter": itself.FAMILIES,
}

WORKS = (
    Worked("vfx", "ingest", "ASH", 1204, 37, 0, START - 40, START - 900),
    Worked("vfx", "render", "deadline", 9120, 410, 7, START - 3600, START - 20),
    Worked("vfx", "render", "_other", 12, 1, None, START - 9999, START - 99_999),
    Worked("decoys", "operation", "email", 400, 122, 120, START - 86_400, START - 30),
    Worked("decoys", "operation", "file", 300, 2, 2, START - 60, START - 30),
    Worked("decoys", "operation", "traffic", 0, 0, 0),
)
NOTES = (
    Concern("bad", "Ledger", "cannot be written: the disk is full", START - 300),
    Concern("old", "publishing", "no index on publish_logs (updated_at): see `studio-exporter indexes`"),
)
APIS = {"vfx": ("/vfx/",), "publishing": ("/publishing/", "/publishing/admin/")}

NASTY = "<img src=x onerror='window.owned=1'><script>window.owned=1</script> " + "unbroken" * 60


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

    def status(self, **more: Any) -> Status:
        """What the page shows of it; `more` is what else there is to show."""
        sources = [(source, self.board.facts(source.name)) for source in self.board.sources]
        return Status(self.time.clock.now(), START, self.reload, sources, **more)

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


def every_state() -> Example:
    """Every state there is."""
    made = Example()
    for name, kind in (("vfx", "trafalgar"), ("publishing", "stakazo"), ("decoys", "decnet"), ("new", "decnet")):
        made.add(name, "ingest", "database", kind=kind, limit=1 if name == "decoys" else 20_000)
    for name in ("vfx", "publishing", "decoys"):
        made.read(name, things(a=1, b=2), part="ingest", type=3)
    made.pass_time(900)
    made.read("vfx", things(a=1, b=2), part="ingest")
    made.read("vfx", things(a=1), part="database")
    made.fail("publishing", "malformed", NASTY, part="database")
    return made


def everything(made: Example, works: Sequence[Worked] = WORKS, notes: Sequence[Concern] = NOTES) -> web.Application:
    """Its status page, with all that the page can show besides sources."""
    app = web.Application()
    app.add_routes(routes(Frame.load(), lambda: made.status(works=works, notes=notes, apis=APIS)))
    return app


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
