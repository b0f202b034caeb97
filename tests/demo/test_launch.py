"""What the command `demo` needs of the demo."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from exporter.core.errors import StudioError
from exporter.demo import launch
from exporter.demo.launch import simulator, write_config
from exporter.demo.trafalgar import JOBS_KEPT, RUNS_KEPT


def test_the_configuration_reads_what_the_studio_writes(tmp_path: Path) -> None:
    home = tmp_path / 'a "quoted": # name'
    home.mkdir()
    path = write_config(home)
    assert path == home / "config.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["refresh"] == {"interval": "2s", "timeout": "2s", "max_stale": "30s"}
    assert document["sources"] == [
        {
            "name": "vfx",
            "kind": "trafalgar",
            "ingest_registry": str(home / "ingest_runs.json"),
            "render_jobs": str(home / "render_jobs.json"),
        },
        {"name": "decoys", "kind": "decnet", "database": f"sqlite:///{home}/decnet.db"},
        {"name": "publishing", "kind": "stakazo", "database": f"sqlite:///{home}/stakazo.db"},
        {
            "name": "music",
            "kind": "music_agents",
            "orchestrator": str(home / "orchestrator"),
            "database": str(home / "dashboard.db"),
            "host": True,
        },
    ]


def test_a_relative_directory_is_written_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_config(Path()) == tmp_path / "config.yaml"
    assert str(tmp_path / "decnet.db") in (tmp_path / "config.yaml").read_text()


async def test_the_studio_lives_as_long_as_its_context(tmp_path: Path) -> None:
    async with simulator(tmp_path, seed=5, speed=100) as child:
        before = child.returncode
        assert len(json.loads((tmp_path / "render_jobs.json").read_text())) == JOBS_KEPT
        assert (tmp_path / "decnet.db").exists()
    assert (before, child.returncode) == (None, 0)
    assert len(json.loads((tmp_path / "ingest_runs.json").read_text())) == RUNS_KEPT


async def test_no_file_of_the_users_is_taken_for_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "heapq.py").write_text("raise SystemExit('not mine')")
    monkeypatch.chdir(tmp_path)
    async with simulator(Path()) as child:
        assert (tmp_path / "decnet.db").exists()
    assert child.returncode == 0


async def test_a_studio_that_cannot_begin_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StudioError, match="ended before it was ready"):
        async with simulator(tmp_path / "nowhere"):
            pytest.fail("it has nowhere to live")
    assert "cannot write in" in capfd.readouterr().err


async def test_a_studio_that_is_never_ready_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "READY_SECONDS", 0.0)
    with pytest.raises(StudioError, match="not ready within 0 s"):
        async with simulator(tmp_path):
            pytest.fail("it is not ready yet")


async def test_one_that_does_not_hear_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = "import threading; print('ready', flush=True); threading.Event().wait()"
    monkeypatch.setattr(launch, "_command", lambda *_: (sys.executable, "-c", deaf))
    monkeypatch.setattr(launch, "END_SECONDS", 0.0)
    async with simulator(tmp_path) as child:
        before = child.returncode
    assert (before, child.returncode) == (None, -9)


async def test_one_that_ended_by_itself_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_command", lambda *_: (sys.executable, "-c", "print('ready'); raise SystemExit(3)"))
    async with simulator(tmp_path) as child:
        assert await child.wait() == 3
