"""From the start of the command to the first complete page, and what the process weighs then.

Run by hand: `python benchmarks/bench_start.py`. Goals: under 2 s, at most 80 MB with SQLite.
"""

import argparse
import gzip
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import psutil

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden"
URL = "http://127.0.0.1:10219"

CONFIG = """\
sources:
  - name: vfx
    kind: trafalgar
    ingest_registry: {golden}/trafalgar/inputs/ingest_runs.normal.json
    render_jobs: {golden}/trafalgar/inputs/render_jobs.normal.json
  - {{name: decoys, kind: decnet, database: "sqlite:///{home}/decnet.sqlite"}}
"""


def answered(path: str) -> bytes | None:
    """The body of a good answer, or None while there is none."""
    try:
        with urllib.request.urlopen(URL + path, timeout=5) as response:  # noqa: S310  # our own address
            body: bytes = response.read()
            return body
    except (URLError, ConnectionError):
        return None


def start(home: Path) -> tuple[float, float, float, int]:
    """Seconds to the first complete page, resident megabytes then and ten scrapes later, and the page's bytes."""
    command = (sys.executable, "-m", "exporter", f"--config.file={home}/config.yaml", "--log.level=error")
    begun = time.perf_counter()
    process = subprocess.Popen([*command, f"--web.listen-address={URL.removeprefix('http://')}"], cwd=ROOT)
    try:
        while answered("/-/ready") is None:
            time.sleep(0.005)
        page = answered("/metrics")
        seconds = time.perf_counter() - begun
        assert page
        weight = psutil.Process(process.pid).memory_info().rss / 1e6
        for _ in range(10):
            answered("/metrics")
        return seconds, weight, psutil.Process(process.pid).memory_info().rss / 1e6, len(page)
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        packed = (GOLDEN / "decnet" / "inputs" / "decnet.sqlite.gz").read_bytes()
        (home / "decnet.sqlite").write_bytes(gzip.decompress(packed))
        (home / "config.yaml").write_text(CONFIG.format(golden=GOLDEN, home=home))
        found = [start(home) for _ in range(options.rounds)]
    seconds, weights, later, sizes = zip(*found, strict=True)
    print(f"first complete page: {statistics.median(seconds):.2f} s (goal 2 s), slowest {max(seconds):.2f} s")
    print(f"resident memory then: {max(weights):.0f} MB, after ten scrapes {max(later):.0f} MB (goal 80 MB)")
    print(f"page: {sizes[-1]} bytes, {options.rounds} rounds")


if __name__ == "__main__":
    main()
