"""Alerts on a living exporter: what fails is told to the right people once, what follows from it is not, and when it is
over they are told that too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from grafana.generate.thresholds import Level
from grafana.generate.thresholds import read as thresholds
from tests.command import Command, command
from tests.grafana.alerting import DIVIDED, Chain, Labels, alert, alerting
from tests.grafana.live import read
from tests.grafana.stores import (
    FINISHES,
    Stores,
    configured,
    execute,
    insert,
    job,
    laid,
    publication,
    run,
    write_jobs,
    write_runs,
)

LANES = {
    "ingest": ("ASH", "ELM"),
    "render": ("tractor", "deadline"),
    "operation": ("traffic", "file"),
    "publish": ("tiktok", "youtube"),
    "training_run": ("run",),
    "training_session": ("session",),
}
WARNING, CRITICAL = 3, 5
"""Failures in a row."""

SOON = 20.0
"""Seconds from when something is put on record until it has gone on for too long: by then its part is known to be dead.
"""

Wanted = tuple[str, Labels]
"""A receiver, and the labels of an alert."""


@asynccontextmanager
async def exporting(stores: Stores, *arguments: str) -> AsyncIterator[Command]:
    """The exporter on these stores."""
    config = f"--config.file={configured(stores)}"
    async with command(config, *arguments, cwd=stores.home) as exporter, read(exporter):
        yield exporter


@asynccontextmanager
async def watched(stores: Stores) -> AsyncIterator[tuple[Command, Chain]]:
    """The same, and everything that alerts on it."""
    async with exporting(stores) as exporter, alerting(stores.home, exporter.url.removeprefix("http://")) as chain:
        yield exporter, chain


def all_fail(pipeline: str, severity: str, **where: str) -> Labels:
    return alert("StudioPipelineFailureStreak", severity=severity, area="work", pipeline=pipeline, **where)


def lane_fails(pipeline: str, severity: str, **where: str) -> Labels:
    return alert("StudioLaneFailureStreak", severity=severity, area="work", pipeline=pipeline, **where)


def part_down(source: str, part: str) -> Labels:
    return alert("StudioPartDown", severity="critical", area="sources", source=source, part=part)


async def heard(chain: Chain, wanted: set[Wanted]) -> None:
    """Waits until these were told; nothing else was, and nothing twice."""
    await chain.until(lambda: chain.webhook.firing().keys() >= wanted, f"that {wanted} are told")
    await chain.settled()
    assert chain.webhook.firing() == dict.fromkeys(wanted, 1)


async def over(chain: Chain, wanted: set[Wanted]) -> None:
    """Waits until it was told that these are over; nothing else is, and nothing was told anew."""
    told = chain.webhook.firing()
    await chain.until(lambda: chain.webhook.resolved().keys() >= wanted, f"that {wanted} are over")
    await chain.settled()
    assert chain.webhook.firing() == told
    assert chain.webhook.resolved() == dict.fromkeys(wanted, 1)


# failures in a row


async def succeed(stores: Stores, chain: Chain) -> None:
    """Something succeeds in every lane of every pipeline, and that is seen."""
    for pipeline, lanes in LANES.items():
        for lane in lanes:
            stores.finish(pipeline, lane, True)
    everything = sum(len(lanes) for lanes in LANES.values())
    await chain.prometheus.until(f"count(studio_work_last_success_timestamp_seconds) == {everything}")


def fail_in_one_lane(stores: Stores, pipeline: str, failures: int) -> None:
    """The first lane of a pipeline fails, and after that another succeeds, which is on record before."""
    failing, other = LANES[pipeline]
    outcomes = [(stores.now(), False) for _ in range(failures)]
    stores.finish(pipeline, other, True)
    FINISHES[pipeline](stores, failing, outcomes)


async def train_in_vain(stores: Stores, chain: Chain) -> None:
    """Training runs fail; of each nothing is left when the next one is on record."""
    for count in range(1, WARNING + 1):
        stores.finish("training_run", "run", False)
        await chain.prometheus.until(f'studio_work_pipeline_failure_streak{{pipeline="training_run"}} == {count}')


async def test_failures_in_a_row_are_told_once_and_so_is_that_they_are_over(tmp_path: Path) -> None:
    stores = laid(tmp_path)
    async with watched(stores) as (_, chain):
        await succeed(stores, chain)
        for pipeline, failures in (("ingest", CRITICAL), ("render", WARNING), ("operation", WARNING)):
            fail_in_one_lane(stores, pipeline, failures)
        stores.finish("publish", "tiktok", *[False] * CRITICAL)
        stores.finish("training_session", "session", *[False] * CRITICAL)
        await train_in_vain(stores, chain)
        told = {
            ("wrangler-pager", lane_fails("ingest", "critical", source="vfx", part="ingest", lane="ASH")),
            ("wrangler-chat", lane_fails("render", "warning", source="vfx", part="render", lane="tractor")),
            ("chat", lane_fails("operation", "warning", source="decoys", part="database", lane="traffic")),
            ("pager", all_fail("publish", "critical", source="publishing", part="queue")),
            ("pager", all_fail("training_session", "critical", source="music", part="database")),
            ("chat", all_fail("training_run", "warning", source="music", part="files")),
            ("chat", alert("StudioTrainingFailed", severity="warning", area="agents", source="music", part="files")),
        }
        await heard(chain, told)
        for pipeline, lanes in LANES.items():
            stores.finish(pipeline, lanes[0], True)
        await over(chain, told)


# a dead part


def long_ago(level: Level) -> float:
    """Seconds since what soon will have gone on for too long."""
    return level["warning"] / DIVIDED - SOON


def grow_old(stores: Stores) -> None:
    """In every system something goes on that soon has gone on for too long; of DECNET, that nothing happens."""
    t, now = thresholds(), stores.now()
    stores.runs.append(run(now - long_ago(t["ingest_running"]), None, "ASH"))
    write_runs(stores)
    stores.jobs.append(job("running", now - long_ago(t["render_running"]), "tractor"))
    write_jobs(stores)
    stuck = publication("processing", now - long_ago(t["publish_processing"]), "tiktok")
    insert(stores.publications, "publish_logs", stuck)
    FINISHES["operation"](stores, "traffic", [(now - long_ago(t.silence["operation"]), True)])


OLD = (
    "studio_ingest_oldest_running_timestamp_seconds",
    "studio_render_oldest_running_timestamp_seconds",
    "studio_publish_oldest_processing_timestamp_seconds",
    'studio_work_last_success_timestamp_seconds{pipeline="operation"}',
)
DEAD = {
    ("vfx", "render"),
    ("decoys", "database"),
    *(("publishing", part) for part in ("queue", "campaigns", "content", "schema")),
}
DERIVED = {
    alert("StudioRenderJobStuck", severity="warning", area="render", source="vfx", part="render", farm="tractor"),
    alert(
        "StudioPublishStuck",
        severity="warning",
        area="publishing",
        source="publishing",
        part="queue",
        platform="tiktok",
    ),
    alert(
        "StudioNothingFinished",
        severity="warning",
        area="work",
        source="decoys",
        part="database",
        pipeline="operation",
    ),
}
CHANGED = alert("StudioPartSchema", severity="critical", area="sources", source="music", part="database")
ALIVE = alert("StudioIngestRunStuck", severity="warning", area="ingest", source="vfx", part="ingest")


async def test_a_dead_part_mutes_what_derives_from_it_and_nothing_else(tmp_path: Path) -> None:
    """Nor is what derives from it told when the part is back and well. Of a part that has changed it is told that it
    has, and not that it is dead."""
    stores = laid(tmp_path)
    async with watched(stores) as (_, chain):
        grow_old(stores)
        for series in OLD:
            await chain.prometheus.until(series)
        stores.render.write_text('[{"job_id": "tractor-1", ', encoding="utf-8")
        gone = {path: path.rename(path.with_suffix(".away")) for path in (stores.operations, stores.publications)}
        execute(stores.sessions, "alter table events rename to old_events")
        down = {("pager", CHANGED), *(("pager", part_down(*part)) for part in DEAD)}
        muted = {part_down("music", "database"), *DERIVED}
        await chain.until_muted(*muted)
        await heard(chain, {*down, ("wrangler-chat", ALIVE)})
        assert await chain.muted() >= muted
        for path, away in gone.items():
            away.rename(path)
        execute(stores.sessions, "alter table old_events rename to events")
        execute(stores.publications, "update publish_logs set status = 'retry'")
        stores.finish("operation", "traffic", True)
        stores.jobs.clear()
        write_jobs(stores)
        await over(chain, down)


# a dead exporter


async def test_a_dead_exporter_is_told_and_nothing_else_until_it_is_back(tmp_path: Path) -> None:
    """What failed before is not told again when it is back; nor that nothing finished, which is what its ledger says
    until it has read what did while nobody looked."""
    stores, silence = laid(tmp_path), thresholds().silence["operation"]
    failing = ("wrangler-pager", all_fail("ingest", "critical", source="vfx", part="ingest"))
    absent = ("pager", alert("StudioExporterAbsent", severity="critical", area="exporter"))
    async with watched(stores) as (exporter, chain):
        last = stores.now() - long_ago(silence)
        FINISHES["operation"](stores, "traffic", [(last, True)])
        stores.finish("ingest", "ASH", True, *[False] * CRITICAL)
        await heard(chain, {failing})
        exporter.process.kill()
        await heard(chain, {failing, absent})
        await chain.prometheus.until(f"vector(time()) > {last + silence['warning'] / DIVIDED}")
        stores.finish("operation", "traffic", True)
        away = stores.operations.rename(stores.operations.with_suffix(".away"))
        async with exporting(stores, f"--web.listen-address={exporter.url.removeprefix('http://')}"):
            await chain.prometheus.until('studio_source_up{source="decoys"} == 0')
            away.rename(stores.operations)
            await over(chain, {absent})
            stores.finish("ingest", "ASH", True)
            await over(chain, {absent, failing})
