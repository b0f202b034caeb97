"""One thread for work that blocks: what it gives, raises and refuses, and that it leaves nothing behind."""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest

from exporter.core.errors import TimedOut
from exporter.inputs.worker import Worker
from tests.fakes import until


class Large:
    """Something whose going can be watched."""


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("files of vfx")
    yield worker
    worker.close()


async def abandon(worker: Worker, gate: threading.Event) -> None:
    """Leaves the worker with work that nobody waits for and that ends when the gate opens."""
    begun = threading.Event()

    def work() -> object:
        begun.set()
        gate.wait()
        return "too late"

    task = asyncio.create_task(worker.run(work))
    await until(begun.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_gives_what_the_work_gives(worker: Worker) -> None:
    assert await worker.run(lambda: 6 * 7) == 42


async def test_all_work_is_done_on_one_daemon_thread_of_its_own(worker: Worker) -> None:
    threads = [await worker.run(threading.current_thread) for _ in range(3)]
    assert len({*threads}) == 1
    assert threads[0] is not threading.current_thread()
    assert threads[0].daemon
    assert threads[0].name == "files of vfx"


async def test_no_thread_is_started_before_there_is_work() -> None:
    before = {*threading.enumerate()}
    Worker("idle").close()
    assert {*threading.enumerate()} <= before


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("x"), TimedOut("slow"), asyncio.CancelledError()])
async def test_what_the_work_raises_passes_through(worker: Worker, error: BaseException) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await worker.run(work)
    assert caught.value is error
    assert await worker.run(lambda: "still here") == "still here"


async def test_an_exhausted_iterator_is_a_bug_and_not_a_hang(worker: Worker) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await worker.run(lambda: next(iter(())))


async def test_the_event_loop_goes_on_meanwhile(worker: Worker) -> None:
    gate = threading.Event()
    waiting = asyncio.create_task(worker.run(gate.wait))
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.set()
    assert await waiting


async def test_work_is_refused_while_the_work_before_has_not_returned(worker: Worker) -> None:
    gate = threading.Event()
    await abandon(worker, gate)
    before = {*threading.enumerate()}
    for _ in range(3):
        with pytest.raises(TimedOut, match="files of vfx: the previous read has not returned"):
            await worker.run(lambda: "never done")
    assert {*threading.enumerate()} <= before
    gate.set()


async def test_what_abandoned_work_gives_is_thrown_away(worker: Worker) -> None:
    gate = threading.Event()
    await abandon(worker, gate)
    gate.set()
    assert await eventually(worker) == "fresh"


async def test_what_abandoned_work_raises_is_thrown_away(worker: Worker) -> None:
    begun, gate = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait()
        raise ValueError("nobody listens")

    task = asyncio.create_task(worker.run(work))
    await until(begun.is_set)
    task.cancel()
    gate.set()
    assert await eventually(worker) == "fresh"


async def eventually(worker: Worker) -> str:
    """What the worker gives once it is free."""
    for _ in range(100_000):
        try:
            return await worker.run(lambda: "fresh")
        except TimedOut:
            await asyncio.sleep(0)
    raise AssertionError("the worker never became free")


async def test_work_that_ends_after_its_loop_does_not_disturb_the_next_loop() -> None:
    worker, gate = Worker("across loops"), threading.Event()
    await asyncio.to_thread(asyncio.run, abandon(worker, gate))
    gate.set()
    assert await eventually(worker) == "fresh"
    worker.close()


async def test_results_are_not_kept(worker: Worker) -> None:
    gone = weakref.ref(await worker.run(Large))
    await worker.run(lambda: None)
    gc.collect()
    assert gone() is None


async def test_thousands_of_workers_leave_no_thread_behind() -> None:
    before = {*threading.enumerate()}
    for number in range(1000):
        worker = Worker(str(number))
        assert await worker.run(threading.get_ident) != threading.get_ident()
        worker.close()
        worker.close()
    await until(lambda: {*threading.enumerate()} <= before)


async def test_the_last_thing_is_done_on_the_thread_after_work_that_hung() -> None:
    worker, gate, done = Worker("closing"), threading.Event(), []
    await abandon(worker, gate)
    worker.close(last=lambda: done.append(threading.current_thread().name))
    assert done == []
    gate.set()
    await until(lambda: done)
    assert done == ["closing"]


async def test_a_closed_worker_takes_no_work() -> None:
    worker = Worker("shut")
    worker.close()
    with pytest.raises(RuntimeError, match="shut: work for a worker that was closed"):
        await worker.run(lambda: None)


def test_work_that_hangs_does_not_keep_the_process() -> None:
    program = """
import asyncio, contextlib, threading
from exporter.inputs.worker import Worker

async def main():
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(Worker("hung").run(threading.Event().wait), 0.01)
    print("ends")

asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ends\n", "")
