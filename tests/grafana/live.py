"""A living studio for the dashboards to ask: simulator, exporter, ShotGrid; and what they ask, as Grafana fills it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from exporter.demo.launch import simulator, write_config
from tests.command import Command, command
from tests.grafana.documents import Json, variables
from tests.prometheus import drain
from tests.shotgrid_server import GOLDEN, KEY, SCRIPT, golden, served

SPEED = 20.0
"""Studio minutes in a second: a day of the studio passes in little more than a minute."""

ALL = ".+"


def chosen(document: Json, seconds: int, **values: str) -> dict[str, str]:
    """What Grafana puts in the place of the variables of a dashboard, over a time range of so many seconds that is
    scraped every second; all values are chosen, but for these."""
    own = {"$__rate_interval": "4s", "$__range": f"{seconds}s", "$__interval": "1s"}
    return {**own, **{f"${each['name']}": values.get(each["name"], ALL) for each in variables(document)}}


def filled(expression: str, values: Mapping[str, str]) -> str:
    """An expression with values in the place of its variables."""
    for name in sorted(values, key=len, reverse=True):
        expression = expression.replace(name, values[name])
    return expression


@asynccontextmanager
async def studio(directory: Path) -> AsyncIterator[str]:
    """A living studio, and the address of the exporter that reads it: the demo's, with a ShotGrid beside it."""
    home = directory / "studio"
    home.mkdir()
    async with simulator(home, speed=SPEED), served(golden()) as site:
        config = write_config(home)
        document: dict[str, Any] = yaml.safe_load(config.read_text(encoding="utf-8"))
        [trafalgar] = [source for source in document["sources"] if source["kind"] == "trafalgar"]
        trafalgar.setdefault("shotgrid", {"url": site, "script": SCRIPT, "key": KEY, "interval": "2s"})
        trafalgar.setdefault("reconcile", str(GOLDEN / "reconcile.json"))
        document["state"] = f"sqlite:///{home}/state.sqlite"
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
        async with command(f"--config.file={config}", cwd=home) as exporter, read(exporter):
            yield exporter.url.removeprefix("http://")


@asynccontextmanager
async def read(exporter: Command) -> AsyncIterator[None]:
    """What the exporter logs is read while it runs, or it would stand still for it in the end."""
    await exporter.listening()
    log = exporter.process.stderr
    assert log is not None
    reader = asyncio.create_task(drain(log, exporter.lines))
    try:
        yield
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
