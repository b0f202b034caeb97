"""One live read of one source, explained: what was read, from where, how long it took, and what came of it."""

from dataclasses import dataclass

from exporter.catalogue import FAMILIES
from exporter.core.source import Limits, Source
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.exposition import Format
from exporter.runtime.lint import lint
from exporter.runtime.refresh import attempt
from exporter.runtime.standing import Outcome, Standing


@dataclass(frozen=True, slots=True)
class Report:
    """The page of one source after one read; what was done, a line a part; and what is wrong with either."""

    page: str
    lines: tuple[str, ...]
    problems: tuple[str, ...]


async def read_once(source: Source, limits: Limits, clock: Clock) -> Report:
    """Reads every part once, one after the other, and closes the source."""
    board = Board(FAMILIES)
    board.add(source, limits, clock.now())
    outcomes: dict[str, Outcome] = {}
    try:
        for part in source.parts:
            outcomes[part.name] = await attempt(source, part, board, clock)
            board.post(source.name, part.name, outcomes[part.name])
    finally:
        await source.close()
    standings = board.facts(source.name).standings
    page = board.page(Format.TEXT).body.decode()
    failed = [f"part {s.part.name}: {s.failure.reason}: {s.failure.message}" for s in standings if s.failure]
    dropped = board.facts(source.name).dropped
    left_out = [f"{count} samples dropped: {reason}" for reason, count in dropped.items() if count]
    linted = [*lint(page, False), *lint(board.page(Format.OPENMETRICS).body.decode(), True)]
    lines = tuple(explained(standing, outcomes[standing.part.name]) for standing in standings)
    return Report(page, lines, (*failed, *left_out, *dict.fromkeys(linted)))


def explained(standing: Standing, outcome: Outcome) -> str:
    """What one read of one part did, in one line."""
    spent = f"{outcome.seconds * 1000:.1f} ms"
    if standing.failure or standing.taken is None or outcome.blocks is None:
        return f"part {standing.part.name}: failed after {spent}"
    taken = standing.taken
    skipped = ", ".join(f"{count} {reason}" for reason, count in sorted(taken.skipped.items()) if count) or "none"
    series = sum(block.series for block in outcome.blocks.values())
    return (
        f"part {standing.part.name}: read {taken.origin} in {spent}: "
        f"{taken.records} records, skipped: {skipped}, {series} series"
    )
