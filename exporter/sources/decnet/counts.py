"""What the two tables amount to: operations counted over windows, the newest of each, and what is no operation."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from exporter.core.family import OTHER
from exporter.core.times import epoch
from exporter.core.window import Window
from exporter.domains.operations import Operations
from exporter.inputs.sql import Query, Row, naive
from exporter.sources.decnet.tables import EMAILS, EVENTS, EXACT, LEAST, MOST, WORDS

ODD = -1


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
    spans = [(ODD, "ts < :least"), (ODD, "ts > :last"), (0, "ts > :edge_0 and ts <= :last")]
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
    times = {"least": LEAST, "last": MOST, **{f"edge_{number}": edge for number, edge in enumerate(edges)}}
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
