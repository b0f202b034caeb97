"""What the ledger costs: applying, committing, reads with nothing new, and a million finishes passing through.

    python -m benchmarks.bench_ledger [--finishes 1000000] [--rounds 5]

Keeps its stores in a temporary directory. Goals: a read with nothing new writes nothing and costs what looking at its
rows costs; memory follows the overlap and not what has passed through.
"""

import argparse
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from exporter.core.finish import SECOND, Batch, Finish
from exporter.core.secret import Secret
from exporter.ledger.account import Account, Delta, Terms, apply, opened
from exporter.ledger.store import Owner, Store

NOW = 1_700_000_000 * SECOND
TERMS = Terms(600 * SECOND)
KEY = ("vfx", "render")
PAGE = 1000
FARMS = ("deadline", "tractor", "opencue", "local")


class Normal(Store):
    """A store that does not wait for the disk, to compare."""

    def _opening(self) -> Iterator[str]:
        yield "PRAGMA synchronous = NORMAL"


def finishes(first: int, count: int, each: int) -> list[Finish]:
    """Finishes of this many microseconds apart, one in seven failed."""
    return [
        Finish(f"job-{i:012}", NOW + i * each, FARMS[i % 4], i % 7 > 0, (i % 5000) * SECOND)
        for i in range(first, first + count)
    ]


def begun() -> Account:
    return opened(Batch((), FARMS), NOW, TERMS)[0]


def store_at(path: Path, kind: type[Store] = Store) -> Store:
    store = kind(Secret(f"sqlite:///{path}"), Owner("benchmark", "here", 1, lambda _: False))
    store.open(NOW)
    return store


def timed(work: Callable[[], Any]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def spread(times: list[float], scale: float = 1e3, unit: str = "ms") -> str:
    """The median of some times, with the least and the greatest."""
    return f"{statistics.median(times) * scale:.3g} {unit} ({min(times) * scale:.3g}-{max(times) * scale:.3g})"


def peak() -> float:
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def applying(_: Path, rounds: int, __: int) -> None:
    """1000 finishes into accounts that remember few and many; the same again, when nothing is new."""
    for seen in (70, 100_000):
        rows = finishes(0, seen, 600 * SECOND // max(seen, 1000))
        account, _delta = apply(begun(), Batch(rows), NOW + 601 * SECOND, TERMS)
        batch = Batch(finishes(seen, PAGE, 600 * SECOND // max(seen, 1000)))
        now = NOW + 700 * SECOND
        new = [timed(partial(apply, account, batch, now, TERMS)) for _ in range(rounds)]
        old = [timed(partial(apply, account, Batch(rows), now, TERMS)) for _ in range(rounds)]
        print(f"{seen:7} remembered: {PAGE} new {spread(new)}; those and nothing new {spread(old)}")


def committing(folder: Path, rounds: int, _: int) -> None:
    """1000 finishes a commit, waiting for the disk and not; and one at a time."""
    for kind, word in ((Store, "FULL"), (Normal, "NORMAL")):
        store, account = store_at(folder / word, kind), begun()
        store.commit(KEY, account, Delta([], {}, FARMS, rose=False, opened=True), NOW)
        for count in (PAGE, 1):
            times = []
            for number in range(rounds):
                rows = finishes((number + 1) * PAGE * (1 if count > 1 else 10_000), count, 60_000)
                account, delta = apply(account, Batch(rows), NOW * 2, TERMS)
                assert delta
                times.append(timed(partial(store.commit, KEY, account, delta, NOW)))
            print(f"commit of {count} finishes, {word}: {spread(times)}")
        loads = [timed(partial(store.load, KEY)) for _ in range(rounds)]
        print(f"load of {len(account.seen.at)} remembered: {spread(loads)}")
        store.release(NOW)


def passing(folder: Path, _: int, count: int) -> None:
    """So many finishes, 100 a second, in pages of 1000, each committed."""
    store, account, before, most = store_at(folder / "passing"), begun(), peak(), 0
    store.commit(KEY, account, Delta([], {}, FARMS, rose=False, opened=True), NOW)
    spent, start = 0.0, time.perf_counter()
    for first in range(0, count, PAGE):
        rows = finishes(first, PAGE, SECOND // 100)
        tick = time.perf_counter()
        account, delta = apply(account, Batch(rows), NOW * 2, TERMS)
        spent += time.perf_counter() - tick
        assert delta
        store.commit(KEY, account, delta, NOW)
        most = max(most, len(account.seen.at))
    counted = sum(lane.finished for lane in account.lanes.values())
    assert counted == count
    print(
        f"{count} passed through in {time.perf_counter() - start:.1f} s, of which applied in {spent:.1f} s; "
        f"at most {most} remembered, memory {before:.0f} to {peak():.0f} MB, store {(store.size or 0) / 1e6:.1f} MB"
    )
    store.release(NOW)


def main() -> None:
    """Each step in a process of its own: what one of them leaves behind counts as the memory of the next."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--finishes", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for step in (applying, committing, passing):
            arguments = (Path(folder), given.rounds, given.finishes)
            process = multiprocessing.get_context("spawn").Process(target=step, args=arguments)
            process.start()
            process.join()
            assert process.exitcode == 0


if __name__ == "__main__":
    main()
