"""What a registry of many runs costs to read: at first, changed and unchanged, beside json.load, and what has to wait.

    python -m benchmarks.bench_registry [--runs 100000] [--rounds 5]

Writes a registry of its own into a temporary directory, and another in which one run in the middle has ended. Goals: a
changed file costs at most a fifth of json.load, an unchanged one a stat, and nothing on the event loop waits longer
than 50 ms. What the ledger is then given is another line: of a file that changed, and of one that did not.
"""

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exporter.core.finish import SECOND, Ask
from exporter.core.part import Part, Schedule
from exporter.core.source import Context, Limits
from exporter.sources.trafalgar import KIND, Config

SHOWS = {"IOR": "iron_orchard", "ATL": "atlas_rising", "DHB": "deep_harbor", "PMN": "paper_moons", "SGN": "signal_noir"}
STYLES: dict[str, dict[str, Any]] = {
    "as json.dump writes": {},
    "compact": {"separators": (",", ":")},
    "indented": {"indent": 2},
}
TICK = 0.001


def media(dice: random.Random, show: str) -> dict[str, Any]:
    """A processed file with a name like those of the system."""
    name = f"{show}_E{dice.randint(101, 112)}_S{dice.randint(1, 40):03}_SH{dice.randint(1, 40) * 10:04}_plate.exr"
    _, episode, scene, shot, descriptor = name.removesuffix(".exr").split("_")
    info = {
        "show_code": show,
        "episode": episode,
        "scene": scene,
        "shot": shot,
        "descriptor": descriptor,
        "extension": "exr",
    }
    folder = SHOWS[show]
    return {
        "path": f"/mnt/incoming/{folder}/{name}",
        "bucket": "vendor_in",
        "key": f"{folder}/{name}",
        "media_info": info,
    }


def registry(count: int) -> list[dict[str, Any]]:
    """Runs of two files each, one in six with an invalid one, one in fifty still running, in no order."""
    dice, start, runs = random.Random(7), datetime(2026, 1, 1, tzinfo=UTC), []
    for number in range(count):
        start += timedelta(seconds=dice.randint(1, 200))
        completed = start + timedelta(seconds=dice.random() * 1800)
        show = dice.choice(list(SHOWS))
        invalid = [[f"/mnt/incoming/bad_{number}.tmp", "Unsupported extension '.tmp'"]] if number % 6 == 0 else []
        runs.append(
            {
                "id": f"run-{number:05}",
                "started_at": start.isoformat(),
                "completed_at": None if number % 50 == 0 else completed.isoformat(),
                "report": {"processed": [media(dice, show), media(dice, show)], "invalid": invalid, "warnings": []},
            }
        )
    dice.shuffle(runs)
    return runs


def part(path: Path) -> Part[Any]:
    """A part that has read nothing yet, as after every change of the file."""
    source = KIND.source(Config(ingest_registry=path), Context("benchmark", Schedule(), Limits()))
    found: Part[Any] = source.parts[0]
    return found


async def longest_wait(work: Callable[[], Awaitable[Any]]) -> float:
    """The longest that a task which wants to run every millisecond is late while the work goes on; seconds."""
    longest, done = 0.0, False

    async def tick() -> None:
        nonlocal longest
        while not done:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            longest = max(longest, time.perf_counter() - before - TICK)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.02)
    longest = 0.0
    await work()
    done = True
    await ticking
    return longest


def load(path: Path) -> float:
    """Seconds of json.load."""
    gc.collect()
    before = time.perf_counter()
    with path.open(encoding="utf-8") as file:
        value = json.load(file)
    passed = time.perf_counter() - before
    del value
    return passed


async def read(subject: Part[Any]) -> float:
    """Seconds of one read."""
    before = time.perf_counter()
    await subject.read(time.time())
    return time.perf_counter() - before


async def hand_over(subject: Part[Any]) -> tuple[float, float]:
    """Seconds of handing the finishes of the last ten minutes to the ledger, and of doing so again."""
    assert subject.finishes is not None
    value = (await subject.read(time.time())).value
    newest, passed = round(max(block.newest for block in value.finishes.blocks) * SECOND), []
    for _ in range(2):
        before = time.perf_counter()
        async for _ in subject.finishes.pages(value, Ask(newest, 600 * SECOND, newest - 600 * SECOND)):
            pass
        passed.append(time.perf_counter() - before)
    return passed[0], passed[1]


async def measure(name: str, path: Path, rounds: int) -> None:
    """Prints one line; json.load and the read take turns, so that both meet the same machine."""
    loads, first, changed, unchanged, waits, handed = [], [], [], [], [], []
    for number in range(rounds):
        first.append(await read(subject := part(path)))
        unchanged.append(await read(subject))
        handed.append(await hand_over(subject))
        put(path, number + 1)
        changed.append(await read(subject))
        waits.append(await longest_wait(lambda: read(part(path))))
        loads.append(load(path))
    whole = statistics.median(loads)
    print(
        f"{name:20} json.load {spread(loads)}  first {spread(first)} ratio {statistics.median(first) / whole:.3f}  "
        f"changed {spread(changed)} ratio {statistics.median(changed) / whole:.3f}  "
        f"unchanged {spread(unchanged, 1e6, 'us')}  longest wait {spread(waits)}"
    )
    begun, again = zip(*handed, strict=True)
    print(f"{'':20} handed over {spread([*begun])}, again {spread([*again], 1e6, 'us')}")


def spread(times: list[float], scale: float = 1e3, unit: str = "ms") -> str:
    """The median of some times, with the least and the greatest."""
    return f"{statistics.median(times) * scale:.0f} {unit} ({min(times) * scale:.0f}-{max(times) * scale:.0f})"


def peak() -> float:
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def write(folder: Path, count: int) -> None:
    """Writes a registry in each style, and both of its states beside it."""
    before = registry(count)
    after = [dict(one) for one in before]
    after[count // 2] |= {"completed_at": "2026-12-31T00:00:00+00:00"}
    for name, style in STYLES.items():
        for state, runs in enumerate((before, after)):
            with (folder / f"{name} {state}").open("w", encoding="utf-8") as file:
                json.dump(runs, file, **style)
        put(folder / name, 0)


def put(path: Path, number: int) -> None:
    """Replaces a registry by one of its states, in turns."""
    beside = path.with_name("new")
    shutil.copyfile(path.with_name(f"{path.name} {number % 2}"), beside)
    os.utime(beside, (0, 0))  # a file that has just changed is read twice
    beside.replace(path)


def memory(folder: Path) -> None:
    """Prints what one read adds to the memory of this process."""
    before = peak()
    asyncio.run(read(part(folder / next(iter(STYLES)))))
    print(f"peak memory: {before:.1f} MB before the first read, {peak():.1f} MB after it")


def times(folder: Path, rounds: int) -> None:
    """Prints what each style costs."""
    for name in STYLES:
        path = folder / name
        asyncio.run(measure(f"{name}, {path.stat().st_size / 1e6:.1f} MB", path, rounds))


def main() -> None:
    """Each step in a process of its own: what one of them leaves behind slows the next, and counts as its memory."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for step in ((write, given.runs), (memory,), (times, given.rounds)):
            process = multiprocessing.get_context("spawn").Process(target=step[0], args=(Path(folder), *step[1:]))
            process.start()
            process.join()
            assert process.exitcode == 0


if __name__ == "__main__":
    main()
