"""The part of the site, over a real connection: the numbers recorded, the calls made, and what each fault leaves."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.config import load
from exporter.core.errors import ConfigError, Malformed, ReadError, Refused, TimedOut, TooLarge, Unreachable
from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits
from exporter.domains.production import Production
from exporter.domains.review import Playlists
from exporter.sources import KINDS
from exporter.sources.trafalgar import KIND, Config
from exporter.sources.trafalgar.shotgrid import Config as SiteConfig
from tests.shotgrid_server import (
    KEY,
    SCRIPT,
    Asked,
    Fault,
    Site,
    endless,
    golden,
    hanging,
    playlist,
    project,
    reset,
    saying,
    served,
    torn,
    trickling,
)
from tests.shotgrid_server import status as answering
from tests.sources import configured
from tests.sources.trafalgar.files import GOLDEN, NOW, answer, samples
from tests.sources.trafalgar.site import (
    ALPHA,
    KNOWN,
    counted,
    entities,
    is_by_id,
    is_listing,
    is_login,
    is_playlists,
    is_projects,
    opened,
    rows,
    small,
)


# the recording
async def test_the_review_has_the_numbers_recorded() -> None:
    recorded = answer("normal_metrics.json")["body"]["review"]
    async with opened(golden(), *KNOWN) as part:
        review = (await part.read(NOW)).value.review
    assert rows(review) == recorded["projects"]
    totals = {key: sum(row[key] for row in rows(review)) for key in ("playlists", "clips", "shots", "duration_seconds")}
    assert {"projects": len(rows(review)), **totals} == recorded["totals"]
    assert set(review.unread.values()) == {0}


async def test_shots_and_versions_have_the_numbers_recorded() -> None:
    recorded = answer("normal_metrics.json")["body"]["status"]
    async with opened(golden()) as part:
        production: Production = (await part.read(NOW)).value.production
    assert sum(production.shots.values()) == recorded["shots"] == 120
    assert sum(production.versions.values()) == recorded["versions"] == 351
    exchanges = json.loads((GOLDEN / "responses" / "normal_other_dashboard_routes.json").read_text())["exchanges"]
    atlas = exchanges[0]["response"]["body"]
    assert production.shots["atlas_rising"] == atlas["shots"]
    words = {word: n for (name, word), n in production.versions.items() if name == "atlas_rising"}
    assert words == atlas["status_totals"]
    assert production.versions["unknown", "rev"] == 1  # that without a project


async def test_five_calls_do_what_forty_did_and_then_four() -> None:
    recorded = json.loads((GOLDEN / "responses" / "shotgrid_rest_requests_for_one_metrics_call.json").read_text())
    assert len(recorded["requests"]) == 40
    site = golden()
    async with opened(site, *KNOWN) as part:
        first = await part.read(NOW)
        assert entities(site) == ["login", "projects", "versions", "playlists", "versions"]
        assert first.origin.endswith("(5 calls)")
        site.asked.clear()
        again = await part.read(NOW + 60)
        assert entities(site) == ["projects", "versions", "playlists", "versions"]
        assert again.value is first.value
        assert again.records == 5 + 351 + 9 + 228


async def test_a_server_that_gives_fewer_rows_at_once_is_asked_more_often_and_says_the_same() -> None:
    site, small_pages = golden(), golden()
    small_pages.most = 50
    async with opened(site) as part, opened(small_pages) as other:
        assert (await other.read(NOW)).value == (await part.read(NOW)).value
    assert entities(small_pages).count("versions") == 8 + 5


async def test_a_site_without_projects_is_empty_and_not_silent() -> None:
    assert answer("empty_metrics.json")["body"]["review"]["projects"] == []
    async with opened(golden("shotgrid_rest.empty.json")) as part:
        taken = await part.read(NOW)
    assert all(found == {} for found in samples(part, taken.value).values())
    assert taken.records == 0


# projects
async def test_of_projects_of_one_name_the_first_counts_and_without_one_none() -> None:
    nameless = {"id": 5, "type": "Project", "attributes": {"name": ""}}
    site = Site(projects=[ALPHA, project(3, "alpha"), nameless], playlists=[playlist(1, project(3, "alpha"), "a")])
    async with opened(site) as part:
        taken = await part.read(NOW)
    assert taken.value.review.playlists == {"alpha": Playlists()}
    assert (taken.records, taken.skipped) == (1, {"missing": 1})


# faults of the whole site
@pytest.mark.parametrize("which", [is_login, is_projects, is_listing])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (answering(500), Unreachable),
        (answering(403), Refused),
        (answering(429, Retry_After="3600"), Unreachable),
        (saying("<html>", "text/html"), Malformed),
        (endless, TooLarge),
    ],
)
async def test_a_fault_of_what_all_depends_on_is_the_parts_fault_and_passes(
    which: Callable[[Asked], bool], fault: Fault, kind: type[ReadError]
) -> None:
    site = small()
    async with opened(site, limits=Limits(document_size=1 << 16)) as part:
        site.fault(which, fault, times=1)
        with pytest.raises(ReadError) as caught:
            await part.read(NOW)
        assert type(caught.value) is kind
        if "to be left alone for 600 s" not in str(caught.value):
            assert len(counted(await part.read(NOW + 1))) == 3
            return
        calls = len(site.asked)
        with pytest.raises(Unreachable, match="asked to be left alone for"):
            await part.read(NOW + 1)
        assert len(site.asked) == calls


@pytest.mark.parametrize(("fault", "kind"), [(torn, Malformed), (reset, Unreachable)])
async def test_what_breaks_off_is_asked_for_again_within_the_read(fault: Fault, kind: type[ReadError]) -> None:
    site = small()
    site.fault(is_projects, fault, times=1)
    async with opened(site) as part:
        assert len(counted(await part.read(NOW))) == 3
    assert site.count("projects") == 2


@pytest.mark.parametrize("fault", [hanging, trickling])
async def test_a_site_that_hangs_is_given_up_in_time(fault: Callable[[Site], Fault]) -> None:
    site = small()
    site.fault(is_projects, fault(site))
    async with opened(site, within=0.4) as part:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimedOut):
            await part.read(NOW)
        assert asyncio.get_running_loop().time() - began < 5


async def test_one_query_that_hangs_leaves_time_for_the_others() -> None:
    site = small()
    site.fault(is_by_id, hanging(site))
    async with opened(site, within=1.0) as part:
        taken = await part.read(NOW)
    assert taken.value.review.unread == {"alpha": 1, "beta": 1}
    assert len(counted(taken)) == 3


async def test_no_list_of_playlists_at_all_is_the_parts_fault() -> None:
    site = small()
    site.fault(is_playlists, answering(500))
    async with opened(site) as part:
        with pytest.raises(Unreachable, match=r"/entities/playlists: answers with status 500$"):
            await part.read(NOW)
    assert site.count("playlists") == 1 + 2


async def test_a_key_that_is_refused_is_told_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "exporter")
    async with opened(small(), key="hunter2") as part:
        with pytest.raises(Refused, match=r"shotgrid.script or shotgrid.key is refused$") as caught:
            await part.read(NOW)
    assert "hunter2" not in f"{caught.value!r}{caplog.text}"


async def test_a_token_that_ends_in_the_midst_of_a_read_is_renewed() -> None:
    site = golden()
    site.most = 50
    site.fault(lambda asked: is_listing(asked) and asked.params["page[number]"] == "4", answering(401), times=1)
    async with opened(site) as part:
        assert sum(counted(await part.read(NOW)).values()) == 351
    assert site.count("login") == 2


async def test_more_versions_than_the_cap_are_too_many() -> None:
    site = small()
    site.most = 1
    async with opened(site, limits=Limits(rows_per_query=2)) as part:
        with pytest.raises(TooLarge, match=r"has more than 2 rows \(limits.rows_per_query\)$"):
            await part.read(NOW)
    assert sum(map(is_listing, site.asked)) == 3


async def test_pages_of_versions_that_never_end_are_ended_and_begin_anew_when_they_do() -> None:
    site = small()
    site.most = 1
    again = saying(json.dumps({"data": [site.versions[0]], "links": {"next": "/x"}}))
    site.fault(lambda asked: is_listing(asked) and asked.params["page[number]"] == "2", again, times=1)
    async with opened(site) as part:
        with pytest.raises(Malformed, match="page 2 brings nothing new and promises more"):
            await part.read(NOW)
        assert len(counted(await part.read(NOW + 1))) == 3


async def test_the_other_parts_of_the_source_do_not_notice(tmp_path: Path) -> None:
    site = small()
    site.fault(lambda asked: True, reset)
    path = tmp_path / "reconcile.json"
    path.write_text('{"shotgrid": [], "filesystem": []}')
    async with served(site) as address:
        config = Config(shotgrid=SiteConfig(address, SCRIPT, Secret(KEY), timeout=1.0), projects=("a",), reconcile=path)
        source = KIND.source(config, Context("vfx", Schedule(), Limits()))
        parts = {part.name: part for part in source.parts}
        results = await asyncio.gather(*(part.read(NOW) for part in parts.values()), return_exceptions=True)
        await source.close()
    outcomes = {name: type(result).__name__ for name, result in zip(parts, results, strict=True)}
    assert outcomes == {"shotgrid": "Unreachable", "projects": "Taken", "reconcile": "Taken"}


# configuration
SITE = "sources: [{name: a, kind: trafalgar, shotgrid: {url: 'https://s.example', script: s, key: k%s}%s}]"


def loaded(text: str, env: dict[str, str] | None = None) -> Config:
    found: Config = load(text, env or {}, KINDS, Path.read_text).sources[0].settings
    return found


def test_a_site_is_read_every_minute_or_as_seldom_as_its_source() -> None:
    site = SiteConfig("https://s.example", "s", Secret("k"))
    assert loaded(SITE % ("", "")) == Config(shotgrid=site)
    assert site.schedule(Schedule()) == Schedule(60.0, 30.0, 600.0)
    assert site.schedule(Schedule(300.0, 10.0, 3000.0)) == Schedule(300.0, 30.0, 3000.0)
    assert loaded(SITE % (", interval: 5m, timeout: 1m", "")).shotgrid == SiteConfig(
        "https://s.example", "s", Secret("k"), 300.0, 60.0
    )


def test_the_environment_speaks_of_the_site_as_well() -> None:
    env = {
        "ONEPIECE_SHOTGRID_URL": "https://s.example",
        "ONEPIECE_SHOTGRID_SCRIPT": "s",
        "ONEPIECE_SHOTGRID_KEY": "k",
        "ONEPIECE_DASHBOARD_PROJECTS": "atlas_rising, signal_noir",
    }
    found = loaded("sources: [{name: a, kind: trafalgar}]", env)
    site = SiteConfig("https://s.example", "s", Secret("k"))
    assert found == Config(shotgrid=site, projects=("atlas_rising", "signal_noir"))


@pytest.mark.parametrize(
    ("more", "besides", "said"),
    [
        (", url: x", "", "the key url is given twice"),
        ("", ", projects: [' a']", "projects[0]: expected a name that neither begins nor ends with a blank"),
        (", interval: 10ms", "", "shotgrid.interval: expected 1s to 1d"),
    ],
)
def test_what_is_wrong_with_a_site_is_told(more: str, besides: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(SITE % (more, besides))
    assert any(said in f"{problem.path}: {problem.message}" for problem in caught.value.problems)


def test_an_address_and_a_script_must_be_some() -> None:
    site = {"url": "https://u:hunter2@s.example", "script": "", "key": "k"}
    assert configured.problems("trafalgar", shotgrid=site) == [
        "shotgrid.url: expected an address without a user and a password",
        "shotgrid.script: expected the name of a script, found ''",
    ]
