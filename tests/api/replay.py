"""Recorded exchanges against a served source: what differs from what the system replaced had answered."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from exporter.catalogue import FAMILIES
from exporter.core.address import Address
from exporter.core.api import Access
from exporter.core.secret import Secret
from exporter.core.source import Limits, Source
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.itself import Reload, Traffic
from exporter.runtime.refresh import attempt
from exporter.web.faces import Face
from exporter.web.server import Served, own, serving
from tests.api.differences import DIFFERENCES

TOKEN = "golden-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
MATTER = ("content-type", "allow", "location", "www-authenticate")
"""Headers that a client may look at; others only where an exchange says so."""

Raw = str | bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """A recorded request and its answer.

    `name` says which, as `normal/overview`. `body` is the answer's exact text (str), or what it holds (anything else,
    in which the order of keys counts); None where it is not known. `headers` are those that were recorded, and
    `matter` those of them to be compared. `numerically` lets 0 be 0.0. `ignore` are paths in the body that are not
    compared, as `$.generated_at` (a `*` stands for any key or index).
    """

    name: str
    method: str
    target: str
    status: int
    body: Any = None
    sent: Mapping[str, str] | Sequence[tuple[str, str]] = field(default_factory=dict)
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    matter: Sequence[str] = MATTER
    numerically: bool = False
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One difference. `place` is the exchange's name, then what of the answer: `status`, `header allow`, or a path in
    the body such as `$.jobs[3].id`; as in `normal/overview $.jobs[3].id`."""

    place: str
    recorded: object
    now: object


@dataclass(frozen=True, slots=True)
class Got:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Desk:
    """A source that is served: its address, the board it is read to, and the clock it is read at, which stands still
    until `now` is set."""

    url: str
    now: float
    board: Board
    source: Source
    traffic: Traffic
    clock: Clock
    session: aiohttp.ClientSession
    due: list[str] = field(default_factory=list)

    async def read(self, *parts: str) -> None:
        """Reads the parts, or all of them, once more."""
        for part in self.source.parts:
            if not parts or part.name in parts:
                self.board.post(self.source.name, part.name, await attempt(self.source, part, self.board, self.clock))

    async def ask(self, exchange: Exchange) -> Got:
        """Sends what was sent."""
        url = URL(self.url + exchange.target, encoded=True)
        pairs = exchange.sent.items() if isinstance(exchange.sent, Mapping) else exchange.sent
        sent = CIMultiDict([*pairs])
        async with self.session.request(
            exchange.method,
            url,
            headers=sent,
            data=exchange.content or None,
            allow_redirects=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        ) as answer:
            return Got(answer.status, answer.headers, await answer.read())

    async def differences(self, exchange: Exchange) -> list[Found]:
        """Asks, and says what of the answer differs."""
        return [*compared(exchange, await self.ask(exchange), self.url)]


@asynccontextmanager
async def served(
    source: Source, now: float, access: Access | None = None, app: str = "", read: bool = True
) -> AsyncIterator[Desk]:
    """A source on an address of its own, each part read once at `now`; it is closed at the end.

    Without `access` its token is TOKEN.
    """
    board, traffic = Board(FAMILIES), Traffic(now)
    clock = Clock(lambda: desk.now, lambda: desk.now, forever)
    face = Face.of(source, access or Access(Secret(TOKEN)))
    assert face, f"the source {source.name} has no Api"
    due: list[str] = []
    reload = Reload(good=True, at=now)
    listed = Served(board, traffic, clock, now, {}, lambda: reload, faces=lambda: {source.name: face}, due=noting(due))
    async with (
        serving(own(listed, source.name, app), [Address("127.0.0.1", 0)]) as urls,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as session,
    ):
        desk = Desk(urls[0], now, board, source, traffic, clock, session, due)
        board.add(source, Limits(), now)
        try:
            if read:
                await desk.read()
            yield desk
        finally:
            await source.close()


async def forever(seconds: float) -> None:
    raise AssertionError(f"nobody sleeps here, not for {seconds} s")


def noting(due: list[str]) -> Callable[[str, Sequence[str]], None]:
    def note(source: str, parts: Sequence[str]) -> None:
        due.extend(parts)

    return note


# what differs


def compared(exchange: Exchange, got: Got, url: str) -> Iterator[Found]:
    """The differences of one answer from the recorded one; where the server stands (`http://host:port`) is none."""
    name = exchange.name
    if got.status != exchange.status:
        yield Found(f"{name} status", exchange.status, got.status)
    recorded = {key.lower(): value for key, value in exchange.headers.items()}
    for key in exchange.matter:
        now = got.headers.get(key, "").replace(url, "")
        before = recorded.get(key, "")
        if key == "location" and before.startswith("http"):
            before = "/" + before.split("/", 3)[3]
        if now != before:
            yield Found(f"{name} header {key}", before or None, now or None)
    if isinstance(exchange.body, str):
        if got.body.decode("utf-8", "backslashreplace") != exchange.body:
            yield Found(f"{name} text", exchange.body, got.body.decode("utf-8", "backslashreplace"))
    elif exchange.body is not None:
        try:
            body = json.loads(got.body)
        except ValueError:
            yield Found(f"{name} $", exchange.body, got.body.decode("utf-8", "backslashreplace"))
        else:
            yield from values(exchange, f"{name} $", exchange.body, body)


def values(exchange: Exchange, place: str, before: Any, now: Any) -> Iterator[Found]:
    """The differences within a body: missing and added keys, their order, items, and every value."""
    path = place.rpartition(" ")[2]
    if any(fits(path, pattern) for pattern in exchange.ignore):
        return
    if isinstance(before, dict) and isinstance(now, dict):
        yield from (Found(f"{place}.{key}", before[key], "(missing)") for key in before if key not in now)
        yield from (Found(f"{place}.{key}", "(missing)", now[key]) for key in now if key not in before)
        common = [key for key in before if key in now]
        if common != [key for key in now if key in before]:
            yield Found(f"{place} order", [*before], [*now])
        for key in common:
            yield from values(exchange, f"{place}.{key}", before[key], now[key])
    elif isinstance(before, list) and isinstance(now, list):
        if len(before) != len(now):
            yield Found(f"{place} length", len(before), len(now))
        for number, (one, other) in enumerate(zip(before, now, strict=False)):
            yield from values(exchange, f"{place}[{number}]", one, other)
    elif not same(before, now, exchange.numerically):
        yield Found(place, before, now)


def same(before: Any, now: Any, numerically: bool) -> bool:
    """Whether two values are one: of one type, and of one sign where they are zero, unless only numbers count."""
    if numerically and all(isinstance(each, int | float) and not isinstance(each, bool) for each in (before, now)):
        return bool(before == now)
    return type(before) is type(now) and repr(before) == repr(now)


def fits(path: str, pattern: str) -> bool:
    """Whether a path in a body is one of those a pattern stands for: `$.runs[*].id`, `$.*.at`."""
    one, other = pieces(path), pieces(pattern)
    return len(one) == len(other) and all(b in ("*", a) for a, b in zip(one, other, strict=True))


def pieces(path: str) -> list[str]:
    return path.replace("]", "").replace("[", ".").split(".")


# the table


@dataclass(slots=True)
class Tally:
    """What became of the exchanges of a system: how many were replayed, equal and explained by the table; and what no
    row of it explains."""

    system: str
    replayed: int = 0
    equal: int = 0
    listed: int = 0
    unlisted: list[tuple[Exchange, Found]] = field(default_factory=list)
    hits: Counter[int] = field(default_factory=Counter)

    def add(self, exchange: Exchange, found: Iterable[Found]) -> None:
        """Counts one exchange, and looks its differences up in the table."""
        differences = [*found]
        self.replayed += 1
        self.equal += not differences
        rows = [[*self._rows(each)] for each in differences]
        self.listed += bool(differences) and all(rows)
        self.hits.update(row for found_rows in rows for row in found_rows)
        self.unlisted += [(exchange, each) for each, hit in zip(differences, rows, strict=True) if not hit]

    def settle(self) -> None:
        """Fails with every difference that is not in the table, and every row of the system that explains nothing."""
        rows = [number for number, row in enumerate(DIFFERENCES) if row.system == self.system]
        idle = [DIFFERENCES[number] for number in rows if not self.hits[number]]
        told = [f"{found.place}: was {short(found.recorded)}, is {short(found.now)}" for _, found in self.unlisted]
        summary = f"{self.system}: {self.replayed} exchanges, {self.equal} equal, {self.listed} listed"
        assert not told, "\n".join([summary, f"{len(told)} differences that no row explains:", *told])
        assert not idle, "\n".join([summary, "rows that explain nothing:", *map(repr, idle)])

    def _rows(self, found: Found) -> Iterator[int]:
        return (number for number, row in enumerate(DIFFERENCES) if row.explains(self.system, found.place))


def short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
