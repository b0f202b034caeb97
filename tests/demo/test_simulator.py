"""The simulator's command: as a function under a clock that is told the time, and as a process."""

import argparse
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from exporter.demo.simulator import BREATH, LONGEST_WAIT, simulate, speed
from exporter.demo.studio import Studio
from exporter.demo.trafalgar import INGEST_REGISTRY, JOBS_KEPT, RENDER_JOBS, RUNS_KEPT
from exporter.demo.world import PACE, Agenda, Clock

BEGAN = 1_800_000_000.0
ROOT = Path(__file__).parents[2]
DEADLINE = 60


class Wall:
    """A clock that a waiter moves; at each wait somebody looks around, and after `rounds` of them it is over."""

    def __init__(self, rounds: int, look: Callable[[], None] = lambda: None) -> None:
        self.now, self.waits, self._rounds, self._look = BEGAN, list[float](), rounds, look

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        self.waits.append(seconds)
        self._look()
        return len(self.waits) >= self._rounds


def run(directory: Path, wall: Wall, factor: float = 1.0) -> list[str]:
    said: list[str] = []
    agenda = Agenda(Clock(BEGAN, PACE * factor))
    simulate(Studio(agenda, 1, directory, wall.wait), lambda: wall.now, lambda: said.append("ready"))
    return said


def test_a_reader_that_tolerates_torn_json_can_read_at_every_moment(tmp_path: Path) -> None:
    torn, changed, counts = 0, set[tuple[str, str]](), list[int]()
    published, noted = set[int](), set[int]()

    def number(database: str, table: str) -> int:
        with closing(sqlite3.connect((tmp_path / database).as_uri() + "?mode=ro", uri=True)) as reader:
            return int(reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def look() -> None:
        nonlocal torn
        try:
            runs = json.loads((tmp_path / INGEST_REGISTRY).read_text())
        except json.JSONDecodeError:
            torn += 1
        else:
            assert len(runs) == RUNS_KEPT
            changed.add(("run", runs[-1]["id"]))
        jobs = json.loads((tmp_path / RENDER_JOBS).read_text())
        assert len(jobs) == JOBS_KEPT
        changed.add(("job", jobs[-1]["job_id"]))
        counts.append(number("decnet.db", "orchestrator_events"))
        published.add(number("stakazo.db", "publish_logs"))
        noted.add(number("dashboard.db", "events"))
        outcome = json.loads((tmp_path / "orchestrator" / "holistic_training_result.json").read_text())
        assert outcome["status"] in {"success", "failed"}

    wall = Wall(200, look)
    assert run(tmp_path, wall, factor=4.0) == ["ready"]
    assert torn > 0
    assert sum(kind == "run" for kind, _ in changed) > 3
    assert sum(kind == "job" for kind, _ in changed) > 5
    assert len(published) > 10
    assert len(noted) > 10
    assert counts == sorted(counts)
    assert counts[-1] > counts[0] > 8000
    assert wall.now - BEGAN < 200


@pytest.mark.parametrize("factor", [0.01, 1.0, 1000.0])
def test_it_writes_no_more_often_than_it_may_and_looks_up_every_second(tmp_path: Path, factor: float) -> None:
    wall = Wall(30)
    run(tmp_path, wall, factor)
    assert all(BREATH <= seconds <= LONGEST_WAIT for seconds in wall.waits)


def test_all_data_stand_when_it_says_ready(tmp_path: Path) -> None:
    seen: list[set[str]] = []
    wall = Wall(1)
    agenda = Agenda(Clock(BEGAN))
    simulate(
        Studio(agenda, 1, tmp_path, wall.wait),
        lambda: wall.now,
        lambda: seen.append({path.name for path in tmp_path.iterdir()}),
    )
    stays = {INGEST_REGISTRY, RENDER_JOBS, "decnet.db", "stakazo.db", "dashboard.db", "orchestrator"}
    stays |= {"reconcile.json", "dashboard-projects.json", "shotgrid.url"}
    assert seen == [stays | {"decnet.db-wal", "decnet.db-shm"}]
    assert {path.name for path in tmp_path.iterdir()} == stays


def test_a_directory_that_vanishes_ends_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises((FileNotFoundError, sqlite3.OperationalError)):
        run(home, Wall(100, lambda: shutil.rmtree(home, ignore_errors=True)))


def test_speeds() -> None:
    assert speed("1") == 1.0
    assert speed("0.25") == 0.25
    assert speed("1000") == 1000.0
    for text in ("0", "-1", "1001", "nan", "inf", "fast", ""):
        with pytest.raises(argparse.ArgumentTypeError, match=r"above 0 and at most 1000, found"):
            speed(text)


def command(home: Path, factor: float = 1.0) -> list[str]:
    return [sys.executable, "-m", "exporter.demo.simulator", "--dir", str(home), "--speed", str(factor)]


def nowhere(home: Path) -> list[str]:
    return command(home)


def occupied(home: Path) -> list[str]:
    home.mkdir()
    (home / "decnet.db").write_text("no database here " * 100)
    return command(home)


def no_space(home: Path) -> list[str]:
    home.mkdir()
    return ["/bin/sh", "-c", 'ulimit -f 1000; exec "$0" "$@"', *command(home)]


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (nowhere, "No such file or directory"),
        (occupied, "file is not a database"),
        (no_space, "File too large|disk I/O error|disk is full"),
    ],
)
def test_one_clear_line_when_it_cannot_write(tmp_path: Path, prepare: Callable[[Path], list[str]], words: str) -> None:
    home = tmp_path / "home"
    ended = subprocess.run(
        prepare(home), stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT, timeout=DEADLINE, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert re.fullmatch(
        rf"demo: the simulated studio stopped, as it cannot write in {re.escape(str(home))}: .*({words}).*", line
    )


@contextmanager
def started(home: Path, factor: float = 1.0) -> Iterator["subprocess.Popen[bytes]"]:
    """The command as a process with pipes, ready; killed if a test leaves it behind."""
    child = subprocess.Popen(
        command(home, factor),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    with child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            yield child
        finally:
            child.kill()


def test_it_ends_when_its_standard_input_does(tmp_path: Path) -> None:
    with started(tmp_path) as child:
        out, err = child.communicate(b"what is read is ignored\n", timeout=DEADLINE)
        assert (child.returncode, out, err) == (0, b"", b"")
    assert json.loads((tmp_path / INGEST_REGISTRY).read_text())


def test_it_ends_quietly_on_ctrl_c(tmp_path: Path) -> None:
    with started(tmp_path) as child:
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=DEADLINE) == 130
        assert child.stderr is not None
        assert child.stderr.read() == b""


def test_it_says_in_one_line_that_its_directory_went(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with started(home, factor=100) as child:
        shutil.rmtree(home)
        assert child.wait(timeout=DEADLINE) == 1
        assert child.stderr is not None
        (line,) = child.stderr.read().decode().splitlines()
        assert f"cannot write in {home}" in line


PARENT = """
import asyncio, sys
from pathlib import Path
from exporter.demo.launch import simulator

async def main():
    async with simulator(Path(sys.argv[1])) as child:
        print(child.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_no_orphan_stays_behind_when_its_parent_is_killed(tmp_path: Path) -> None:
    witness, held = os.pipe()
    try:
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, stderr=held, cwd=ROOT
        )
        os.close(held)
        with parent:
            assert parent.stdout is not None
            assert int(parent.stdout.readline()) > 0
            parent.kill()
        # The simulator inherited the other end: this pipe ends when the last process that holds it does.
        assert os.read(witness, 1000) == b""
    finally:
        os.close(witness)
