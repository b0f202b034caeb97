"""What the status page says besides how reads go: finished work, and what is wrong with the ledger or with indexes."""

from collections.abc import Iterator

from exporter.app import App
from exporter.ledger.families import MIXED, Work, seconds
from exporter.web.status import Concern
from exporter.web.work import Worked


def works(app: App) -> tuple[Worked, ...]:
    """What the ledger has counted, by source, pipeline and lane."""
    return tuple(worked for source, found in app.works().items() for work in found for worked in _lanes(source, work))


def _lanes(source: str, work: Work) -> Iterator[Worked]:
    for name, lane in sorted(work.account.lanes.items()):
        yield Worked(
            source,
            work.pipeline,
            name,
            lane.finished,
            lane.failed,
            streak=None if name in MIXED else lane.streak.length,
            last_success=seconds(lane.last_success),
            last_failure=seconds(lane.last_failure),
        )


def notes(app: App) -> tuple[Concern, ...]:
    """What needs attention, and is no part of a source."""
    return (*_ledger(app), *_indexes(app))


def _ledger(app: App) -> Iterator[Concern]:
    if app.trouble:
        yield Concern("bad", "Ledger", f"{app.trouble}; what was counted before is still shown")


def _indexes(app: App) -> Iterator[Concern]:
    for source, indexes in app.indexes.items():
        for index in indexes:
            if index.vital and not index.there:
                columns = ", ".join(index.columns)
                words = f"no index on {index.table}({columns}): {index.spares} goes through the whole table each time"
                yield Concern("old", source, f"{words}; the command indexes has the SQL")
