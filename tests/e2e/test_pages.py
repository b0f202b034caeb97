"""Pages of golden inputs, whole: text that people review. STUDIO_UPDATE_GOLDEN=1 writes them anew."""

import gzip
import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from exporter.app import made
from exporter.catalogue import FAMILIES
from exporter.config import load
from exporter.core.source import Source
from exporter.runtime.board import Board
from exporter.runtime.exposition import Format
from exporter.runtime.lint import lint
from exporter.runtime.refresh import attempt
from exporter.sources import KINDS
from tests import shotgrid_server
from tests.fakes import Time
from tests.prometheus import promtool
from tests.sources.music_agents import golden as music
from tests.sources.stakazo import databases as stakazo

GOLDEN = Path(__file__).parent.parent / "golden"
NOW = {
    "trafalgar": datetime.fromisoformat("2026-05-11T09:00:00+00:00").timestamp(),
    "stakazo": datetime.fromisoformat("2025-11-22T12:00:00+00:00").timestamp(),
    "music_agents": datetime.fromisoformat("2026-11-21T03:00:31+00:00").timestamp(),
    "decnet": datetime.fromisoformat("2026-06-15T12:00:00.500000+00:00").timestamp(),
}
"""When each system's answers were recorded."""

DECNET = "{name: decoys, kind: decnet, database: 'sqlite:///decnet.sqlite'}"
STUDIO = """[
  {name: vfx, kind: trafalgar, ingest_registry: ingest_runs.normal.json, render_jobs: render_jobs.normal.json,
   shotgrid: {url: "%s", script: golden, key: secret}, projects: [atlas_rising, signal_noir],
   project_registry: dashboard-projects.json, reconcile: reconcile.json},
  {name: annex, kind: trafalgar, ingest_registry: ingest_runs.failure_streak.json,
   render_jobs: render_jobs.some_invalid.json},
  {name: publishing, kind: stakazo, database: "sqlite:///stakazo.sqlite"},
  {name: music, kind: music_agents, orchestrator: orchestrator, database: dashboard.db, host: false},
  {name: decoys, kind: decnet, database: "sqlite:///decnet.sqlite"},
]"""
INGESTS = "kind: trafalgar, ingest_registry: ingest_runs.%s.json"
RENDERS = "kind: trafalgar, render_jobs: render_jobs.%s.json"
INGEST = (
    "all_failed",
    "edge_entries",
    "empty_list",
    "failure_streak",
    "malformed",
    "naive_timestamps",
    "normal",
    "not_utf8",
    "null_started_at_mixed",
    "running_then_failed",
    "scalar",
)
RENDER = ("normal", "some_invalid")
PAGES: Mapping[str, str] = {
    **{f"trafalgar-ingest-{name}": f"{{name: vfx, {INGESTS % name}}}" for name in INGEST},
    **{f"trafalgar-render-{name}": f"{{name: vfx, {RENDERS % name}}}" for name in RENDER},
    "trafalgar-render-not_a_list": "{name: vfx, kind: trafalgar, render_jobs: ingest_runs.scalar.json}",
    "decnet": DECNET,
}


async def board(sources: str) -> Board:
    """Every part of every source read once, each system at its moment, which stands still."""
    config, at = load(f"sources: {sources}", {}, KINDS, Path.read_text), Board(FAMILIES)
    made_of: list[Source] = [made(source, config.limits) for source in config.sources]
    for source in made_of:
        clock = Time(NOW[source.kind]).clock
        at.add(source, config.limits, clock.now())
        for part in source.parts:
            at.post(source.name, part.name, await attempt(source, part, at, clock))
        await source.close()
    return at


def compared(at: Board, form: Format, name: str) -> None:
    """Holds a page against the reviewed one."""
    body = at.page(form).body.decode()
    assert lint(body, form is Format.OPENMETRICS) == []
    golden = GOLDEN / "pages" / f"{name}.{'prom' if form is Format.TEXT else 'openmetrics'}"
    if os.environ.get("STUDIO_UPDATE_GOLDEN"):
        golden.write_text(body)
    assert body == golden.read_text()


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The golden inputs in the working directory, by bare names, so that no page holds a path."""
    shutil.copytree(GOLDEN / "trafalgar" / "inputs", tmp_path, dirs_exist_ok=True)
    packed = (GOLDEN / "decnet" / "inputs" / "decnet.sqlite.gz").read_bytes()
    (tmp_path / "decnet.sqlite").write_bytes(gzip.decompress(packed))
    stakazo.golden("normal", tmp_path)
    music.lay("normal", tmp_path)
    music.database("normal", tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("name", PAGES)
async def test_the_page_of_one_source_is_the_reviewed_one(name: str) -> None:
    compared(await board(f"[{PAGES[name]}]"), Format.TEXT, name)


@pytest.mark.usefixtures("inputs")
async def test_the_page_of_all_systems_is_the_reviewed_one() -> None:
    async with shotgrid_server.served(shotgrid_server.golden()) as url:
        at = await board(STUDIO % url)
    for form in Format:
        compared(at, form, "studio")


@pytest.mark.parametrize("name", [*PAGES, "studio"])
def test_promtool_has_nothing_to_say_of_it(name: str) -> None:
    found = promtool("check", "metrics", stdin=(GOLDEN / "pages" / f"{name}.prom").read_text())
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
