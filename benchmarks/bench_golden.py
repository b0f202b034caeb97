"""What each part of each system costs to read on the golden inputs: the first time, and when nothing has changed.

python -m benchmarks.bench_golden [--rounds 5]
"""

import argparse
import asyncio
import gzip
import logging
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from exporter.app import made
from exporter.config import load
from exporter.core.source import Source
from exporter.sources import KINDS
from tests import shotgrid_server
from tests.sources.music_agents import golden as music
from tests.sources.stakazo import databases as stakazo

GOLDEN = Path(__file__).parent.parent / "tests" / "golden"
STUDIO = """
sources:
  - {{name: vfx, kind: trafalgar, ingest_registry: ingest_runs.normal.json, render_jobs: render_jobs.normal.json,
     shotgrid: {{url: "{url}", script: golden, key: secret}}, project_registry: dashboard-projects.json,
     reconcile: reconcile.json}}
  - {{name: publishing, kind: stakazo, database: "sqlite:///stakazo.sqlite"}}
  - {{name: music, kind: music_agents, orchestrator: orchestrator, database: dashboard.db}}
  - {{name: decoys, kind: decnet, database: "sqlite:///decnet.sqlite"}}
"""


def lay(home: Path) -> None:
    """The golden inputs of all systems in one directory."""
    shutil.copytree(GOLDEN / "trafalgar" / "inputs", home, dirs_exist_ok=True)
    packed = (GOLDEN / "decnet" / "inputs" / "decnet.sqlite.gz").read_bytes()
    (home / "decnet.sqlite").write_bytes(gzip.decompress(packed))
    for name in ("ingest_runs.normal.json", "render_jobs.normal.json"):
        os.utime(home / name, (0, 0))  # a file that has just changed is read once more
    stakazo.golden("normal", home)
    music.lay("normal", home)
    music.database("normal", home)


async def timed(source: Source) -> dict[str, list[float]]:
    """Milliseconds of the first and the second read of each part."""
    found: dict[str, list[float]] = {}
    for part in source.parts:
        for _ in range(2):
            begun = time.perf_counter()
            taken = await part.read(time.time())
            found.setdefault(part.name, []).append((time.perf_counter() - begun) * 1000)
        found[part.name].append(taken.records)
    await source.close()
    return found


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as directory:
        lay(Path(directory))
        os.chdir(directory)
        async with shotgrid_server.served(shotgrid_server.golden()) as url:
            config = load(STUDIO.format(url=url), {}, KINDS, Path.read_text)
            for entry in config.sources:
                rounds = [await timed(made(entry, config.limits)) for _ in range(options.rounds)]
                for part in rounds[0]:
                    first, second = (statistics.median(each[part][i] for each in rounds) for i in (0, 1))
                    records = int(rounds[0][part][2])
                    print(
                        f"{entry.name:12} {part:10} first {first:7.2f} ms  again {second:7.2f} ms  {records:5} records"
                    )
        os.chdir(GOLDEN)


if __name__ == "__main__":
    asyncio.run(main())
