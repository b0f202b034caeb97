"""The ledger: every account in memory as it was last committed, and the one way in which they change."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from exporter.core.errors import BUG
from exporter.core.finish import GRAIN, SECOND, Ask, Batch, Pipeline
from exporter.ledger.account import Account, Delta, Terms, apply, opened
from exporter.ledger.families import LedgerFacts, Work, Works
from exporter.ledger.store import Key, Store
from exporter.ledger.trouble import LedgerError

log = logging.getLogger(__name__)
T = TypeVar("T")
V = TypeVar("V")


class Run(Protocol):
    """Does blocking work on the store's one thread, as `exporter.inputs.worker.Worker.run` does."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """A read that goes on: for how many seconds now, and how many it may take."""

    elapsed: Callable[[], float]
    limit: float


@dataclass(frozen=True, slots=True)
class Waits:
    """How many seconds a read waits for the store, while what it began goes on; and after how many without an answer
    the store cannot be used, which is longer than itself it waits for locks and servers."""

    read: float = 2.0
    overdue: float = 10.0


AT_ONCE = Reading(lambda: 0.0, float("inf"))


class Ledger:
    """What can be asked from the event loop; `now` is epoch seconds.

    The store, and every account that is being changed, belong to the thread of `run`: an account is applied to,
    committed and put in place there in one piece, so that whoever waits for it may be cancelled at any moment.
    """

    def __init__(self, store: Store, run: Run, terms: Terms, opened: float, waits: Waits | None = None) -> None:
        """`opened` (epoch seconds) is when the ledger's own counters begin."""
        self._waits = waits or Waits()
        self.terms = terms
        self._store = store
        self._run = run
        self._opened = opened
        self._turn = asyncio.Lock()
        self._ready = False
        self._believable: set[Key] = set()  # whose accounts in memory are those on disk
        self._ahead: set[Key] = set()
        self._work: asyncio.Future[Any] | None = None  # or nobody would hold what goes on alone
        self._accounts: dict[Key, Account] = {}
        self._failures: Counter[str] = Counter()
        self._trouble: str | None = None
        self._last_commit: int | None = None

    # what is known

    def works(self, source: str, pipelines: Iterable[Pipeline[V]]) -> Works:
        """The accounts of a source as they were last committed, those of these pipelines that are open."""
        found = ((pipeline, self._accounts.get((source, pipeline.name))) for pipeline in pipelines)
        return tuple(Work(pipeline.name, account, pipeline.timed) for pipeline, account in found if account)

    def facts(self) -> LedgerFacts:
        """How the ledger stands."""
        created = self._store.created
        return LedgerFacts(
            up=self._ready and self._trouble is None,
            opened=self._opened,
            created=None if created is None else created / SECOND,
            last_commit=None if self._last_commit is None else self._last_commit / SECOND,
            size=self._store.size,
            failures=dict(self._failures),
        )

    @property
    def trouble(self) -> str | None:
        """Why the store cannot be used, for people; None while it can."""
        return self._trouble

    # what changes it

    async def open(self, now: float, keys: Iterable[Key]) -> bool:
        """Opens the store and loads these accounts, so that they are on the page before the first read; also where it
        can be read and not be written. False, with the reason in `trouble`, where it cannot be used yet."""
        return await self._tried(partial(self._open, _micros(now), [*keys])) is not None

    async def keep(self, source: str, pipeline: Pipeline[V], value: V, now: float, reading: Reading = AT_ONCE) -> bool:
        """Counts what a read of a part found; `now` is when it began. Each batch is on disk before the next is read,
        and once the read has taken its time none is asked for: the next read goes on there.

        What comes to its end while a read goes on may be in it: it is no finish of the future.

        False where the store could not be used, with the reason in `trouble`, or did not answer soon: then what was
        last committed stands, and the next read finds the rest again. While it is in trouble it is left to `renew`, for
        else every read would wait for it. Whatever the pipeline's own pages raise passes through.
        """
        if self._trouble is not None:
            return False
        key, micros = (source, pipeline.name), _micros(now)
        if (current := await self._tried(lambda: [self._current(key, micros)], self._waits.read)) is None:
            return False
        begun = floor = current[0].floor if current[0] else None
        async with aclosing(pipeline.pages(value, Ask(micros, self.terms.overlap, floor))) as pages:
            async for batch in pages:
                present = micros if floor is None else _micros(now + reading.elapsed())
                take = partial(self._take, (key, pipeline), batch, floor, present)
                taken = await self._tried(take, self._waits.read)
                if taken is None:
                    return False
                floor = taken.floor
                if (
                    reading.elapsed() >= reading.limit and floor != begun
                ):  # or the next read would begin where this one did, and get no further
                    break
        return True

    async def renew(self, now: float) -> bool:
        """Keeps the lease, or tries to get the store back; to be called every few seconds."""
        return await self._tried(partial(self._renew, _micros(now))) is not None

    async def close(self, now: float) -> None:
        """Gives the store back."""
        if self._ready:
            await self._tried(partial(self._release, _micros(now)))

    async def _tried(self, work: Callable[[], T], patience: float | None = None) -> T | None:
        """What the work on the store's thread gives; None, once it was noted, if the store cannot be used, and where it
        was not done within `patience` seconds.

        Once it has begun it goes on, whoever is cancelled or waits no longer: there is one piece of work at a time.
        """
        try:
            async with asyncio.timeout(patience):
                await self._turn.acquire()
                self._work = task = asyncio.ensure_future(self._done(work))
                return await asyncio.shield(task)
        except TimeoutError:
            return None

    async def _done(self, work: Callable[[], T]) -> T | None:
        late = asyncio.get_running_loop().call_later(self._waits.overdue, self._late)
        trouble: str | None = f"ledger {self._store.place}: a bug in the exporter; its log has the traceback"
        try:
            found = await self._run(partial(self._believed, work))
            trouble = None
        except LedgerError as error:
            trouble = str(error)
            if self._trouble != trouble:
                log.error("%s", trouble)  # noqa: TRY400  # expected, and the message says all
            return None
        finally:
            late.cancel()
            before, self._trouble = self._trouble, trouble
            self._turn.release()
        if before is not None:
            log.info("ledger %s: can be used again", self._store.place)
        return found

    def _late(self) -> None:
        """The store has not answered for too long; the work goes on, for nothing can stop it but a cut connection."""
        self._store.cut()
        if self._trouble is None:
            self._trouble = f"ledger {self._store.place}: no answer within {self._waits.overdue:g} s"
            log.error("%s", self._trouble)

    # on the store's thread

    def _believed(self, work: Callable[[], T]) -> T:
        """What the work gives. After any exception no account in memory is believed: a commit may have succeeded
        although it reported failure."""
        reason: str | None = BUG
        try:
            found = work()
            reason = None
        except LedgerError as error:
            reason = error.reason
            raise
        finally:
            if reason is not None:
                self._failures[reason] += 1
                self._ready = False
                self._believable.clear()
        return found

    def _open(self, now: int, keys: Iterable[Key]) -> bool:
        try:
            self._opened_store(now)
        finally:  # what can be read is served
            with suppress(LedgerError):
                for key in keys:
                    self._load(key)
        return True

    def _opened_store(self, now: int) -> None:
        if not self._ready:
            self._store.open(now)
            self._ready = True

    def _load(self, key: Key) -> Account | None:
        account = self._store.load(key)
        if account is None:
            self._accounts.pop(key, None)
        else:
            self._accounts[key] = account
        return account

    def _current(self, key: Key, now: int) -> Account | None:
        """The account as it is on disk, None where it is not open yet."""
        self._opened_store(now)
        if key not in self._believable:
            self._load(key)
            self._believable.add(key)
        return self._accounts.get(key)

    def _take(self, to: tuple[Key, Pipeline[V]], batch: Batch, floor: int | None, now: int) -> Account:
        """Applies a batch that was read from this floor on, commits it, and puts the account in its place."""
        key, pipeline = to
        before = self._current(key, now)
        if (before is None) != (floor is None) or (before and floor is not None and before.floor < floor):
            raise LedgerError("gone", f"ledger {self._store.place}: it changed while {'/'.join(key)} was read")
        batch = replace(batch, lanes=(*pipeline.lanes, *batch.lanes))
        delta: Delta | None
        if before is None:
            after, delta = opened(batch, now, self.terms)
            after = replace(after, fingerprint=pipeline.fingerprint)
        else:
            after, delta = apply(self._marked(key, before, pipeline.fingerprint), batch, now, self.terms)
        if delta is not None:
            self._store.commit(key, after, delta, now)
            self._last_commit = now
            self._look_ahead(key, after, now)
        self._accounts[key] = after
        return after

    def _marked(self, key: Key, account: Account, fingerprint: str) -> Account:
        """The account with the database that it counts now."""
        if account.fingerprint == fingerprint:
            return account
        was = account.fingerprint or "unknown"
        log.warning(
            "ledger: %s was counted from %s and now is from %s; what it holds from before %s is not counted",
            *("/".join(key), was, fingerprint, _date(account.floor)),
        )
        return replace(account, fingerprint=fingerprint)

    def _look_ahead(self, key: Key, account: Account, now: int) -> None:
        if account.mark <= now + GRAIN:
            self._ahead.discard(key)
        elif key not in self._ahead:
            self._ahead.add(key)
            log.warning(
                "ledger: %s has finishes up to %s, and the clock says %s; what is older than the first by more than "
                "ledger.overlap is not counted until the clock catches up",
                *("/".join(key), _date(account.mark), _date(now)),
            )

    def _renew(self, now: int) -> bool:
        self._opened_store(now)
        self._store.renew(now)
        return True

    def _release(self, now: int) -> bool:
        self._ready = False
        self._store.release(now)
        return True


def _micros(seconds: float) -> int:
    return round(seconds * SECOND)


def _date(at: int) -> str:
    return f"{datetime.fromtimestamp(at / SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
