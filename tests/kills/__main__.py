"""Kills exporters while a backend writes into each kind of database, and compares what was counted.

python -m tests.kills [--kills 200] [--seed 1] [--database sqlite --database postgresql --database mysql]
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.kills.run import run
from tests.sources.stakazo.databases import made
from tests.sources.stakazo.tables import Dialect

DATABASES: tuple[Dialect, ...] = ("sqlite", "postgresql", "mysql")


def main() -> int:
    """Exits with 1 when a number differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", action="append", choices=DATABASES)
    options = parser.parse_args()
    chosen: tuple[Dialect, ...] = options.database or DATABASES
    bad = 0
    for dialect in chosen:
        with tempfile.TemporaryDirectory() as name, made(dialect, Path(name)) as make:
            report = asyncio.run(run(make({}), Path(name), options.kills, options.seed))
        lanes = report.told["lanes"].values()
        finished, failed = (sum(lane[f"studio_work_{what}_total"] for lane in lanes) for what in ("finished", "failed"))
        retried, pruned = report.told["retried"], report.told["pruned"]
        print(
            f"{dialect}: {options.kills} kills, {finished} finishes, {failed} failed, {retried} retried, "
            f"{pruned} pruned: {len(report.wrong)} numbers differ"
        )
        for (metric, labels), (right, found) in report.wrong.items():
            print(f"  {metric}{{{labels}}}: expected {right}, found {found}")
        bad += len(report.wrong)
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
