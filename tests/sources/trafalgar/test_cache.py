"""The cache's settings, what they govern, and their administration."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from exporter.core.api import Answer, Asked, Reading
from exporter.core.decode import NO_KEYS, Decoder
from exporter.inputs.shotgrid import Row
from exporter.sources.trafalgar.api.cache import Cache, Config, posted
from exporter.sources.trafalgar.details import Details
from exporter.sources.trafalgar.versions import version

NOW = 1000.0
PARTS = ("ingest", "render")
DEFAULT = {"ttl_seconds": 30.0, "max_records": 5000, "max_projects": 50}


def post(cache: Cache, body: bytes, media: str = "application/json") -> Answer:
    return posted(cache, PARTS, Asked(NOW, body=body, media=media))


def said(answer: Answer) -> Any:
    return json.loads(answer.body)


def decoded(env: Mapping[str, str]) -> tuple[Any, list[str]]:
    names = {name: f"ONEPIECE_DASHBOARD_CACHE_{name}" for name in ("TTL", "MAX_RECORDS", "MAX_PROJECTS")}
    decoder = Decoder({names[name]: text for name, text in env.items()}, lambda path: "", fallback=True)
    return decoder.value(Config, NO_KEYS), [problem.message for problem in decoder.problems]


@pytest.mark.parametrize(
    ("env", "config"),
    [
        ({}, Config()),
        ({"TTL": "1m", "MAX_RECORDS": "7", "MAX_PROJECTS": "0"}, Config(60.0, 7, 0)),
        ({"TTL": "0.5"}, Config(0.5)),
        ({"TTL": "-1", "MAX_RECORDS": "-1", "MAX_PROJECTS": "-1"}, Config(0.0, 0, 0)),
        ({"TTL": "7d", "MAX_RECORDS": "1000001", "MAX_PROJECTS": "10001"}, Config(86400.0, 1_000_000, 10_000)),
        ({"TTL": "nan"}, Config(0.0)),
        ({"MAX_RECORDS": "9" * 400}, Config(max_records=1_000_000)),
        ({"TTL": "inf"}, Config(86400.0)),
    ],
)
def test_settings_are_taken_as_the_system_took_them_and_clamped(env: Mapping[str, str], config: Config) -> None:
    assert decoded(env) == (config, [])


def test_what_is_no_number_is_told() -> None:
    _, problems = decoded({"TTL": "soon", "MAX_RECORDS": "1.5", "MAX_PROJECTS": "x"})
    assert [problem.partition(" (")[0] for problem in problems] == [
        "expected a duration such as 30s, or a number of seconds",
        "expected a whole number, 0 to 1000000",
        "expected a whole number, 0 to 10000",
    ]


def test_a_bucket_is_due_when_it_expires_when_it_was_flushed_and_until_it_is_read_again() -> None:
    cache = Cache(Config(ttl=30.0))
    reading = Reading({}, {"ingest": NOW})
    assert cache.due(reading, NOW + 29.9, PARTS) == ("render",)  # which was never read
    assert cache.due(reading, NOW + 30, PARTS) == PARTS
    cache.flush(NOW + 1)
    assert cache.due(reading, NOW + 2, ("ingest",)) == ("ingest",)
    assert cache.due(Reading({}, {"ingest": NOW + 1.5}), NOW + 2, ("ingest",)) == ()
    assert Cache(Config(ttl=0.0)).due(reading, NOW, ("ingest",)) == ("ingest",)


def test_the_buckets_are_shown() -> None:
    cache = Cache(Config())
    found = cache.administration(Reading({}, {"ingest": 0.0}), 10.0, PARTS, {"ingest": 3})
    assert [(one.name, one.entries, one.ttl_seconds, one.refreshed_at, one.due) for one in found.buckets] == [
        ("ingest", 3, 30.0, "1970-01-01T00:00:00+00:00", False),
        ("render", 0, 30.0, None, True),
    ]


def test_an_empty_post_flushes_and_so_does_a_word_of_it() -> None:
    for body in (b"", b'{"flush": true}', b'{"flush": "ON"}', b'{"flush": 1}', b'{"flush": 1.0}'):
        cache = Cache(Config())
        answer = post(cache, body)
        assert (answer.status, said(answer), answer.due) == (200, DEFAULT, PARTS)
        assert cache.due(Reading({}, {"ingest": NOW}), NOW, ("ingest",)) == ("ingest",)
    for body in (b"{}", b'{"flush": false}', b'{"flush": "n"}', b'{"unknown": 1, "max_records": null}'):
        answer = post(Cache(Config()), body)
        assert (answer.status, said(answer), answer.due) == (200, DEFAULT, ())


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ('{"ttl_seconds": "1e3"}', {"ttl_seconds": 1000.0}),
        ('{"ttl_seconds": true}', {"ttl_seconds": 1.0}),
        ('{"ttl_seconds": 1e10}', {"ttl_seconds": 86400.0}),
        ('{"max_records": "1_000"}', {"max_records": 1000}),
        ('{"max_records": " +7.0 "}', {"max_records": 7}),
        ('{"max_records": true}', {"max_records": 1}),
        ('{"max_projects": 99999999999999999999999}', {"max_projects": 10000}),
    ],
)
def test_settings_are_coerced(body: str, changed: Mapping[str, object]) -> None:
    assert said(post(Cache(Config()), body.encode())) == {**DEFAULT, **changed}


@pytest.mark.parametrize(
    ("body", "kind", "shown"),
    [
        ('{"ttl_seconds": "nan"}', "finite_number", "nan"),
        ('{"ttl_seconds": 1e999}', "finite_number", None),
        (f'{{"ttl_seconds": 1{"0" * 400}}}', "finite_number", int("1" + "0" * 400)),
        ('{"ttl_seconds": {"a": [NaN]}}', "float_type", {"a": [None]}),
        ('{"max_records": Infinity}', "finite_number", None),
        ('{"max_records": "1.5"}', "int_parsing", "1.5"),
        (f'{{"max_records": "{"1" * 4301}"}}', "int_parsing_size", "1" * 4301),
        ('{"max_records": []}', "int_type", []),
        ('{"max_records": -1}', "greater_than_equal", -1),
        ('{"flush": 2}', "bool_parsing", 2),
        ('{"flush": null}', "bool_type", None),
        ('{"flush": "\\ud800"}', "bool_parsing", "?"),
    ],
)
def test_what_is_wrong_with_a_setting_is_told_and_nothing_is_taken(body: str, kind: str, shown: object) -> None:
    cache = Cache(Config())
    answer = post(cache, f'{body[:-1]}, "max_projects": 7}}'.encode())
    (wrong,) = said(answer)["detail"]
    assert (answer.status, wrong["type"], wrong["input"]) == (422, kind, shown)
    assert cache.settings.max_projects == 50


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"\xff", "application/json", 400),
        (b"[" * 60_000, "", 400),
        (b"1" * 5000, "", 400),
        (b"null", "application/problem+json", 422),
        (b"{}", "application/jsonx", 422),
        (b"\xff{}", "application/xml; charset=x", 422),
        (b'"\\ud800"', "", 422),
    ],
)
def test_a_body_that_is_no_object_is_refused(body: bytes, media: str, status: int) -> None:
    answer = post(Cache(Config()), body, media)
    assert answer.status == status
    assert "detail" in said(answer)


def test_pages_of_the_least_recently_used_project_make_room() -> None:
    cache, made = Cache(Config(max_projects=2)), []

    def page(name: str, below: str = "", value: object = "v") -> Answer:
        def make() -> Answer:
            made.append(name + below)
            return Answer(b"")

        return cache.page((name, below), (value,), make)

    first = page("a")
    assert page("a") is first
    page("b"), page("b", "/episodes"), page("a"), page("c")
    assert made == ["a", "b", "b/episodes", "c"]
    page("a"), page("b")  # which was used before `a` was
    assert made[4:] == ["b"]
    assert page("b", value="w") is not page("b")
    cache.flush(NOW)
    page("b")
    assert made[5:] == ["b", "b", "b"]


def row(id_: int, at: str | None = None, status: str = "pub", project: str = "p", shot: str = "e1_s1") -> Row:
    fields = {"code": f"v{id_}", "sg_status_list": status, "updated_at": at, "project": {"name": project}}
    return Row(id_, {**fields, "entity": {"type": "Shot", "name": shot}, "user": {"name": "u"}})


def test_the_oldest_published_versions_make_room_and_nothing_is_counted_less() -> None:
    details = Details()
    for number in range(1, 10):
        one = row(number, f"2026-05-0{number}T00:00:00Z", project="pq"[number % 2])
        details.put(number, None, version(one), one)
    before = details.projects(0)
    after = details.projects(3)
    assert details.count == 3
    assert {name: [one.code for one in found.latest] for name, found in after.items()} == {
        "p": ["v8"],
        "q": ["v9", "v7"],
    }
    assert {name: found.versions for name, found in before.items()} == {
        name: found.versions for name, found in after.items()
    }


def test_a_version_that_changes_moves_or_goes_is_told_so() -> None:
    details, one = Details(), row(1, "2026-05-01T00:00:00Z")
    details.put(1, None, version(one), one)
    first = details.projects(0)
    details.put(1, version(one), version(one), one)
    assert details.projects(0)["p"] is first["p"]
    later = row(1, "2026-05-02T00:00:00Z")
    details.put(1, version(one), version(later), later)
    assert details.projects(0)["p"].latest[0].time == "2026-05-02T00:00:00+00:00"
    moved = row(1, None, project="q", shot="")
    details.put(1, version(later), version(moved), moved)
    found = details.projects(0)
    assert found.keys() == {"q"}
    assert (found["q"].versions, found["q"].shots) == ({("unassigned", "published"): 1}, {})
    assert [tuple(each) for each in found["q"].latest] == [(None, "v1", "u", None)]
    open_ = row(1, None, "wtg", "q")
    beside = row(2, None, project="q")
    details.put(2, None, version(beside), beside)
    details.put(1, version(moved), version(open_), open_)
    assert (details.count, [one.code for one in details.projects(0)["q"].latest]) == (1, ["v2"])
    details.drop(1, version(open_))
    details.drop(2, version(beside))
    assert (details.count, details.projects(0)) == (0, {})
