"""Every version of the site, read once and then kept up to date by what changed (contract b.4).

The query is not in the recording of the contract; in its style it is

    GET /entities/versions?fields=code,project,entity,sg_status_list,updated_at,user&sort=id
        &page[number]=n&page[size]=500

over the whole site, as the system's own `list_versions()`, next page while `links.next`; and for what changed the same
with `filter[0][updated_at[$gte]]=2026-05-10T17:55:00Z`.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from exporter.core.times import epoch
from exporter.domains.production import APPROVED, PUBLISHED, UNKNOWN, Production
from exporter.inputs.shotgrid import Query, Row, ShotGrid

if TYPE_CHECKING:
    from exporter.sources.trafalgar.details import Details

T = TypeVar("T")

EVERYTHING = Query("versions", ("code", "project", "entity", "sg_status_list", "updated_at", "user"), {"sort": "id"})

OVERLAP = 300.0
"""Seconds by which what changed is asked for again: a change is seen only when the transaction that made it ends."""

FULL = 3600.0
"""Seconds from one full read to the next: only that shows what was deleted."""

SHARE = 20
"""Pages that one read adds to a full read that goes on beside it."""


class Version(NamedTuple):
    """What counts of a version; the shot is empty where it is none of a shot."""

    project: str
    shot: str
    status: str


def version(row: Row) -> Version:
    """A row as a version: the name of its project, that of its shot (not of an asset), and its canonical status."""
    entity = row.fields.get("entity")
    is_shot = not isinstance(entity, dict) or entity.get("type", "Shot") == "Shot"
    return Version(named(row.fields.get("project")), named(entity) if is_shot else "", status(row))


def named(entity: object) -> str:
    """The name of an entity that a row refers to, or its code; empty where it has neither."""
    places = (entity.get("name"), entity.get("code")) if isinstance(entity, dict) else ()
    return next((found for found in places if isinstance(found, str) and found), "")


def status(row: Row) -> str:
    """The canonical status (contract a): lower case; `apr…` is approved, `pub…` or `final…` published, none unknown."""
    word = row.text("sg_status_list").lower()
    if word.startswith("apr"):
        return APPROVED
    return PUBLISHED if word.startswith(("pub", "final")) else word or UNKNOWN


class Tally:
    """Versions by id, and counts that keep up with every one that comes, changes or goes."""

    def __init__(self) -> None:
        self.rows: dict[int, Version] = {}
        self._words: dict[str, str] = {}
        self._statuses: Counter[tuple[str, str]] = Counter()
        self._versions_of: Counter[tuple[str, str]] = Counter()
        self._shots: Counter[str] = Counter()

    def put(self, id_: int, found: Version) -> None:
        """A version as it is now."""
        if self.rows.get(id_) == found:
            return
        self.drop(id_)
        # names recur in thousands of rows: one text for each
        kept = self.rows[id_] = Version(*(self._words.setdefault(word, word) for word in found))
        self._statuses[kept.project, kept.status] += 1
        if kept.project and kept.shot:
            self._versions_of[kept.project, kept.shot] += 1
            self._shots[kept.project] += self._versions_of[kept.project, kept.shot] == 1

    def drop(self, id_: int) -> None:
        """A version that is gone."""
        if (kept := self.rows.pop(id_, None)) is None:
            return
        _less(self._statuses, (kept.project, kept.status))
        if kept.project and kept.shot and not _less(self._versions_of, (kept.project, kept.shot)):
            _less(self._shots, kept.project)

    def projects(self) -> frozenset[str]:
        """Projects that have a version."""
        return frozenset(project for project, _ in self._statuses if project)

    def facts(self) -> Production:
        """The counts as they are now; versions without a project count for `unknown`."""
        versions: Counter[tuple[str, str]] = Counter()
        for (project, word), count in self._statuses.items():
            versions[project or UNKNOWN, word] += count
        return Production({project: self._shots[project] for project in self.projects()}, dict(versions))


def _less(counts: Counter[T], key: T) -> int:
    """One less of a key, which goes with its last one; how many are left."""
    counts[key] -= 1
    return counts[key] or counts.pop(key)


@dataclass(slots=True)
class _Full:
    """A full read on its way: when it began (epoch seconds), the page it comes to next, the ids that it met, and those
    of what changed meanwhile."""

    began: float
    page: int = 1
    seen: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)


class Versions:
    """The versions of a site. A read that is given up goes on with the next one where it stopped."""

    def __init__(self, client: ShotGrid, details: "Details") -> None:
        """`details` are told of every version that comes, changes or goes."""
        self.tally = Tally()
        self._details = details
        self.skipped: Counter[str] = Counter()
        self._client = client
        self._complete: float | None = None
        self._full: _Full | None = None
        self._newest: float | None = None
        self._met: Counter[str] = Counter()

    async def read(self, now: float, until: float) -> None:
        """Brings the tally up to date at `now` (epoch seconds): what changed since the last read or, the first time and
        where no row says when it changed, everything; every hour everything beside it, a share with each read.

        Raises as `ShotGrid.page` does; `until` is in seconds of the loop's clock.
        """
        known = self._complete is not None and self._newest is not None
        if self._full is None and not (known and 0 <= now - (self._complete or 0.0) < FULL):
            self._full = _Full(now)
        if known:
            await self._changes(now, until)
        if self._full is not None:
            await self._go_on(self._full, SHARE if known else None, now, until)

    async def _changes(self, now: float, until: float) -> None:
        since = datetime.fromtimestamp((self._newest or 0.0) - OVERLAP, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        changed = replace(EVERYTHING, more={**EVERYTHING.more, "filter[0][updated_at[$gte]]": since})
        found = await self._client.rows(changed, until)
        self._put(found.rows, now)
        if self._full is not None:
            self._full.changed.update(row.id for row in found.rows)

    async def _go_on(self, full: _Full, share: int | None, now: float, until: float) -> None:
        """So many pages more, or all that are left; at the end, what it did not meet is gone."""
        if full.page == 1:
            self._met = Counter()
        last = None if share is None else full.page + share
        more = True
        while more and full.page != last:
            page = await self._client.page(EVERYTHING, full.page, until)
            new = {row.id for row in page.rows} - full.seen
            if page.more and not new:
                self._full = None  # or the next read would come to the same page
            more = page.more and self._client.goes_on(EVERYTHING, full.page, len(new))
            full.seen |= new
            self._client.check(EVERYTHING, len(full.seen))
            self._put(page.rows, now)
            self._met.update(page.skipped)
            full.page += 1
        if not more:
            for id_ in self.tally.rows.keys() - full.seen - full.changed:
                self._details.drop(id_, self.tally.rows[id_])
                self.tally.drop(id_)
            if self._complete is None and self._newest is not None:
                self._newest = min(self._newest, full.began)  # what changed meanwhile was perhaps not met
            self._complete, self._full, self.skipped = full.began, None, self._met

    def _put(self, rows: tuple[Row, ...], now: float) -> None:
        for row in rows:
            before = self.tally.rows.get(row.id)
            self.tally.put(row.id, version(row))
            self._details.put(row.id, before, self.tally.rows[row.id], row)
            # a time in the future would hide all that changes before it
            if (at := epoch(row.fields.get("updated_at"))) is not None and at <= now:
                self._newest = at if self._newest is None else max(at, self._newest)
