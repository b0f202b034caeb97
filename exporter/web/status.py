"""GET /: how everything stands, for people; works without scripts, and keeps itself up to date with one."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from aiohttp import web

from exporter.core.source import Source
from exporter.runtime.itself import Reload
from exporter.runtime.standing import SourceFacts, Standing
from exporter.web import narrow, table, work
from exporter.web.frame import Frame
from exporter.web.levels import WORDS, level, sign, since
from exporter.web.markup import Html, join, tag, text
from exporter.web.narrow import ALL, Filter
from exporter.web.table import Shown, anchor, lasting
from exporter.web.words import ago, clock_time, count, length, number, time
from exporter.web.work import Worked

LISTED = 6
"""Concerns named at the top; further ones are found in the table."""


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that needs attention: how it stands, where, in words, since when (epoch seconds), and the link."""

    level: str
    where: str
    words: str
    since: float | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What the page shows: at `now`, of an exporter `started` at (both epoch seconds).

    `works` are what the ledger has counted; `notes` what else needs attention; `apis` where each source's own API is
    served (paths, by the source's name).
    """

    now: float
    started: float
    loaded: Reload
    sources: Sequence[tuple[Source, SourceFacts]]
    works: Sequence[Worked] = ()
    notes: Sequence[Concern] = ()
    apis: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def standings(self) -> list[Standing]:
        return [standing for _, facts in self.sources for standing in facts.standings]


def routes(frame: Frame, look: Callable[[], Status]) -> Iterable[web.AbstractRouteDef]:
    """The page of whatever a look finds."""

    async def show(request: web.Request) -> web.Response:
        status = look()
        return frame.page("/", f"{headline(status)} · studio-exporter", main(status, narrow.asked(request)))

    return [web.get("/", show)]


def main(status: Status, wanted: Filter = ALL) -> Html:
    """The page but for its frame. Whatever is filtered away, what needs attention is said at the top."""
    shown = [*matching(status, wanted)]
    works = [each for each in status.works if wanted.finds(each.source, each.pipeline, each.lane)]
    counts = Counter(map(level, status.standings))
    return tag(
        "main",
        verdict(status, wanted),
        overview(status),
        narrow.form(wanted, counts),
        tag("p", *found(wanted, sum(len(each.standings) for each in shown), counts.total()), id="found"),
        table.table(shown, status.now) if shown else None,
        None
        if status.sources
        else tag("p", "They belong under ", tag("code", "sources"), " in the configuration file."),
        work.table(works, status.now) if works else None,
        id="main",
    )


def matching(status: Status, wanted: Filter) -> Iterable[Shown]:
    """The sources with the parts that a filter leaves; without one, all of them."""
    for source, facts in status.sources:
        fitting = [each for each in facts.standings if wanted.fits(each, source.name, facts.kind)]
        if fitting or not wanted:
            yield Shown(source, facts, fitting, status.apis.get(source.name, ()))


def found(wanted: Filter, many: int, total: int) -> Iterable[Html]:
    """What a filter leaves, and the way back; what is there without one says nothing."""
    said = f"{number(many)} of {count(total, 'part')} shown" if many else "No part is like that"
    yield tag("span", said if wanted else "", role="status")
    if wanted:
        yield join(" ", tag("a", "Show all", href="/"))


def concerns(status: Status) -> list[Concern]:
    """What needs attention: the worst first, of that what has stood longest."""
    found = [] if status.loaded.good else [Concern("bad", "Configuration", "the last reload failed")]
    found += status.notes
    for source, facts in status.sources:
        to = f"#{quote(anchor(source))}"
        found += [
            Concern(how, f"{source.name} / {standing.part.name}", WORDS[how], since(standing), to)
            for standing in facts.standings
            if (how := level(standing)) in ("bad", "old")
        ]
        if lost := facts.dropped.get("limit", 0):
            found.append(Concern("old", source.name, f"{number(lost)} series past a limit are not shown", to=to))
    return sorted(found, key=lambda concern: (concern.level != "bad", concern.since or 0))


def headline(status: Status) -> str:
    """What is wrong and since when, at a glance. It holds no age, so that it is read aloud only when it changes."""
    levels = [level(standing) for standing in status.standings]
    total = count(len(levels), "part")
    if counted := [f"{number(n)} {WORDS[how]}" for how in ("bad", "old") if (n := levels.count(how))]:
        wrong = [since(standing) for standing in status.standings if level(standing) in ("bad", "old")]
        first = min((at for at in wrong if at is not None), default=None)
        when = [] if first is None else [f"since {clock_time(first, status.now)}"]
        return f"Of {total}: {', '.join([*counted, *when])}"
    if found := concerns(status):
        return f"{found[0].where}: {found[0].words}" if len(found) == 1 else f"{len(found)} things need attention"
    if not status.sources:
        return "No sources are configured"
    if waiting := levels.count("new"):
        return f"Starting: {number(waiting)} of {total} not read yet"
    return f"All is read well: {count(len(status.sources), 'source')}, {total}"


def verdict(status: Status, wanted: Filter) -> Html:
    found = concerns(status)
    waiting = not status.sources or any(not standing.tried for standing in status.standings)
    how = "bad" if any(c.level == "bad" for c in found) else "old" if found else "new" if waiting else "well"
    items = [concern(each, status.now, wanted) for each in found[:LISTED]]
    if len(found) > LISTED:
        items.append(tag("li", f"and {number(len(found) - LISTED)} more below"))
    heading = tag("div", tag("h1", sign(how), headline(status)), role="status")
    return tag("section", heading, tag("ul", *items) if items else None, class_=f"verdict {how}", aria_label="Summary")


def concern(each: Concern, now: float, wanted: Filter) -> Html:
    """A line about one; what it leads to may be filtered away, so then it leads to the page without a filter."""
    to = f"/{each.to}" if each.to and wanted and each.to.startswith("#") else each.to
    where = tag("a", each.where, href=to) if to else text(each.where)
    return tag("li", sign(each.level), where, ": ", each.words, *lasting(each.since, now))


def overview(status: Status) -> Html:
    words = "loaded " if status.loaded.good else "last reload failed; in force is the one loaded "
    told = {
        "Up": time(status.started, length(status.now - status.started)),
        "Configuration": join(words, ago(status.loaded.at, status.now), *wrong(status.loaded)),
        "Sources": text(number(len(status.sources))),
        "Series": text(number(sum(facts.series for _, facts in status.sources))),
    }
    if status.works:
        told["Work"] = work.summary(status.works)
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in told.items()))


def wrong(loaded: Reload) -> Iterable[Html]:
    """The first thing the last reload found wrong; its log line has the others."""
    if lines := loaded.problem.splitlines():
        yield tag("small", lines[0], f" (and {number(len(lines) - 1)} more)" if lines[1:] else "", class_="message")
