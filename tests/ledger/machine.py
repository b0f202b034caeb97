"""A source that does everything sources do, read by a ledger that is killed at any moment, beside a naive recount."""

import asyncio
import random
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection

from exporter.core.finish import SECOND, Ask, Batch, Finish, Pipeline
from exporter.core.secret import Secret
from exporter.ledger import account
from exporter.ledger.account import Account, Terms
from exporter.ledger.ledger import Ledger
from exporter.ledger.store import Owner, Store
from tests.ledger.tally import Tally, unit_of

T = TypeVar("T")
START = 1_700_000_000 * SECOND
SHORTEST = 600 * SECOND
KEY = ("vfx", "render")
LANES = ("a", "b")

lanes = st.sampled_from(LANES)
keys = st.integers(0, 8).map("k{}".format)
outcomes = st.sampled_from([True, True, False, False, False, None])
durations = st.none() | st.integers(-10, 90_000).map(lambda thirds: thirds * SECOND // 3)


class Crash(Exception):
    """The process, or what stands for it, went away."""


class Crashing(Store):
    """A store whose process dies before, inside or after the commit it is told to."""

    crash = ""

    def _opening(self) -> Iterator[str]:
        yield "PRAGMA synchronous = OFF"  # what a process wrote outlives it without

    def commit(self, *given: Any) -> None:
        if self.crash == "before":
            raise Crash
        super().commit(*given)
        if self.crash == "after":
            raise Crash

    @contextmanager
    def _transaction(self, *given: Any) -> Iterator[Connection]:
        with super()._transaction(*given) as connection:
            yield connection
            if self.crash == "inside":
                raise Crash


async def at_once(work: Callable[[], T]) -> T:
    return work()


def owner(token: str) -> Owner:
    return Owner(token, "here", 1, lambda _: False)


class Machine(RuleBasedStateMachine):
    """`rows` is what the source holds now. `whole` sources hand over all of it, the others pages from the floor on."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.now, self.offset, self.overlap = START, 0, SHORTEST
        self.rows: dict[str, Finish] = {}
        self.made = 0
        self.tally = Tally()
        self.peaks: dict[str, tuple[int, int]] = {}
        self.honest = True  # nothing came later than the shortest overlap, and no clock was ever ahead
        self.pruned = False
        self.whole, self.page = False, 3
        self.lives = 0
        self.start()

    def teardown(self) -> None:
        self.store.close()
        self.loop.close()
        self.folder.cleanup()

    @initialize(whole=st.booleans(), page=st.sampled_from([1, 2, 3, 7, 1000]))
    def kind(self, whole: bool, page: int) -> None:
        self.whole, self.page = whole, page

    # the exporter

    def start(self) -> None:
        """A process begins; the one before left no word."""
        self.lives += 1
        path = Path(self.folder.name) / "state.sqlite"
        self.store = Crashing(Secret(f"sqlite:///{path}"), owner(f"life-{self.lives}"))
        self.ledger = Ledger(self.store, at_once, Terms(self.overlap), opened=0.0)

    async def pages(self, rows: list[Finish], ask: Ask) -> AsyncGenerator[Batch, None]:
        if self.whole:
            yield Batch(rows, under=0)
        elif ask.floor is None:
            history = account.history_of(rows, ask.now)
            floor = ask.opening(history.newest)
            yield Batch([row for row in rows if row.at >= floor], history=history)
        else:
            found = sorted((row for row in rows if row.at >= ask.floor), key=lambda row: (row.at, row.key))
            for first in range(0, len(found), self.page):
                page = found[first : first + self.page]
                random.Random(len(found)).shuffle(page)
                yield Batch(page)

    @rule(crash=st.sampled_from(["", "", "", "before", "inside", "after"]), again=st.booleans())
    def read(self, crash: str, again: bool) -> None:
        """A read that may end at its first commit; a process that goes on afterwards believes nothing it had."""
        rows, now = [*self.rows.values()], self.now + self.offset
        before = self.revision()
        pipeline = Pipeline("render", "test", self.pages, LANES)
        if self.ledger.trouble:
            self.loop.run_until_complete(self.ledger.renew(now / SECOND))
        self.store.crash = crash
        try:
            good = self.loop.run_until_complete(self.ledger.keep("vfx", pipeline, rows, now / SECOND))
        except Crash:
            self.store.crash = ""
            if again:
                self.start()
            if crash == "after":
                self.recount(rows, now)
        else:
            self.store.crash = ""
            assert good, self.ledger.trouble
            self.tally.read(rows, now, self.overlap, wrote=self.revision() != before)

    def revision(self) -> int:
        found = None if self.tally.opened is None else self.store.load(KEY)
        return found.revision if found else 0

    def recount(self, rows: list[Finish], now: int) -> None:
        """What the naive one makes of a read that came to its first commit and not beyond."""
        if self.whole or self.tally.opened is None:
            return self.tally.read(rows, now, self.overlap, wrote=True)
        found = sorted((row for row in rows if row.at >= self.tally.floor), key=lambda row: (row.at, row.key))
        for start in range(0, len(found), self.page):
            page = found[start : start + self.page]
            if any(self.new(row) for row in page):
                return self.tally.read(page, now, self.overlap, wrote=True)
        raise AssertionError("nothing was to be committed")

    def new(self, row: Finish) -> bool:
        """Whether a row is one to write for."""
        seen = self.tally.seen.get(unit_of(row))
        return row.at >= self.tally.admitted(self.overlap) if seen is None else row.at > seen.at

    @rule()
    def restart(self) -> None:
        self.start()

    @rule(longer=st.sampled_from([0, 0, 60, 5000]))
    def reload(self, longer: int) -> None:
        self.overlap = SHORTEST + longer * SECOND
        self.ledger.terms = replace(self.ledger.terms, overlap=self.overlap)

    # the clock

    @rule(seconds=st.integers(0, 90) | st.integers(0, 5000))
    def tick(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(seconds=st.integers(-1_000_000, 0))
    def clock_back(self, seconds: int) -> None:
        self.offset = seconds * SECOND

    @rule(seconds=st.integers(0, 5000))
    def clock_ahead(self, seconds: int) -> None:
        self.offset = seconds * SECOND
        self.honest = self.honest and seconds == 0

    # the source

    def put(self, key: str, finish: Finish) -> None:
        self.rows[key] = finish

    @rule(lane=lanes, ok=outcomes, duration=durations, late=st.integers(0, 600))
    def insert(self, lane: str, ok: bool | None, duration: int | None, late: int) -> None:
        self.made += 1
        key = f"n{self.made}"
        self.put(key, Finish(key, self.now - late * SECOND, lane, ok, duration))

    @rule(lane=lanes, ok=outcomes, late=st.integers(601, 20_000))
    def insert_too_late(self, lane: str, ok: bool | None, late: int) -> None:
        self.made += 1
        self.honest = False
        self.put(f"l{self.made}", Finish(f"l{self.made}", self.now - late * SECOND, lane, ok))

    @precondition(lambda self: self.tally.opened is not None)
    @rule(lane=lanes, ok=outcomes, apart=st.sampled_from([-1, 0, 0, 1]))
    def insert_at_the_floor(self, lane: str, ok: bool | None, apart: int) -> None:
        """To the microsecond."""
        self.made += 1
        self.honest = False
        self.put(f"e{self.made}", Finish(f"e{self.made}", self.tally.admitted(self.overlap) + apart, lane, ok))

    @rule(lane=lanes, ok=outcomes, ahead=st.integers(1, 20_000))
    def insert_future(self, lane: str, ok: bool | None, ahead: int) -> None:
        self.made += 1
        self.put(f"f{self.made}", Finish(f"f{self.made}", self.now + ahead * SECOND, lane, ok))

    @rule(key=keys, lane=lanes, ok=outcomes, duration=durations)
    def finish_or_retry(self, key: str, lane: str, ok: bool | None, duration: int | None) -> None:
        """The unit's row says only how it ended last."""
        self.put(key, Finish(key, self.now, lane, ok, duration))

    @rule(key=keys, lane=lanes, ok=outcomes)
    def post(self, key: str, lane: str, ok: bool | None) -> None:
        """A unit with a name for its attempt, whatever its time."""
        row = Finish(f"p{key}", self.now, lane, ok, attempt=f"once {self.made}")
        self.rows.setdefault(f"p{key}", row)

    @precondition(lambda self: self.honest)
    @rule(key=keys)
    def touch(self, key: str) -> None:
        """Its time moves on, by less than the overlap since a read saw it."""
        row = self.rows.get(f"p{key}")
        seen = self.tally.seen.get(unit_of(row)) if row else None
        if row and seen and 0 <= self.now - seen.at <= SHORTEST:
            self.put(f"p{key}", row._replace(at=self.now))

    @rule(key=keys)
    def delete(self, key: str) -> None:
        self.pruned = self.pruned or key in self.rows
        self.rows.pop(key, None)

    @rule(count=st.integers(0, 4))
    def prune(self, count: int) -> None:
        for key in sorted(self.rows, key=lambda key: self.rows[key].at)[:count]:
            del self.rows[key]
            self.pruned = True

    @rule(left=st.integers(0, 2))
    def outage(self, left: int) -> None:
        """A valid answer with all but the newest gone, and what was gone comes back."""
        rows = self.rows
        self.pruned = True
        self.rows = dict(sorted(rows.items(), key=lambda item: item[1].at)[len(rows) - left :]) if left else {}
        if self.tally.opened is not None:
            self.read("", False)
        self.rows = rows

    # what must hold

    @invariant()
    def says_the_same(self) -> None:
        if self.tally.opened is None:
            return
        found = self.store.load(KEY)
        assert found is not None
        if self.ledger.facts().up:  # after a crash, what is in memory is not believed
            (work,) = self.ledger.works("vfx", [Pipeline("render", "test", self.pages)])
            assert work.account == found
        self.counts(found)
        self.times(found)
        self.bounds(found)

    def counts(self, found: Account) -> None:
        for name in LANES:
            lane = found.lanes[name]
            failed = self.tally.count(name, ok=False)
            assert (lane.finished, lane.failed) == (self.tally.count(name, ok=True) + failed, failed)
            assert (lane.untimed, lane.duration, lane.counts) == self.tally.durations(name)
            assert (lane.finished, lane.failed) >= self.peaks.get(name, (0, 0))
            assert lane.failed >= self.peaks.get(name, (0, 0))[1]
            self.peaks[name] = lane.finished, lane.failed
        if self.honest:
            assert not self.tally.refused, "nothing is refused while nobody is late and no clock ahead"

    def times(self, found: Account) -> None:
        assert (found.mark, found.floor, found.opened) == (self.tally.mark, self.tally.floor, self.tally.opened)
        assert found.streak.length == self.tally.streak(None)
        for name in LANES:
            lane = found.lanes[name]
            assert lane.streak.length == self.tally.streak(name)
            assert (lane.last_success, lane.last_failure) == (self.tally.last(name, True), self.tally.last(name, False))
            assert lane.failing == self.tally.failing(name)

    def bounds(self, found: Account) -> None:
        """Exactly what lies within the overlap of the mark, or in the future, is remembered; late is never too much."""
        seen = self.tally.seen.values()
        assert sorted(found.seen.at.values()) == sorted(each.at for each in seen if each.at >= found.floor)
        assert found.late <= len(self.tally.refused)
        if self.whole and not self.pruned:
            assert found.late == len(self.tally.refused)
        assert (found.under is None) is not self.whole
