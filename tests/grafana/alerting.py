"""Alerts on their whole way: rules with divided durations in a real Prometheus, a real Alertmanager with the example
tree, and a webhook that remembers who was told what."""

import asyncio
import re
import subprocess
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.test_utils import RawTestServer

from grafana.generate.thresholds import GRAFANA
from grafana.generate.thresholds import read as thresholds
from tests.command import ROOT
from tests.grafana.rules import loaded
from tests.prometheus import BETWEEN, Prometheus, drain, needs_command, started, stop

TREE = GRAFANA / "alertmanager" / "alertmanager.yml"
ALERTMANAGER = "prometheus-alertmanager"
DIVIDED = 60
RESEND = "--rules.alert.resend-delay=5s"
"""What fires before Prometheus knows its Alertmanager is sent again so much later, instead of after a minute."""

DEADLINE = 60.0
"""Seconds that anything may take."""

BEATS = 3
"""Notifications of the watchdog after which every group has been looked at once more at least."""

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Told:
    """An alert as a receiver was told of it."""

    receiver: str
    status: str
    labels: Labels


def alert(name: str, **labels: str) -> Labels:
    """The labels of an alert."""
    return frozenset({"alertname": name, **labels}.items())


@dataclass
class Webhook:
    """What receivers were told, in order; of the watchdog only how often."""

    told: list[Told] = field(default_factory=list)
    beats: int = 0

    async def take(self, request: web.BaseRequest) -> web.Response:
        """Takes a notification as Alertmanager sends it."""
        message = await request.json()
        if message["receiver"] == "deadman":
            self.beats += 1
        else:
            self.told += notified(message)
        return web.Response()

    def firing(self) -> Counter[tuple[str, Labels]]:
        """How often each receiver was told that an alert fires."""
        return Counter((each.receiver, each.labels) for each in self.told if each.status == "firing")

    def resolved(self) -> Counter[tuple[str, Labels]]:
        """How often each receiver was told that an alert of which it knew is over."""
        known = self.firing()
        ended = Counter((each.receiver, each.labels) for each in self.told if each.status == "resolved")
        return Counter({each: count for each, count in ended.items() if each in known})


def notified(message: dict[str, Any]) -> Iterator[Told]:
    for each in message["alerts"]:
        yield Told(message["receiver"], each["status"], frozenset(each["labels"].items()))


@dataclass(frozen=True)
class Chain:
    """What stands between the page of the exporter and those who are told."""

    prometheus: Prometheus
    alertmanager: str
    webhook: Webhook
    session: ClientSession

    async def muted(self) -> set[Labels]:
        """The alerts that fire and of which nobody is told because of another."""
        async with self.session.get(f"{self.alertmanager}/api/v2/alerts") as response:
            found = await response.json()
        return {frozenset(each["labels"].items()) for each in found if each["status"]["inhibitedBy"]}

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Waits until something holds of what was told."""
        deadline = time.monotonic() + DEADLINE
        while not holds():
            if time.monotonic() > deadline:
                pytest.fail(f"{what} has not come about; told: {told(self.webhook)}; fires: {await self.fires()}")
            await asyncio.sleep(BETWEEN)

    async def until_muted(self, *wanted: Labels) -> None:
        """Waits until all of these are muted."""
        deadline = time.monotonic() + DEADLINE
        while not (quiet := await self.muted()) >= {*wanted}:
            if time.monotonic() > deadline:
                pytest.fail(f"{[dict(each) for each in {*wanted} - quiet]} are not muted; fires: {await self.fires()}")
            await asyncio.sleep(BETWEEN)

    async def settled(self) -> None:
        """Waits until every group of alerts has been looked at again, and told if there was anything to tell."""
        wanted = self.webhook.beats + BEATS
        await self.until(lambda: self.webhook.beats >= wanted, "another round of the watchdog")

    async def fires(self) -> list[dict[str, str]]:
        """What fires or is about to, in Prometheus."""
        return [labels for labels, _ in await self.prometheus.query("ALERTS")]


def told(webhook: Webhook) -> str:
    return "".join(f"\n  {each.receiver}: {each.status}: {sorted(each.labels)}" for each in webhook.told)


def rules_divided(directory: Path) -> Path:
    """The rules with durations divided, in a directory of their own."""
    generate = (sys.executable, "-m", "grafana.generate", "--divide", str(DIVIDED), "--output", str(directory))
    subprocess.run(generate, cwd=ROOT, check=True)
    return directory / "rules"


def tree_shortened(address: str) -> dict[str, Any]:
    """The example tree with every receiver at the webhook, and groups that wait seconds. When a notification is to be
    repeated stays, but for the watchdog's."""
    tree: dict[str, Any] = loaded(TREE)
    watchdog, *routes = tree["route"]["routes"]
    assert all("group_wait" not in route and "group_interval" not in route for route in routes)
    tree["route"] |= {"group_wait": "1s", "group_interval": "2s"}
    watchdog |= {"group_interval": "1s", "repeat_interval": "500ms"}
    tree["receivers"] = [
        {"name": each["name"], "webhook_configs": [{"url": f"{address}{each['name']}"}]} for each in tree["receivers"]
    ]
    return tree


@asynccontextmanager
async def alertmanager(directory: Path, tree: dict[str, Any]) -> AsyncIterator[str]:
    """A running Alertmanager with a tree; the address of its root."""
    config = directory / "alertmanager.yml"
    config.write_text(yaml.safe_dump(tree), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        needs_command(ALERTMANAGER),
        f"--config.file={config}",
        f"--storage.path={directory / 'alertmanager'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    assert process.stderr is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(DEADLINE):
            while not (found := re.search(r"[Ll]istening on.* address=(127\.0\.0\.1:[1-9][0-9]*)", "".join(lines))):
                lines.append((await process.stderr.readline()).decode())
                assert lines[-1], f"it ended before it listened:\n{''.join(lines)}"
        reader = asyncio.create_task(drain(process.stderr, lines))
        try:
            yield f"http://{found[1]}"
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
    finally:
        await stop(process)


@asynccontextmanager
async def alerting(directory: Path, target: str) -> AsyncIterator[Chain]:
    """Everything that alerts on the exporter at `host:port`, from when the watchdog has told that all of it works."""
    program = needs_command("prometheus")
    needs_command(ALERTMANAGER)
    webhook = Webhook()
    async with (
        RawTestServer(webhook.take) as server,
        ClientSession(timeout=ClientTimeout(total=DEADLINE)) as session,
        alertmanager(directory, tree_shortened(str(server.make_url("/")))) as address,
    ):
        config = directory / "prometheus.yml"
        content = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules_divided(directory / "divided") / "*.yaml")],
            "alerting": {"alertmanagers": [to(address.removeprefix("http://"))]},
            "scrape_configs": [{"job_name": thresholds().job} | to(target)],
        }
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
        arguments = (f"--config.file={config}", f"--storage.tsdb.path={directory / 'tsdb'}", RESEND)
        async with started(program, arguments, session) as p:
            chain = Chain(p, address, webhook, session)
            await chain.until(lambda: webhook.beats, "a word of the watchdog")
            yield chain


def to(address: str) -> dict[str, Any]:
    return {"static_configs": [{"targets": [address]}]}
