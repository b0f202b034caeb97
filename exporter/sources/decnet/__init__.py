"""DECNET: what its orchestrator did to the decoys, from its two tables (contract decnet b)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from exporter.core.finish import Pipeline
from exporter.core.part import Part, Taken
from exporter.core.secret import Secret
from exporter.core.source import Context, Index, Kind, Source
from exporter.core.units import Sound
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


def windows_problem(windows: tuple[Window, ...]) -> str | None:
    """Why operations cannot be counted over these windows; None if they can."""
    if not windows:
        return "expected at least one"
    if len(windows) > MOST_WINDOWS:
        return f"expected at most {MOST_WINDOWS}, found {len(windows)}"
    first: dict[int, str] = {}
    twice: list[str] = []
    for each in windows:
        if each.seconds in first:
            twice.append(f"{each.text} is as long as {first[each.seconds]}, which stands before it")
        first.setdefault(each.seconds, each.text)
    return "; ".join(twice) or None


@dataclass(frozen=True, slots=True)
class Config:
    """Where the database is, and the windows that operations are counted over."""

    database: Annotated[Secret, Sound(url_problem)]
    windows: Annotated[tuple[Window, ...], Sound(windows_problem)] = (
        window("5m"),
        window("1h"),
        window("24h"),
        window("7d"),
    )


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
