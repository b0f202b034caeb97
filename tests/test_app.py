"""The composition root: what a reload stops, starts and leaves alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from exporter.app import App
from exporter.config import Config, SourceConfig
from exporter.core.errors import ConfigError, Problem
from exporter.core.part import Schedule
from exporter.core.source import Limits, Source
from exporter.runtime.exposition import Format
from tests.fakes import Time, giving, hanging, part, source, things, until

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


def shown(app: App, family: str = "studio_source_up") -> list[str]:
    body = app.board.page(Format.TEXT).body.decode()
    return [line for line in body.splitlines() if line.startswith(family)]


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
