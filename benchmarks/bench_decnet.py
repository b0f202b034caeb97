"""What one read of DECNET costs on SQLite: time, statements and plans, as upstream leaves its indexes and with ANALYZE.

    python -m benchmarks.bench_decnet [--rows 1000000] [--rounds 5]

Writes a database of its own into a temporary directory: rows spread evenly over 8.5 days, 10 % of them failures, nine
in ten of them events. Beside the read stands the pass as one GROUP BY, which is what the slices replace; below it, the
count that the API gives, and upstream's two statements for it.
"""

import argparse
import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits
from exporter.core.window import Window, window
from exporter.inputs.sql import Database
from exporter.sources.decnet import KIND, Config
from exporter.sources.decnet.counts import slices
from exporter.sources.decnet.live import KEPT, Counts, Question
from exporter.sources.decnet.tables import EMAILS, EVENTS, EXACT, WORDS
from tests.services import statements

SCHEMA = Path(__file__).parents[1] / "tests" / "golden" / "decnet" / "inputs" / "schema-sqlite.sql"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAYS = 8.5
CHOICES: dict[str, tuple[Window, ...]] = {
    "5m 1h 24h 7d": tuple(map(window, ("5m", "1h", "24h", "7d"))),
    "5m 1h": tuple(map(window, ("5m", "1h"))),
}
GROUPED = """
    select kind, success,
        sum(case when ts >= :edge_1 then 1 else 0 end), sum(case when ts >= :edge_2 then 1 else 0 end),
        sum(case when ts >= :edge_3 then 1 else 0 end), sum(case when ts >= :edge_4 then 1 else 0 end),
        max(case when ts <= :edge_0 then ts end)
    from orchestrator_events where ts >= :edge_4 group by kind, success
"""


def text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


def fill(path: Path, rows: int) -> None:
    """Upstream's tables and indexes, and rows in the order of their times, as they are written."""
    dice, emails = random.Random(7), rows // 10
    hosts = [f"{dice.getrandbits(128):032x}" for _ in range(100)]

    def times(count: int) -> Iterator[str]:
        return (text(NOW - timedelta(days=DAYS) * (1 - number / count)) for number in range(count))

    def key() -> str:
        return f"{dice.getrandbits(128):032x}"

    def ok() -> int:
        return int(dice.random() > 0.1)

    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(SCHEMA.read_text())
        connection.executemany(
            "insert into orchestrator_events values (?, ?, ?, 'ssh', 'exec:df', ?, ?, ?, '{\"code\": 0}')",
            (
                (key(), at, dice.choice(WORDS), dice.choice(hosts), dice.choice(hosts), ok())
                for at in times(rows - emails)
            ),
        )
        connection.executemany(
            "insert into orchestrator_emails values (?, ?, ?, ?, 'm', null, 's', 'r', 'subject', 'en', '/e', ?, '{}')",
            ((key(), at, dice.choice(hosts), key(), ok()) for at in times(emails)),
        )


async def median(rounds: int, work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds of the work, once it is warm."""
    await work()
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await work()
        found.append((time.perf_counter() - begun) * 1000)
    return statistics.median(found)


async def read(path: Path, windows: tuple[Window, ...], rounds: int) -> tuple[float, int]:
    """Milliseconds and statements of one read."""
    context = Context("decoys", Schedule(timeout=600), Limits())
    source = KIND.source(Config(Secret(f"sqlite:///{path}"), windows), context)
    (part,) = source.parts
    try:
        spent = await median(rounds, lambda: part.read(NOW.timestamp()))
        with statements("orchestrator_") as seen:
            await part.read(NOW.timestamp())
        return spent, len(seen)
    finally:
        await source.close()


async def grouped(path: Path, windows: tuple[Window, ...], rounds: int) -> float:
    """Milliseconds of the pass over the events as one GROUP BY."""
    with closing(sqlite3.connect(path)) as connection:

        async def work() -> object:
            return connection.execute(GROUPED, edges(windows)).fetchall()

        return await median(rounds, work)


async def live(path: Path, span: Window, rounds: int) -> tuple[float, float]:
    """Milliseconds of the count of the API, which is not kept from one to the next, and of upstream's."""
    counts = Counts(Database(Secret(f"sqlite:///{path}"), 600, 10), 600)
    since = text(NOW - timedelta(seconds=span.seconds))
    seconds = iter(range(2 * rounds))
    with closing(sqlite3.connect(path)) as connection:

        async def upstream() -> None:
            for table in (EVENTS, EMAILS):
                statement = f"select count(*) from {table} where success is 0 and ts >= ?"  # constants
                connection.execute(statement, (since,)).fetchall()

        try:
            ours = await median(
                rounds, lambda: counts.count(Question(span.seconds, None), NOW.timestamp() + KEPT * next(seconds))
            )
            return ours, await median(rounds, upstream)
        finally:
            await counts.close()


def edges(windows: tuple[Window, ...]) -> dict[str, str]:
    spans = [0, *(each.seconds for each in windows)]
    return {f"edge_{number}": text(NOW - timedelta(seconds=seconds)) for number, seconds in enumerate(spans)}


def plan(path: Path, statement: str, windows: tuple[Window, ...]) -> str:
    """What SQLite does for a statement, each step once."""
    values = {"least": text(datetime.min.replace(tzinfo=UTC)), "last": text(datetime.max.replace(tzinfo=UTC))}
    with closing(sqlite3.connect(path)) as connection:
        steps = connection.execute(f"explain query plan {statement}", values | edges(windows)).fetchall()
    return "; ".join(dict.fromkeys(step for *_, step in steps if "orchestrator_" in step or "TEMP" in step))


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "decnet.db"
        fill(path, options.rows)
        print(f"{options.rows} rows, {path.stat().st_size / 1e6:.0f} MB, SQLite {sqlite3.sqlite_version}")
        print(f"{'statistics':<12}{'windows':<14}{'read':>10}{'statements':>12}{'events as GROUP BY':>21}")
        for kept in ("as upstream", "ANALYZE"):
            if kept == "ANALYZE":
                with closing(sqlite3.connect(path)) as connection, connection:
                    connection.execute("analyze")
            for name, windows in CHOICES.items():
                spent, statements = await read(path, windows, options.rounds)
                whole = windows * (4 // len(windows))
                other = await grouped(path, whole, options.rounds)
                print(f"{kept:<12}{name:<14}{spent:>7.1f} ms{statements:>12}{other:>18.1f} ms")
            windows = CHOICES["5m 1h 24h 7d"]
            for span in windows[1:]:
                ours, theirs = await live(path, span, options.rounds)
                print(f"  API, {span.text}: {ours:.2f} ms; upstream: {theirs:.2f} ms")
            print(f"  slices:   {plan(path, slices(EVENTS, EXACT['sqlite'], WORDS, len(windows) + 1), windows)}")
            print(f"  GROUP BY: {plan(path, GROUPED, windows)}")


if __name__ == "__main__":
    asyncio.run(main())
