"""Every recorded exchange with the four programs, against a source of the same inputs."""

import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from exporter.core.api import Access
from exporter.core.decode import NO_KEYS, Decoder
from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits
from exporter.sources.trafalgar import KIND, Config
from exporter.sources.trafalgar.api.cache import Config as CacheConfig
from exporter.sources.trafalgar.shotgrid import Config as SiteConfig
from tests import shotgrid_server
from tests.api.replay import BEARER, TOKEN, Desk, Exchange, Tally, served
from tests.shotgrid_server import KEY, SCRIPT, JsonRow, Site
from tests.sources.trafalgar.files import GOLDEN, NOW, given, written

KNOWN = ("atlas_rising", "signal_noir")
RENDERED = datetime.fromisoformat("2026-11-21T02:59:22.801405+00:00").timestamp()
"""When the render program was asked; the other answers do not depend on the time."""

MATTER = ("allow", "www-authenticate", "content-type")
"""The headers that were recorded; an answer without a body had no type."""

SERVICE_TOKENS = ("ingest-token", "render-token", "review-token")
"""Tokens of the programs beside the dashboard, which are one now."""

NOT_REPLAYED: Mapping[str, str] = {
    "demo_admin_cache.json": "the system's own demonstration, which takes no settings, is no part of the exporter",
    "ingest_builtin_default_credentials.json": "credentials that everybody knows work nowhere here: see `ingest_auth`",
    "ingest_credentials_all_invalid.json": "there are no files of credentials any more: see `no_token_configured`",
    "ingest_stream_default_wiring.json": "frames, not answers: see test_events",
    "ingest_stream_singleton_service.json": "frames, not answers: see test_events",
    "render_stream.json": "frames, not answers: see test_events",
    "normal_dashboard_projects_after.json": "a file, not an answer: see test_projects",
    "shotgrid_rest_requests_for_one_metrics_call.json": "requests to the site: see test_shotgrid",
}


def recorded(name: str) -> Iterator[tuple[Exchange, Mapping[str, Any]]]:
    """The exchanges of a file and what else it says of each."""
    said = json.loads((GOLDEN / "responses" / name).read_text())
    for number, one in enumerate(said.get("exchanges", [said])):
        if "response" not in one:
            continue
        request, response = one["request"], one["response"]
        headers = request["headers"]
        sent = [*(headers.items() if isinstance(headers, dict) else map(tuple, headers))]
        content = request.get("content", "").encode()
        if "json" in request:
            content = json.dumps(request["json"]).encode()
            sent.append(("Content-Type", "application/json"))
        yield (
            Exchange(
                name=f"{name.removesuffix('.json')}/{number}",
                method=request["method"],
                target=request["path"],
                status=response["status"],
                body=None if response["body"] == "<200 body omitted>" else response["body"],
                sent=[(key, ours(value)) for key, value in sent],
                content=content,
                headers=response["headers"],
                matter=tuple(key for key in MATTER if key != "content-type" or key in response["headers"]),
            ),
            one,
        )


def ours(value: str) -> str:
    """A header with the one token in the place of those of the programs."""
    scheme, blank, token = value.partition(" ")
    return f"{scheme}{blank}{TOKEN}" if token in SERVICE_TOKENS else value


def versions() -> list[JsonRow]:
    """The versions that were put into another client for the recording, as rows of the site."""
    rows = []
    for one in json.loads(given("shotgrid_versions.json").read_text()):
        of = one["project"] and shotgrid_server.project(one.get("project_id") or 0, one["project"])
        row = shotgrid_server.version(one["id"], of, one["shot"] or "", one["status"], one.get("timestamp"))
        row["attributes"]["code"] = one["code"]
        if one.get("user"):
            row["relationships"]["user"] = {"data": {"type": "HumanUser", "id": 1, "name": one["user"]}}
        rows.append(row)
    return rows


@dataclass
class Studio:
    """What a source is made of; the files are copies, so that they can be changed."""

    folder: Path
    site: Site | None = None
    runs: str | None = None
    jobs: str | None = None
    projects: tuple[str, ...] = KNOWN
    registry: bool = False
    reconcile: bool = True
    cache: CacheConfig = field(default_factory=CacheConfig)
    address: str | None = None

    def path(self, name: str | None) -> Path | None:
        return None if name is None else Path(shutil.copy(given(name), self.folder))

    @property
    def ingest_registry(self) -> Path:
        return self.folder / str(self.runs)


@asynccontextmanager
async def opened(studio: Studio, access: Access | None = None, **given: Any) -> AsyncIterator[Desk]:
    """The source of a studio, read once and served."""
    site = studio.site or Site(versions=versions())
    async with shotgrid_server.served(site) as address:
        asked = SiteConfig(studio.address or address, SCRIPT, Secret(KEY), timeout=5.0)
        config = Config(
            ingest_registry=studio.path(studio.runs),
            render_jobs=studio.path(studio.jobs),
            shotgrid=None if studio.address == "" else asked,
            projects=studio.projects,
            project_registry=studio.path("dashboard-projects.json") if studio.registry else None,
            reconcile=studio.path("reconcile.json") if studio.reconcile else None,
            cache=studio.cache,
        )
        source = KIND.source(config, Context("vfx", Schedule(), Limits()))
        async with served(source, given.pop("now", NOW), access, **given) as desk:
            yield desk


def normal(folder: Path) -> Studio:
    """The studio of most of the recording."""
    rest = json.loads(given("shotgrid_rest.json").read_text())
    site = Site(rest["projects"], rest["playlists"], rest["versions"], versions())
    return Studio(folder, site, "ingest_runs.normal.json", "render_jobs.normal.json", registry=True)


OPEN = re.compile(r"/status|/projects/[^/]+(/episodes)?|/errors(/summary)?")
"""What the dashboard told everybody."""


async def replay(desk: Desk, tally: Tally, *names: str) -> None:
    """The exchanges of some files, one after the other; those that needed no token also with the one that they need."""
    for name in names:
        for exchange, _ in recorded(name):
            tally.add(exchange, await desk.differences(exchange))
            if not exchange.sent and OPEN.fullmatch(exchange.target):
                allowed = replace(exchange, name=f"{exchange.name}/token", sent=BEARER)
                tally.add(allowed, await desk.differences(allowed))


async def dashboard(folder: Path, tally: Tally) -> None:
    """The dashboard, in the studio of most of the recording."""
    async with opened(normal(folder), app="dashboard") as desk:
        await replay(
            desk,
            tally,
            "normal_metrics.json",
            "normal_metrics_second_call.json",
            "normal_status.json",
            "normal_other_dashboard_routes.json",
            "landing_page.json",
            "auth_matrix.json",
            "method_and_path_edges.json",
            "default_admin_cache.json",
            "default_wiring_metrics.json",
            "render_store_changed_on_disk_is_not_seen.json",
            "project_registry_is_a_number.json",
            "admin_cache.json",
        )
    exchanges = [*recorded("admin_cache_raw_bodies.json")]
    for place, (exchange, one) in enumerate(exchanges):
        async with opened(Studio(folder), app="dashboard", read=False) as desk:
            if "then" in one:  # a process of its own served this one and the one before
                await desk.ask(exchanges[place - 1][0])
            tally.add(exchange, await desk.differences(exchange))


async def unconfigured(folder: Path, tally: Tally) -> None:
    """Tokens, settings of the environment, and a site that is not there."""
    for name in ("no_token_configured.json", "empty_token_configured.json"):
        async with opened(Studio(folder), Access(), app="dashboard", read=False) as desk:
            await replay(desk, tally, name)
    for exchange, one in recorded("cache_env_variants.json"):
        decoder = Decoder(one["env"], lambda path: "", fallback=True)
        cache = decoder.value(CacheConfig, NO_KEYS)
        if decoder.problems:  # what is no number is told where it stands, and the exporter does not start
            assert one["env"]["ONEPIECE_DASHBOARD_CACHE_TTL"] == "abc"
            assert len(decoder.problems) == 3
            continue
        async with opened(Studio(folder, cache=cache), app="dashboard", read=False) as desk:
            tally.add(exchange, await desk.differences(exchange))
    async with opened(replace(normal(folder), address=""), app="dashboard") as desk:
        await replay(desk, tally, "unconfigured_shotgrid_metrics.json")
    async with opened(replace(normal(folder), address=""), app="review") as desk:
        await replay(desk, tally, "review_unconfigured_shotgrid.json")
    async with opened(replace(normal(folder), address="http://127.0.0.1:9"), app="dashboard") as desk:
        await replay(desk, tally, "shotgrid_connection_refused_metrics.json")
        await replay(desk, tally, "shotgrid_connection_refused_admin_cache.json")


async def registries(folder: Path, tally: Tally) -> None:
    """The odd registries and stores; the site had nothing to review."""
    for name in (
        *("all_failed", "edge_entries", "empty_list", "empty_mapping", "failure_streak", "naive_timestamps"),
        *("not_utf8", "null_started_at_mixed", "running_then_failed", "scalar"),
    ):
        studio = replace(normal(folder), runs=f"ingest_runs.{name}.json")
        async with opened(studio, app="dashboard") as desk:
            await replay(desk, tally, f"metrics_ingest_{name}.json")
    (folder / "numeric.json").write_text('[{"id":"a","started_at":1778490000}]')
    async with opened(normal(folder), app="dashboard") as desk:
        shutil.copy(folder / "numeric.json", folder / "ingest_runs.normal.json")
        await desk.read("ingest")
        await replay(desk, tally, "registry_numeric_started_at.json")
    for name, jobs in (
        ("render_some_invalid_records.json", "render_jobs.some_invalid.json"),
        ("render_history_limit_25.json", "render_jobs.normal.json"),
    ):
        async with opened(Studio(folder, jobs=jobs), app="dashboard") as desk:
            await replay(desk, tally, name)
    async with opened(Studio(folder, jobs="render_jobs.normal.json"), app="dashboard") as desk:
        written(folder / "render_jobs.normal.json", '{"jobs": []}')
        await desk.read("render")
        await replay(desk, tally, "render_store_not_a_list.json")
    async with opened(Studio(folder, Site(), projects=(), reconcile=False), app="dashboard") as desk:
        await replay(desk, tally, "empty_metrics.json", "empty_status.json")


async def malformed(folder: Path, tally: Tally) -> None:
    """A registry that is torn, whole again, and gone; each time it was read once more."""
    async with opened(normal(folder), app="dashboard") as desk:
        steps = [None, "ingest_runs.malformed.json", "ingest_runs.normal.json", None]
        exchanges = recorded("malformed_registry_after_good_read.json")
        for (exchange, one), name in zip(exchanges, steps, strict=True):
            if one["step"] == "file deleted":
                (folder / "ingest_runs.normal.json").unlink()
            elif name:
                shutil.copy(given(name), folder / "ingest_runs.normal.json")
            await desk.read("ingest")
            tally.add(exchange, await desk.differences(exchange))
    async with opened(normal(folder), app="ingest") as desk:
        shutil.copy(given("ingest_runs.malformed.json"), folder / "ingest_runs.normal.json")
        await desk.read("ingest")
        await replay(desk, tally, "ingest_malformed_after_good.json")


async def ingest(folder: Path, tally: Tally) -> None:
    """The ingest program."""
    async with opened(normal(folder), app="ingest") as desk:
        await replay(
            desk, tally, "ingest_runs_limit3.json", "ingest_runs_default.json", "ingest_edges.json", "ingest_auth.json"
        )
    for name, runs in (
        ("ingest_runs_edge_entries.json", "ingest_runs.edge_entries.json"),
        ("ingest_runs_naive.json", "ingest_runs.naive_timestamps.json"),
        ("ingest_runs_null_started_at_mixed.json", "ingest_runs.null_started_at_mixed.json"),
        ("ingest_runs_empty.json", "ingest_runs.empty_list.json"),
    ):
        async with opened(Studio(folder, runs=runs), app="ingest") as desk:
            await replay(desk, tally, name)


async def render(folder: Path, tally: Tally) -> None:
    """The render program, at the time at which it was asked."""
    async with opened(normal(folder), app="render", now=RENDERED) as desk:
        await replay(
            desk,
            tally,
            "render_jobs_limit3.json",
            "render_job_one.json",
            "render_misc.json",
            "render_jobs_metrics.json",
            "render_submit_and_cancel.json",
        )


async def review(folder: Path, tally: Tally) -> None:
    """The review program and the dashboard, while the site answers, and while it does not."""
    failing = {
        "entities/versions": lambda asked: "filter[0][id[$in]]" in asked.params,
        "page%5Bnumber%5D=1&page%5Bsize%5D=100": lambda asked: asked.entity == "playlists",
        "auth": lambda asked: asked.entity in ("login", "projects"),
    }
    for exchange, one in recorded("review_api.json"):
        studio = normal(folder)
        if fault := one.get("injected_failure"):
            assert studio.site
            studio.site.fault(failing[fault], shotgrid_server.status(500))
        async with opened(studio, app="review") as desk:
            tally.add(exchange, await desk.differences(exchange))
    faults = {
        "playlist listing fails for atlas_rising": lambda asked: (
            asked.entity == "playlists" and asked.params.get("filter[0][project]", "101") == "101"
        ),
        "one playlist lookup fails": lambda asked: False,
        "every versions query fails": lambda asked: "filter[0][id[$in]]" in asked.params,
        "authentication refused": lambda asked: asked.entity == "login",
    }
    for exchange, one in recorded("shotgrid_partial_failures.json"):
        studio = normal(folder)
        assert studio.site
        studio.site.fault(faults[one["step"]], shotgrid_server.status(500))
        async with opened(studio, app="dashboard") as desk:
            tally.add(exchange, await desk.differences(exchange))


async def test_every_recorded_exchange_is_answered_as_it_was(tmp_path: Path) -> None:
    tally = Tally("trafalgar")
    for scenario in (dashboard, unconfigured, registries, malformed, ingest, render, review):
        folder = tmp_path / scenario.__name__
        folder.mkdir()
        await scenario(folder, tally)
    tally.settle()
    assert (tally.replayed, tally.equal, tally.listed) == (220, 127, 93)


def test_no_recorded_exchange_is_forgotten() -> None:
    text = Path(__file__).read_text()
    names = {path.name for path in (GOLDEN / "responses").glob("*.json")}
    forgotten = {name for name in names - NOT_REPLAYED.keys() if f'"{name}"' not in text}
    assert {name for name in forgotten if not name.startswith("metrics_ingest_")} == set()
    assert names >= NOT_REPLAYED.keys()
