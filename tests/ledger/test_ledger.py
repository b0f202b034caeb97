"""The ledger on its thread: what it serves, what it says, and what it believes after a failure."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from exporter.core.finish import SECOND, Ask, Batch, Finish, Pipeline
from exporter.core.secret import Secret
from exporter.inputs.worker import Worker
from exporter.ledger.account import Terms
from exporter.ledger.ledger import Ledger, Waits
from exporter.ledger.store import RENEWAL, Owner, Store
from tests.fakes import until
from tests.services import SERVERS, Server, own_database, wired

NOW = 1_700_000_000.0
KEY = ("vfx", "render")
Value = tuple[Batch, ...]


class Asked:
    """A pipeline that hands over the batches it is given, and remembers what it was asked."""

    def __init__(self, **more: Any) -> None:
        self.asks: list[Ask] = []
        self.pipeline: Pipeline[Value] = Pipeline("render", more.pop("fingerprint", "jobs.json"), self.pages, **more)

    async def pages(self, value: Value, ask: Ask) -> AsyncGenerator[Batch, None]:
        self.asks.append(ask)
        for batch in value:
            yield batch


def finish(key: str, at: int = 0, **more: Any) -> Finish:
    return Finish(key, (int(NOW) + at) * SECOND, more.pop("lane", "a"), more.pop("ok", True), **more)


def whole(*finishes: Finish) -> Value:
    return (Batch(finishes, under=0),)


def ledger_of(path: Path, word: str = "me", pid: int = 7) -> Ledger:
    store = Store(Secret(f"sqlite:///{path}"), Owner(word, "here", pid, lambda number: number == 7), 0.05)
    return Ledger(store, Worker("ledger").run, Terms(600 * SECOND), NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[Ledger]:
    found = ledger_of(path)
    yield found
    await found.close(NOW)


def written(path: Path) -> tuple[bytes, bytes]:
    """All there is on disk."""
    return path.read_bytes(), path.with_name("state.sqlite-wal").read_bytes()


def counted(ledger: Ledger, asked: Asked) -> dict[str, tuple[int, int]]:
    return {
        name: (lane.finished, lane.failed)
        for work in ledger.works("vfx", [asked.pipeline])
        for name, lane in work.account.lanes.items()
    }


async def test_finishes_are_counted_once_and_served_after_a_restart(path: Path) -> None:
    first, asked = ledger_of(path), Asked(lanes=("known",))
    assert await first.open(NOW, [KEY])
    assert first.works("vfx", [asked.pipeline]) == ()
    assert await first.keep("vfx", asked.pipeline, whole(finish("before", -9)), NOW)
    assert await first.keep("vfx", asked.pipeline, whole(finish("before", -9), finish("one", 1)), NOW + 2)
    assert counted(first, asked) == {"known": (0, 0), "a": (1, 0)}
    await first.close(NOW + 3)
    second = ledger_of(path, "another")
    assert await second.open(NOW + 4, [KEY])
    assert counted(second, asked) == {"known": (0, 0), "a": (1, 0)}
    assert asked.asks == [
        Ask(int(NOW) * SECOND, 600 * SECOND, None),
        Ask((int(NOW) + 2) * SECOND, 600 * SECOND, (int(NOW) - 9 - 601) * SECOND),
    ]
    await second.close(NOW)


async def test_nothing_new_writes_nothing(path: Path, ledger: Ledger) -> None:
    asked = Asked()
    await ledger.keep("vfx", asked.pipeline, whole(finish("one")), NOW)
    before = written(path), ledger.facts()
    for later in range(9):
        assert await ledger.keep("vfx", asked.pipeline, whole(finish("one")), NOW + later)
    await ledger.renew(NOW + RENEWAL / SECOND - 1)
    assert (written(path), ledger.facts()) == before


async def test_each_batch_is_on_disk_before_the_next_is_asked_for(path: Path, ledger: Ledger) -> None:
    found: list[int] = []

    async def pages(value: None, ask: Ask) -> AsyncGenerator[Batch, None]:
        yield Batch([finish("old")], under=0)
        for number in range(3):
            yield Batch([finish(f"k{number}", number + 1)])
            with closing(sqlite3.connect(path)) as other:
                found.extend(other.execute("select finished from ledger_lane").fetchone())

    assert await ledger.keep("vfx", Pipeline("render", "x", pages), None, NOW + 9)
    assert found == [1, 2, 3]


async def test_a_store_that_cannot_be_written_leaves_the_last_values(
    path: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    asked = Asked()
    await ledger.keep("vfx", asked.pipeline, whole(finish("one")), NOW)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        for _ in range(3):
            assert not await ledger.keep("vfx", asked.pipeline, whole(finish("one"), finish("two", 1)), NOW + 2)
        assert ledger.facts().failures == {"locked": 1}  # the other reads did not wait for it
        assert not await ledger.renew(NOW + 2)
    facts = ledger.facts()
    assert (facts.up, facts.failures) == (False, {"locked": 2})
    assert "another process holds a lock" in str(ledger.trouble)
    assert counted(ledger, asked) == {"a": (0, 0)}
    assert await ledger.renew(NOW + 3)
    assert await ledger.keep("vfx", asked.pipeline, whole(finish("one"), finish("two", 1)), NOW + 3)
    assert (ledger.facts().up, ledger.trouble, counted(ledger, asked)) == (True, None, {"a": (1, 0)})
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_second_exporter_serves_what_was_committed_and_counts_nothing(path: Path, ledger: Ledger) -> None:
    asked, second = Asked(), ledger_of(path, "second", 8)
    await ledger.keep("vfx", asked.pipeline, whole(finish("one")), NOW)
    assert not await second.open(NOW, [KEY])
    assert "another exporter has it" in str(second.trouble)
    assert not await second.keep("vfx", asked.pipeline, whole(finish("one"), finish("two", 1)), NOW + 2)
    assert counted(second, asked) == {"a": (0, 0)}
    await ledger.keep("vfx", asked.pipeline, whole(finish("one"), finish("two", 1)), NOW + 2)
    await ledger.close(NOW + 3)
    assert await second.renew(NOW + 4)
    assert await second.keep("vfx", asked.pipeline, whole(finish("two", 1)), NOW + 5)
    assert counted(second, asked) == {"a": (1, 0)}
    await second.close(NOW + 5)


async def test_a_store_that_was_deleted_opens_its_accounts_anew(path: Path, ledger: Ledger) -> None:
    asked = Asked()
    rows = whole(finish("one"), finish("two", 1))
    await ledger.keep("vfx", asked.pipeline, whole(finish("one")), NOW)
    await ledger.keep("vfx", asked.pipeline, rows, NOW + 2)
    await asyncio.to_thread(path.unlink)
    assert not await ledger.keep("vfx", asked.pipeline, whole(*rows[0].finishes, finish("three", 2)), NOW + 3)
    assert counted(ledger, asked) == {"a": (1, 0)}
    assert await ledger.renew(NOW + 4)
    assert await ledger.keep("vfx", asked.pipeline, whole(*rows[0].finishes, finish("three", 2)), NOW + 4)
    assert counted(ledger, asked) == {"a": (0, 0)}
    assert ledger.facts().created == NOW + 4


@pytest.mark.parametrize("server", SERVERS)
async def test_a_server_that_falls_silent_is_noticed_and_found_again(server: Server) -> None:
    asked, rows, worker = Asked(), whole(finish("one"), finish("two", 1)), Worker("ledger")
    with own_database(server) as url:
        async with wired(url) as wire:
            store = Store(Secret(wire.url(url)), Owner("me", "here", 7, lambda _: True), 0.5)
            ledger = Ledger(store, worker.run, Terms(600 * SECOND), NOW, Waits(0.2, overdue=0.5))
            assert await ledger.renew(NOW)
            assert await ledger.keep("vfx", asked.pipeline, whole(finish("one")), NOW)
            wire.freeze()
            assert not await ledger.keep("vfx", asked.pipeline, rows, NOW + 2)
            assert ledger.facts().up
            await until(lambda: not ledger.facts().up)
            assert str(ledger.trouble).endswith(": no answer within 0.5 s")
            async with asyncio.timeout(30):
                assert not await ledger.renew(NOW + 3)  # the thread is free again
            assert set(ledger.facts().failures) == {"unreachable"}
            wire.thaw()
            async with asyncio.timeout(30):
                while not await ledger.renew(NOW + 4):
                    pass
            assert await ledger.keep("vfx", asked.pipeline, rows, NOW + 5)
            assert counted(ledger, asked) == {"a": (1, 0)}
            await ledger.close(NOW + 6)
    worker.close()


async def test_a_bug_fails_a_read_and_then_is_the_ledgers_alone(path: Path) -> None:
    worker, asked = Worker("ledger"), Asked()

    class Faulty(Store):
        def open(self, now: int) -> None:
            raise KeyError("a bug")

    store = Faulty(Secret(f"sqlite:///{path}"), Owner("me", "here", 7, lambda _: True))
    ledger = Ledger(store, worker.run, Terms(600 * SECOND), NOW)
    with pytest.raises(KeyError, match="a bug"):
        await ledger.keep("vfx", asked.pipeline, whole(finish("one")), NOW)
    assert not await ledger.keep("vfx", asked.pipeline, whole(finish("one")), NOW)
    with pytest.raises(KeyError, match="a bug"):
        await ledger.renew(NOW)
    assert ledger.trouble == f"ledger {path}: a bug in the exporter; its log has the traceback"
    assert (ledger.facts().up, ledger.facts().failures) == (False, {"bug": 2})
    worker.close()


async def test_whoever_waits_may_be_cancelled_and_nothing_is_lost_or_counted_twice(path: Path) -> None:
    worker, entered, go = Worker("ledger"), asyncio.Event(), Event()
    loop = asyncio.get_running_loop()
    store = Store(Secret(f"sqlite:///{path}"), Owner("me", "here", 7, lambda _: True), 0.05)

    async def slow(work: Any) -> Any:
        def held() -> Any:
            loop.call_soon_threadsafe(entered.set)
            assert go.wait(10)
            return work()

        return await worker.run(held)

    async def pages(value: None, ask: Ask) -> AsyncGenerator[Batch, None]:
        go.clear()  # the account was looked up, and the commit waits
        entered.clear()
        yield whole(finish("one", 1))[0]

    ledger, asked = Ledger(store, slow, Terms(600 * SECOND), NOW), Asked()
    go.set()
    await ledger.keep("vfx", asked.pipeline, whole(), NOW)
    reading = asyncio.create_task(ledger.keep("vfx", Pipeline("render", "jobs.json", pages), None, NOW + 2))
    await until(lambda: not go.is_set())
    await entered.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    again = asyncio.create_task(ledger.keep("vfx", asked.pipeline, whole(finish("one", 1)), NOW + 3))
    go.set()
    assert await again
    assert counted(ledger, asked) == {"a": (1, 0)}
    await ledger.close(NOW)
    worker.close()


async def test_what_the_pipeline_raises_passes_through_and_what_was_committed_stays(ledger: Ledger) -> None:
    async def pages(value: None, ask: Ask) -> AsyncGenerator[Batch, None]:
        yield Batch([finish("old")], under=0)
        yield Batch([finish("one", 1)])
        raise OSError("the source went away")

    pipeline = Pipeline("render", "x", pages)
    with pytest.raises(OSError, match="went away"):
        await ledger.keep("vfx", pipeline, None, NOW + 2)
    (work,) = ledger.works("vfx", [pipeline])
    assert work.account.lanes["a"].finished == 1


async def test_another_database_under_the_same_name_is_told(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    for fingerprint in ("old.db", "new.db", "new.db"):
        asked = Asked(fingerprint=fingerprint)
        await ledger.keep("vfx", asked.pipeline, whole(), NOW)
    (record,) = caplog.records
    assert "vfx/render was counted from old.db and now is from new.db" in record.getMessage()


async def test_a_clock_behind_the_newest_finish_is_told_once(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    asked = Asked()
    await ledger.keep("vfx", asked.pipeline, whole(finish("one")), NOW)
    for number in range(3):
        await ledger.keep("vfx", asked.pipeline, whole(finish(f"k{number}", -1)), NOW - 5000)
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "has finishes up to 2023-11-14T22:13:20Z, and the clock says 2023-11-14T20:50:00Z" in record.getMessage()


async def test_a_source_by_another_name_has_an_account_of_its_own(ledger: Ledger) -> None:
    asked = Asked()
    await ledger.keep("vfx", asked.pipeline, whole(), NOW)
    await ledger.keep("vfx", asked.pipeline, whole(finish("one", 1)), NOW + 2)
    await ledger.keep("films", asked.pipeline, whole(finish("one", 1)), NOW + 3)
    (renamed,) = ledger.works("films", [asked.pipeline])
    assert renamed.account.lanes["a"].finished == 0
    assert counted(ledger, asked) == {"a": (1, 0)}
