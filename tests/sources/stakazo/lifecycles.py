"""Recorded life cycles of publish_logs rows, and tables that go through them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from tests.services import DRIVERS
from tests.sources.stakazo.databases import GOLDEN, dialect_of
from tests.sources.stakazo.tables import COLUMNS, as_stored

LIFECYCLES = GOLDEN / "lifecycle"
State = tuple[datetime, Sequence[Mapping[str, Any]]]
"""What the table holds from a moment on."""

TRUE: Mapping[str, Mapping[str, Any]] = json.loads((LIFECYCLES / "true_counts.json").read_text())


def states(name: str) -> list[State]:
    """All that a reader may ever see, in the order of time."""
    steps = json.loads((LIFECYCLES / name).read_text())["steps"]
    seen = [each for step in steps for each in (*step.get("commits", ()), step)]
    return [(datetime.fromisoformat(each["now"]).replace(tzinfo=UTC), each["publish_logs"]) for each in seen]


@contextmanager
def holding(url: str) -> Iterator[Callable[[Sequence[Mapping[str, Any]]], None]]:
    """What makes some rows all there is in publish_logs, in one commit."""
    names = ", ".join(f":{name}" for name in COLUMNS["publish_logs"])
    sqlite = dialect_of(url) == "sqlite"
    engine = create_engine(make_url(url).set(drivername=DRIVERS[dialect_of(url)]), poolclass=NullPool)
    with engine.connect() as connection:
        if sqlite:
            connection.execute(text("pragma synchronous = off"))

        def hold(logs: Sequence[Mapping[str, Any]]) -> None:
            connection.execute(text("delete from publish_logs"))
            if logs:
                stored = [dict(log) if sqlite else as_stored("publish_logs", log, "create_all") for log in logs]
                connection.execute(text(f"insert into publish_logs values ({names})"), stored)
            connection.commit()

        yield hold


def every_commit(cycle: Sequence[State]) -> Iterator[State]:
    """A read after each commit."""
    yield from cycle


@dataclass(frozen=True)
class Every:
    """A read every so many seconds, the first of them so many after the beginning; those between which nothing was
    written are left out, but for one."""

    seconds: float
    after: float = 0.0

    def __call__(self, cycle: Sequence[State]) -> Iterator[State]:
        begin = cycle[0][0] + timedelta(seconds=self.after)
        step = timedelta(seconds=self.seconds)
        due = {max(0, -((begin - when) // step)) for when, _ in cycle}
        for number in sorted(due | {each + 1 for each in due}):
            at = begin + number * step
            yield at, [rows for when, rows in cycle if when <= at][-1]


RHYTHMS: Mapping[str, Callable[[Sequence[State]], Iterator[State]]] = {
    "every commit": every_commit,
    "15 s": Every(15, 0.0085),
    "60 s": Every(60, 7.0125),
    "300 s": Every(300, 14.02),
}
