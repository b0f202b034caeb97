"""A Trafalgar source: its parts, its configuration, and what a read gives when nothing changed."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from exporter.core.errors import Missing, TooLarge
from exporter.core.secret import Secret
from exporter.core.source import Limits
from exporter.domains import ingest, render
from exporter.sources.trafalgar import KIND, Config
from exporter.sources.trafalgar.shotgrid import Config as SiteConfig
from tests.sources.trafalgar.files import NOW, SCHEDULE, given, opened, samples, written

REGISTRY = given("ingest_runs.normal.json")
JOBS = given("render_jobs.normal.json")


async def test_there_is_a_part_for_each_file_that_is_configured() -> None:
    for config, parts in (
        (Config(REGISTRY, JOBS), ["ingest", "render"]),
        (Config(ingest_registry=REGISTRY), ["ingest"]),
        (Config(render_jobs=JOBS), ["render"]),
        (Config(), []),
    ):
        async with opened(config) as source:
            assert (source.name, source.kind) == ("vfx", "trafalgar")
            assert [part.name for part in source.parts] == parts
            assert all(part.schedule is SCHEDULE for part in source.parts)


def test_a_source_without_anything_to_read_is_a_problem() -> None:
    keys = "ingest_registry, render_jobs, shotgrid, projects, project_registry, reconcile"
    assert list(Config().partial_problems()) == [f"nothing to read: expected one or more of {keys}"]
    site = SiteConfig("https://studio.example", "s", Secret("k"))
    for one in (
        Config(REGISTRY),
        Config(render_jobs=JOBS),
        Config(shotgrid=site),
        Config(projects=("a",)),
        Config(project_registry=Path("p.json")),
        Config(reconcile=Path("r.json")),
    ):
        assert list(one.partial_problems()) == []


def test_the_systems_own_variables_apply() -> None:
    def variables(cls: Any) -> dict[str, str]:
        return {item.name: item.metadata["env"] for item in dataclasses.fields(cls) if "env" in item.metadata}

    assert variables(Config) == {
        "ingest_registry": "ONEPIECE_INGEST_REGISTRY",
        "render_jobs": "TRAFALGAR_RENDER_JOBS_PATH",
        "projects": "ONEPIECE_DASHBOARD_PROJECTS",
        "project_registry": "ONEPIECE_DASHBOARD_PROJECT_REGISTRY",
    }
    assert variables(SiteConfig) == {
        "url": "ONEPIECE_SHOTGRID_URL",
        "script": "ONEPIECE_SHOTGRID_SCRIPT",
        "key": "ONEPIECE_SHOTGRID_KEY",
    }
    assert KIND.config is Config


async def test_the_families_of_its_domains_are_read_out_of_its_values() -> None:
    async with opened(Config(REGISTRY, JOBS)) as source:
        declared = [[family.name for family in ingest.FAMILIES], [family.name for family in render.FAMILIES]]
        for part, names in zip(source.parts, declared, strict=True):
            found = samples(part, (await part.read(NOW)).value)
            assert list(found) == names
            assert all(found.values())


async def test_the_value_is_the_same_object_until_what_it_says_changes(tmp_path: Path) -> None:
    path = written(tmp_path / "runs.json", [{"id": "a"}])
    async with opened(Config(ingest_registry=path)) as source:
        (part,) = source.parts
        first = await part.read(NOW)
        assert (await part.read(NOW + 15)).value is first.value
        written(path, [{"id": "a", "status": "failed"}])  # read anew, and nothing of it is another fact or shown
        again = await part.read(NOW + 30)
        assert again.value is first.value
        assert again.origin != first.origin
        written(path, [{"id": "another"}, {"id": "one"}])
        assert (await part.read(NOW + 45)).value != first.value


async def test_one_file_missing_is_the_trouble_of_its_part_alone(tmp_path: Path) -> None:
    async with opened(Config(tmp_path / "none.json", JOBS)) as source:
        ingested, rendered = source.parts
        with pytest.raises(Missing):
            await ingested.read(NOW)
        assert (await rendered.read(NOW)).records == 160


async def test_the_limit_of_documents_applies(tmp_path: Path) -> None:
    path = written(tmp_path / "runs.json", [])
    async with opened(Config(ingest_registry=path), Limits(document_size=1)) as source:
        with pytest.raises(TooLarge):
            await source.parts[0].read(NOW)


async def test_the_store_is_read_through_the_rotation_its_writer_does(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    path.write_bytes(JOBS.read_bytes())
    async with opened(Config(render_jobs=path)) as source:
        (part,) = source.parts
        before = await part.read(NOW)
        path.rename(tmp_path / "jobs.json.bak")
        with pytest.raises(Missing):
            await part.read(NOW + 15)
        written(tmp_path / "jobs.json.tmp", []).rename(path)
        (tmp_path / "jobs.json.bak").unlink()
        after = await part.read(NOW + 30)
        assert (before.records, after.records) == (160, 0)
