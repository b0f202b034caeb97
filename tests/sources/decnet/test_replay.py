"""Every recorded exchange of the endpoint, over a real connection, on SQLite and on MariaDB.

Two recordings are of other endpoints and are not kept here: `health_other` (`GET /api/v1/health`) and
`list_events_sample` (`GET /api/v1/orchestrator/events`) were recorded for what they say of their neighbour.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.sources.decnet import KIND, Config
from tests.api.replay import TOKEN, Exchange, Tally, served
from tests.sources.decnet.databases import GOLDEN, dumped

RECORDED: dict[str, Any] = json.loads((GOLDEN / "responses.json").read_text())
LET_IN = ("viewer", "admin")


def source(url: str) -> Source:
    made: Source = KIND.source(Config(Secret(url)), Context("decoys", Schedule(timeout=30.0), Limits()))
    return made


def exchanges(database: str) -> Iterator[tuple[float, Exchange]]:
    """What was sent and answered, and when. Who was let in has our token, and nobody else."""
    bodies = RECORDED[database] if database == "mariadb" else {}
    for each in RECORDED["sqlite"]:
        token = TOKEN if each["auth"] in LET_IN else "of-somebody-else"
        sent = {name: value.replace("<JWT>", token) for name, value in each["request_headers"].items()}
        body, headers = bodies.get(each["name"], each["body_text"]), each["headers"]
        exchange = Exchange(each["name"], each["method"], each["target"], each["status"], body, sent, headers=headers)
        yield datetime.fromisoformat(each["now"]).timestamp(), exchange


async def replayed(url: str, database: str) -> Tally:
    """Each moment is asked about on a connection of its own: they lie closer together than a count is kept."""
    tally, all_of_them = Tally("decnet"), [*exchanges(database)]
    for moment in {now for now, _ in all_of_them}:
        async with served(source(url), moment, read=False) as desk:
            for exchange in [each for now, each in all_of_them if now == moment]:
                tally.add(exchange, await desk.differences(exchange))
    return tally


async def test_every_recorded_exchange_is_answered_as_it_was(recorded: Path) -> None:
    tally = await replayed(f"sqlite:///{recorded}", "sqlite")
    tally.settle()
    assert (tally.replayed, tally.equal, tally.listed) == (177, 165, 12)


async def test_every_recorded_exchange_of_mariadb_is_answered_as_it_was() -> None:
    """Also `Traffic` for `traffic`, which the metrics tell apart: its collation makes them one word."""
    with dumped() as url:
        tally = await replayed(url, "mariadb")
    tally.settle()
    assert (tally.replayed, tally.equal, tally.listed) == (177, 165, 12)
