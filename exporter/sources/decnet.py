"""DECNET: what its orchestrator did to the decoys, from its two tables (contract decnet b)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from exporter.core.family import OTHER
from exporter.core.part import Part, Taken
from exporter.core.secret import Secret
from exporter.core.source import Context, Kind, Source
from exporter.core.times import epoch
from exporter.core.window import Window, window
from exporter.domains.operations import FAMILIES, Operations
from exporter.inputs.dialects import url_problem
from exporter.inputs.sql import Database, Query, Row, naive

EVENTS, EMAILS = "orchestrator_events", "orchestrator_emails"
WORDS = ("file", "traffic")
"""The words of the events table that are operations; any other, `email` among them, is `_other`."""

EXACT: Mapping[str, str] = {"mysql": "cast(kind as binary)", "sqlite": "+kind"}
"""`kind` compared byte for byte (MariaDB's collation takes `Traffic` for `traffic`) and by no index: SQLite, which has
no statistics here, would walk that of `kind` through the whole table, whatever the window."""

LEAST, MOST = datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001  # as the tables have them
"""What sorts before or after is no time: in SQLite a number or other text, in MariaDB the zero date."""

ODD = -1
MOST_WINDOWS = 50


@dataclass(frozen=True, slots=True)
class Config:
    """Where the database is, and the windows that operations are counted over."""

    database: Secret
    windows: tuple[Window, ...] = (window("5m"), window("1h"), window("24h"), window("7d"))

    def problems(self) -> Iterator[str]:
        """What no single field can tell."""
        if problem := url_problem(self.database):
            yield f"database: {problem}"
        if not self.windows:
            yield "windows: expected at least one"
        if len(self.windows) > MOST_WINDOWS:
            yield f"windows: expected at most {MOST_WINDOWS}, found {len(self.windows)}"
        first: dict[int, str] = {}
        for each in self.windows:
            if each.seconds in first:
                yield f"windows: {each.text} is as long as {first[each.seconds]}, which stands before it"
            first.setdefault(each.seconds, each.text)


@dataclass(slots=True)
class Tally:
    """What is added up while rows are gone through; `present` are the operations of the longest window."""

    attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    present: set[str] = field(default_factory=set)
    last: dict[str, float] = field(default_factory=dict)
    future: int = 0
    records: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, operation: str, failed: int, succeeded: int, windows: Sequence[Window]) -> None:
        """So many events of an operation, all of which lie in these windows."""
        if failed or succeeded:
            self.present.add(operation)
            for each in windows:
                self.attempts[operation, each.text] += failed + succeeded
                self.failures[operation, each.text] += failed

    def seen(self, operation: str, newest: object) -> None:
        """The newest event of an operation; None says that there is none."""
        if newest is None:
            return
        if (at := epoch(newest)) is None:
            self.skipped["invalid"] += 1
        else:
            self.last[operation] = at


def slices(table: str, exact: str, words: Sequence[str], edges: int) -> str:
    """One pass over a table, cut at times `edge_0` > `edge_1` > …: rows of (slice, events, failed, succeeded, and both
    again for each word). Slice 0 is the future; each slice holds its lower edge.

    Cut like this no row is compared with every window, and SQLite has nothing to sort, as it must for GROUP BY.
    """
    good = ("success = 0", "success = 1")
    wanted = (*good, *(f"{outcome} and {exact} = '{word}'" for word in words for outcome in good))
    counts = ", ".join(("count(*)", *(f"count(case when {condition} then 1 end)" for condition in wanted)))
    spans = [(ODD, "ts < :least"), (ODD, "ts > :most"), (0, "ts > :edge_0 and ts <= :most")]
    for number, (upper, lower) in enumerate(pairwise(range(edges)), 1):
        spans.append((number, f"ts >= :edge_{lower} and ts {'<' if upper else '<='} :edge_{upper}"))
    return "\nunion all ".join(f"select {number}, {counts} from {table} where {span}" for number, span in spans)  # noqa: S608  # constants of this file


def newest(table: str, condition: str) -> str:
    """The newest row that is not in the future, found from the new end of the index of `ts`."""
    rows = f"select ts from {table} where ts <= :now and ts >= :least{condition} order by ts desc limit 1"  # noqa: S608  # constants of this file
    return f"select max(ts) from ({rows}) newest"  # noqa: S608


# Through the index of `kind`: as a rule there is none, and from the new end that would take all there is. Words that
# MariaDB's collation takes for one of ours are not found here.
OTHERS = "\nunion all ".join(
    f"select max(coalesce(ts, ts)) from {EVENTS} where {span} and coalesce(ts, ts) between :least and :now"  # noqa: S608  # constants of this file
    for span in ("kind < 'file'", "kind > 'file' and kind < 'traffic'", "kind > 'traffic'")
)
KNOWN = f"select min(kind) from {EVENTS} where kind = :word"  # noqa: S608  # constants of this file


def operations(query: Query, windows: tuple[Window, ...], now: float) -> tuple[Operations, Tally]:
    """What both tables say, as of one snapshot; `now` is epoch seconds.

    Windows have an inclusive lower edge and no upper one: rows in the future count in all of them (contract a).
    """
    ordered = sorted(windows, key=lambda each: each.seconds)
    edges = [naive(now), *(naive(now - each.seconds) for each in ordered)]
    times = {"least": LEAST, "most": MOST, **{f"edge_{number}": edge for number, edge in enumerate(edges)}}
    exact, tally = EXACT.get(query.dialect, "kind"), Tally()
    for row in query(slices(EVENTS, exact, WORDS, len(edges)), **times):
        count(tally, row, (OTHER, *WORDS), ordered)
    for row in query(slices(EMAILS, exact, (), len(edges)), **times):
        count(tally, row, ("email",), ordered)
    past = {"now": edges[0], "least": LEAST}
    for word in WORDS:
        if word in tally.present or query(KNOWN, word=word) != [(None,)]:
            tally.seen(word, query(newest(EVENTS, f" and {exact} = :word"), word=word, **past)[0][0])
    tally.seen("email", query(newest(EMAILS, ""), **past)[0][0])
    tally.seen(OTHER, newest_other(query, exact, tally, past))
    names = tuple(each.text for each in windows)
    return Operations(names, tally.attempts, tally.failures, tally.last, tally.future), tally


def newest_other(query: Query, exact: str, tally: Tally, past: Mapping[str, datetime]) -> Any:
    """The newest event of any other word."""
    if OTHER in tally.present:
        return query(newest(EVENTS, f" and {exact} not in ('file', 'traffic')"), **past)[0][0]
    return max((at for (at,) in query(OTHERS, **past) if at is not None), default=None)


def count(tally: Tally, row: Row, operations: tuple[str, ...], windows: Sequence[Window]) -> None:
    """One slice of a table: all of it is the first operation's but for what the others have of it."""
    number, rows, *counts = row
    tally.records += rows
    if number == ODD:
        tally.skipped["invalid"] += rows
        return
    outcomes = [*zip(counts[::2], counts[1::2], strict=True)]
    failed, succeeded = outcomes[0]
    tally.skipped["invalid"] += rows - failed - succeeded
    outcomes[0] = (failed - sum(each for each, _ in outcomes[1:]), succeeded - sum(each for _, each in outcomes[1:]))
    if number == 0:
        tally.future += failed + succeeded
    for operation, outcome in zip(operations, outcomes, strict=True):
        tally.add(operation, *outcome, windows[max(number - 1, 0) :])


def source(config: Config, context: Context) -> Source:
    """One part: the database."""
    database = Database(config.database, context.schedule.timeout, context.limits.rows_per_query)
    last: list[Operations] = []

    async def read(now: float) -> Taken[Operations]:
        found, tally = await database.read(lambda query: operations(query, config.windows, now))
        if last != [found]:
            last[:] = [found]
        return Taken(last[0], database.describe(), tally.records, tally.skipped)

    part: Part[Any] = Part("database", read, FAMILIES, context.schedule)
    return Source(context.name, "decnet", (part,), close=database.close)


KIND = Kind(config=Config, source=source, summary="DECNET orchestrator: failures and attempts, from its database.")
