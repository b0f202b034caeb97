"""ShotGrid: the projects of the site, their versions and their review, by a few calls (contract b.3, b.4).

The projects are listed at once, in the style of the recording (which looked each of them up by name):

    GET /entities/projects?fields=id,name,code&page[number]=n&page[size]=500

For the other queries see `versions` and `review`. With all of a site's rows on a page each, a read is five calls.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from exporter.core.family import Family, over
from exporter.core.part import Schedule, Taken
from exporter.core.secret import Secret
from exporter.core.units import Between, Like, Seconds, Sound
from exporter.domains import production as production_domain
from exporter.domains import review as review_domain
from exporter.domains.production import Production
from exporter.domains.review import Review
from exporter.inputs.http import Http, Terms, address_problem
from exporter.inputs.shotgrid import Login, Query, ShotGrid
from exporter.sources.trafalgar.api.clips import Playlists
from exporter.sources.trafalgar.details import Details, Project
from exporter.sources.trafalgar.projects import Known
from exporter.sources.trafalgar.review import review
from exporter.sources.trafalgar.versions import Versions

log = logging.getLogger(__name__)

PROJECTS = Query("projects", ("id", "name", "code"))

TO_SPARE = 0.9
"""The share of a part's time after which no call is begun or waited for, so that what was read is still told."""

STALE_INTERVALS = 10


@dataclass(frozen=True, slots=True)
class Config:
    """The address of a site, a script of its and its key; how often it is read, and how long that may take.

    A site is shared, and often far away: it is not read more often than every `interval`, nor than the source is.
    """

    url: Annotated[str, Sound(address_problem)] = field(metadata={"env": "ONEPIECE_SHOTGRID_URL"})
    script: Annotated[str, Like("(?s).+", "the name of a script")] = field(metadata={"env": "ONEPIECE_SHOTGRID_SCRIPT"})
    key: Secret = field(metadata={"env": "ONEPIECE_SHOTGRID_KEY"})
    interval: Annotated[Seconds, Between(1, 86_400)] = 60.0
    timeout: Annotated[Seconds, Between(0.1, 3600)] = 30.0

    def schedule(self, general: Schedule) -> Schedule:
        """The schedule of the part, given that of the source's others."""
        interval = max(self.interval, general.interval)
        return Schedule(interval, self.timeout, max(general.max_stale, STALE_INTERVALS * interval, self.timeout))


@dataclass(frozen=True, slots=True)
class Studio:
    """What the site says: its facts, and what only its Api shows."""

    production: Production
    review: Review
    projects: Mapping[str, Project] = field(default_factory=dict)
    playlists: Playlists = field(default_factory=dict)
    published: int = 0


FAMILIES: tuple[Family[Studio], ...] = (
    *over(production_domain.VERSIONS, lambda studio: studio.production),
    *over(review_domain.FAMILIES, lambda studio: studio.review),
)


def client(config: Config, size: int, rows: int) -> ShotGrid:
    """The site as configured, with limits in bytes of an answer and rows of a query. One call may take half of a read's
    time, so that one that hangs does not take the others with it."""
    terms = Terms(size, total=config.timeout / 2)
    return ShotGrid(Http(config.url, terms), Login(config.script, config.key), rows)


class Site:
    """A part's read: the value is the same object until something that it says changes."""

    def __init__(self, client: ShotGrid, known: Known, timeout: float, most: Callable[[], int] = lambda: 0) -> None:
        """`timeout` of a read, in seconds; `most` says how many published versions are kept, 0 for all."""
        self._client = client
        self._known = known
        self._timeout = timeout
        self._most = most
        self._details = Details()
        self._versions = Versions(client, self._details)
        self._last: Studio | None = None
        self._failures: Mapping[str, str] = {}

    async def read(self, now: float) -> Taken[Studio]:
        """What the site says at `now` (epoch seconds); raises a ReadError where projects, versions or all lists of
        playlists cannot be read. What cannot be read of the rest is counted, and logged when that changes."""
        until = asyncio.get_running_loop().time() + TO_SPARE * self._timeout
        calls = self._client.http.calls
        projects, skipped = await self._projects(until)
        await self._versions.read(now, until)
        found = frozenset(projects) | self._versions.tally.projects()
        read = await review(self._client, projects, await self._known.synced(found, now), until)
        self._report(read.failures)
        projects_shown = self._details.projects(self._most())
        facts = self._versions.tally.facts()
        studio = Studio(facts, read.review, projects_shown, read.playlists, self._details.count)
        if self._last is None or self._last != studio:
            self._last = studio
        origin = f"{self._client.http.address} ({self._client.http.calls - calls} calls)"
        records = len(projects) + len(self._versions.tally.rows) + read.records
        return Taken(self._last, origin, records, skipped + self._versions.skipped + Counter(read.skipped))

    async def close(self) -> None:
        """Ends the connections."""
        await self._client.http.close()

    async def _projects(self, until: float) -> tuple[dict[str, int], Counter[str]]:
        """Ids by name, and how many rows were left out; of several projects of one name the first counts."""
        page = await self._client.rows(PROJECTS, until)
        skipped, ids = Counter(page.skipped), dict[str, int]()
        for row in page.rows:
            if name := row.text("name", "code"):
                ids.setdefault(name, row.id)
            else:
                skipped["missing"] += 1
        return ids, skipped

    def _report(self, failures: Mapping[str, str]) -> None:
        for project, message in sorted(failures.items()):
            if self._failures.get(project) != message:
                log.warning("project %s: playlists that cannot be read: %s", project, message)
        self._failures = failures
