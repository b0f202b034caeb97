"""The page's table of sources: a body for every source, a row for every part."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from exporter.core.source import Source
from exporter.runtime.refresh import pause
from exporter.runtime.standing import SourceFacts, Standing
from exporter.web.levels import WORDS, level, sign, since
from exporter.web.markup import Html, join, tag, text
from exporter.web.words import ago, clock_time, count, length, number, span, time

LONGEST = 600
"""Characters of a message that are shown; its log line has all of it."""

COLUMNS = ("Source", "Part", "State", "Last success", "Took", "Next read", "Skipped")


@dataclass(frozen=True, slots=True)
class Shown:
    """A source as the table has it: those of its parts that are shown, and where its own API is served."""

    source: Source
    facts: SourceFacts
    standings: Sequence[Standing]
    apis: Sequence[str] = ()


def table(sources: Iterable[Shown], now: float) -> Html:
    """The roles keep it a table where a phone's style takes it apart."""
    heads = [tag("th", name, scope="col", role="columnheader") for name in COLUMNS]
    head = tag("thead", tag("tr", *heads, role="row"), role="rowgroup")
    bodies = [rows(shown, now) for shown in sources]
    return tag("table", tag("caption", "Sources and their parts"), head, *bodies, role="table", id="parts")


def rows(shown: Shown, now: float) -> Html:
    source, facts = shown.source, shown.facts
    series = tag("span", f"{number(facts.series)} of {number(facts.limit)} series")
    link = tag("a", "metrics", href=f"/metrics?source={quote(source.name, '')}", aria_label=f"metrics of {source.name}")
    apis = join(*(join(" ", tag("a", to, href=to, aria_label=f"{to}, API of {source.name}")) for to in shown.apis))
    about = tag(
        "th",
        tag("b", source.name),
        tag("small", " ", facts.kind),
        tag("small", series, " ", link, apis, class_="line"),
        tag("small", f"dropped: {lost}", class_="line old") if (lost := reasons(facts.dropped)) else None,
        scope="rowgroup",
        role="rowheader",
        rowspan=str(max(len(shown.standings), 1)),
    )
    lines = [row(source, standing, now) for standing in shown.standings]
    first, rest = lines[:1] or [join()], lines[1:]
    body = [tag("tr", about, *first, role="row"), *(tag("tr", line, role="row") for line in rest)]
    return tag("tbody", *body, role="rowgroup", id=anchor(source))


def row(source: Source, standing: Standing, now: float) -> Html:
    """The cells of one part."""
    at, took = standing.last_success, standing.last_seconds
    cells = (
        state(standing, now),
        "never" if at is None else ago(at, now),
        "not yet" if took is None else span(took),
        upcoming(source, standing, now),
        tag("b", skipped) if (skipped := reasons(standing.taken.skipped if standing.taken else {})) else "none",
    )
    named = zip(COLUMNS[2:], cells, strict=True)
    part = tag("th", standing.part.name, scope="row", role="rowheader", class_="part")
    return join(part, *(tag("td", cell, role="cell", data_label=name) for name, cell in named))


def state(standing: Standing, now: float) -> Html:
    how = level(standing)
    said = tag("span", sign(how), WORDS[how], class_=f"state {how}")
    return join(said, *lasting(since(standing), now), *trouble(standing))


def trouble(standing: Standing) -> Iterable[Html]:
    """Why a part fails, and what that means for its series."""
    if not (failure := standing.failure):
        return
    shown = failure.message[:LONGEST] + ("…" if len(failure.message) > LONGEST else "")
    yield tag("p", tag("b", failure.reason), " ", shown, class_="message")
    yield tag("p", f"{count(standing.failing, 'attempt')} in a row; {left(standing)}", class_="fine")


def left(standing: Standing) -> str:
    if standing.stale:
        return "its series have left the page"
    return "no read has succeeded yet" if standing.taken is None else "its last good values are still shown"


def lasting(at: float | None, now: float) -> Iterable[Html]:
    if at is not None:
        yield tag("span", " since ", time(at, clock_time(at, now)), f" ({length(now - at)})", class_="since")


def upcoming(source: Source, standing: Standing, now: float) -> Html:
    """When the part is read next."""
    if standing.attempted is None or standing.last_seconds is None:
        return text("now")
    ahead = standing.attempted + pause(source, standing, standing.last_seconds) - now
    every = f"every {span(standing.part.schedule.interval)}"
    return join(f"in {length(ahead)} " if ahead >= 1 else "now ", tag("small", every))


def reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number(n)} {reason}" for reason, n in sorted(counts.items()) if n)


def anchor(source: Source) -> str:
    return f"source-{source.name}"
