"""What Music Agents costs to read: the recorded files, a year of reports, a database of many rows, and the machine.

    python -m benchmarks.bench_music_agents [--rows 100000] [--days 365] [--rounds 5]

Writes reports and a database of its own into a temporary directory. Goal: of files that stay as they are, a read costs
no more than looking at each of them.
"""

import argparse
import asyncio
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from exporter.core.part import Part, Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.sources.music_agents import KIND, Config
from exporter.sources.music_agents.reports import ROSTER

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "music_agents" / "inputs" / "normal"
LEVELS = ("info", "info", "info", "warning", "error", "critical", "Info", None)


def source(config: Config) -> Source:
    """A source that has read nothing yet."""
    return KIND.source(config, Context("benchmark", Schedule(timeout=60), Limits()))


def part(of: Source, name: str) -> Part[Any]:
    return next(part for part in of.parts if part.name == name)


def report(day: date) -> str:
    """A report of all agents, as the system pads and closes its lines."""
    lines = [
        f" DAILY TRAINING REPORT [{day}]",
        " Training Duration: 4.02 minutes",
        " Overall System Quality: 8.1/10 (+1.6%)",
    ]
    for name in ROSTER:
        lines += [f"Agent ({name})", "  Quality: 8.1/10 (+0.1 vs yesterday)", "  Processing: 1.32s"]
    return "\n".join(["╔" + "=" * 78 + "╗", *(f"║ {line:77}║" for line in lines), "╚" + "=" * 78 + "╝"])


def year(root: Path, days: int) -> Path:
    """The recorded files, with so many days of reports."""
    shutil.copytree(GOLDEN / "orchestrator", root)
    for number in range(days):
        day = date(2026, 11, 10) - timedelta(days=number)
        (root / "logs" / f"daily_report_{day}.txt").write_text(report(day), encoding="utf-8")
    for path in root.rglob("*.*"):
        os.utime(path, (0, 0))  # a file that has just changed is read twice
    return root


def database(path: Path, rows: int) -> Path:
    """The recorded database with so many more events and records of agents, and a session for each hundred."""
    shutil.copyfile(GOLDEN / "dashboard.db", path)
    events: Iterator[tuple[object, ...]] = (
        (f"2026-11-{1 + number % 20:02}T03:00:00", "agent", f"Processed batch #{number}", LEVELS[number % len(LEVELS)])
        for number in range(rows)
    )
    agents = (("2026-11-20T03:00:00", ROSTER[number % 12], number % 3) for number in range(rows))
    sessions = (("2026-11-20T03:00:00", "completed") for _ in range(rows // 100))
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, values in (
            ("events (timestamp, event_type, message, severity) values (?, ?, ?, ?)", events),
            ("agent_metrics (timestamp, agent_id, error_count) values (?, ?, ?)", agents),
            ("training_sessions (start_time, status) values (?, ?)", sessions),
        ):
            connection.executemany(f"insert into {table}", values)
    return path


async def read(subject: Part[Any]) -> float:
    """Seconds of one read."""
    before = time.perf_counter()
    await subject.read(time.time())
    return time.perf_counter() - before


async def measure(what: str, config: Config, name: str, rounds: int) -> None:
    """Prints what the first read costs, and one of what has not changed since."""
    first, again = [], []
    for _ in range(rounds):
        made = source(config)
        first.append(await read(part(made, name)))
        again.append(await read(part(made, name)))
        await made.close()
    print(f"{what:40} first {spread(first)}  unchanged {spread(again)}")


def spread(times: list[float]) -> str:
    """The median of some times, with the least and the greatest."""
    return f"{statistics.median(times) * 1e3:.2f} ms ({min(times) * 1e3:.2f}-{max(times) * 1e3:.2f})"


async def measurements(folder: Path, rows: int, days: int, rounds: int) -> None:
    """Prints a line for each part and size."""
    recorded, long = year(folder / "recorded", 0), year(folder / "year", days)
    await measure("files as recorded", Config(recorded, host=False), "files", rounds)
    await measure(f"files with {days} more reports", Config(long, host=False), "files", rounds)
    for count in (0, rows):
        url = Secret(str(database(folder / f"{count}.db", count)))
        await measure(f"database with {count} more rows a table", Config(database=url), "database", rounds)
    await measure("the machine", Config(), "host", rounds)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measurements(Path(folder), given.rows, given.days, given.rounds))


if __name__ == "__main__":
    main()
