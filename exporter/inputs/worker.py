"""One daemon thread for work that blocks: one piece at a time, and what nobody waits for any more is thrown away."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread
from types import TracebackType
from typing import Generic, TypeVar

from exporter.core.errors import TimedOut

T = TypeVar("T")
Errands = SimpleQueue[Callable[[], object] | None]


class Worker:
    """Runs blocking work for an event loop without ever starting a second piece beside one that hangs.

    The thread starts with the first work. It is a daemon, so a mount or a database that never answers cannot keep the
    process from ending.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._errands: Errands = SimpleQueue()
        self._idle = Event()
        self._idle.set()
        self._started = False
        self._closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` gives or raises, done on the thread.

        `TimedOut` at once while the work before has not returned. Work whose caller was cancelled goes on, for nothing
        can stop it; what it comes to is thrown away.
        """
        if self._closed:
            raise RuntimeError(f"{self.name}: work for a worker that was closed")
        if not self._idle.is_set():
            raise TimedOut(f"{self.name}: the previous read has not returned")
        self._start()
        self._idle.clear()
        answer: Future[T] = Future()
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def errand() -> None:
            with _Carried(answer):
                answer.set_result(work())
            self._idle.set()
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(done.set)

        self._errands.put(errand)
        await done.wait()
        return answer.result()

    def close(self, last: Callable[[], object] | None = None) -> None:
        """Ends the thread as soon as it is idle, after doing `last` there (if the thread was ever needed)."""
        if self._closed:
            return
        self._closed = True
        if self._started:
            if last is not None:
                self._errands.put(last)
            self._errands.put(None)

    def _start(self) -> None:
        if not self._started:
            Thread(target=_serve, args=(self._errands,), name=self.name, daemon=True).start()
            self._started = True


def _serve(errands: Errands) -> None:
    while (errand := errands.get()) is not None:
        errand()
        del errand  # or what it holds would live until the next one


class _Carried(Generic[T]):
    """Carries whatever is raised to the one who waits for the answer; there it is raised again, here it is no news."""

    def __init__(self, answer: Future[T]) -> None:
        self._answer = answer

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None:
            self._answer.set_exception(error)
        return True
