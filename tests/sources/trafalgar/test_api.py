"""What the recording does not show: parts that are away, odd requests, and what reads what."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from exporter.core.api import Access, Answer, Api, Asked, Reading, Route
from exporter.core.part import Schedule
from exporter.core.source import Context, Limits
from exporter.domains.production import Production
from exporter.domains.review import Review
from exporter.sources.trafalgar import KIND, Config
from exporter.sources.trafalgar.api.cache import Cache
from exporter.sources.trafalgar.api.cache import Config as CacheConfig
from exporter.sources.trafalgar.api.clips import ClipShown, Playlists
from exporter.sources.trafalgar.api.routes import APPS, api
from exporter.sources.trafalgar.details import Project, Published
from exporter.sources.trafalgar.shotgrid import Studio
from tests.api.replay import BEARER, Exchange, served
from tests.sources.trafalgar.files import NOW, given, ingested, read, rendered, written
from tests.sources.trafalgar.test_events import job

PARTS = ("ingest", "render", "shotgrid", "projects", "reconcile")


def made(*parts: str) -> Api:
    return api(Cache(CacheConfig()), parts)


def view(face: Api, method: str, path: str, app: str = "") -> Route:
    return next(
        route for route in face.routes if (route.method, route.path) == (method, path) and app in ("", route.app)
    )


def asked(face: Api, route: str, reading: Reading, app: str = "", **more: Any) -> Answer:
    answer = view(face, "GET", route, app).view(reading, Asked(more.pop("now", NOW), **more))
    assert isinstance(answer, Answer)
    return answer


def said(answer: Answer) -> Any:
    return json.loads(answer.body)


def shown(face: Api) -> Iterator[Route]:
    """The routes that show a part."""
    still = {"/", "/admin/cache", "/farms"}
    return (
        route for route in face.routes if route.path not in still and (route.path, route.app) != ("/health", "ingest")
    )


def test_what_was_not_read_is_503_and_what_is_not_configured_is_empty() -> None:
    names = {"name": "x", "id": "x", "project": "x"}
    for route in shown(made(*PARTS)):
        answer = route.view(Reading(), Asked(NOW, names))
        assert isinstance(answer, Answer)
        assert (answer.status, answer.headers) == (503, {"Retry-After": "1"}), route.path
        assert said(answer)["detail"].startswith("Not read yet, or not for too long: ")
        assert route.answers.get(503)
    for route in shown(made()):
        answer = route.view(Reading(), Asked(NOW, names))
        assert isinstance(answer, Answer)
        assert answer.status in (200, 404), route.path


def test_every_route_has_an_app_an_example_and_its_answers() -> None:
    face = made(*PARTS)
    assert {route.app for route in face.routes} == {*APPS} == {*KIND.apps}
    for route in face.routes:
        assert route.example.startswith("/")
        assert route.answers
        assert {part.name for part in route.parameters if part.where == "path"} == {
            piece[1:-1] for piece in route.path.split("/") if piece.startswith("{")
        }
    assert [stream.part for stream in face.streams] == ["ingest", "render"]
    assert made("projects").streams == ()


async def test_an_answer_is_made_once_for_the_same_values_and_asks_for_the_next_read_when_it_is_old() -> None:
    face = made("ingest")
    value = (await ingested(given("ingest_runs.normal.json"))).value
    first = asked(face, "/metrics", Reading({"ingest": value}, {"ingest": NOW}))
    again = asked(face, "/metrics", Reading({"ingest": value}, {"ingest": NOW + 1}), now=NOW + 1)
    assert again is first
    assert first.due == ()
    late = asked(face, "/metrics", Reading({"ingest": value}, {"ingest": NOW}), now=NOW + 30)
    assert (late.body, late.due) == (first.body, ("ingest",))
    other = (await ingested(given("ingest_runs.all_failed.json"))).value
    assert asked(face, "/metrics", Reading({"ingest": other}, {"ingest": NOW})).body != first.body


async def test_a_flush_has_the_next_requests_answered_with_the_last_good_values(tmp_path: Path) -> None:
    config = Config(ingest_registry=written(tmp_path / "r.json", []), reconcile=given("reconcile.json"))
    source = KIND.source(config, Context("vfx", Schedule(), Limits()))
    async with served(source, NOW, Access(public=True), app="dashboard") as desk:
        before = await desk.ask(Exchange("", "GET", "/metrics", 200))
        assert desk.due == []
        await desk.ask(Exchange("", "POST", "/admin/cache", 200))
        assert desk.due == ["ingest", "reconcile"]
        assert (await desk.ask(Exchange("", "GET", "/metrics", 200))).body == before.body
        again = ["ingest", "reconcile", "reconcile", "ingest"]
        assert desk.due == again
        desk.now += 1
        await desk.read()
        await desk.ask(Exchange("", "GET", "/metrics", 200))
        assert desk.due == again


async def test_merged_the_dashboard_has_the_root_and_render_the_health(tmp_path: Path) -> None:
    config = Config(render_jobs=written(tmp_path / "jobs.json", []))
    for app, root, health in (
        ("", "<!DOCTYPE html>", '{"status":"ok","render_history"'),
        ("ingest", '{"message":"OnePiece Ingest', '{"status":"ok"}'),
        ("render", '{"message":"OnePiece Render', '{"status":"ok","render_history"'),
        ("review", '{"detail":"Not Found"}', '{"detail":"Not Found"}'),
    ):
        source = KIND.source(config, Context("vfx", Schedule(), Limits()))
        async with served(source, NOW, app=app) as desk:
            for target, start in (("/", root), ("/health", health)):
                got = await desk.ask(Exchange("", "GET", target, 200, sent=BEARER))
                assert got.body.decode().startswith(start), (app, target)


LISTS = ("limit=", "limit=1e3", "limit=0x10", "limit=-1", "limit=1&limit=x", f"limit={'9' * 5000}", "limit=%FF")


@pytest.mark.parametrize("query", LISTS)
async def test_odd_limits_are_422_with_what_is_wrong(query: str, tmp_path: Path) -> None:
    config = Config(written(tmp_path / "r.json", []), written(tmp_path / "j.json", []))
    source = KIND.source(config, Context("vfx", Schedule(), Limits()))
    async with served(source, NOW) as desk:
        for path in ("/runs", "/jobs"):
            got = await desk.ask(Exchange("", "GET", f"{path}?{query}", 422, sent=BEARER))
            assert got.status == 422, path
            (wrong,) = json.loads(got.body)["detail"]
            assert wrong["loc"] == ["query", "limit"]


HOSTILE = ("%2e%2e%2fetc", "%00", "%FF", "a%20b", "%E2%80%A8", "x" * 4000, "'%20or%201=1", "{name}", "%0d%0aX:%20y")


@pytest.mark.parametrize("name", HOSTILE)
async def test_odd_names_are_404_or_empty(name: str, tmp_path: Path) -> None:
    config = Config(
        written(tmp_path / "r.json", [{"id": "a"}]),
        written(tmp_path / "j.json", [job("a", "queued", 1)]),
        projects=("known",),
    )
    source = KIND.source(config, Context("vfx", Schedule(), Limits()))
    async with served(source, NOW) as desk:
        for path in ("/runs/{}", "/jobs/{}", "/projects/{}", "/projects/{}/episodes", "/projects/known/playlists/{}"):
            got = await desk.ask(Exchange("", "GET", path.format(name), 404, sent=BEARER))
            assert got.status == 404, path
            assert "detail" in json.loads(got.body)
        got = await desk.ask(Exchange("", "GET", f"/projects/{name}/playlists", 200, sent=BEARER))
        assert got.status in (200, 404)
        got = await desk.ask(Exchange("", "GET", f"/jobs?limit=1&status={name}&farm={name}", 200, sent=BEARER))
        assert (got.status, got.body) == (200, b'{"jobs":[]}')


async def test_records_that_are_odd_are_shown_all_the_same(tmp_path: Path) -> None:
    media = {"show_code": None, "episode": 1, "scene": "S", "shot": "H", "descriptor": True, "extension": "x"}
    report = {
        "processed": [{"path": 1, "bucket": "b", "key": "k", "media_info": media}, 7, {"path": "p"}],
        "invalid": {"ab": 1, "xyz": 2},
    }
    text = json.dumps([{"id": "\ud800é", "started_at": "0001-01-01T00:00:00+14:00", "report": report}, {"id": "n"}])
    value = (await ingested(written(tmp_path / "r.json", text.replace('"n"', '"n", "completed_at": NaN')))).value
    face, reading = made("ingest"), Reading({"ingest": value}, {"ingest": NOW})
    run = said(asked(face, "/runs/{id}", reading, path={"id": "?é"}))
    assert run["report"] == {
        "processed": [
            {
                "path": "1",
                "bucket": "b",
                "key": "k",
                "media_info": {**media, "episode": "1", "descriptor": "True"},
            }
        ],
        "invalid": [{"path": "a", "reason": "b"}],
        "processed_count": 1,
        "invalid_count": 1,
    }
    assert [one["id"] for one in said(asked(face, "/runs", reading))] == ["n", "?é"]
    assert said(asked(face, "/metrics", reading))["ingest"]["counts"]["running"] == 2


async def test_jobs_are_tidied_up_as_the_system_did(tmp_path: Path) -> None:
    odd = job("x", "Completed ", 1, farm_type=None, message=7)
    odd["request"] = {"dcc": " Maya ", "scene": " s ", "output": "o", "priority": "50", "chunk_size": 2.0, "user": 3}
    other = job("y", "", 2, status_history=[{"status": None, "timestamp": None}, 5], completed_at="soon")
    other["request"] = {
        "dcc": "nuke",
        "scene": "s",
        "output": "o",
        "frames": "1, 2-3",
        "farm": " Mock",
        "priority": [1],
    }
    value = (await rendered(written(tmp_path / "j.json", [odd, other]))).value
    face, reading = made("render"), Reading({"render": value}, {"render": NOW})
    jobs = said(asked(face, "/jobs", reading))["jobs"]
    assert [one["request"] for one in jobs] == [
        {
            "dcc": "nuke",
            "scene": "s",
            "frames": "1,2-3",
            "output": "o",
            "farm": "mock",
            "priority": None,
            "chunk_size": None,
            "user": None,
        },
        {
            "dcc": "maya",
            "scene": "s",
            "frames": "1-100",
            "output": "o",
            "farm": "mock",
            "priority": 50,
            "chunk_size": 2,
            "user": "3",
        },
    ]
    assert [(one["status"], one["farm_type"], one["message"]) for one in jobs] == [
        ("", "mock", None),
        ("Completed ", "mock", "7"),
    ]
    statuses = said(asked(face, "/jobs/metrics", reading))["statuses"]
    assert {name: (one["count"], one["active"]) for name, one in statuses.items()} == {
        "completed": (1, 1),
        "unknown": (1, 1),
    }


async def test_jobs_are_listed_by_status_and_farm(tmp_path: Path) -> None:
    stored = [job(f"{farm}{hour}", status, hour, farm=farm) for hour, (farm, status) in enumerate(CELLS)]
    value = (await rendered(written(tmp_path / "j.json", stored))).value
    face, reading = made("render"), Reading({"render": value}, {"render": NOW})

    def listed(*query: tuple[str, str]) -> list[str]:
        return [one["job_id"] for one in said(asked(face, "/jobs", reading, query=query))["jobs"]]

    assert listed() == ["a5", "b4", "a3", "b2", "a1", "a0"]
    assert listed(("limit", "2")) == ["a5", "b4"]
    assert listed(("status", " QUEUED"), ("status", ""), ("limit", "9")) == ["b4", "a1", "a0"]
    assert listed(("status", "queued"), ("status", "failed"), ("farm", "A")) == ["a5", "a1", "a0"]
    assert listed(("farm", "b"), ("limit", "1")) == ["b4"]
    assert listed(("farm", "c")) == []


CELLS = (
    ("a", "queued"),
    ("a", "Queued"),
    ("b", "running"),
    ("a", "running"),
    ("b", "queued"),
    ("a", "failed"),
)


async def test_the_history_of_jobs_until_now(tmp_path: Path) -> None:
    history = [
        {"status": "queued", "timestamp": "2026-05-11T07:00:00Z"},
        {"status": "running", "timestamp": "2026-05-11T08:00:00Z"},
    ]
    stored = [
        job("a", "running", 7, status_history=history),
        job("b", "failed", 8, updated_at="2026-05-11T08:30:00Z", status_history=[]),
    ]
    value = (await rendered(written(tmp_path / "j.json", stored))).value
    face, reading = made("render"), Reading({"render": value}, {"render": NOW})
    found = said(asked(face, "/jobs/metrics", reading))
    assert {name: one["durations"] for name, one in found["statuses"].items()} == {
        "queued": {"total_seconds": 3600.0, "average_seconds": 3600.0},
        "running": {"total_seconds": 3600.0, "average_seconds": 3600.0},
        "failed": {"total_seconds": 1800.0, "average_seconds": 1800.0},
    }
    hour = {"total_jobs": 1, "completed_jobs": 1, "average_completion_seconds": 1800.0}
    assert found["submission_windows"]["1h"] == hour
    assert found["submission_windows"]["6h"]["total_jobs"] == 2
    health = said(asked(face, "/health", reading, "render"))
    assert health["render_history"]["store"]["last_load_at"] == "2026-05-11T09:00:00+00:00"
    assert health["render_summary"]["submission_windows"] == {"1h": 1, "6h": 2, "24h": 2, "7d": 2}


def test_without_jobs_there_is_nothing_to_tell() -> None:
    face = made()
    assert said(asked(face, "/jobs/metrics", Reading()))["statuses"] == {}
    assert said(asked(face, "/health", Reading(), "render"))["render_history"]["store"]["last_load_at"] is None
    names = [farm["name"] for farm in said(asked(face, "/farms", Reading()))["farms"]]
    assert names == ["deadline", "mock", "opencue", "tractor"]


def studio(playlists: Playlists, projects: Mapping[str, Project] | None = None) -> Reading:
    found = Studio(Production({}, {}), Review({}, {}), projects or {}, playlists)
    return Reading({"shotgrid": found}, {"shotgrid": NOW})


def test_what_could_not_be_read_of_the_review_is_502() -> None:
    clip = ClipShown("s", "v", "/a.mov", "", "", None)
    reading = studio({"p": {"good": (clip,), "torn": None}, "lost": None, "odd": {"\ud800": None}})
    face = made("shotgrid")
    listing, single = "/projects/{project}/playlists", "/projects/{project}/playlists/{name}"
    for route, path, status, detail in (
        (listing, {"project": "p"}, 502, "Failed to load playlist 'torn'"),
        (listing, {"project": "lost"}, 502, "Failed to list the playlists of 'lost'"),
        (single, {"project": "p", "name": "torn"}, 502, "Failed to load playlist 'torn'"),
        (single, {"project": "lost", "name": "x"}, 502, "Failed to list the playlists of 'lost'"),
        (single, {"project": "p", "name": "x"}, 404, "Playlist not found"),
        (single, {"project": "x", "name": "x"}, 404, "Playlist not found"),
        (listing, {"project": "odd"}, 502, "Failed to load playlist '?'"),
    ):
        answer = asked(face, route, reading, path=path)
        assert (answer.status, said(answer)) == (status, {"detail": detail})
    good = asked(face, single, reading, path={"project": "p", "name": "good"})
    assert said(good)["summary"] == {"clips": 1, "shots": 1, "duration_seconds": 0.0}


def test_names_that_are_no_text_and_projects_in_several_spellings_are_shown() -> None:
    one = Project({("e", "approved"): 1}, {"e": 1}, (Published("s", "v1", None, 5.0),))
    other = Project({("e", "approved"): 2}, {"e": 2}, (Published(None, "v2", "\ud800", None),))
    reading = studio({}, {"Alpha": one, "ALPHA": other, "": one})
    found = said(asked(made("shotgrid"), "/projects/{name}", reading, path={"name": "alpha"}))
    assert (found["project"], found["shots"], found["approved_versions"]) == ("alpha", 3, 3)
    assert found["latest_published"] == [
        {"shot": "s", "version": "v1", "user": None, "timestamp": "1970-01-01T00:00:05+00:00"},
        {"shot": None, "version": "v2", "user": "?", "timestamp": None},
    ]
    assert said(asked(made("shotgrid"), "/metrics", reading))["status"]["projects"] == 2


async def test_jobs_of_text_that_is_none_are_shown(tmp_path: Path) -> None:
    odd = job("\ud800", "\udfff", 1, message="\ud800", farm="\ud800")
    odd["request"] = {"dcc": "max", "scene": "\ud800", "output": "o", "priority": 1 << 70, "chunk_size": float("inf")}
    value = (await rendered(written(tmp_path / "j.json", [odd]))).value
    face, reading = made("render"), Reading({"render": value}, {"render": NOW})
    found = said(asked(face, "/jobs/{id}", reading, path={"id": "?"}))
    assert (found["status"], found["message"], found["request"]["scene"]) == ("?", "?", "?")
    assert (found["request"]["priority"], found["request"]["chunk_size"]) == (None, None)
    for route in ("/metrics", "/jobs/metrics", "/farms"):
        assert asked(face, route, reading).status == 200


async def test_orphans_have_the_place_of_the_first_record_of_their_shot(tmp_path: Path) -> None:
    first, second = {"shot": "S", "version": "v2", "path": None}, {"shot": "s", "version": "V1", "path": "/b"}
    files = [first, {"version": "v1"}, second]
    stored = [{"shot": "s", "version_number": 3, "key": "k"}, {"shot": "S", "version": "v009", "key": "other"}]
    content = {"shotgrid": [{"shot": "t", "version": "v1"}], "filesystem": files, "s3": stored}
    value = (await read(Config(reconcile=written(tmp_path / "r.json", content)))).value
    face, reading = made("reconcile"), Reading({"reconcile": value}, {"reconcile": NOW})
    assert said(asked(face, "/errors", reading)) == [
        {"type": "orphan_in_fs", "shot": "s", "found": "v1", "path": "", "source": "filesystem"},
        {"type": "orphan_in_fs", "shot": "s", "found": "v2", "path": "", "source": "filesystem"},
        {"type": "orphan_in_s3", "shot": "s", "found": "v003", "key": "k", "source": "s3"},
        {"type": "orphan_in_s3", "shot": "s", "found": "v009", "key": "k", "source": "s3"},
        {"type": "missing_in_fs", "shot": "t", "expected": "v1", "source": "shotgrid"},
        {"type": "missing_in_s3", "shot": "t", "expected": "v1", "source": "shotgrid"},
    ]
    assert said(asked(face, "/errors/summary", reading))[3] == {
        "type": "orphan_in_s3",
        "path": "k",
        "count": 2,
        "shots": ["s"],
    }
    assert said(asked(face, "/metrics", reading))["status"]["errors"] == 6


async def test_times_far_apart_are_no_trouble(tmp_path: Path) -> None:
    long = {"created_at": "0001-01-02T00:00:00Z", "completed_at": "9999-12-30T00:00:00Z"}
    stored = [{**job(f"j{number}", "completed", 1), **long} for number in range(100)]
    value = (await rendered(written(tmp_path / "j.json", stored))).value
    found = said(asked(made("render"), "/jobs/metrics", Reading({"render": value}, {"render": NOW})))
    assert found["adapters"]["mock"]["first_submission_at"] == "0001-01-02T00:00:00Z"
    assert found["submission_windows"]["7d"]["total_jobs"] == 0
