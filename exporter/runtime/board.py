"""The board: what is known now. Per part its standing, per family and source its bytes; pages are joined from them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from exporter.core.api import Reading
from exporter.core.family import Family
from exporter.core.part import Part
from exporter.core.source import Limits, Source
from exporter.ledger import families as work
from exporter.runtime.exposition import Format, Page, header
from exporter.runtime.names import Names
from exporter.runtime.render import Block, Renderer
from exporter.runtime.standing import FAMILIES, Outcome, SourceFacts, Standing

OWN = ""
"""Where the exporter's own blocks stand among those of the sources."""

UNCAPPED = 10_000_000
"""Series that accounts may bring: they stay on the page, and what bounds them is the cap on names."""


class Kept:
    """What the board keeps of one source."""

    def __init__(self, source: Source, limits: Limits, opened: float) -> None:
        self.source = source
        self.limits = limits
        self.standings = {part.name: Standing(part, opened) for part in source.parts}
        self.blocks: dict[str, Mapping[str, Block]] = {}
        self.shown: Mapping[str, Block] = {}
        self.dropped: Mapping[str, int] = {}
        named = {label for part in source.parts for family in part.families for label in family.named}
        names = {
            label: Names(limits.label_values, source.names.get(label, ()), f"source {source.name}, label {label}")
            for label in sorted(named)
        }
        self.renderers = {
            part.name: {family.name: Renderer(family, source.name, limits, names) for family in part.families}
            for part in source.parts
        }
        self.lanes = {each.name: names[each.label] for each in source.pipelines if each.label in names}
        self.own = {family.name: Renderer(family, source.name, Limits(), {}) for family in FAMILIES}
        counting = replace(limits, series_per_source=UNCAPPED)
        self.work = {family.name: Renderer(family, source.name, counting, {}) for family in work.FAMILIES}
        self.counted: Mapping[str, Block] = {}
        self.reading: Reading | None = Reading()


class Board:
    """The one mutable thing. `catalogue` is every family there is, in the order of the page."""

    def __init__(self, catalogue: Sequence[Family[Any]]) -> None:
        self._headers = {form: {family.name: header(family, form) for family in catalogue} for form in Format}
        self._sources: dict[str, Kept] = {}
        self._blocks: dict[str, dict[str, Block]] = {family.name: {} for family in catalogue}
        self._pieces: dict[tuple[Format, str], bytes] = {}
        self._pages: dict[tuple[Format, frozenset[str] | None], Page] = {}
        self._stretches: dict[Format, dict[Any, Any]] = {form: {} for form in Format}

    # what is known

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(kept.source for kept in self._sources.values())

    @property
    def ready(self) -> bool:
        """Whether every part has been tried once."""
        return all(standing.tried for kept in self._sources.values() for standing in kept.standings.values())

    def standing(self, source: str, part: str) -> Standing:
        return self._sources[source].standings[part]

    def facts(self, source: str) -> SourceFacts:
        """What the source families say of it now."""
        kept = self._sources[source]
        series = sum(block.series for block in kept.shown.values())
        standings = tuple(kept.standings.values())
        return SourceFacts(kept.source.kind, standings, series, kept.limits.series_per_source, kept.dropped)

    def reading(self, source: str) -> Reading:
        """The last good values of a source; the same object until one is read again or has grown too old."""
        kept = self._sources[source]
        if kept.reading is None:
            good = {name: each for name, each in kept.standings.items() if each.taken and not each.stale}
            kept.reading = Reading(
                {name: each.taken.value for name, each in good.items() if each.taken},
                {name: each.last_success for name, each in good.items() if each.last_success is not None},
            )
        return kept.reading

    # what changes it

    def add(self, source: Source, limits: Limits, opened: float) -> None:
        """A source that has not been read yet; `opened` (epoch seconds) is when its counters begin."""
        self._sources[source.name] = Kept(source, limits, opened)
        self._arrange(source.name)

    def drop(self, source: str) -> None:
        """A source that is gone, and all its series with it."""
        del self._sources[source]
        for family in self._blocks:
            self._place(family, source, None)

    def render(self, source: str, part: Part[Any], value: Any) -> dict[str, Block]:
        """The blocks of a part's value, by family. Pure but for the names it gives; runs in any thread."""
        renderers = self._sources[source].renderers[part.name]
        return {family.name: renderers[family.name].block(value) for family in part.families}

    def post(self, source: str, part: str, outcome: Outcome) -> Standing:
        """One more attempt at a part: its standing, and its blocks on the page if they changed."""
        kept = self._sources[source]
        standing = kept.standings[part] = kept.standings[part].after(outcome)
        kept.reading = None
        if outcome.blocks is not None:
            kept.blocks[part] = outcome.blocks
        self._arrange(source)
        return standing

    def render_work(self, source: str, works: work.Works) -> dict[str, Block]:
        """The blocks of a source's accounts, by family; runs in any thread, one at a time. Lanes that have a name there
        have it in the other families, too: so names outlive a restart."""
        kept = self._sources[source]
        for each in works:
            if names := kept.lanes.get(each.pipeline):
                for lane in each.account.lanes:
                    names.name(lane)
        return {name: renderer.block(works) for name, renderer in kept.work.items()}

    def place_work(self, source: str, blocks: Mapping[str, Block]) -> None:
        """The blocks of a source's accounts, which stay until it goes."""
        self._sources[source].counted = blocks
        self._arrange(source)

    def expire(self, tick: float) -> None:
        """Last good values older than their `max_stale` at this monotonic time leave the page."""
        for name, kept in self._sources.items():
            for part, standing in kept.standings.items():
                old = standing.good_tick is not None and tick - standing.good_tick > standing.part.schedule.max_stale
                if old and not standing.stale:
                    kept.standings[part] = replace(standing, stale=True)
                    kept.blocks.pop(part, None)
                    kept.reading = None
                    self._arrange(name)

    def place_own(self, blocks: Mapping[str, Block]) -> None:
        """The blocks of the exporter's own families."""
        for family, block in blocks.items():
            self._place(family, OWN, block)

    # pages

    def page(self, form: Format, only: frozenset[str] | None = None) -> Page:
        """Every family's header once, then its sources' blocks, in catalogue order; or that of some sources alone.

        It is kept until something changes, but for combinations of sources, of which callers could ask for any number.
        """
        if page := self._pages.get((form, only)):
            return page
        pieces = (self._piece(form, family, only) for family in self._blocks)
        end = (b"# EOF\n",) if form is Format.OPENMETRICS else ()
        page = Page(form, (*filter(None, pieces), *end), self._stretches[form] if only is None else {})
        if only is None or len(only) == 1:
            self._pages[form, only] = page
        return page

    def _piece(self, form: Format, family: str, only: frozenset[str] | None) -> bytes:
        if only is not None:
            return self._joined(form, family, only)
        if (form, family) not in self._pieces:
            self._pieces[form, family] = self._joined(form, family, {OWN, *self._sources})
        return self._pieces[form, family]

    def _joined(self, form: Format, family: str, sources: Iterable[str]) -> bytes:
        blocks = self._blocks[family]
        found = [blocks[name] for name in (OWN, *self._sources) if name in sources and name in blocks]
        lines = [block.text if form is Format.TEXT else block.openmetrics for block in found]
        return b"".join([self._headers[form][family], *lines]) if any(lines) else b""

    def _arrange(self, source: str) -> None:
        """Puts a source's blocks on the page as far as its cap allows, and what the source families say of it."""
        kept = self._sources[source]
        kept.shown, kept.dropped = self._shown(kept)
        about = self.facts(source)
        own = {**kept.counted, **{name: renderer.block(about) for name, renderer in kept.own.items()}}
        for family in self._blocks:
            self._place(family, source, own.get(family) or kept.shown.get(family))

    def _shown(self, kept: Kept) -> tuple[dict[str, Block], Counter[str]]:
        """The blocks that fit under the cap, in catalogue order, and why samples are not among them."""
        found = {family: block for blocks in kept.blocks.values() for family, block in blocks.items()}
        shown: dict[str, Block] = {}
        dropped: Counter[str] = Counter()
        for counted in kept.counted.values():
            dropped.update(counted.dropped)
        room = kept.limits.series_per_source
        for family in self._blocks:
            if (block := found.get(family)) is None:
                continue
            dropped.update(block.dropped)
            if block.series > room:
                dropped["limit"] += block.series
                continue
            room -= block.series
            shown[family] = block
        return shown, dropped

    def _place(self, family: str, source: str, block: Block | None) -> None:
        before = self._blocks[family].get(source)
        if before is block:
            return
        if block is None:
            del self._blocks[family][source]
        else:
            self._blocks[family][source] = block
        if before is None or block is None or (before.text, before.openmetrics) != (block.text, block.openmetrics):
            for form in Format:
                self._pieces.pop((form, family), None)
            self._pages.clear()
