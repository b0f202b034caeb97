"""A small system of our own whose Api the tests serve: things that are listed, counted, changed and followed."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exporter.core.api import Answer, Api, Asked, Parameter, Reading, Refusal, Route, Stream
from exporter.core.event import Event
from exporter.core.part import Part, Schedule
from exporter.core.source import Source
from tests.fakes import Read, gauge, giving

TEXT: Mapping[str, Any] = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing, as its JSON has it."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Detail:
    """Why not."""

    detail: str


def said(body: Any, status: int = 200, **headers: str) -> Answer:
    """JSON, compact."""
    return Answer(json.dumps(body, separators=(",", ":")).encode(), status, headers=headers)


def detail(text: str, status: int, **headers: str) -> Answer:
    return said({"detail": text}, status, **headers)


def things(reading: Reading) -> Mapping[str, int]:
    """The value of the part: counts by name."""
    return dict(reading.values.get("main", ()))


def refused(why: Refusal, header: str) -> Answer:
    return {
        "unconfigured": detail("no token", 503),
        "missing": detail(f"missing, found {header!r}", 401),
        "wrong": detail("wrong", 401),
    }[why]


def bearer(header: str) -> str | None:
    scheme, _, token = header.partition(" ")
    return token if scheme.lower() == "bearer" else None


def changes(before: Any, after: Any) -> Iterable[Event]:
    """What became of each thing."""
    old, new = dict(before), dict(after)
    for name in new:
        if old.get(name) != new[name]:
            event = "thing.created" if name not in old else "thing.updated"
            yield Event(event, {"event": event, "thing": {"name": name, "count": new[name]}})
    for name in old.keys() - new.keys():
        yield Event("thing.removed", {"event": "thing.removed", "thing": {"name": name}})


class System:
    """The Api's views count how often they run; the live one waits until it is let go."""

    def __init__(self) -> None:
        self.made = 0
        self.asked: list[Asked] = []
        self.go = asyncio.Event()

    def listed(self, reading: Reading, asked: Asked) -> Answer:
        self.made += 1
        return said([{"name": name, "count": count} for name, count in things(reading).items()])

    def one(self, reading: Reading, asked: Asked) -> Answer:
        self.asked.append(asked)
        found = things(reading)
        name = asked.path["name"]
        return said({"name": name, "count": found[name]}) if name in found else detail("no such thing", 404)

    def echo(self, reading: Reading, asked: Asked) -> Answer:
        self.asked.append(asked)
        got = asked.body.decode("utf-8", "replace")
        return said({"got": got, "media": asked.media, "query": [*asked.query], "now": asked.now})

    def flush(self, reading: Reading, asked: Asked) -> Answer:
        return Answer(b"{}", due=("main",))

    def broken(self, reading: Reading, asked: Asked) -> Answer:
        raise RuntimeError("hunter2")

    async def live(self, reading: Reading, asked: Asked) -> Answer:
        await self.go.wait()
        return said("live")

    def page(self, reading: Reading, asked: Asked) -> Answer:
        return Answer(b"<p>things</p>", media="text/html; charset=utf-8")

    def routes(self) -> tuple[Route, ...]:
        path = Parameter("name", "path", "Which thing.", TEXT, required=True)
        return (
            Route("GET", "/", self.page, "A page for people.", token=False, answers={200: None}, app="left"),
            Route("GET", "/things", self.listed, "All.", constant=True, answers={200: list[Thing]}, example="/things"),
            Route(
                "GET",
                "/things/{name}",
                self.one,
                "One.",
                parameters=(path,),
                answers={200: Thing, 404: Detail},
                example="/things/a",
                app="left",
            ),
            Route(
                "POST", "/things", self.echo, "What was sent.", body=dict[str, Any], answers={200: None}, app="right"
            ),
            Route("DELETE", "/cache", self.flush, "Read anew.", answers={200: None}),
            Route("GET", "/broken", self.broken, "A bug.", answers={500: Detail}),
            Route("GET", "/live", self.live, "Now.", answers={200: str}),
        )

    def api(self, **more: Any) -> Api:
        """The Api; `more` are fields of it that are different."""
        plain: dict[str, Any] = {
            "routes": self.routes(),
            "refused": refused,
            "unknown": detail("Not Found", 404),
            "disallowed": lambda methods: detail("Method Not Allowed", 405, Allow=", ".join(methods)),
            "failed": detail("Internal Server Error", 500),
            "too_large": detail("too large", 413),
            "bearer": bearer,
            "streams": (stream(),),
            "slash": "redirect",
        }
        return Api(**{**plain, **more})

    def source(self, name: str, *values: Any, read: Read | None = None, **more: Any) -> Source:
        """A source whose part gives one value after the other."""
        main = Part("main", read or giving(*values), (gauge(),), Schedule(), events=changes)
        return Source(name, "test", (main,), api=self.api(**more))


def stream() -> Stream:
    """The things as they change."""
    return Stream(
        "things",
        "main",
        "/things/stream",
        "/things/ws",
        frame=lambda event: f"event: {event.name}\ndata: {json.dumps(event.payload)}",
        message=lambda event: json.dumps(event.payload),
        about="Things as they change.",
        opening=lambda value: f"event: things.snapshot\ndata: {json.dumps(dict(value or ()))}",
        greeting=lambda value: json.dumps({"type": "connected", "things": dict(value or ())}),
        app="left",
    )


def allow(methods: Sequence[str]) -> Answer:
    """What OPTIONS gets, where it is a method."""
    return Answer(b"", 200, "text/html; charset=utf-8", {"Allow": ", ".join([*methods, "OPTIONS"])})
