"""The command `python -m tests.soak`: soaks for as long as it is told, says what it found, and fails if that is bad."""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.soak.report import report
from tests.soak.run import soak
from tests.soak.stage import Plan


def main() -> int:
    """Runs the command; 1 when something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__, allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the laps go on")
    parser.add_argument("--speed", type=float, default=30.0, help="the demo's; at 30 half an hour passes in a second")
    parser.add_argument("--seed", type=int, default=1, help="of the demo's story")
    chosen = parser.parse_args()
    os.environ["STUDIO_REQUIRE_SERVICES"] = "1"  # nothing may be left out
    plan = Plan(chosen.minutes * 60, speed=chosen.speed, seed=chosen.seed)
    with tempfile.TemporaryDirectory(prefix="studio-exporter-soak-") as directory:
        try:
            found = asyncio.run(soak(Path(directory), plan))
        except (AssertionError, pytest.fail.Exception) as error:
            sys.stderr.write(f"the soak was given up: {error}\n")
            return 1
    sys.stdout.write(f"{report(found)}\n")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
