"""The web configuration beside the other: loaded with it, and again when its files change."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from exporter.app import WATCHING, App
from exporter.cli import main
from exporter.config import Config, SourceConfig
from exporter.core.errors import ConfigError, Problem
from exporter.core.part import Schedule
from exporter.core.source import Limits, Source
from exporter.files import WebFile, both
from exporter.web.gate import Gate
from tests.fakes import Time, giving, part, things, until
from tests.web.terms import HASH, TLS, USERS, issued, written

CONFIG = "sources:\n  - {name: vfx, kind: trafalgar, ingest_registry: runs.json}\n"


def entry(name: str) -> SourceConfig:
    return SourceConfig(name, "trafalgar", Schedule(), 1)


def made(config: SourceConfig, limits: Limits) -> Source:
    return Source(config.name, "test", (part(giving(things(a=1))),))


class Studio:
    """An app whose configuration is given, with a web configuration in a file."""

    def __init__(self, directory: Path, text: str = USERS) -> None:
        self.directory, self.time = directory, Time()
        self.config: Config | ConfigError = Config((entry("a"),), Limits())
        self.app = App(self.load, self.time.clock, made)
        self.app.gate = Gate(WebFile(written(directory, text), {}).load)

    def load(self) -> Config:
        if isinstance(self.config, ConfigError):
            raise self.config
        return self.config

    @property
    def users(self) -> list[str]:
        users = self.app.gate.terms.users
        return [*users.hashes] if users else []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[App]:
        task = asyncio.create_task(self.app.run())
        await until(lambda: self.app.board.ready and self.time.sleeping == 3)
        yield self.app
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def look(self, holds: Callable[[], object]) -> None:
        """The next look at the files, after which something holds."""
        await until(lambda: self.time.sleeping == 3)
        self.time.advance(WATCHING)
        await until(lambda: self.time.sleeping == 3)
        assert holds()


def other_users(directory: Path, *names: str) -> None:
    written(directory, "basic_auth_users:\n" + "".join(f"  {name}: {HASH}\n" for name in names))


async def test_a_reload_reads_it_with_the_other(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    async with studio.running() as app:
        other_users(tmp_path, "bob")
        assert await app.reload() is None
        assert studio.users == ["bob"]


async def test_a_bad_one_keeps_both_as_they_were_and_says_so(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    async with studio.running() as app:
        studio.config = Config((entry("b"),), Limits())
        written(tmp_path, "basic_auth_users:\n  bob: hunter2\n")
        said = await app.reload()
        assert said
        assert said.startswith(f"{tmp_path}/web.yml (line 2): basic_auth_users.bob: expected a bcrypt hash")
        assert "hunter2" not in said
        assert (app.reloaded.good, app.reloaded.problem) == (False, said)
        assert ([source.name for source in app.board.sources], studio.users) == (["a"], ["alice"])
        studio.config = ConfigError([Problem("sources", 1, "expected a list")])
        both_said = await app.reload()
        assert both_said == f"sources (line 1): expected a list\n{said}"
        other_users(tmp_path, "bob")
        assert await app.reload() == "sources (line 1): expected a list"
        assert studio.users == ["alice"]


async def test_a_configuration_that_cannot_be_put_in_force_leaves_the_web_as_it_was(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    async with studio.running() as app:

        async def nowhere(config: Config) -> None:
            raise ConfigError([Problem("source b: api.listen", None, "cannot listen")])

        app.listening = nowhere
        other_users(tmp_path, "bob")
        assert await app.reload() == "source b: api.listen: cannot listen"
        assert studio.users == ["alice"]


async def test_what_changes_is_seen_without_a_reload(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    studio = Studio(tmp_path)
    caplog.set_level(logging.INFO)
    async with studio.running() as app:
        other_users(tmp_path, "alice", "bob")
        await studio.look(lambda: studio.users == ["alice", "bob"])
        at = app.reloaded.at
        for text in ("basic_auth_users: [a]\n", "basic_auth_users: [a]\n", "basic_auth_users: [hunter2\n"):
            written(tmp_path, text)
            await studio.look(lambda: studio.users == ["alice", "bob"])
            assert (app.reloaded.good, app.reloaded.at) == (False, at)
            assert "web.yml" in app.reloaded.problem
        other_users(tmp_path, "carol")
        await studio.look(lambda: studio.users == ["carol"])
        assert app.reloaded.good
        assert app.reloaded.at > at
    said = [record.getMessage() for record in caplog.records if record.levelno in (logging.INFO, logging.ERROR)]
    assert [line.split(": ")[0] for line in said] == [
        "web configuration read anew",
        "the web configuration before stays in force",
        "the web configuration before stays in force",
        "web configuration read anew",
    ]
    assert HASH not in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_file_that_is_mended_does_not_mend_the_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    studio = Studio(tmp_path)
    async with studio.running() as app:
        studio.config = ConfigError([Problem("sources", 1, "expected a list")])
        written(tmp_path, "basic_auth_users: [a]\n")
        assert await app.reload()
        for _ in range(2):
            await studio.look(lambda: not app.reloaded.good)
        assert sum("the web configuration before stays in force" in line for line in caplog.messages) == 1
        other_users(tmp_path, "bob")
        await studio.look(lambda: studio.users == ["bob"])
        assert not app.reloaded.good
        assert "sources (line 1)" in app.reloaded.problem


async def test_a_reload_while_it_is_bad_is_one_that_failed(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    async with studio.running() as app:
        written(tmp_path, "basic_auth_users: [a]\n")
        await studio.look(lambda: not app.reloaded.good)
        assert await app.reload()
        other_users(tmp_path, "bob")
        await studio.look(lambda: studio.users == ["bob"])
        assert not app.reloaded.good
        assert await app.reload() is None
        assert app.reloaded.good


# the command


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    issued(tmp_path, trustme.CA())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_looks_at_it_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(home, TLS + USERS)
    assert main(["check", "--web.config.file=web.yml"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "config.yaml: good: 1 sources with 1 parts",
        "web.yml: good: TLS, 1 users",
    ]
    assert main(["check", "--web.config.file="]) == 0
    assert capsys.readouterr().out.splitlines() == ["config.yaml: good: 1 sources with 1 parts"]


@pytest.mark.parametrize("command", ["check", "serve"])
def test_the_problems_of_both_files_come_at_once(command: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config.yaml").write_text(CONFIG.replace("}", ", ingest: x}"))
    written(home, "tls_server_config:\n  cert_file: server.crt\nbasic_auth_users: {alice: hunter2}\n")
    assert main([command, "--web.config.file=web.yml"]) == 1
    found = capsys.readouterr().err.splitlines()
    assert [": ".join(line.split(": ")[:2]) for line in found] == [
        "config.yaml:2: sources[0].ingest",
        "web.yml:2: tls_server_config",
        "web.yml:3: basic_auth_users.alice",
    ]
    assert "hunter2" not in "".join(found)


def test_a_file_that_is_not_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--web.config.file=none.yml"]) == 1
    assert capsys.readouterr().err == "none.yml: cannot be read: No such file or directory\n"


def test_two_loads_together() -> None:
    def bad(text: str) -> Callable[[], int]:
        def load() -> int:
            raise ConfigError([Problem("", None, text)])

        return load

    assert both(lambda: 1, lambda: 2) == (1, 2)
    for first, second, said in (
        (bad("one"), bad("two"), ["one", "two"]),
        (bad("one"), lambda: 2, ["one"]),
        (lambda: 1, bad("two"), ["two"]),
    ):
        with pytest.raises(ConfigError) as found:
            both(first, second)
        assert [problem.message for problem in found.value.problems] == said
