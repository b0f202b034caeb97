"""The endpoints where the recordings end: what is not read or not there, times in every shape, refusals and events."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from exporter.core.api import Access, Asked, Reading
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.domains.campaigns import Campaigns
from exporter.domains.publishing import Content, Queue
from exporter.sources.stakazo import KIND, Config, events
from exporter.sources.stakazo.api import API, ROUTES
from exporter.sources.stakazo.reading import Backlog, Stock
from exporter.sources.stakazo.statements import SPENT
from tests.api.replay import BEARER, Desk, Exchange, Got, served
from tests.sources.stakazo.databases import NOW, SCHEDULE, Make, editing, golden, made, rows_of
from tests.sources.stakazo.tables import clip, log

ENDPOINTS = ("overview", "queue", "orchestrator", "platforms", "campaigns")


def source(url: str) -> Source:
    made: Source = KIND.source(Config(Secret(url)), Context("publishing", SCHEDULE, Limits()))
    return made


async def got(desk: Desk, target: str, sent: Mapping[str, str] = BEARER, method: str = "GET", body: bytes = b"") -> Got:
    return await desk.ask(Exchange("", method, target, 200, sent=sent, content=body))


async def answer(desk: Desk, endpoint: str) -> tuple[int, Any]:
    found = await got(desk, f"/dashboard/stats/{endpoint}")
    return found.status, json.loads(found.body)


async def said(url: str, endpoint: str) -> Any:
    async with served(source(url), NOW) as desk:
        status, body = await answer(desk, endpoint)
    assert status == 200
    return body


# what is not read, or not there


async def test_an_age_grows_while_nothing_is_read(sqlite: Make) -> None:
    url = sqlite({"publish_logs": [log(requested_at="2025-11-22 11:59:59.999999")]})
    async with served(source(url), NOW) as desk:
        for later in (0, 0.25, 3600):
            desk.now = NOW + later
            assert (await answer(desk, "queue"))[1]["oldest_pending_age_seconds"] == later + 0.000001


async def test_what_was_not_read_yet_is_a_clear_refusal(sqlite: Make) -> None:
    async with served(source(sqlite({})), NOW, read=False) as desk:
        found = await got(desk, "/dashboard/stats/overview")
        assert (found.status, found.headers["Retry-After"]) == (503, "1")
        assert json.loads(found.body) == {"detail": "Not read yet, or not for too long: queue, content, campaigns"}
        await desk.read("queue")
        assert [(await answer(desk, name))[0] for name in ENDPOINTS] == [503, 503, 200, 503, 503]
        assert (await answer(desk, "queue"))[1] == {"detail": "Not read yet, or not for too long: content"}
        await desk.read("content")
        assert [(await answer(desk, name))[0] for name in ENDPOINTS] == [503, 200, 200, 200, 503]
        await desk.read("campaigns")
        assert [(await answer(desk, name))[0] for name in ENDPOINTS] == [200] * 5


LACKING = [
    ("publish_logs", "requested_at", {"queue"}),
    ("publish_logs", "created_at", {"orchestrator"}),
    ("publish_logs", "social_account_id", {"orchestrator"}),
    ("publish_logs", "clip_id", {"platforms"}),
    ("clips", "visual_score", {"platforms"}),
    ("clips", "status", {"overview"}),
    ("jobs", "params", {"overview"}),
]


@pytest.mark.parametrize(("table", "column", "endpoints"), LACKING)
async def test_what_the_schema_lacks_is_named(make: Make, table: str, column: str, endpoints: set[str]) -> None:
    url = make({"publish_logs": [log()]})
    with editing(url) as connection:
        connection.execute(text(f"alter table {table} drop column {column}"))
    async with served(source(url), NOW) as desk:
        for name in ENDPOINTS:
            status, body = await answer(desk, name)
            if name in endpoints:
                assert (status, body) == (503, {"detail": f"The database has no {table}.{column}"})
            else:
                assert status == 200


async def test_without_a_column_of_publication_there_is_no_time_it_took(make: Make) -> None:
    url = make({"publish_logs": [log(status="success", published_at="2025-11-22 11:00:10.000000")]})
    assert (await said(url, "queue"))["avg_processing_time_ms"] == 10_000.0
    with editing(url) as connection:
        connection.execute(text("alter table publish_logs drop column published_at"))
    assert (await said(url, "queue"))["avg_processing_time_ms"] is None


async def test_without_a_table_the_rest_is_answered(sqlite: Make) -> None:
    for table, refused in (("video_assets", {"overview"}), ("publish_logs", {"overview", "queue", "orchestrator"})):
        url = sqlite({})
        with editing(url) as connection:
            connection.execute(text(f"drop table {table}"))
        async with served(source(url), NOW) as desk:
            found = {name for name in ENDPOINTS if (await answer(desk, name))[0] == 503}
        assert found == refused | ({"platforms"} if table == "publish_logs" else set())


# times


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ("2025-11-22 10:00:00.123456", "2025-11-22T10:00:00.123456"),
        ("2025-11-22 10:00:00.000000", "2025-11-22T10:00:00"),
        ("2025-11-22T10:00:00.5", "2025-11-22T10:00:00.500000"),
        ("2025-11-22T10:00:00.123456", "2025-11-22T10:00:00.123456"),
        ("2026-11-22 10:00:00+00:00", "2026-11-22T10:00:00Z"),
        ("2025-11-22T12:00:00.25+02:00", "2025-11-22T10:00:00.250000Z"),
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
        ("2460000.5", "2023-02-25T00:00:00"),  # a day number
        ("no time", None),
    ],
)
async def test_the_last_run_is_told_as_it_is_stored(sqlite: Make, stored: str, told: str | None) -> None:
    older = log(created_at="2022-01-01 00:00:00.000000")
    assert (await said(sqlite({"publish_logs": [log(created_at=stored)]}), "orchestrator"))["last_run_at"] == told
    both = {"publish_logs": [older, log(created_at=stored)]}
    assert (await said(sqlite(both), "orchestrator"))["last_run_at"] == (told or "2022-01-01T00:00:00")


async def test_the_last_run_and_the_windows_count_the_future(make: Make) -> None:
    rows = [
        log(created_at="2025-11-22 11:00:00.000000"),
        log(created_at="2025-11-22 10:59:59.999999"),
        log(created_at="2025-11-22 12:00:00.000001"),
        log(created_at="2031-01-01 00:00:00.000000"),
    ]
    found = await said(make({"publish_logs": rows}), "orchestrator")
    assert found["last_run_at"] == "2031-01-01T00:00:00"
    assert (found["actions_last_run"], found["actions_last_24h"]) == (3, 4)


async def test_the_first_pending_may_wait_in_the_past_or_the_future(make: Make) -> None:
    ahead, behind = "2025-11-22 12:00:01.500000", "2025-11-22 11:59:58.500000"
    url = make({"publish_logs": [log(requested_at=ahead), log(platform="x", requested_at=ahead)]})
    assert (await said(url, "queue"))["oldest_pending_age_seconds"] == -1.5
    rows = [log(requested_at=ahead), log(platform="x", requested_at=behind)]
    older = log(status="retry", requested_at="2020-01-01 00:00:00.000000")
    assert (await said(make({"publish_logs": [*rows, older]}), "queue"))["oldest_pending_age_seconds"] == 1.5


async def test_the_mean_time_knows_negative_ones_and_only_successes(make: Make) -> None:
    asked = "2025-11-22 11:00:00.000000"
    times = ("2025-11-22 11:00:01.250000", "2025-11-22 10:59:50.000000", None)
    rows = [log(status="success", requested_at=asked, published_at=time) for time in times]
    rows.append(log(status="failed", requested_at=asked, published_at="2025-11-22 11:59:59.000000"))
    rows.append(log(status="Success", requested_at=asked, published_at="2025-11-22 11:59:59.000000"))
    url = make({"publish_logs": rows})
    # SQLite knows whole seconds here
    wanted = -4500.0 if url.startswith("sqlite") else -4375.0
    assert (await said(url, "queue"))["avg_processing_time_ms"] == wanted


async def test_times_without_an_end_are_left_out_of_the_mean(tmp_path: Path) -> None:
    with made("postgresql", tmp_path) as make:
        done = log(status="success", published_at="2025-11-22 11:00:10.000000")
        url = make({"publish_logs": [done, {**done, "id": "7" * 32}]})
        with editing(url) as connection:
            connection.execute(text(f"update publish_logs set published_at = 'infinity' where id = '{'7' * 32}'"))
        assert (await said(url, "queue"))["avg_processing_time_ms"] == 10_000.0


FRACTIONS = st.one_of(st.sampled_from([0, 499, 999_499, 999_500, 999_999]), st.integers(0, 999_999))
MOMENTS = st.builds(lambda second, fraction: second * 10**6 + fraction, st.integers(0, 4_000_000_000), FRACTIONS)


@given(times=st.tuples(MOMENTS, MOMENTS))
def test_seconds_of_sqlite_are_those_it_had(times: tuple[int, int]) -> None:
    """Halves of milliseconds are rounded up, and then all is cut off: 0.9995 s is one second."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table publish_logs (status, requested_at, published_at)")
        shown = [
            connection.execute("select strftime('%Y-%m-%d %H:%M:%S', ?, 'unixepoch')", (each // 10**6,)).fetchone()[0]
            + f".{each % 10**6:06}"
            for each in times
        ]
        connection.execute("insert into publish_logs values ('success', ?, ?)", shown)
        ((_, spent),) = connection.execute(SPENT["sqlite"])
        seconds = "select cast(strftime('%s', ?) as integer) - cast(strftime('%s', ?) as integer)"
        ((wanted,),) = connection.execute(seconds, shown[::-1])
    assert spent == wanted * 1_000_000


# what nobody counts


async def test_only_exact_words_count(make: Make) -> None:
    odd = ("Pending", "pending ", " pending", "PROCESSING", "publishing", "")
    rows = [log(status=status) for status in odd] + [log(status="pending", platform=name) for name in ("", "Tiktok")]
    url = make({"publish_logs": [*rows, log(platform="other")], "clips": [clip()]})
    found = await said(url, "queue")
    assert (found["pending"], found["processing"]) == (3, 0)
    assert (await said(url, "orchestrator"))["queue_saturation"] == 3 / 9
    told = await said(url, "platforms")
    assert {name: each["clips_ready"] for name, each in told.items()} == {
        "instagram": 0,
        "tiktok": 0,
        "youtube": 0,
        "other": 1,
    }


def test_only_the_queue_tells_what_depends_on_the_time() -> None:
    facts = Queue({("tiktok", "pending"): 1}, {"tiktok": 1.0}, {}, {}, {}, {}, 0, 1.0, {"1h": 0, "24h": 0}, 0)
    values: dict[str, Any] = {
        "queue": Backlog(facts, {"pending": 1}, 1.0, None, 0),
        "content": Stock(Content({}, {}, {}, 0, {}, {}), None),
        "campaigns": Campaigns({}, None),
    }
    for route in ROUTES:
        one, other = (route.view(Reading(values, dict.fromkeys(values, at)), Asked(at)) for at in (5.0, 6.0))
        assert (one == other) == route.constant == (not route.path.endswith("queue"))


# refusals


@pytest.mark.parametrize(
    ("header", "status", "why"),
    [
        ("", 403, "Not authenticated"),
        ("Bearer", 403, "Not authenticated"),
        ("Bearer ", 403, "Not authenticated"),
        ("golden-token", 403, "Not authenticated"),
        ("Basic dTpw", 403, "Invalid authentication credentials"),
        ("Token golden-token", 403, "Invalid authentication credentials"),
        ("Bearer  golden-token", 401, "Invalid or expired token"),
        ("Bearer golden-token x", 401, "Invalid or expired token"),
        ("Bearer gölden", 401, "Invalid or expired token"),
    ],
)
async def test_a_refusal_says_what_was_wrong(sqlite: Make, header: str, status: int, why: str) -> None:
    async with served(source(sqlite({})), NOW, read=False) as desk:
        found = await got(desk, "/dashboard/stats/queue", {"Authorization": header} if header else {})
    assert (found.status, json.loads(found.body)) == (status, {"detail": why})
    assert found.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)


async def test_the_scheme_may_be_in_any_letters(sqlite: Make) -> None:
    async with served(source(sqlite({})), NOW) as desk:
        for scheme in ("bearer", "BEARER", "bEarer"):
            sent = {"Authorization": f"{scheme} golden-token"}
            assert (await got(desk, "/dashboard/stats/queue", sent)).status == 200


async def test_without_a_token_configured_nobody_is_let_in(sqlite: Make) -> None:
    async with served(source(sqlite({})), NOW, Access()) as desk:
        found = await got(desk, "/dashboard/stats/queue")
    assert (found.status, json.loads(found.body)) == (
        503,
        {"detail": "No token is configured for this source: see api.token."},
    )


HOSTILE = [
    ("GET", "/dashboard/stats/queue?" + "a=%FF&" * 900, b"", 200),
    ("GET", "/dashboard/stats/queue", b"x" * 100_000, 413),
    ("POST", "/dashboard/stats/queue", b"x" * 100_000, 405),
    ("DELETE", "/dashboard/stats/queue", b"", 405),
    ("OPTIONS", "/dashboard/stats/queue", b"", 405),
    ("GET", "/dashboard/stats/%00", b"", 404),
    ("GET", "/dashboard/stats/%FF%FE", b"", 404),
    ("GET", "/dashboard/stats/..%2f..%2fetc%2fpasswd", b"", 404),
    ("GET", "/dashboard/stats/queue%0d%0aX-Evil:1", b"", 404),
    ("GET", "/dashboard//stats/queue", b"", 404),
    ("GET", "/", b"", 404),
]


@pytest.mark.parametrize(("method", "target", "body", "status"), HOSTILE)
async def test_hostile_requests_are_refused_in_its_own_words(
    sqlite: Make, method: str, target: str, body: bytes, status: int
) -> None:
    async with served(source(sqlite({})), NOW) as desk:
        found = await got(desk, target, method=method, body=body)
    assert found.status == status
    told = json.loads(found.body)
    assert status == 200 or [*told] == ["detail"]
    assert found.headers.get("Allow") == ("GET" if status == 405 else None)


def test_every_route_has_an_example_and_types() -> None:
    assert [(each.example, each.path) for each in API.routes] == [(each.path, each.path) for each in ROUTES]
    assert all({200, 503} == each.answers.keys() for each in API.routes)


# events


WORD = st.sampled_from(["pending", "success", "failed"])
NAME = st.sampled_from(["tiktok", "other", "_other", ""])
ITEMS = st.dictionaries(st.tuples(NAME, WORD), st.integers(0, 3))
COUNTS = st.dictionaries(WORD, st.integers(0, 3))


def backlog(items: Mapping[tuple[str, str], int]) -> Backlog:
    return Backlog(Queue(items, {}, {}, {}, {}, {}, 0, None, {}, 0), {}, None, None, 0)


def stock(clips: Mapping[str, int] | None, jobs: Mapping[tuple[str, str], int] | None) -> Stock:
    return Stock(Content({}, {}, {}, 0, clips, jobs), None)


def replayed(told: Any, before: Mapping[Any, int], name: str, what: str) -> dict[Any, int]:
    """What the counts become by the events of a name; those that are 0 are not there."""
    counts = dict(before)
    for each in told:
        json.dumps(each.payload)
        assert each.payload["event"] == each.name
        if each.name == name:
            platform = each.payload.get("platform")
            changed = {(word if platform is None else (platform, word)): n for word, n in each.payload[what].items()}
            assert changed.items().isdisjoint(counts.items())
            counts |= changed
    return present(counts)


def present(counts: Mapping[Any, int]) -> dict[Any, int]:
    return {key: count for key, count in counts.items() if count}


@given(before=ITEMS, after=ITEMS)
def test_events_turn_the_queue_before_into_the_one_after(before: Any, after: Any) -> None:
    told = [*events.queue(backlog(before), backlog(after))]
    assert replayed(told, before, "queue.changed", "items") == present(after)
    assert [*events.queue(backlog(after), backlog(after))] == []


@given(before=st.tuples(COUNTS, ITEMS), after=st.tuples(COUNTS, ITEMS))
def test_events_turn_the_content_before_into_the_one_after(before: Any, after: Any) -> None:
    told = [*events.content(stock(*before), stock(*after))]
    assert replayed(told, before[0], "clips.changed", "clips") == present(after[0])
    assert replayed(told, before[1], "jobs.changed", "jobs") == present(after[1])
    assert [*events.content(stock(*after), stock(*after))] == []


@given(before=COUNTS, after=COUNTS)
def test_events_turn_the_campaigns_before_into_those_after(before: Any, after: Any) -> None:
    told = [*events.campaigns(Campaigns(before, None), Campaigns(after, None))]
    assert replayed(told, before, "campaigns.changed", "campaigns") == present(after)


def test_what_becomes_known_has_not_changed() -> None:
    known = stock({"ready": 1}, {("tiktok", "failed"): 1})
    assert [*events.content(stock(None, None), known)] == [*events.content(known, stock(None, None))] == []


async def test_a_queue_can_be_followed(make: Make, tmp_path: Path) -> None:
    rows = rows_of(golden("no_pending", tmp_path))
    url = make(rows)
    made = source(url)
    queue = next(part for part in made.parts if part.name == "queue")
    assert queue.events
    before = (await queue.read(NOW)).value
    with editing(url) as connection:
        connection.execute(text("update publish_logs set status = 'pending' where platform = 'other'"))
    after = (await queue.read(NOW)).value
    number = sum(log["platform"] == "other" for log in rows["publish_logs"])
    assert [(each.name, each.payload) for each in queue.events(before, after)] == [
        (
            "queue.changed",
            {"event": "queue.changed", "platform": "other", "items": {"failed": 0, "pending": number}},
        )
    ]
    await made.close()
