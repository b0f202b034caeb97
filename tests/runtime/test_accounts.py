"""Accounts on the page: what a read found is counted once it is on disk, and whatever the store does, reads go on."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from exporter.core.errors import SchemaMismatch
from exporter.core.finish import SECOND, Ask, Batch, Finish, Pipeline
from exporter.core.part import Part
from exporter.core.secret import Secret
from exporter.core.source import Limits, Source
from exporter.inputs.worker import Worker
from exporter.ledger import families as work
from exporter.ledger.account import Terms
from exporter.ledger.ledger import Ledger, Waits
from exporter.ledger.store import Owner, Store
from exporter.runtime import standing
from exporter.runtime.accounts import RENEWING, Accounts
from exporter.runtime.board import Board
from exporter.runtime.exposition import Format
from exporter.runtime.refresh import attempt
from exporter.runtime.standing import Standing
from tests.fakes import START, Time, gauge, giving, part, source, things, until

Pages = Callable[[Any, Ask], AsyncGenerator[Batch, None]]


async def whole(value: Sequence[Finish], ask: Ask) -> AsyncGenerator[Batch, None]:
    """Hands over all there is."""
    yield Batch(value, under=0)


def finish(key: str, at: float = 0, *, ok: bool = True) -> Finish:
    return Finish(key, int((START + at) * SECOND), "a", ok, 2 * SECOND)


def working(*values: Any, pages: Pages = whole) -> Part[Any]:
    """A part whose values are the finishes that it sees."""
    points = replace(gauge(), points=lambda value: things(x=len(value)))
    return replace(part(giving(*values), points), finishes=Pipeline("render", "a test", pages, lanes=("a", "b")))


class Counted:
    """A board with one source, and a ledger on a file."""

    def __init__(self, path: Path, each: Part[Any], lock: float = 10.0, waits: Waits | None = None) -> None:
        self.time = Time()
        self.source: Source = source("vfx", each)
        self.board = Board([*each.families, *work.FAMILIES, *standing.FAMILIES])
        self.board.add(self.source, Limits(), opened=START)
        store = Store(Secret(f"sqlite:///{path}"), Owner("me", "here", 7, lambda _: False), lock)
        self.ledger = Ledger(store, Worker("ledger").run, Terms(600 * SECOND), START, waits)
        self.accounts = Accounts(self.board, self.ledger, self.time.clock)

    async def open(self) -> None:
        await self.accounts.open(self.source)

    async def read(self) -> Standing:
        each = self.source.parts[0]
        return self.board.post(
            "vfx", "main", await attempt(self.source, each, self.board, self.time.clock, self.accounts)
        )

    def page(self, prefix: str, form: Format = Format.TEXT) -> list[str]:
        lines = self.board.page(form).body.decode().splitlines()
        return [line.replace('pipeline="render",source="vfx"', "…") for line in lines if line.startswith(prefix)]

    async def close(self) -> None:
        await self.ledger.close(START)


async def test_what_was_there_before_is_not_counted_and_what_comes_is(tmp_path: Path) -> None:
    before = [finish("old", ok=False)]
    counted = Counted(tmp_path / "state", working(before, [*before, finish("new", 1, ok=False), finish("well", -1)]))
    await counted.open()
    assert counted.page("studio_work") == []
    await counted.read()
    assert counted.page("studio_work_finished_total") == [
        'studio_work_finished_total{lane="a",…} 0.0',
        'studio_work_finished_total{lane="b",…} 0.0',
    ]
    counted.time.advance(15)
    await counted.read()
    assert counted.page("studio_work_finished_total")[0] == 'studio_work_finished_total{lane="a",…} 2.0'
    assert counted.page("studio_work_failed_total", Format.OPENMETRICS)[0] == (
        f'studio_work_failed_total{{lane="a",…}} 1.0 # {{unit="new"}} 1.0 {START + 1}'
    )
    assert counted.page("studio_work_pipeline_failure_streak") == ["studio_work_pipeline_failure_streak{…} 2.0"]
    assert counted.page("studio_test_things") == ['studio_test_things{source="vfx",thing="x"} 3.0']
    await counted.close()


async def test_accounts_are_on_the_page_before_the_first_read_and_while_reads_fail(tmp_path: Path) -> None:
    first = Counted(tmp_path / "state", working([], [finish("one")]))
    await first.open()
    await first.read()
    await first.read()
    counters = first.page("studio_work")
    await first.close()
    again = Counted(tmp_path / "state", working(SchemaMismatch("no table")))
    await again.open()
    assert again.page("studio_work") == counters
    await again.read()
    again.board.expire(10_000)
    assert again.page("studio_work") == counters
    await again.close()


async def test_nothing_new_is_neither_written_nor_rendered(tmp_path: Path) -> None:
    counted = Counted(tmp_path / "state", working([finish("one")]))
    await counted.open()
    await counted.read()
    page, written = counted.board.page(Format.TEXT), counted.ledger.facts().last_commit
    counted.time.advance(60)
    await counted.accounts.take(counted.source, counted.source.parts[0], [finish("one")], (START + 60, 60.0))
    assert counted.board.page(Format.TEXT) is page
    assert counted.ledger.facts().last_commit == written
    await counted.close()


async def test_a_store_that_cannot_be_used_stops_no_read_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state"
    counted = Counted(path, working([], [finish("one")], [finish("one"), finish("two")]), lock=0.05)
    await counted.open()
    await counted.read()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        standing = await counted.read()
        assert standing.up
        assert not counted.ledger.facts().up
    assert counted.page("studio_work_finished_total")[0] == 'studio_work_finished_total{lane="a",…} 0.0'
    assert counted.page("studio_test_things") == ['studio_test_things{source="vfx",thing="x"} 1.0']
    await counted.ledger.renew(START)
    await counted.read()
    assert counted.ledger.facts().up
    assert counted.page("studio_work_finished_total")[0] == 'studio_work_finished_total{lane="a",…} 2.0'
    await counted.close()


async def test_finished_work_that_cannot_be_read_is_a_failed_read_that_brought_its_values(tmp_path: Path) -> None:
    async def broken(value: Sequence[Finish], ask: Ask) -> AsyncGenerator[Batch, None]:
        yield Batch((), history=None, under=0)
        raise SchemaMismatch("publish_logs.updated_at is missing")

    counted = Counted(tmp_path / "state", working([finish("one")], pages=broken))
    await counted.open()
    await counted.read()
    standing = await counted.read()
    assert not standing.up
    assert standing.failing == 2
    assert standing.last_success == START
    assert 'studio_source_error{part="main",reason="schema",source="vfx"} 1.0' in counted.page("studio_source_error")
    assert counted.page("studio_test_things") == ['studio_test_things{source="vfx",thing="x"} 1.0']
    await counted.close()


async def test_a_time_that_is_over_in_the_source_is_not_the_ledgers(tmp_path: Path) -> None:
    async def late(value: Sequence[Finish], ask: Ask) -> AsyncGenerator[Batch, None]:
        yield Batch((), under=0)
        raise TimeoutError

    counted = Counted(tmp_path / "state", working([finish("one")], pages=late))
    await counted.open()
    standing = await counted.read()
    assert standing.failure is not None
    assert standing.failure.message == "took longer than its timeout"
    await counted.close()


async def test_a_store_that_does_not_answer_holds_a_read_up_for_a_while_and_fails_none(tmp_path: Path) -> None:
    rows = [finish("one"), finish("two")]
    counted = Counted(tmp_path / "state", working([], rows, rows, rows), waits=Waits(0.02, overdue=0.1))
    await counted.open()
    await counted.read()
    with closing(sqlite3.connect(tmp_path / "state", isolation_level=None)) as other:
        other.execute("begin immediate")
        assert (await counted.read()).up
        assert counted.page("studio_test_things") == ['studio_test_things{source="vfx",thing="x"} 2.0']
        await until(lambda: not counted.ledger.facts().up)
        assert counted.ledger.trouble == f"ledger {tmp_path / 'state'}: no answer within 0.1 s"
        assert (await counted.read()).up
    await until(lambda: counted.ledger.facts().up)
    await counted.read()
    assert counted.page("studio_work_finished_total")[0] == 'studio_work_finished_total{lane="a",…} 2.0'
    await counted.close()


async def test_catching_up_is_spread_over_reads_and_each_gets_further(tmp_path: Path) -> None:
    time: list[Time] = []
    asked: list[int] = []

    async def pages(value: object, ask: Ask) -> AsyncGenerator[Batch, None]:
        if ask.floor is None:
            yield Batch((), under=0)
            return
        first = max(0, (ask.floor - int(START * SECOND)) // (1000 * SECOND))
        for number in range(first, 6):
            asked.append(number)
            time[0].advance(6)
            yield Batch([Finish(f"job {number}", int((START + 1000 * number) * SECOND), "a", ok=True)])

    counted = Counted(tmp_path / "state", working([], pages=pages))
    time.append(counted.time)
    await counted.open()
    await counted.read()
    counted.time.advance(10_000)
    await counted.read()
    assert asked == [0, 1]
    for _ in range(6):
        await counted.read()
    assert counted.page("studio_work_finished_total")[0] == 'studio_work_finished_total{lane="a",…} 6.0'
    await counted.close()


async def test_what_ends_while_a_read_goes_on_has_its_own_time(tmp_path: Path) -> None:
    time: list[Time] = []

    async def pages(value: object, ask: Ask) -> AsyncGenerator[Batch, None]:
        time[0].advance(5)
        at = time[0].passed
        yield Batch([] if ask.floor is None else [finish("well", at - 4), finish("bad", at - 1, ok=False)], under=0)

    counted = Counted(tmp_path / "state", working([], pages=pages))
    time.append(counted.time)
    await counted.open()
    await counted.read()
    counted.time.advance(60)
    await counted.read()
    page = "".join(counted.page("studio_work_"))
    assert 'studio_work_failure_streak{lane="a",…} 1.0' in page
    assert 'studio_work_last_failure_timestamp_seconds{lane="a",…} 1.800000069e+09' in page
    await counted.close()


async def test_the_lease_is_kept_while_nothing_is_read(tmp_path: Path) -> None:
    counted = Counted(tmp_path / "state", working([]))
    await counted.open()
    keeping = asyncio.create_task(counted.accounts.follow())
    await until(lambda: counted.time.sleeping)
    with closing(sqlite3.connect(tmp_path / "state")) as look:
        held = look.execute("select expires from ledger_lease").fetchone()
        for _ in range(10):
            counted.time.advance(RENEWING)
            await until(lambda: counted.time.sleeping)
        assert look.execute("select expires from ledger_lease").fetchone() > held
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await counted.close()


async def test_a_part_without_finished_work_is_left_alone(tmp_path: Path) -> None:
    counted = Counted(tmp_path / "state", part(giving(things(x=1))))
    await counted.read()
    assert not (tmp_path / "state").exists()
