"""DECNET: what its orchestrator did to the decoys, from its two tables (contract decnet b)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporter.core.finish import Pipeline
from exporter.core.part import Part, Taken
from exporter.core.secret import Secret
from exporter.core.source import Context, Index, Kind, Source
from exporter.core.window import Window, window
from exporter.domains.operations import FAMILIES, OPERATIONS, Operations
from exporter.inputs.dialects import url_problem
from exporter.inputs.indexes import indexes
from exporter.inputs.paging import Cursor
from exporter.inputs.sql import Database
from exporter.sources.decnet.api import api
from exporter.sources.decnet.counts import operations
from exporter.sources.decnet.events import events
from exporter.sources.decnet.finishes import KEPT, wanted
from exporter.sources.decnet.live import Counts

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


def source(config: Config, context: Context) -> Source:
    """One part: the database. Who asks its Api is answered over a second connection."""

    def opened() -> Database:
        return Database(config.database, context.schedule.timeout, context.limits.rows_per_query)

    database, counts = opened(), Counts(opened(), context.schedule.timeout)
    last: list[Operations] = []

    async def read(now: float) -> Taken[Operations]:
        found, tally = await database.read(lambda query: operations(query, config.windows, now))
        if last != [found]:
            last[:] = [found]
        return Taken(last[0], database.describe(), tally.records, tally.skipped)

    cursor = Cursor(database.read, KEPT)
    finished: Pipeline[Operations] = Pipeline(
        "operation", database.describe(), lambda _, ask: cursor.batches(ask), OPERATIONS, timed=False
    )
    part = Part("database", read, FAMILIES, context.schedule, finished, events)

    async def look(now: float) -> Sequence[Index]:
        return await indexes(opened(), lambda _: wanted(now))

    async def close() -> None:
        await counts.close()
        await database.close()

    return Source(context.name, "decnet", (part,), close=close, indexes=look, api=api(counts))


KIND = Kind(config=Config, source=source, summary="DECNET orchestrator: failures and attempts, from its database.")
