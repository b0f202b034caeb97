"""Every exchange recorded with the system, answered from the same inputs at the same time."""

import sqlite3
from contextlib import closing
from pathlib import Path

from exporter.core.secret import Secret
from exporter.sources.music_agents import Config
from exporter.sources.music_agents.api import picks
from tests.api.replay import Desk, Exchange, Tally, served
from tests.sources.music_agents.golden import NOW, database, lay
from tests.sources.music_agents.recorded import (
    PUBLIC,
    WRITING,
    Recorded,
    exchanges,
    of,
    quieted,
    scenarios,
    source,
    with_token,
)

WRITTEN = ("storyboard", "training_lifecycle")
"""What was recorded here changed the system."""


async def replayed(desk: Desk, tally: Tally, recorded: Recorded, exchange: Exchange) -> None:
    desk.now = recorded.at
    found = await desk.differences(exchange)
    tally.add(exchange, found)
    if desk.due:
        desk.due.clear()
        await desk.read("database")
    if not found and recorded.raw and not exchange.ignore and recorded.scenario != "debug_mode":
        assert (await desk.ask(exchange)).body.decode() == recorded.raw, exchange.name


async def test_every_recorded_exchange_is_answered_as_it_was(tmp_path: Path) -> None:
    tally = Tally("music_agents")
    for scenario in scenarios():
        root = tmp_path / scenario
        root.mkdir()
        access = WRITING if scenario in WRITTEN else PUBLIC
        plan = [*of(scenario)]
        async with served(source(scenario, root, access), plan[0].at, access) as desk:
            for recorded in plan:
                exchange = with_token(recorded.exchange) if scenario in WRITTEN else recorded.exchange
                await replayed(desk, tally, recorded, exchange)
    async with served(source("normal", tmp_path), plan[0].at, PUBLIC) as desk:
        for recorded in of(*WRITTEN):
            if recorded.exchange.method == "POST":
                same = with_token(recorded.exchange, f"read_only/{recorded.name}")
                await replayed(desk, tally, recorded, same)
    await measured(tally, tmp_path / "measured")
    tally.settle()


async def measured(tally: Tally, root: Path) -> None:
    """What the system is known to have answered, though no answer of it was kept (contract 1.4, 1.5)."""
    path = database("empty_database", lay("normal", root).parent)
    (root / "orchestrator" / "training" / "config.json").write_text('{"training": {"schedule": "*/5 * * * *"}}')
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = ((str(number), "often", number) for number in range(picks.KEPT + 50))
        connection.executemany("insert into metrics (timestamp, metric_type, value) values (?, ?, ?)", rows)
    everything = {"count": picks.KEPT + 50, "history": [None] * (picks.KEPT + 50), "metric_name": "often"}
    schedule = {
        "description": "Daily training",
        "enabled": True,
        "next_run": "2026-11-22T03:00:00",
        "schedule": "*/5 * * * *",
        "timezone": "UTC",
    }
    source = quieted(Config(root / "orchestrator", Secret(str(path)), "Europe/Berlin"))
    async with served(source, NOW, PUBLIC) as desk:
        for exchange in (
            Exchange("measured/schedule", "GET", "/api/training/schedule", 200, schedule, matter=()),
            Exchange(
                "measured/limit",
                "GET",
                "/api/metrics/history/often?limit=-1",
                200,
                everything,
                matter=(),
                ignore=("$.history[*]",),
            ),
        ):
            tally.add(exchange, await desk.differences(exchange))


def test_all_exchanges_are_there() -> None:
    assert len(exchanges()) == 391
    assert len(scenarios()) == 25
