"""GET /: how everything stands, for people; works without scripts, and keeps itself up to date with one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from exporter.core.source import Source
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.itself import Reload
from exporter.runtime.refresh import pause
from exporter.runtime.standing import SourceFacts, Standing
from exporter.web.frame import Frame
from exporter.web.markup import Html, join, tag, text
from exporter.web.words import ago, clock_time, count, length, number, span, time

LISTED = 6
"""Concerns named at the top; further ones are found in the table."""

LONGEST = 600
"""Characters of a message that are shown; its log line has all of it."""

SIGNS = {"well": "●", "bad": "▲", "old": "◆", "new": "○"}
COLUMNS = ("Source", "Part", "State", "Last success", "Took", "Next read", "Skipped")


@dataclass(frozen=True, slots=True)
class Status:
    """What the page shows: at `now`, of an exporter `started` at (both epoch seconds)."""

    now: float
    started: float
    loaded: Reload
    sources: Sequence[tuple[Source, SourceFacts]]

    @property
    def standings(self) -> list[Standing]:
        return [standing for _, facts in self.sources for standing in facts.standings]


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that needs attention: how it stands, where, in words, since when (epoch seconds), and the link."""

    level: str
    where: str
    words: str
    since: float | None = None
    to: str | None = None


def routes(
    frame: Frame, board: Board, clock: Clock, started: float, loaded: Callable[[], Reload]
) -> Iterable[web.AbstractRouteDef]:
    async def show(_: web.Request) -> web.Response:
        sources = [(source, board.facts(source.name)) for source in board.sources]
        status = Status(clock.now(), started, loaded(), sources)
        return frame.page("/", f"{headline(status)} · studio-exporter", main(status))

    return [web.get("/", show)]


def level(standing: Standing) -> str:
    """How a part stands, in one word."""
    if standing.stale:
        return "old"
    if not standing.tried:
        return "new"
    return "well" if standing.up else "bad"


WORDS = {"well": "reading well", "bad": "failing", "old": "too old to show", "new": "not read yet"}


def since(standing: Standing) -> float | None:
    """Since when it has stood so; values that are too old have been ageing since they were read."""
    return standing.last_success if standing.stale else standing.since


def concerns(status: Status) -> list[Concern]:
    """What needs attention, the longest standing first."""
    found = [] if status.loaded.good else [Concern("bad", "Configuration", "the last reload failed")]
    for source, facts in status.sources:
        to = f"#{quote(anchor(source))}"
        found += [
            Concern(how, f"{source.name} / {standing.part.name}", WORDS[how], since(standing), to)
            for standing in facts.standings
            if (how := level(standing)) in ("bad", "old")
        ]
        if lost := facts.dropped.get("limit", 0):
            found.append(Concern("old", source.name, f"{number(lost)} series past a limit are not shown", to=to))
    return sorted(found, key=lambda concern: concern.since or 0)


def headline(status: Status) -> str:
    """What is wrong and since when, at a glance. It holds no age, so that it is read aloud only when it changes."""
    levels = [level(standing) for standing in status.standings]
    total = count(len(levels), "part")
    found = concerns(status)
    first = min((concern.since for concern in found if concern.since is not None), default=None)
    if counted := [f"{number(n)} {WORDS[how]}" for how in ("bad", "old") if (n := levels.count(how))]:
        when = [] if first is None else [f"since {clock_time(first, status.now)}"]
        return f"Of {total}: {', '.join([*counted, *when])}"
    if found:
        return f"{found[0].where}: {found[0].words}" if len(found) == 1 else f"{len(found)} things need attention"
    if not status.sources:
        return "No sources are configured"
    if waiting := levels.count("new"):
        return f"Starting: {number(waiting)} of {total} not read yet"
    return f"All is read well: {count(len(status.sources), 'source')}, {total}"


def main(status: Status) -> Html:
    """The page but for its frame."""
    return tag("main", verdict(status), overview(status), table(status), id="main")


def verdict(status: Status) -> Html:
    found = concerns(status)
    waiting = not status.sources or any(not standing.tried for standing in status.standings)
    how = "bad" if any(c.level == "bad" for c in found) else "old" if found else "new" if waiting else "well"
    items = [concern(each, status.now) for each in found[:LISTED]]
    if len(found) > LISTED:
        items.append(tag("li", f"and {number(len(found) - LISTED)} more below"))
    heading = tag("div", tag("h1", sign(how), headline(status)), role="status")
    return tag("section", heading, tag("ul", *items) if items else None, class_=f"verdict {how}", aria_label="Summary")


def concern(each: Concern, now: float) -> Html:
    where = tag("a", each.where, href=each.to) if each.to else text(each.where)
    return tag("li", sign(each.level), where, ": ", each.words, *lasting(each.since, now))


def overview(status: Status) -> Html:
    words = "loaded " if status.loaded.good else "last reload failed; in force is the one loaded "
    told = {
        "Up": time(status.started, length(status.now - status.started)),
        "Configuration": join(words, ago(status.loaded.at, status.now), *wrong(status.loaded)),
        "Sources": number(len(status.sources)),
        "Series": number(sum(facts.series for _, facts in status.sources)),
    }
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in told.items()))


def wrong(loaded: Reload) -> Iterable[Html]:
    """The first thing the last reload found wrong; its log line has the others."""
    if lines := loaded.problem.splitlines():
        yield tag("small", lines[0], f" (and {number(len(lines) - 1)} more)" if lines[1:] else "", class_="message")


def table(status: Status) -> Html:
    """A body for every source, a row for every part. The roles keep it a table where a phone's style takes it apart."""
    heads = [tag("th", name, scope="col", role="columnheader") for name in COLUMNS]
    head = tag("thead", tag("tr", *heads, role="row"), role="rowgroup")
    bodies = [rows(source, facts, status.now) for source, facts in status.sources]
    return tag("table", tag("caption", "Sources and their parts"), head, *bodies, role="table")


def rows(source: Source, facts: SourceFacts, now: float) -> Html:
    series = tag("span", f"{number(facts.series)} of {number(facts.limit)} series")
    link = tag("a", "metrics", href=f"/metrics?source={quote(source.name, '')}", aria_label=f"metrics of {source.name}")
    about = tag(
        "th",
        tag("b", source.name),
        tag("small", " ", facts.kind),
        tag("small", series, " ", link, class_="line"),
        tag("small", f"dropped: {lost}", class_="line old") if (lost := reasons(facts.dropped)) else None,
        scope="rowgroup",
        role="rowheader",
        rowspan=str(max(len(facts.standings), 1)),
    )
    lines = [row(source, standing, now) for standing in facts.standings]
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


def sign(how: str) -> Html:
    """A mark besides the words, never instead of them."""
    return tag("span", SIGNS[how], class_=f"sign {how}", aria_hidden="true")
