"""The page's part on finished work: what the ledger has counted, by source, pipeline and lane."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exporter.web.levels import sign
from exporter.web.markup import Html, join, tag
from exporter.web.words import ago, count, number, share

GRAVE = 5
"""So many failures in a row are no accident."""

LISTED = 40
"""Lanes of one source that are shown."""

COLUMNS = ("Source", "Work", "In a row", "Finished", "Failed", "Last success", "Last failure")


@dataclass(frozen=True, slots=True)
class Worked:
    """One lane of a pipeline: how many units of work came to their end, and how many of these failed.

    `streak` is the failures since the last success, None where different things fall together in the lane. Times are
    epoch seconds, None until there was one.
    """

    source: str
    pipeline: str
    lane: str
    finished: int
    failed: int
    streak: int | None = None
    last_success: float | None = None
    last_failure: float | None = None

    @property
    def grave(self) -> bool:
        return (self.streak or 0) >= GRAVE


def summary(works: Iterable[Worked]) -> Html:
    """All of it in one line."""
    works = [*works]
    finished, failed = sum(work.finished for work in works), sum(work.failed for work in works)
    said = f"{number(finished)} finished, {number(failed)} failed"
    if not (grave := sum(work.grave for work in works)):
        return tag("a", said, href="#work")
    lanes = tag("span", sign("bad"), f"{count(grave, 'lane')} failing again and again", class_="bad")
    return join(tag("a", said, href="#work"), " ", lanes)


def table(works: Sequence[Worked], now: float) -> Html:
    """A body for every source, a row for every lane: those that fail again and again first."""
    heads = [tag("th", name, scope="col", role="columnheader") for name in COLUMNS]
    head = tag("thead", tag("tr", *heads, role="row"), role="rowgroup")
    about = tag("small", " each unit counted once, since its account was opened")
    sources: defaultdict[str, list[Worked]] = defaultdict(list)
    for work in works:
        sources[work.source].append(work)
    bodies = [rows(source, found, now) for source, found in sources.items()]
    return tag("table", tag("caption", "Finished work", about), head, *bodies, role="table", class_="work", id="work")


def rows(source: str, works: Sequence[Worked], now: float) -> Html:
    shown = sorted(works, key=lambda work: not work.grave)[:LISTED]
    more = len(works) - len(shown)
    name = tag("b", source)
    span = str(len(shown) + bool(more))
    about = tag("th", name, scope="rowgroup", role="rowheader", rowspan=span)
    first, *rest = [row(work, now) for work in shown]
    lines = [tag("tr", about, first, role="row"), *(tag("tr", line, role="row") for line in rest)]
    if more:
        left = f"and {count(more, 'lane')} more, which the filter finds"
        lines.append(tag("tr", tag("td", left, role="cell", colspan=str(len(COLUMNS) - 1)), role="row"))
    return tag("tbody", *lines, role="rowgroup", id=f"work-{source}")


def row(work: Worked, now: float) -> Html:
    """The cells of one lane."""
    rate = tag("small", " ", share(work.failed, work.finished)) if work.failed else None
    cells = (
        streak(work),
        number(work.finished),
        join(number(work.failed) if work.failed else "none", rate),
        "never" if work.last_success is None else ago(work.last_success, now),
        "never" if work.last_failure is None else ago(work.last_failure, now),
    )
    named = zip(COLUMNS[2:], cells, strict=True)
    about = tag("th", tag("span", work.pipeline, " ", class_="pipeline"), work.lane, scope="row", role="rowheader")
    return join(about, *(tag("td", cell, role="cell", data_label=name) for name, cell in named))


def streak(work: Worked) -> Html:
    """How many failures there are since the last success."""
    if work.streak is None:
        return tag("small", "not counted")
    if not work.streak:
        return join("none")
    said = count(work.streak, "failure")
    return tag("b", sign("bad"), said, class_="streak bad") if work.grave else tag("b", said, class_="streak")
