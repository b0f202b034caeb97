"""The simulator's command: the studio lives in a directory until its standard input ends.

It is started by `exporter.demo.launch` with a pipe for a standard input, so that it ends with whoever started it,
however that ends. It says `ready` on its standard output once every file and table of the studio stands.
"""

import argparse
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from exporter.demo.decnet import DECNET
from exporter.demo.music_agents import MUSIC_AGENTS
from exporter.demo.stakazo import STAKAZO
from exporter.demo.studio import Studio, System
from exporter.demo.trafalgar import TRAFALGAR
from exporter.demo.world import PACE, Agenda, Clock

SYSTEMS: tuple[System, ...] = (TRAFALGAR, DECNET, STAKAZO, MUSIC_AGENTS)

READY = "ready"
FASTEST = 1000.0
STANDARD_INPUT = 0
BREATH = 0.2
"""Wall seconds between two rounds of writing at least, so that a fast studio costs no more than a lively one."""

LONGEST_WAIT = 1.0


def simulate(studio: Studio, now: Callable[[], float], ready: Callable[[], None]) -> None:
    """The past at once, then the present as time passes, until `studio.wait` says that the demo is over.

    `now` gives epoch seconds; OSError and sqlite3.Error where the directory cannot be written.
    """
    with ExitStack() as lives:
        writers = [lives.enter_context(system.live(studio)) for system in SYSTEMS]
        told = False
        while not told or not studio.wait(min(max(studio.agenda.idle(), BREATH), LONGEST_WAIT)):
            studio.agenda.advance(now())
            for write in writers:
                write()
            if not told:
                ready()
            told = True


def speed(text: str) -> float:
    """A speed as given on a command line; argparse.ArgumentTypeError says what is wrong with it."""
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor <= FASTEST:
        raise argparse.ArgumentTypeError(f"expected a number above 0 and at most {FASTEST:g}, found {text!r}")
    return factor


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; 0 when it was ended, 1 with one line on standard error when it could not go on."""
    chosen = _arguments(arguments)
    ended, interrupted = threading.Event(), interruptions()
    threading.Thread(target=_until_end, args=(STANDARD_INPUT, ended), daemon=True).start()
    agenda = Agenda(Clock(time.time(), PACE * chosen.speed))
    studio = Studio(agenda, chosen.seed, chosen.dir, lambda seconds: ended.wait(seconds) or bool(interrupted))
    try:
        simulate(studio, time.time, lambda: print(READY, flush=True))
    except (OSError, sqlite3.Error) as error:
        print(f"demo: the simulated studio stopped, as it cannot write in {chosen.dir}: {error}", file=sys.stderr)
        return 1
    return 130 if interrupted else 0


def interruptions() -> list[int]:
    """Grows with every Ctrl-C from now on. As an exception, one could get lost in a callback of somebody's library."""
    found: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: found.append(number))
    return found


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="exporter.demo.simulator", description=__doc__, allow_abbrev=False)
    parser.add_argument("--dir", type=Path, required=True, help="an empty directory to live in")
    parser.add_argument("--seed", type=int, default=1, help="the same seed tells the same story")
    parser.add_argument("--speed", type=speed, default=1.0, help="1: a day of the studio passes in 24 minutes")
    return parser.parse_args(arguments)


def _until_end(descriptor: int, ended: threading.Event) -> None:
    # Bare reads: a thread that waits inside sys.stdin's buffer holds a lock the interpreter wants when it exits.
    with suppress(OSError):
        while os.read(descriptor, 4096):
            continue
    ended.set()


if __name__ == "__main__":
    sys.exit(main())
