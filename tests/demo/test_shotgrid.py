"""ShotGrid in the simulated studio: its story, and the site that tells it over HTTP."""

import asyncio
import copy
import http.client
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from exporter.core.secret import Secret
from exporter.demo import shotgrid, trafalgar
from exporter.demo.shotgrid import BID, CUT, PLAYLISTS_KEPT, Production
from exporter.demo.shotgrid_site import KEY, LARGEST_PAGE, LOGIN, SCRIPT, TOKEN_SECONDS, Site, served
from exporter.demo.shows import SHOTS_EACH, SHOWS, Shot, shots
from exporter.demo.studio import Studio
from exporter.demo.world import DAY, PACE, Agenda, Clock, chance
from exporter.inputs.http import Http, Terms
from exporter.inputs.shotgrid import Login, ShotGrid
from exporter.inputs.worker import Worker
from exporter.sources.trafalgar.projects import Known
from exporter.sources.trafalgar.shotgrid import Site as Reader
from tests.shotgrid_server import golden

BEGAN = 1_800_000_000.0
WORDS = {"wtg", "rev", "rtk", "apr", "pub", None}
ASKED = {"grant_type": "client_credentials", "client_id": SCRIPT, "client_secret": KEY}


class Live:
    """The production under a clock that is told the time."""

    def __init__(self, seed: int = 1, began: float = BEGAN, pace: float = PACE) -> None:
        self.agenda = Agenda(Clock(began, pace))
        self.delivered: list[tuple[Shot, int]] = []
        every = shots(chance(seed, "shots"))
        self.production = Production(
            self.agenda, chance(seed, "shotgrid"), every, lambda *one: self.delivered.append(one)
        )
        self.now = began
        self.agenda.advance(began)

    def go_on(self, seconds: float) -> None:
        self.now += seconds
        self.agenda.advance(self.now)

    def statuses(self) -> dict[int, str | None]:
        return {id_: row["attributes"]["sg_status_list"] for id_, row in self.production.versions.items()}


def test_every_show_has_shots_of_names_nobody_else_has() -> None:
    every = shots(chance(1, "shots"))
    assert every.keys() == SHOWS.keys()
    assert all(len(mine) == SHOTS_EACH and all(shot.show == show for shot in mine) for show, mine in every.items())
    assert len({shot.name for mine in every.values() for shot in mine}) == SHOTS_EACH * len(SHOWS)
    assert every == shots(chance(1, "shots")) != shots(chance(2, "shots"))
    assert Shot("ASH", "E101", "S003", "SH0040").place == "ashfall/E101/S003/SH0040"


def test_the_same_seed_tells_the_same_story_at_any_time() -> None:
    one, two = Live(seed=7), Live(seed=7, began=BEGAN + 12_345_678)
    for live in (one, two):
        for _ in range(10):
            live.go_on(50)
    assert one.statuses() == two.statuses()
    assert one.delivered == two.delivered
    assert one.statuses() != Live(seed=8).statuses()


@pytest.mark.parametrize("seed", range(3))
def test_a_site_that_was_worked_with_for_a_week(seed: int) -> None:
    production = Live(seed).production
    assert {row["attributes"]["name"] for row in production.projects.values()} - {BID} == {*SHOWS.values()}
    assert LARGEST_PAGE < len(production.versions) < 4 * LARGEST_PAGE  # more than a page of them
    assert len(production.playlists) == PLAYLISTS_KEPT * len(SHOWS)
    counts = Counter(row["attributes"]["sg_status_list"] for row in production.versions.values())
    assert counts.keys() <= WORDS
    assert counts["pub"] > 100
    assert counts["rtk"] > 50


def test_rows_have_the_fields_of_real_ones() -> None:
    production, real = Live().production, golden()
    for name in ("projects", "playlists"):
        (row, *_), (wanted, *_) = getattr(production, name).values(), getattr(real, name)
        assert row.keys() == wanted.keys()
        assert row["attributes"].keys() == wanted["attributes"].keys()
        assert row.get("relationships", {}).keys() == wanted.get("relationships", {}).keys()
    version, wanted = next(iter(production.versions.values())), real.clips[0]
    assert version.keys() == wanted.keys()
    assert version["attributes"].keys() - wanted["attributes"].keys() == {"updated_at"}
    assert version["relationships"].keys() - wanted["relationships"].keys() == {"project"}


def test_versions_are_submitted_reviewed_sent_back_or_approved_and_published() -> None:
    live, seen = Live(), dict[int, list[str | None]]()
    for _ in range(600):
        live.go_on(2)
        for id_, word in live.statuses().items():
            if (words := seen.setdefault(id_, []))[-1:] != [word]:
                words.append(word)
    fresh = [words for words in seen.values() if words[0] in ("wtg", None)]
    assert len(fresh) > 20
    for words in fresh:
        order = ["rev", "rtk"] if "rtk" in words else ["rev", "apr", "pub"]
        assert words[1:] == order[: len(words) - 1]
    assert {words[-1] for words in fresh} >= {"rtk", "apr", "pub"}
    numbers = Counter(live.delivered)
    assert set(numbers.values()) == {1}


def test_a_row_that_changes_is_a_new_one_and_says_when() -> None:
    live = Live()
    taken = live.production.tables()
    kept, began = copy.deepcopy(taken), live.now
    for _ in range(24):
        live.go_on(50)
    assert taken == kept
    now = live.production.tables()
    assert [row["id"] for row in now["versions"]] == sorted(row["id"] for row in now["versions"])
    before = {row["id"]: row for row in kept["versions"]}
    changed = [row for row in now["versions"] if row != before.get(row["id"])]
    assert len(changed) > 20
    for row in changed:
        assert began < datetime.fromisoformat(row["attributes"]["updated_at"]).timestamp() <= live.now


def test_a_bid_and_playlists_come_and_go() -> None:
    live, bids, playlists = Live(), set[bool](), set[int]()
    for _ in range(100):
        live.go_on(50)
        production = live.production
        bids.add(BID in {row["attributes"]["name"] for row in production.projects.values()})
        playlists |= production.playlists.keys()
        assert len(production.playlists) <= PLAYLISTS_KEPT * len(SHOWS)
        for row in production.playlists.values():
            of = row["relationships"]["project"]["data"]["id"]
            ids = [one["id"] for one in row["relationships"]["versions"]["data"]]
            assert len(ids) <= CUT
            assert all(production.versions[id_]["relationships"]["project"]["data"]["id"] == of for id_ in ids)
    assert bids == {True, False}
    assert len(playlists) > PLAYLISTS_KEPT * len(SHOWS)


def test_the_oldest_versions_are_deleted_before_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shotgrid, "VERSIONS_KEPT", 300)
    monkeypatch.setattr(shotgrid, "CLEARED", 250)
    live = Live()
    for _ in range(100):
        live.go_on(50)
        assert 50 < len(live.production.versions) <= 300
    assert min(live.production.versions) > 5200


# over HTTP


class Visitor:
    """The site served, and a connection to it that is used again and again."""

    def __init__(self, url: str, site: Site, clock: list[float]) -> None:
        self.url, self.site, self.clock, self.token = url, site, clock, ""
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        self.connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def login(self) -> None:
        status, said = self.ask("POST", LOGIN, json.dumps(ASKED).encode())
        assert (status, said["token_type"], said["expires_in"]) == (200, "Bearer", 60)
        self.token = said["access_token"]

    def rows(self, entity: str, **asked: str) -> tuple[int, Any]:
        path = f"/api/v1/entities/{entity}?{urlencode(asked)}"
        return self.ask("GET", path, Authorization=f"Bearer {self.token}")


@pytest.fixture
def live_site() -> Iterator[Visitor]:
    clock = [1000.0]
    site = Site(lambda: clock[0])
    with served(site) as url:
        found = Visitor(url, site, clock)
        with closing(found.connection):
            yield found


def row(id_: int, **attributes: object) -> dict[str, Any]:
    related = {"project": {"data": {"type": "Project", "id": id_ % 2, "name": "a"}}}
    return {"id": id_, "type": "Version", "attributes": attributes, "relationships": related}


def test_a_token_lives_for_a_minute(live_site: Visitor) -> None:
    assert live_site.rows("versions")[0] == 401
    live_site.login()
    assert live_site.rows("versions")[0] == 200
    live_site.clock[0] += TOKEN_SECONDS - 0.1
    assert live_site.rows("versions")[0] == 200
    live_site.clock[0] += 0.1
    assert live_site.rows("versions") == (401, {"errors": [{"status": 401, "title": "Unauthorized"}]})
    live_site.login()
    assert live_site.rows("versions")[0] == 200
    live_site.site.forget()
    assert live_site.rows("versions")[0] == 401


@pytest.mark.parametrize("asked", [b"", b"{}", b"[" * 4000, json.dumps({**ASKED, "client_secret": "x"}).encode()])
def test_who_has_no_key_is_not_let_in(live_site: Visitor, asked: bytes) -> None:
    assert live_site.ask("POST", LOGIN, asked)[0] == 400


def test_a_body_that_is_too_large_is_not_read(live_site: Visitor) -> None:
    assert live_site.ask("POST", LOGIN, b" " * 5000)[0] == 400
    assert live_site.ask("POST", LOGIN, b"x", Content_Length="many")[0] == 400
    live_site.login()  # over a connection of its own


def test_rows_come_by_the_page(live_site: Visitor) -> None:
    live_site.site.tables = {"versions": tuple(row(number, code=f"c{number}") for number in range(1, 601))}
    live_site.login()
    pages = [
        live_site.rows("versions", fields="code", **{"page[number]": str(n), "page[size]": "500"})[1]
        for n in (1, 2, 3, 4)
    ]
    assert [len(page["data"]) for page in pages] == [250, 250, 100, 0]
    assert ["next" in page["links"] for page in pages] == [True, True, False, False]
    assert [one["id"] for page in pages for one in page["data"]] == [*range(1, 601)]
    assert pages[0]["data"][0] == {"id": 1, "type": "Version", "attributes": {"code": "c1"}, "relationships": {}}
    _, second = live_site.ask("GET", pages[0]["links"]["next"], Authorization=f"Bearer {live_site.token}")
    assert second["data"] == pages[1]["data"]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({}, [1, 2, 3]),
        ({"filter[0][id[$in]]": "3,1,9"}, [1, 3]),
        ({"filter[0][project]": "1"}, [1, 3]),
        ({"filter[0][updated_at[$gte]]": "2026-05-10T12:00:00Z"}, [2]),
        ({"filter[0][updated_at[$gte]]": "2026-05-10T11:00:00Z", "filter[1][project]": "1"}, [1]),
        ({"filter[0][code]": "c3", "sort": "id"}, [3]),
    ],
)
def test_filters(live_site: Visitor, asked: dict[str, str], ids: list[int]) -> None:
    live_site.site.tables = {
        "versions": (
            row(1, code="c1", updated_at="2026-05-10T11:59:59.5+00:00"),
            row(2, code="c2", updated_at="2026-05-10T12:00:00+00:00"),
            row(3, code="c3", updated_at=None),
        )
    }
    live_site.login()
    status, said = live_site.rows("versions", **asked)
    assert (status, [one["id"] for one in said["data"]]) == (200, ids)


@pytest.mark.parametrize(
    "asked",
    [{"sort": "-id"}, {"page[number]": "0"}, {"page[size]": "x"}, {"filter[0][code[$like]]": "c"}, {"what": "ever"}],
)
def test_what_it_does_not_know_it_refuses(live_site: Visitor, asked: dict[str, str]) -> None:
    live_site.login()
    assert live_site.rows("versions", **asked)[0] == 400
    assert live_site.rows("shots")[0] == 404
    assert live_site.ask("GET", "/", Authorization=f"Bearer {live_site.token}")[0] == 404
    assert live_site.ask("POST", "/api/v1/entities/versions", b"{}")[0] == 404


async def test_the_exporter_reads_what_happened_as_it_happens(tmp_path: Path) -> None:
    """The reader of production over the real connection, against the rows as the story has them."""
    agenda, now = Agenda(Clock(BEGAN, 4 * PACE)), BEGAN
    with trafalgar.live(Studio(agenda, 1, tmp_path, lambda _: False)) as write:
        url = (tmp_path / trafalgar.SHOTGRID).read_text()
        twin, worker = Live(pace=4 * PACE), Worker("projects")
        client = ShotGrid(Http(url, Terms(1 << 26)), Login(SCRIPT, Secret(KEY)), 100_000)
        reader = Reader(client, Known((), None, worker), 60.0)
        try:
            for _ in range(16):
                agenda.advance(now)
                await asyncio.to_thread(write)
                told = (await reader.read(now)).value
                counted = Counter(
                    (row["relationships"]["project"]["data"]["name"], row["attributes"]["sg_status_list"])
                    for row in twin.production.versions.values()
                )
                words = {"apr": "approved", "pub": "published", None: "unknown"}
                assert told.production.versions == {
                    (project, words.get(word, word)): number for (project, word), number in counted.items()
                }
                names = {row["attributes"]["name"] for row in twin.production.projects.values()}
                assert names <= told.review.playlists.keys()
                assert sum(one.count for one in told.review.playlists.values() if one) == len(twin.production.playlists)
                now += 50
                twin.go_on(50)
        finally:
            worker.close()
            await client.http.close()
    assert (now - BEGAN) * 4 * PACE > 2 * DAY  # the site was restarted meanwhile, and let it in again
