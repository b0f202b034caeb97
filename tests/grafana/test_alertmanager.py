"""The example tree of Alertmanager: who is told of what, and which alert mutes which, by a real Alertmanager."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from grafana.generate.thresholds import GRAFANA, read, written
from tests.grafana import alerting
from tests.grafana.rules import alerts, loaded
from tests.prometheus import BETWEEN, DEADLINE, needs_command

CONFIG = GRAFANA / "alertmanager" / "alertmanager.yml"
NAMES = {rule["alert"] for rule in alerts()}
LABELS = {label for rule in alerts() for label in re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))}

Alert = Mapping[str, str]


def amtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = (needs_command("amtool"), *arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_amtool_accepts_the_tree() -> None:
    checked = amtool("check-config", CONFIG)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("receiver", "labels"),
    [
        ("deadman", {"alertname": "StudioWatchdog", "severity": "none", "area": "exporter"}),
        ("wrangler-pager", {"alertname": "StudioRenderStalled", "severity": "critical", "area": "render"}),
        ("wrangler-chat", {"alertname": "StudioRenderFallingBehind", "severity": "warning", "area": "render"}),
        ("wrangler-chat", {"alertname": "StudioReviewUnread", "severity": "warning", "area": "review"}),
        ("wrangler-pager", {"severity": "critical", "area": "work", "pipeline": "ingest"}),
        ("wrangler-chat", {"severity": "warning", "area": "work", "pipeline": "render"}),
        ("pager", {"alertname": "StudioPublishStalled", "severity": "critical", "area": "publishing"}),
        ("publishing-chat", {"alertname": "StudioPublishOverdue", "severity": "warning", "area": "publishing"}),
        ("pager", {"severity": "critical", "area": "work", "pipeline": "publish"}),
        ("publishing-chat", {"severity": "warning", "area": "work", "pipeline": "publish"}),
        ("pager", {"alertname": "StudioPartDown", "severity": "critical", "area": "sources"}),
        ("chat", {"alertname": "StudioPartFlapping", "severity": "warning", "area": "sources"}),
        ("pager", {"alertname": "StudioExporterAbsent", "severity": "critical", "area": "exporter"}),
        ("chat", {"alertname": "StudioExporterFlapping", "severity": "warning", "area": "exporter"}),
        ("chat", {"alertname": "StudioTrainingFailed", "severity": "warning", "area": "agents"}),
        ("chat", {"severity": "warning", "area": "work", "pipeline": "operation"}),
    ],
)
def test_the_right_people_are_told(receiver: str, labels: Alert) -> None:
    asked = [f"{name}={value}" for name, value in labels.items()]
    routed = amtool("config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={receiver}", *asked)
    assert routed.returncode == 0, routed.stdout + routed.stderr


def test_the_tree_is_about_alerts_and_windows_that_there_are() -> None:
    tree = loaded(CONFIG)
    text = " ".join(str(rule) for rule in tree["inhibit_rules"])
    named = {name for found in re.findall(r"Studio[A-Za-z|()]+", text) for name in spread(found)}
    assert named <= NAMES
    fastest, *slower = (written(window.long, "seconds") for window in read().objective.windows)
    for window in (fastest, *slower[:-1]):
        assert f'long_window="{window}"' in text
    assert f'long_window=~"{"|".join(slower)}"' in text


def spread(text: str) -> list[str]:
    """`StudioPart(Down|Refused)` and `StudioA|StudioB` as names."""
    if found := re.fullmatch(r"(\w+)\(([\w|]+)\)", text):
        return [found[1] + end for end in found[2].split("|")]
    return text.split("|")


def test_what_tells_two_alerts_of_one_name_apart_is_compared_before_one_mutes_the_other() -> None:
    rules = loaded(CONFIG)["inhibit_rules"]
    muting = next(rule for rule in rules if rule["source_matchers"] == ['severity="critical"'])
    assert LABELS - {"instance", "reason"} <= set(muting["equal"])


# muting


class Alertmanager:
    """A running Alertmanager with the example tree; `url` is its root."""

    def __init__(self, url: str, session: ClientSession) -> None:
        self.url = url
        self._session = session

    async def fire(self, *fired: Alert) -> None:
        body = [{"labels": dict(labels)} for labels in fired]
        async with self._session.post(f"{self.url}/api/v2/alerts", json=body) as response:
            assert response.status == 200, await response.text()

    async def standing(self) -> list[dict[str, Any]]:
        async with self._session.get(f"{self.url}/api/v2/alerts") as response:
            found: list[dict[str, Any]] = await response.json()
        return found


@asynccontextmanager
async def alertmanager(directory: Path) -> AsyncIterator[Alertmanager]:
    async with alerting.alertmanager(directory, loaded(CONFIG)) as url, ClientSession() as session:
        yield Alertmanager(url, session)


async def muted(directory: Path, fired: tuple[Alert, ...], expected: set[int]) -> None:
    """Of the alerts that fire, these are muted, by their numbers, and the others are not."""
    wanted = {frozenset(labels.items()): number for number, labels in enumerate(fired)}
    async with alertmanager(directory) as running:
        await running.fire(*fired)
        quiet: set[int] = set()
        async with asyncio.timeout(DEADLINE):
            while len(known := await running.standing()) < len(fired) or not quiet >= expected:
                await asyncio.sleep(BETWEEN)
                quiet = {wanted[frozenset(each["labels"].items())] for each in known if each["status"]["inhibitedBy"]}
        assert quiet == expected


def alert(name: str, severity: str, **labels: str) -> Alert:
    return {"alertname": name, "severity": severity, **labels}


async def test_a_dead_part_mutes_what_derives_from_it_and_only_that(tmp_path: Path) -> None:
    fired = (
        alert("StudioPartDown", "critical", source="vfx", part="render"),
        alert("StudioPartDown", "warning", source="vfx", part="render"),
        alert("StudioPartStale", "warning", source="vfx", part="render"),
        alert("StudioPartFlapping", "warning", source="vfx", part="render"),
        alert("StudioRenderStalled", "critical", source="vfx", part="render", farm="tractor"),
        alert("StudioPipelineFailureStreak", "critical", source="vfx", part="render", pipeline="render"),
        alert("StudioIngestRunStuck", "warning", source="vfx", part="ingest"),
        alert("StudioRenderStalled", "critical", source="other", part="render", farm="tractor"),
        alert("StudioSeriesTruncated", "warning", source="vfx"),
        alert("StudioPartDown", "warning", source="vfx", part="shotgrid"),
        alert("StudioPartFlapping", "warning", source="vfx", part="shotgrid"),
        alert("StudioReviewUnread", "warning", source="vfx", part="shotgrid", project="alpha"),
        alert("StudioWatchdog", "none"),
    )
    await muted(tmp_path, fired, {1, 2, 3, 4, 5})


async def test_the_reason_mutes_that_a_part_is_down_and_the_part_stays_muted(tmp_path: Path) -> None:
    fired = (
        alert("StudioPartRefused", "critical", source="p", part="queue"),
        alert("StudioPartDown", "critical", source="p", part="queue"),
        alert("StudioPublishStalled", "critical", source="p", part="queue", platform="tiktok"),
        alert("StudioPartDown", "critical", source="p", part="content"),
    )
    await muted(tmp_path, fired, {1, 2})


async def test_an_absent_exporter_mutes_all_but_the_watchdog(tmp_path: Path) -> None:
    fired = (
        alert("StudioExporterAbsent", "critical", area="exporter"),
        alert("StudioExporterDown", "warning", instance="a:10210"),
        alert("StudioExporterFlapping", "warning", instance="b:10210"),
        alert("StudioPipelineFailureStreak", "critical", source="vfx", part="render", pipeline="render"),
        alert("StudioWatchdog", "none"),
        alert("SomebodyElse", "critical"),
    )
    await muted(tmp_path, fired, {1, 2, 3})


async def test_critical_mutes_the_warning_of_the_same_and_the_fastest_window_the_slower(tmp_path: Path) -> None:
    burning = {"source": "p", "part": "queue", "pipeline": "publish"}
    fired = (
        alert("StudioFailureBudgetBurn", "critical", long_window="1h", **burning),
        alert("StudioFailureBudgetBurn", "critical", long_window="6h", **burning),
        alert("StudioFailureBudgetBurn", "warning", long_window="1d", **burning),
        alert("StudioFailureBudgetBurn", "warning", long_window="3d", **{**burning, "pipeline": "render"}),
        alert("StudioRenderOldestWaiting", "critical", source="vfx", part="render", farm="tractor"),
        alert("StudioRenderOldestWaiting", "warning", source="vfx", part="render", farm="tractor"),
        alert("StudioRenderOldestWaiting", "warning", source="vfx", part="render", farm="deadline"),
        alert("StudioRenderJobStuck", "warning", source="vfx", part="render", farm="tractor"),
    )
    await muted(tmp_path, fired, {1, 2, 5})


async def test_a_failing_pipeline_explains_its_lanes_and_a_stalled_queue_what_waits_in_it(tmp_path: Path) -> None:
    render, ingest = ({"source": "vfx", "part": name, "pipeline": name} for name in ("render", "ingest"))
    fired = (
        alert("StudioPipelineFailureStreak", "critical", **render),
        alert("StudioLaneFailureStreak", "critical", lane="tractor", **render),
        alert("StudioNeverSucceeded", "warning", lane="deadline", **render),
        alert("StudioPipelineFailureStreak", "warning", **ingest),
        alert("StudioLaneFailureStreak", "critical", lane="ASH", **ingest),
        alert("StudioLaneFailureStreak", "warning", lane="ELM", **ingest),
        alert("StudioPublishStalled", "critical", source="p", part="queue", platform="tiktok"),
        alert("StudioPublishOldestPending", "critical", source="p", part="queue", platform="tiktok"),
        alert("StudioPublishOldestPending", "critical", source="p", part="queue", platform="youtube"),
    )
    await muted(tmp_path, fired, {1, 2, 5, 7})
