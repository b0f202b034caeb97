"""The projects known: merged from three places, and the life of `dashboard-projects.json`."""

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from exporter.core.secret import Secret
from exporter.inputs.worker import Worker
from exporter.sources.trafalgar import Config, projects
from exporter.sources.trafalgar.projects import Known, Registry, Sync
from exporter.sources.trafalgar.shotgrid import Config as SiteConfig
from tests.shotgrid_server import KEY, SCRIPT, Site, golden, project, served, status
from tests.sources.trafalgar.files import GOLDEN, NOW, answer, given, opened, read, samples, written

FOUND = frozenset({"alpha", "beta"})
NONE = frozenset[str]()


def synced(registry: Registry, found: frozenset[str] = FOUND, at: float = NOW) -> frozenset[str]:
    return registry.sync(NONE, Sync(found, at), NONE)


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def listed(path: Path) -> Any:
    return json.loads(path.read_text())


def config(address: str, registry: Path | None = None, *names: str) -> Config:
    return Config(shotgrid=SiteConfig(address, SCRIPT, Secret(KEY)), projects=names, project_registry=registry)


# the part


async def test_the_golden_projects_are_those_configured_on_record_and_found(tmp_path: Path) -> None:
    path = written(tmp_path / "dashboard-projects.json", given("dashboard-projects.json").read_text())
    async with served(golden()) as address, opened(config(address, path, "atlas_rising", "signal_noir")) as source:
        site, names = source.parts
        assert samples(names, (await names.read(NOW)).value) == {"studio_projects": {(): 5}}
        await site.read(NOW)
        assert samples(names, (await names.read(NOW)).value) == {"studio_projects": {(): 6}}
    after = json.loads((GOLDEN / "responses" / "normal_dashboard_projects_after.json").read_text())
    assert path.read_text() == after["raw"]


async def test_names_count_while_the_site_is_away_and_the_file_stays_as_it_is(tmp_path: Path) -> None:
    text = '["deep_harbor", "legacy_show"]\n'
    path = written(tmp_path / "dashboard-projects.json", text)
    site = golden()
    site.fault(lambda asked: True, status(500))
    async with served(site) as address, opened(config(address, path, "atlas_rising")) as source:
        away, names = source.parts
        with pytest.raises(Exception, match="status 500"):
            await away.read(NOW)
        assert (await names.read(NOW)).value.names == ("atlas_rising", "deep_harbor", "legacy_show")
    assert (path.read_text(), there(tmp_path)) == (text, [path.name])


async def test_without_a_site_there_are_the_names_configured_and_on_record(tmp_path: Path) -> None:
    path = written(tmp_path / "p.json", ["b"])
    found = await read(Config(projects=("a", "b"), project_registry=path))
    assert (found.value.names, found.origin) == (("a", "b"), f"the configuration and {path}")
    assert (await read(Config(projects=("a",)))).origin == "the configuration"
    assert listed(path) == ["b"]


async def test_the_value_is_the_same_object_until_a_name_comes_or_goes(tmp_path: Path) -> None:
    path = written(tmp_path / "p.json", ["b"])
    async with opened(Config(project_registry=path)) as source:
        (part,) = source.parts
        first = (await part.read(NOW)).value
        written(path, ["b", "b", ""])
        assert (await part.read(NOW)).value is first
        written(path, ["b", "c"])
        assert (await part.read(NOW)).value.names == ("b", "c")


async def test_configured_projects_are_named_before_others() -> None:
    async with opened(Config(projects=("z", "a"))) as source:
        assert source.names == {"project": ("z", "a")}


async def test_a_number_for_a_registry_is_a_warning_and_no_crash(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert answer("project_registry_is_a_number.json")["status"] == 500
    path = written(tmp_path / "p.json", "5")
    async with served(golden()) as address, opened(config(address, path)) as source:
        site, names = source.parts
        assert (await names.read(NOW)).value.names == ()
        await site.read(NOW)
        assert len((await names.read(NOW)).value.names) == 5
    assert caplog.messages == [f"{path}: expected a JSON list of names, found int"]
    assert len(listed(path)) == 5


async def test_a_site_that_lost_a_project_takes_it_off_the_record(tmp_path: Path) -> None:
    path = written(tmp_path / "p.json", ["by hand"])
    site = Site(projects=[project(1, "alpha"), project(2, "beta")])
    async with served(site) as address, opened(config(address, path)) as source:
        part, names = source.parts
        await part.read(NOW)
        assert listed(path) == ["alpha", "beta", "by hand"]
        site.projects.pop()
        await part.read(NOW + 60)
        assert (await names.read(NOW + 60)).value.names == ("alpha", "by hand")
    assert listed(path) == ["alpha", "by hand"]


# the file


def test_it_is_a_sorted_list_indented_by_two_without_a_last_line_break(tmp_path: Path) -> None:
    path = tmp_path / "dashboard-projects.json"
    synced(Registry(path), frozenset({"b", "a", "ü"}))
    assert path.read_text() == '[\n  "a",\n  "b",\n  "ü"\n]'


def test_beside_it_stands_when_it_was_last_true_and_what_the_site_had(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "dashboard-projects.json")
    synced(registry)
    stamp = tmp_path / "dashboard-projects.sync.json"
    assert listed(stamp) == {"synced_at": "2026-05-11T09:00:00Z", "found": ["alpha", "beta"]}
    synced(registry, at=NOW + 60)
    assert listed(stamp)["synced_at"] == "2026-05-11T09:01:00Z"
    assert there(tmp_path) == ["dashboard-projects.json", "dashboard-projects.sync.json"]


def test_it_is_written_only_when_its_names_change(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    registry = Registry(path)
    synced(registry)
    before = path.stat()
    synced(registry, at=NOW + 60)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    synced(registry, FOUND | {"gamma"}, NOW + 120)
    assert path.stat().st_ino != before.st_ino
    written(path, '["beta","alpha","gamma"]')
    before = path.stat()
    synced(registry, FOUND | {"gamma"}, NOW + 180)
    assert path.stat().st_ino == before.st_ino


def test_a_name_the_site_had_and_has_no_more_goes_also_after_a_restart(tmp_path: Path) -> None:
    path = written(tmp_path / "p.json", ["beta", "legacy"])
    synced(Registry(path))
    assert listed(path) == ["alpha", "beta", "legacy"]
    assert synced(Registry(path), frozenset({"alpha"}), NOW + 60) == {"alpha", "legacy"}
    assert listed(path) == ["alpha", "legacy"]


def test_a_name_that_is_configured_stays(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    registry = Registry(path)
    synced(registry)
    registry.sync(NONE, Sync(frozenset({"alpha"}), NOW), frozenset({"beta"}))
    assert listed(path) == ["alpha", "beta"]


@pytest.mark.parametrize("stamp", ["", "5", "[]", '{"found": 5}', "{}", '{"found": null}'])
def test_without_a_stamp_that_can_be_read_nothing_goes(tmp_path: Path, stamp: str) -> None:
    path = written(tmp_path / "p.json", ["gone"])
    written(tmp_path / "p.sync.json", stamp)
    synced(Registry(path))
    assert listed(path) == ["alpha", "beta", "gone"]
    assert listed(tmp_path / "p.sync.json")["found"] == ["alpha", "beta"]


def test_it_keeps_its_mode(tmp_path: Path) -> None:
    path = written(tmp_path / "p.json", [])
    path.chmod(0o660)
    synced(Registry(path))
    assert path.stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ('["a", 5, 1.5, true, "", null, [], {}]', {"a", "5", "1.5", "True"}),
        ('{"a": 1, "b": null}', {"a", "b"}),
        ("[]", set()),
        ("{}", set()),
    ],
)
def test_what_names_may_be(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str, names: set[str]) -> None:
    assert Registry(written(tmp_path / "p.json", content)).names(NOW) == names
    assert caplog.messages == []


def test_where_there_is_no_file_there_are_no_names_and_no_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert Registry(tmp_path / "p.json").names(NOW) == NONE
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("5", "expected a JSON list of names, found int"),
        ("null", "expected a JSON list of names, found nothing"),
        ('"abc"', "expected a JSON list of names, found str"),
        ("", "expected a JSON list of names, found text that is not JSON"),
        ('["a', "expected a JSON list of names, found text that is not JSON"),
        ("[" * 100_000, "expected a JSON list of names, found text that is not JSON"),
    ],
)
def test_what_holds_something_else_is_one_warning_until_it_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str, said: str
) -> None:
    path = written(tmp_path / "p.json", content)
    registry = Registry(path)
    assert registry.names(NOW) == registry.names(NOW) == NONE
    assert caplog.messages == [f"{path}: {said}"]
    assert caplog.records[0].levelno == logging.WARNING
    synced(registry)
    assert listed(path) == ["alpha", "beta"]
    registry.names(NOW)
    written(path, content)
    registry.names(NOW)
    assert len(caplog.messages) == 2


def test_what_is_not_utf_8_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(b'["\xff"]')
    assert Registry(path).names(NOW) == NONE
    assert len(caplog.messages) == 1


def test_what_cannot_be_read_is_not_written_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "p.json"
    path.mkdir()
    registry = Registry(path)
    assert registry.names(NOW) == NONE
    assert registry.sync(frozenset({"known"}), Sync(FOUND, NOW), NONE) == FOUND | {"known"}
    assert there(tmp_path) == ["p.json"]
    assert caplog.messages == [f"{path}: expected a file, found a directory"]


def test_what_cannot_be_written_is_one_warning_and_the_names_are_true(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "none" / "p.json"
    registry = Registry(path)
    assert synced(registry) == synced(registry, at=NOW + 60) == FOUND
    assert caplog.messages == [f"{path}: cannot be written: No such file or directory"]
    path.parent.mkdir()
    synced(registry, at=NOW + 120)
    assert listed(path) == ["alpha", "beta"]
    path.unlink()
    (path.parent / "p.sync.json").unlink()
    path.parent.rmdir()
    synced(registry, at=NOW + 180)
    assert len(caplog.messages) == 2


async def test_a_file_that_takes_too_long_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(projects, "PATIENCE", 0.05)
    path, gate = written(tmp_path / "p.json", ["a"]), threading.Event()

    class Slow(Registry):
        def names(self, now: float) -> frozenset[str]:
            found = super().names(now)
            if now > NOW:
                gate.wait(10)
            return found

    worker = Worker("vfx/projects")
    known = Known(("c",), Slow(path), worker)
    assert await known.names(NOW) == {"a", "c"}
    assert await known.names(NOW + 15) == {"a", "c"}
    assert await known.names(NOW + 30) == {"a", "c"}
    assert await known.synced(FOUND, NOW + 30) == {"a", "c", "alpha", "beta"}
    assert caplog.messages == ["vfx/projects: takes longer than 0.05 s; what it said last stands"]
    gate.set()
    worker.close()
