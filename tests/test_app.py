"""The composition root: what a reload stops, starts and leaves alone."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.app import WATCHING, Again, App
from exporter.config import Config, LedgerConfig, SourceConfig
from exporter.core.api import Access
from exporter.core.errors import ConfigError, Problem
from exporter.core.finish import Ask, Batch, Finish, Pipeline
from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Limits, Source
from exporter.ledger.ledger import Ledger
from exporter.runtime.accounts import Accounts
from exporter.runtime.exposition import Format
from exporter.serve import shown as served
from exporter.web.gate import Gate, Terms
from tests.fakes import Time, giving, hanging, part, source, things, until
from tests.web.apis import System
from tests.web.examples import asking

SOON = Schedule(interval=10, timeout=0.05)


def entry(name: str, settings: object = 1) -> SourceConfig:
    return SourceConfig(name, "test", SOON, settings)


class Studio:
    """A configuration that a test changes, and what was made and closed of it."""

    def __init__(self, *entries: SourceConfig) -> None:
        self.config = Config(entries, Limits())
        self.problem: str | None = None
        self.made: list[str] = []
        self.closed: list[str] = []

    def load(self) -> Config:
        if self.problem:
            raise ConfigError([Problem("sources[0]", 3, self.problem)])
        return self.config

    def make(self, config: SourceConfig, limits: Limits) -> Source:
        async def close() -> None:
            self.closed.append(config.name)

        if config.settings == "broken":
            raise ConfigError([Problem(config.name, None, "no such driver")])
        self.made.append(config.name)
        read = hanging if config.settings == "hanging" else giving(things(x=1))
        return source(config.name, part(read, schedule=SOON), close=close)


@asynccontextmanager
async def running(studio: Studio, time: Time) -> AsyncIterator[App]:
    app = App(studio.load, time.clock, studio.make)
    task = asyncio.create_task(app.run())
    await until(lambda: app.board.ready and app.board.sources)
    yield app
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def lines(app: App) -> list[str]:
    return app.board.page(Format.TEXT).body.decode().splitlines()


def shown(app: App, family: str = "studio_source_up") -> list[str]:
    return [line for line in lines(app) if line.startswith(family)]


async def test_a_reload_stops_what_is_gone_starts_what_is_new_and_leaves_the_rest_alone() -> None:
    studio, time = Studio(entry("stays"), entry("goes"), entry("changes")), Time()
    async with running(studio, time) as app:
        standing = app.board.standing("stays", "main")
        studio.config = Config((entry("stays"), entry("changes", 2), entry("comes")), Limits())
        assert await app.reload() is None
        await until(lambda: app.board.ready)
        assert [each.name for each in app.board.sources] == ["stays", "changes", "comes"]
        assert studio.made == ["stays", "goes", "changes", "changes", "comes"]
        assert studio.closed == ["goes", "changes"]
        assert app.board.standing("stays", "main") is standing
        assert not [line for line in app.board.page(Format.TEXT).body.decode().splitlines() if 'source="goes"' in line]
    assert sorted(studio.closed) == ["changes", "changes", "comes", "goes", "stays"]


async def test_a_bad_configuration_leaves_the_one_before_in_force_and_says_so() -> None:
    studio, time = Studio(entry("a")), Time()
    async with running(studio, time) as app:
        studio.problem = "expected a URL"
        assert await app.reload() == "sources[0] (line 3): expected a URL"
        assert [each.name for each in app.board.sources] == ["a"]
        await until(lambda: time.sleeping == 2)  # the part and the exporter itself
        time.advance(1)
        await until(lambda: "studio_exporter_config_last_reload_successful 0.0" in shown(app, "studio_exporter_config"))
        studio.problem = None
        assert await app.reload() is None
        await until(lambda: time.sleeping == 2)
        time.advance(1)
        await until(lambda: "studio_exporter_config_last_reload_successful 1.0" in shown(app, "studio_exporter_config"))


LAST_RELOAD = "studio_exporter_config_last_reload_successful"


async def test_a_reload_that_failed_is_on_the_page_at_once() -> None:
    studio = Studio(entry("a"))
    async with running(studio, Time()) as app:
        await until(lambda: shown(app, LAST_RELOAD) == [f"{LAST_RELOAD} 1.0"])
        studio.problem = "expected a URL"
        await app.reload()
        assert shown(app, LAST_RELOAD) == [f"{LAST_RELOAD} 0.0"]


async def test_a_web_configuration_that_is_bad_or_mended_is_on_the_page_at_once() -> None:
    studio, time, problems = Studio(entry("a")), Time(), list[Problem]()

    def load() -> Terms:
        if problems:
            raise ConfigError(problems)
        return Terms()

    app = App(studio.load, time.clock, studio.make)
    app.gate = Gate(load)
    task = asyncio.create_task(app.run())
    await until(lambda: shown(app, LAST_RELOAD) == [f"{LAST_RELOAD} 1.0"])
    for good in (0.0, 1.0):
        problems[:] = [] if good else [Problem("tls_server_config", None, "no such file")]
        await until(lambda: time.sleeping == 3)  # the part, the exporter itself and this watch
        time.advance(WATCHING)
        await until(lambda: shown(app, LAST_RELOAD) == [f"{LAST_RELOAD} {good}"])  # noqa: B023  # asked at once
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_source_that_cannot_be_made_stops_nothing() -> None:
    studio = Studio(entry("a"))
    async with running(studio, Time()) as app:
        studio.config = Config((entry("b", "broken"), entry("c")), Limits())
        assert await app.reload() == "b: no such driver"
        assert [each.name for each in app.board.sources] == ["a"]
        assert studio.closed == []


async def test_other_limits_are_another_source() -> None:
    studio = Studio(entry("a"))
    async with running(studio, Time()) as app:
        studio.config = Config((entry("a"),), Limits(series_per_source=7))
        await app.reload()
        assert 'studio_source_series_limit{source="a"} 7.0' in shown(app, "studio_source_series_limit")


async def test_a_hung_source_is_removed_like_any_other() -> None:
    studio = Studio(entry("a"), entry("hung", "hanging"))
    async with running(studio, Time()) as app:
        assert 'studio_source_up{part="main",source="hung"} 0.0' in shown(app)
        studio.config = Config((entry("a"),), Limits())
        await app.reload()
        assert shown(app) == ['studio_source_up{part="main",source="a"} 1.0']


async def test_a_thousand_reloads_leave_no_task_behind() -> None:
    studio = Studio(entry("a"))
    async with running(studio, Time()) as app:
        before = len(asyncio.all_tasks())
        for i in range(1000):
            studio.config = Config((entry("a", i),), Limits())
            await app.reload()
        await until(lambda: app.board.ready)
        assert len(asyncio.all_tasks()) <= before
        assert len(studio.made) - len(studio.closed) == 1


def test_a_bad_configuration_at_the_start_is_not_started() -> None:
    studio = Studio()
    studio.problem = "no sources"
    load: Callable[[], Config] = studio.load
    with pytest.raises(ConfigError, match="no sources"):
        App(load, Time().clock, studio.make)


def working(path: Path, overlap: float = 600.0) -> Config:
    return Config((entry("a"),), Limits(), Secret(f"sqlite:///{path}"), LedgerConfig(overlap))


class Worked(Studio):
    """Its one source sees one more unit of work fail in every read."""

    def make(self, config: SourceConfig, limits: Limits) -> Source:
        made = super().make(config, limits)
        seen: list[Finish] = []

        async def pages(value: object, ask: Ask) -> AsyncGenerator[Batch, None]:
            seen.append(Finish(f"job {len(seen)}", ask.now, "a", ok=False))
            yield Batch([*seen], under=0)

        worked = replace(made.parts[0], finishes=Pipeline("render", "a test", pages))
        return replace(made, parts=(worked,))


def finished(app: App) -> float | None:
    """How much finished work the page counts."""
    lines = shown(app, "studio_work_finished_total")
    return float(lines[0].rsplit(" ", 1)[1]) if lines else None


async def work(app: App, time: Time) -> None:
    """Reads until some finished work is counted."""
    before = finished(app)
    while not finished(app) or finished(app) == before:
        time.advance(15)
        await until(lambda: time.sleeping == 3)  # the part, the exporter itself and the lease


async def test_what_was_counted_is_on_the_page_again_after_a_restart(tmp_path: Path) -> None:
    studio, time = Worked(), Time()
    studio.config = working(tmp_path / "state")
    async with running(studio, time) as app:
        await work(app, time)
        counted = finished(app)
        await until(lambda: shown(app, "studio_exporter_ledger_up") == ["studio_exporter_ledger_up 1.0"])
    studio.config = replace(studio.config, sources=(entry("a", "hanging"),))
    async with running(studio, Time()) as app:
        assert finished(app) == counted


async def test_a_reload_moves_the_ledger_and_ends_it(tmp_path: Path) -> None:
    studio, time = Worked(), Time()
    studio.config = working(tmp_path / "one")
    async with running(studio, time) as app:
        await work(app, time)
        studio.config = working(tmp_path / "one", overlap=60)
        assert await app.reload() is None
        assert studio.made == ["a"]
        studio.config = working(tmp_path / "two")
        assert await app.reload() is None
        assert studio.made == ["a", "a"]
        await until(lambda: app.board.ready)
        await until(lambda: finished(app) == 0)
        studio.config = replace(studio.config, state=None)
        assert await app.reload() is None
        assert app.ledger() is None
        await until(lambda: app.board.ready)
        assert shown(app, "studio_work") == []
    with closing(sqlite3.connect(tmp_path / "one")) as look:
        assert look.execute("select expires from ledger_lease").fetchall() == [(0,)]


# the start and the end


class Opening:
    """Accounts that are opened when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.end = asyncio.Event(), asyncio.Event()
        monkeypatch.setattr(Accounts, "open", self)

    async def __call__(self, source: Source) -> None:
        self.begun.set()
        await self.end.wait()


def reading(app: App) -> list[str]:
    return [each.name for each in app.board.sources]


async def test_a_store_that_is_slow_to_close_leaves_the_sources_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio, closing, end = Worked(), asyncio.Event(), asyncio.Event()

    async def close(_: Ledger, now: float) -> None:
        closing.set()
        await end.wait()

    studio.config = working(tmp_path / "one")
    async with running(studio, Time()) as app:
        monkeypatch.setattr(Ledger, "close", close)
        studio.config = working(tmp_path / "two")
        reload = asyncio.create_task(app.reload())
        await closing.wait()
        assert (reading(app), app.board.ready) == (["a"], False)
        end.set()
        assert await reload is None


async def test_a_reload_during_the_start_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, opening = Worked(), Opening(monkeypatch)
    studio.config = working(tmp_path / "state")
    app = App(studio.load, Time().clock, studio.make)
    task = asyncio.create_task(app.run())
    await opening.begun.wait()
    studio.config = Config((entry("b"),), Limits())
    reload = asyncio.create_task(app.reload())
    for _ in range(10):
        await asyncio.sleep(0)
    assert (reading(app), reload.done()) == (["a"], False)
    opening.end.set()
    assert await reload is None
    await until(lambda: app.board.ready)
    assert (reading(app), task.done()) == (["b"], False)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert studio.closed == ["a", "b"]


async def test_a_reload_before_the_start_waits_for_it() -> None:
    studio = Studio(entry("a"))
    app = App(studio.load, Time().clock, studio.make)
    studio.config = Config((entry("b"),), Limits())
    reload = asyncio.create_task(app.reload())
    await asyncio.sleep(0)
    task = asyncio.create_task(app.run())
    assert await reload is None
    await until(lambda: app.board.ready)
    assert (reading(app), task.done()) == (["b"], False)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sorted(studio.closed) == sorted(studio.made) == ["a", "b"]


async def test_the_end_waits_for_a_reload_and_no_other_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, opening = Worked(), Opening(monkeypatch)
    studio.config = Config((entry("a"),), Limits())
    app = App(studio.load, Time().clock, studio.make)
    task = asyncio.create_task(app.run())
    await until(lambda: app.board.ready and app.board.sources)
    studio.config = working(tmp_path / "state")
    reload = asyncio.create_task(app.reload())
    await opening.begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    late = asyncio.create_task(app.reload())
    await asyncio.sleep(0)
    assert not task.done()
    opening.end.set()
    assert await reload is None
    await asyncio.gather(task, return_exceptions=True)
    assert (reading(app), studio.closed, late.done()) == ([], ["a", "a"], False)
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)


async def test_before_the_start_the_sources_are_on_the_page_and_nothing_is_ready() -> None:
    studio, clock = Studio(entry("a")), Time().clock
    app = App(studio.load, clock, studio.make)
    async with asking(served(app, clock, lifecycle=False)) as client:
        answer = await client.get("/metrics")
        assert (answer.status, await answer.text()) == (200, "".join(f"{line}\n" for line in lines(app)))
        assert 'studio_source_info{kind="test",source="a"} 1.0' in lines(app)
        answer = await client.get("/-/ready")
        assert (answer.status, await answer.text()) == (503, "not ready: 1 of 1 parts have not been read yet.\n")


def test_a_source_that_cannot_be_made_at_the_start_is_not_started() -> None:
    studio = Studio(entry("a"), entry("b", "broken"))
    with pytest.raises(ConfigError, match="b: no such driver"):
        App(studio.load, Time().clock, studio.make)


# who reaches the Apis


def facing(studio: Studio) -> Callable[[SourceConfig, Limits], Source]:
    """Sources that have an Api."""

    def make(config: SourceConfig, limits: Limits) -> Source:
        studio.made.append(config.name)
        return System().source(config.name, (("a", 1),), (("a", 2),))

    return make


@asynccontextmanager
async def shown_to(studio: Studio, time: Time, again: Again | None = None) -> AsyncIterator[App]:
    app = App(studio.load, time.clock, facing(studio), again)
    task = asyncio.create_task(app.run())
    await until(lambda: app.board.ready and app.faces())
    yield app
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_another_token_leaves_the_source_alone_and_counts_at_once(caplog: pytest.LogCaptureFixture) -> None:
    studio = Studio(replace(entry("a"), api=Access(Secret("old"))))
    async with shown_to(studio, Time()) as app:
        studio.config = Config((replace(entry("a"), api=Access(Secret("new"))),), Limits())
        assert await app.reload() is None
        assert app.faces()["a"].access.token == Secret("new")
        assert studio.made == ["a"]
        studio.config = Config((replace(entry("a"), api=Access(public=True)),), Limits())
        assert await app.reload() is None
        assert await app.reload() is None
        assert studio.made == ["a"]
        studio.config = Config((replace(entry("a"), api=Access(Secret("x"), writes=True)),), Limits())
        assert await app.reload() is None
        assert studio.made == ["a", "a"]
    assert caplog.messages == ["source a: its API is public: whoever reaches the exporter reads it without a token"]


async def test_a_secret_that_changed_in_its_file_is_read_and_an_edit_that_was_not_reloaded_is_not() -> None:
    studio, time = Studio(replace(entry("a"), api=Access(Secret("old")))), Time()
    changed: list[Config | ConfigError] = []

    def again(config: Config) -> Config | None:
        assert config.sources[0].name == "a"
        found = changed.pop(0) if changed else None
        if isinstance(found, ConfigError):
            raise found
        return found

    async with shown_to(studio, time, again) as app:
        studio.config = Config((entry("b"),), Limits())
        changed += [
            ConfigError([Problem("sources[0].api.token", 3, "cannot read 'x'")]),
            Config((replace(entry("a"), api=Access(Secret("new"))),), Limits()),
        ]
        for _ in range(2):
            await until(lambda: time.sleeping == 3)
            time.advance(WATCHING)
        await until(lambda: app.faces()["a"].access.token == Secret("new"))
        assert studio.made == ["a"]
        assert await app.reload() is None
        assert [*app.faces()] == ["b"]


async def test_what_is_due_is_read_at_once_but_not_more_than_once_a_second() -> None:
    studio, time = Studio(replace(entry("a"), api=Access(Secret("x")))), Time()
    async with shown_to(studio, time) as app:
        await until(lambda: time.sleeping == 2)
        reads = app.board.standing("a", "main").reads
        for _ in range(3):
            app.due("a", ["main", "none"])
            app.due("none", ["main"])
            await asyncio.sleep(0)
        assert app.board.standing("a", "main").reads == reads
        time.advance(1)
        await until(lambda: app.board.standing("a", "main").reads == reads + 1)


async def test_a_reload_that_cannot_listen_changes_nothing() -> None:
    studio = Studio(replace(entry("a"), api=Access(Secret("x"))))
    async with shown_to(studio, Time()) as app:

        async def nowhere(config: Config) -> None:
            raise ConfigError([Problem("source b: api.listen", None, "cannot listen on :80: permission denied")])

        app.listening = nowhere
        studio.config = Config((entry("b"),), Limits())
        assert await app.reload() == "source b: api.listen: cannot listen on :80: permission denied"
        assert [*app.faces()] == ["a"]
