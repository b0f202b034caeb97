"""The names of shows and farms under a cap: the same in what is there now and in what has been counted."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from exporter.catalogue import FAMILIES
from exporter.core.finish import SECOND
from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits
from exporter.inputs.worker import Worker
from exporter.ledger.account import Terms
from exporter.ledger.ledger import Ledger
from exporter.ledger.store import Owner, Store
from exporter.runtime.accounts import Accounts
from exporter.runtime.board import Board
from exporter.runtime.exposition import Format
from exporter.runtime.refresh import attempt
from exporter.sources.trafalgar import KIND, Config
from tests.fakes import Time
from tests.sources.trafalgar.files import NOW, written
from tests.sources.trafalgar.test_finishes import ended, run

LIMITS = Limits(label_values=2)
SAMPLE = re.compile(r'(studio_(?:ingest|render|work_finished)\w+)\{.*(?:show|farm|lane)="(\w+)".*\} (.+)')


class Page:
    """A source of one file, as it is read and counted."""

    def __init__(self, folder: Path, board: Board, read: Any) -> None:
        self.path = folder / "file.json"
        self.board = board
        self._read = read

    async def of(self, records: Sequence[Any]) -> tuple[dict[str, set[str]], dict[str, float]]:
        """The names that each family has once the file holds these, and how many of each were counted."""
        written(self.path, list(records))
        await self._read()
        found: dict[str, set[str]] = {}
        counted: dict[str, float] = {}
        for line in self.board.page(Format.TEXT).body.decode().splitlines():
            if name := SAMPLE.match(line):
                found.setdefault(name[1], set()).add(name[2])
                if name[1] == "studio_work_finished_total":
                    counted[name[2]] = float(name[3])
        return found, counted


@asynccontextmanager
async def page(folder: Path, part: str) -> AsyncIterator[Page]:
    """A process that reads the file and counts in a store beside it."""
    configured = {"ingest": "ingest_registry", "render": "render_jobs"}
    config = Config(**{configured[part]: folder / "file.json"})  # type: ignore[arg-type]  # both are paths
    source = KIND.source(config, Context("vfx", Schedule(), LIMITS))
    board, time, worker = Board(FAMILIES), Time(NOW), Worker("ledger")
    board.add(source, LIMITS, NOW)
    store = Store(Secret(f"sqlite:///{folder}/state.sqlite"), Owner("me", "here", 7, lambda _: False), 1.0)
    ledger = Ledger(store, worker.run, Terms(600 * SECOND, LIMITS), NOW)
    accounts = Accounts(board, ledger, time.clock)
    await accounts.open(source)
    (read,) = (each for each in source.parts if each.name == part)

    async def reading() -> None:
        board.post("vfx", part, await attempt(source, read, board, time.clock, accounts))

    try:
        yield Page(folder, board, reading)
    finally:
        await ledger.close(NOW)
        await source.close()
        worker.close()


def record(part: str, name: str, at: float) -> dict[str, Any]:
    """A run of a show, or a job of a farm, that ended so many seconds after NOW."""
    if part == "ingest":
        return run(f"{name}{at}", at, name)
    return ended("completed", at, job_id=f"{name}{at}", farm=name)


@pytest.mark.parametrize("part", ["ingest", "render"])
async def test_names_are_the_same_from_the_first_read_on_and_after_a_restart(tmp_path: Path, part: str) -> None:
    records = [record(part, name, at) for at, name in enumerate(("zeta", "mike", "kilo"), -30)]
    async with page(tmp_path, part) as first:
        names, _ = await first.of(records)
        assert len(names) == {"ingest": 3, "render": 2}[part]
        assert {frozenset(found) for found in names.values()} == {frozenset(("kilo", "mike", "_other"))}
    records += [record(part, name, at) for at, name in enumerate(("alfa", "mike"), -10)]
    async with page(tmp_path, part) as again:
        names, counted = await again.of(records)
        assert {frozenset(found) for found in names.values()} == {frozenset(("kilo", "mike", "_other"))}
        assert counted == {"kilo": 0.0, "mike": 1.0, "_other": 1.0}
