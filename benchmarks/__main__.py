"""All benchmarks, one after the other, each in a process of its own: `python -m benchmarks [--smoke]`.

`--smoke` makes them so small that they only show that they run; their numbers then say nothing.
"""

import argparse
import subprocess
import sys

SMALL = {
    "bench_start": ["--rounds=1"],
    "bench_render": ["--series=1000", "--rounds=1"],
    "bench_scrape": ["--series=1000", "--seconds=0.2"],
    "bench_golden": ["--rounds=1"],
    "bench_registry": ["--runs=1000", "--rounds=1"],
    "bench_ledger": ["--finishes=2000", "--rounds=1"],
    "bench_decnet": ["--rows=5000", "--rounds=1"],
    "bench_stakazo": ["--rows=1000", "--times=1", "sqlite"],
    "bench_finishes": ["--rows=2000", "--times=1", "sqlite"],
    "bench_music_agents": ["--rows=1000", "--days=10", "--rounds=1"],
    "bench_api": ["--runs=1000", "--seconds=1"],
    "bench_streams": ["--listeners=20", "--rounds=5"],
    "bench_shotgrid": ["--delay=0", "--rounds=1"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="only show that they run")
    options = parser.parse_args()
    for name, small in SMALL.items():
        print(f"\n{name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *(small if options.smoke else [])], check=True)


if __name__ == "__main__":
    main()
