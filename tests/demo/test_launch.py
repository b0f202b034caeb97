"""What the command `demo` needs of the demo."""

import argparse
import json
import sys
from pathlib import Path

import pytest
import yaml

from exporter.core.errors import StudioError
from exporter.demo import launch
from exporter.demo.launch import MARK, MARK_TEXT, lasting, place, simulator, welcome, write_config
from exporter.demo.trafalgar import JOBS_KEPT, RUNS_KEPT


def test_the_configuration_reads_what_the_studio_writes(tmp_path: Path) -> None:
    home = tmp_path / 'a "quoted": # name'
    home.mkdir()
    (home / "shotgrid.url").write_text("http://127.0.0.1:1")
    path = write_config(home)
    assert path == home / "config.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["refresh"] == {"interval": "2s", "timeout": "2s", "max_stale": "30s"}
    assert document["sources"] == [
        {
            "name": "vfx",
            "kind": "trafalgar",
            "api": {"token": "demo"},
            "ingest_registry": str(home / "ingest_runs.json"),
            "render_jobs": str(home / "render_jobs.json"),
            "shotgrid": {
                "url": "http://127.0.0.1:1",
                "script": "studio-exporter",
                "key": "demo-key",
                "interval": "2s",
                "timeout": "10s",
            },
            "project_registry": str(home / "dashboard-projects.json"),
            "reconcile": str(home / "reconcile.json"),
        },
        {"name": "decoys", "kind": "decnet", "api": {"token": "demo"}, "database": f"sqlite:///{home}/decnet.db"},
        {"name": "publishing", "kind": "stakazo", "api": {"token": "demo"}, "database": f"sqlite:///{home}/stakazo.db"},
        {
            "name": "music",
            "kind": "music_agents",
            "api": {"token": "demo"},
            "orchestrator": str(home / "orchestrator"),
            "database": str(home / "dashboard.db"),
            "host": True,
        },
    ]


def test_a_relative_directory_is_written_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shotgrid.url").write_text("http://127.0.0.1:1")
    assert write_config(Path()) == tmp_path / "config.yaml"
    assert str(tmp_path / "decnet.db") in (tmp_path / "config.yaml").read_text()


def test_without_a_studio_there_is_nothing_to_configure(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_config(tmp_path)
    assert not (tmp_path / "config.yaml").exists()


def test_a_temporary_place_goes() -> None:
    with place(None) as directory:
        (directory / "file").write_text("anything")
    assert not directory.exists()


def test_a_kept_place_stays_and_is_the_demos_again(tmp_path: Path) -> None:
    kept = tmp_path / "new" / "studio"
    ours = {"config.yaml", "decnet.db", "decnet.db-wal", "stakazo.db-journal", "dashboard.db", "ingest_runs.json"}
    ours |= {"render_jobs.json.bak", "reconcile.json", "shotgrid.url", "dashboard-projects.sync.json"}
    with place(kept) as directory:
        assert directory == kept
        for name in ours:
            (kept / name).write_text("left")
        (kept / "orchestrator" / "logs").mkdir(parents=True)
        (kept / "notes of mine.txt").write_text("precious")
    assert {path.name for path in kept.iterdir()} == {*ours, "orchestrator", "notes of mine.txt", MARK}
    with place(kept):
        assert {path.name for path in kept.iterdir()} == {"notes of mine.txt", MARK}
    assert (kept / "notes of mine.txt").read_text() == "precious"
    assert (kept / MARK).read_text() == MARK_TEXT


def test_a_link_is_taken_away_and_not_followed(tmp_path: Path) -> None:
    elsewhere, kept = tmp_path / "elsewhere", tmp_path / "kept"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    with place(kept):
        (kept / "orchestrator").symlink_to(elsewhere)
    with place(kept):
        assert not (kept / "orchestrator").is_symlink()
    assert (elsewhere / "file").exists()


def test_a_place_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "decnet.db").write_text("precious")
    with pytest.raises(StudioError, match=r"expected an empty directory or that of an earlier demo, found decnet\.db"):
        place(tmp_path).__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["decnet.db"]
    with pytest.raises(StudioError, match="the demo cannot live there: File exists"):
        place(tmp_path / "decnet.db").__enter__()


def test_one_demo_at_a_time_lives_in_a_place(tmp_path: Path) -> None:
    with place(tmp_path):
        (tmp_path / "decnet.db").touch()
        with pytest.raises(StudioError, match="another demo lives there"):
            place(tmp_path).__enter__()
        assert (tmp_path / "decnet.db").exists()
    with place(tmp_path):
        assert not (tmp_path / "decnet.db").exists()


def test_durations() -> None:
    assert lasting("90s") == 90
    assert lasting("10m") == 600
    for text, said in (("10", "the unit is missing"), ("soon", "expected a duration"), ("0s", "above 0, found '0s'")):
        with pytest.raises(argparse.ArgumentTypeError, match=said):
            lasting(text)


def test_the_snippet_is_a_scrape_configuration(tmp_path: Path) -> None:
    said = welcome(tmp_path, "http://[::1]:10210", "the end")
    assert f"lives in {tmp_path} until the end." in said
    assert str(tmp_path / "config.yaml") in said
    (job,) = yaml.safe_load(said[said.index("scrape_configs:") :])["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["[::1]:10210"]}]


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
