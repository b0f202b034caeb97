"""The endpoint where the recordings end: it looks once for all who ask, keeps its temper, and events say no more than
is known."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.core.api import Access, Asked, Reading
from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.domains.operations import OPERATIONS, Operations
from exporter.inputs.sql import Database
from exporter.sources.decnet import KIND, Config
from exporter.sources.decnet.api import PATH, question
from exporter.sources.decnet.events import events
from exporter.sources.decnet.live import Counts, Question
from tests.api.replay import BEARER, Desk, Exchange, served
from tests.fakes import until
from tests.services import statements
from tests.sources.decnet.databases import NOW, add, ago, change

AT = NOW.timestamp()
HOUR = Question(3600, None)


def source(path: Path, within: float = 30.0) -> Source:
    context = Context("decoys", Schedule(timeout=within), Limits())
    made: Source = KIND.source(Config(Secret(f"sqlite:///{path}")), context)
    return made


@asynccontextmanager
async def counting(path: Path, within: float = 30.0) -> AsyncIterator[Counts]:
    counts = Counts(Database(Secret(f"sqlite:///{path}"), within, 10), within)
    try:
        yield counts
    finally:
        await counts.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin exclusive")
        yield


def unlinked(path: Path) -> None:
    path.unlink()


async def asked(desk: Desk, query: str = "success=false", sent: Mapping[str, str] = BEARER) -> tuple[int, Any]:
    got = await desk.ask(Exchange("", "GET", f"{PATH}?{query}", 200, sent=sent))
    return got.status, json.loads(got.body)


# what is true now


async def test_it_says_what_is_on_record_now_and_keeps_it_for_a_second(path: Path) -> None:
    async with served(source(path), AT, read=False) as desk:
        assert (await asked(desk))[1]["count"] == 0
        add(path, [(ago(minutes=1), "file", 0)], [(ago(minutes=1), 0)])
        assert (await asked(desk))[1]["count"] == 0
        assert (await asked(desk, "success=false&kind=email"))[1]["count"] == 1
        desk.now += 1
        assert (await asked(desk))[1]["count"] == 2
        desk.now -= 3600  # the clock was set back
        add(path, [(ago(minutes=1), "file", 0)])
        assert (await asked(desk))[1]["count"] == 3


async def test_many_who_ask_the_same_cost_one_read(path: Path) -> None:
    add(path, [(ago(minutes=1), "file", 0)])
    with statements("count(*)") as seen:
        async with served(source(path), AT, read=False) as desk:
            with locked(path):
                asking = [asyncio.ensure_future(asked(desk)) for _ in range(20)]
                await until(lambda: seen)
                assert not any(each.done() for each in asking)
            answers = await asyncio.gather(*asking)
    assert [body["count"] for _, body in answers] == [1] * 20
    assert len(seen) == 1


async def test_an_answer_under_way_is_for_later_ones_too(path: Path) -> None:
    with statements("count(*)") as seen:
        async with counting(path) as counts:
            with locked(path):
                first = asyncio.ensure_future(counts.count(HOUR, AT))
                await until(lambda: seen)
                second = asyncio.ensure_future(counts.count(HOUR, AT + 5))
                await asyncio.sleep(0)
            assert [await first, await second] == [0, 0]
    assert len(seen) == 1


async def test_different_questions_take_turns(path: Path) -> None:
    add(path, [(ago(seconds=number), "file", 0) for number in range(10)])
    async with counting(path) as counts:
        found = await asyncio.gather(*(counts.count(Question(seconds, "file"), AT) for seconds in range(1, 10)))
    assert found == [*range(2, 11)]


async def test_who_leaves_does_not_take_the_answer_away_from_others(path: Path) -> None:
    add(path, [(ago(minutes=1), "file", 0)])
    with statements("count(*)") as seen:
        async with counting(path) as counts:
            with locked(path):
                first, second = (asyncio.ensure_future(counts.count(HOUR, AT)) for _ in range(2))
                await until(lambda: seen)
                first.cancel()
                await asyncio.wait([first])
            assert await second == 1
    assert first.cancelled()


async def test_a_token_is_needed_before_anything_is_looked_at(path: Path) -> None:
    with statements("count(*)") as seen:
        async with served(source(path), AT, Access(Secret("s3cret-ü")), read=False) as desk:
            for header in ("", "Bearer", "Bearer s3cret", "bearer s3cret-ü", "Bearer  s3cret-ü", "Bearer \udcff", "ü"):
                assert (await asked(desk, "since=zz", {"Authorization": header}))[0] == 401
            assert (await asked(desk, sent={"Authorization": "Bearer s3cret-ü"}))[0] == 200
        assert len(seen) == 1
        async with served(source(path), AT, Access(), read=False) as desk:
            assert await asked(desk) == (503, {"detail": "No token is configured for this source: see api.token."})


# what goes wrong


async def test_a_database_that_cannot_be_read_is_a_clear_refusal(path: Path) -> None:
    async with served(source(path, within=0.5), AT, read=False) as desk:
        with locked(path):
            assert await asked(desk) == (503, {"detail": "The database cannot be read now: timeout"})
        desk.now += 1
        assert (await asked(desk))[0] == 200
        change(path, "drop table orchestrator_emails")
        desk.now += 1
        assert await asked(desk) == (503, {"detail": "The database cannot be read now: schema"})
        unlinked(path)
        desk.now += 1
        assert await asked(desk) == (503, {"detail": "The database cannot be read now: missing"})
        assert (await asked(desk, "success=false&since=8d"))[0] == 422


async def test_who_waits_spends_the_time_of_his_own_read(path: Path) -> None:
    with statements("count(*)") as seen:
        async with counting(path, within=0.3) as counts:
            with locked(path):
                found = await asyncio.gather(*(counts.count(Question(seconds, None), AT) for seconds in range(1, 9)))
    assert [getattr(each, "reason", each) for each in found] == ["timeout"] * 8
    assert len(seen) < 8


async def test_one_question_too_many_is_sent_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.sources.decnet.live.MOST", 2)
    with statements("count(*)") as seen:
        async with counting(path) as counts:
            with locked(path):
                waiting = [asyncio.ensure_future(counts.count(Question(seconds, None), AT)) for seconds in (1, 2)]
                await until(lambda: seen)
                assert str(await counts.count(Question(3, None), AT)).endswith("2 other questions are waiting")
                same = asyncio.ensure_future(counts.count(Question(2, None), AT))
            assert await asyncio.gather(*waiting, same) == [0, 0, 0]
            assert await counts.count(Question(3, None), AT) == 0


async def test_a_source_that_closes_says_so_to_those_who_wait(path: Path) -> None:
    counts = Counts(Database(Secret(f"sqlite:///{path}"), 30.0, 10), 30.0)
    with statements("count(*)") as seen, locked(path):
        waiting = [asyncio.ensure_future(counts.count(Question(seconds, None), AT)) for seconds in (1, 2)]
        await until(lambda: seen)
        await counts.close()
        assert [str(each).endswith("closed meanwhile") for each in await asyncio.gather(*waiting)] == [True, True]


WORDS = st.sampled_from(["since", "success", "kind", "SINCE", "since[]", ""])
VALUES = st.one_of(
    st.sampled_from(["1h", "false", "true", "email", "9" * 5000 + "d", "-1h", "0s", "\0", "\ufeff1h", "\u0661h"]),
    st.from_regex(r"\d{1,12}[smhd]\n?", fullmatch=True),
    st.text(max_size=20),
)


@given(pairs=st.lists(st.tuples(WORDS, VALUES), max_size=6))
def test_whatever_is_asked_is_a_question_or_refused(pairs: list[tuple[str, str]]) -> None:
    found = question(Asked(AT, query=pairs))
    if isinstance(found, Question):
        assert 0 < found.seconds <= 7 * 86400
        assert found.kind in (None, "traffic", "file", "email")
    else:
        assert found.status == 422
        assert [*json.loads(found.body)] == ["detail"]


HOSTILE = (
    "success=false&since=%FF%FEh",
    "success=false&since=%00",
    "success=false&since=1h&since=" + "9" * 4400 + "d",
    "success=false&kind=%ED%A0%80",
    "success=false&since=1h%0A&kind=email%0A",
    "success=false&kind[]=email&since[$gt]=",
    "success=false;since=zz",
    "&&&=&success=false&=",
)


@pytest.mark.parametrize("query", HOSTILE)
async def test_hostile_questions_are_answered_or_refused(path: Path, query: str) -> None:
    async with served(source(path), AT, read=False) as desk:
        status, body = await asked(desk, query)
    assert (status, [*body]) in ((200, ["since", "success", "kind", "count"]), (422, ["detail"]))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
async def test_other_methods_are_refused_in_its_own_words(path: Path, method: str) -> None:
    async with served(source(path), AT, read=False) as desk:
        got = await desk.ask(Exchange("", method, PATH, 405, sent=BEARER, content=b"x" * 100_000))
    assert (got.status, got.headers["Allow"], got.body) == (405, "GET", b'{"detail":"Method Not Allowed"}')


async def test_a_body_over_the_cap_is_refused(path: Path) -> None:
    async with served(source(path), AT, read=False) as desk:
        got = await desk.ask(Exchange("", "GET", PATH, 413, sent=BEARER, content=b"x" * 100_000))
    assert (got.status, got.body) == (413, b'{"detail":"Request body too large"}')


@pytest.mark.parametrize("statistics", [False, True])
async def test_no_count_walks_through_all_failures(path: Path, statistics: bool) -> None:
    """SQLite without statistics would, through the index of `success`."""
    add(path, [(ago(minutes=n), "file", n % 10) for n in range(3000)], [(ago(minutes=n), 0) for n in range(300)])
    if statistics:
        change(path, "analyze")
    with statements("count(*)") as seen:
        async with counting(path) as counts:
            found = [await counts.count(Question(3600, kind), AT) for kind in (None, "file", "email")]
    assert found == [7 + 61, 7, 61]
    with closing(sqlite3.connect(path)) as connection:
        for statement in seen:
            bare = re.sub(r"\?|:\w+", "'2026'", statement.rpartition("limit")[0])
            plan = [step for *_, step in connection.execute(f"explain query plan {bare}")]
            assert [step for step in plan if "orchestrator" in step] != []
            assert all("(ts>?)" in step for step in plan if "orchestrator" in step)


# events


def facts(failures: Mapping[tuple[str, str], int], attempts: Mapping[tuple[str, str], int] | None = None) -> Operations:
    return Operations(("5m", "1h"), attempts or failures, failures, {}, 0)


def test_nothing_happens_between_a_value_and_itself() -> None:
    value = facts({("file", "5m"): 1})
    assert [*events(value, value)] == []
    assert [*events(value, facts({("file", "5m"): 1, ("file", "1h"): 0}))] == []


def test_failures_that_must_be_new_are_told() -> None:
    before = facts({("file", "5m"): 3, ("file", "1h"): 3, ("email", "1h"): 2})
    after = facts({("file", "5m"): 1, ("file", "1h"): 5, ("email", "1h"): 1}, {("file", "1h"): 9})
    assert [(each.name, each.payload) for each in events(before, after)] == [
        (
            "operation.changed",
            {
                "event": "operation.changed",
                "operation": "email",
                "attempts": {"5m": 0, "1h": 0},
                "failures": {"5m": 0, "1h": 1},
            },
        ),
        (
            "operation.changed",
            {
                "event": "operation.changed",
                "operation": "file",
                "attempts": {"5m": 0, "1h": 9},
                "failures": {"5m": 1, "1h": 5},
            },
        ),
        ("operation.failed", {"event": "operation.failed", "operation": "file", "at_least": 2}),
    ]
    more = facts({**before.failures, ("email", "1h"): 3})
    assert [each.payload.get("at_least") for each in events(before, more)] == [None, 1]


COUNTS = st.dictionaries(st.tuples(st.sampled_from(OPERATIONS), st.sampled_from(["5m", "1h"])), st.integers(0, 3))


@given(before=st.tuples(COUNTS, COUNTS), after=st.tuples(COUNTS, COUNTS))
def test_events_turn_the_value_before_into_the_one_after(before: Any, after: Any) -> None:
    counts = {
        (what, operation, window): number
        for what, found in zip(("attempts", "failures"), before, strict=True)
        for (operation, window), number in found.items()
    }
    made = [Operations(("5m", "1h"), attempts, failures, {}, 0) for attempts, failures in (before, after)]
    for each in events(*made):
        json.dumps(each.payload)
        for what in ("attempts", "failures"):
            for window, number in each.payload.get(what, {}).items():
                counts[what, each.payload["operation"], window] = number
    wanted = {
        (what, operation, window): number
        for what, found in zip(("attempts", "failures"), after, strict=True)
        for (operation, window), number in found.items()
    }
    assert {key: number for key, number in counts.items() if number} == {k: n for k, n in wanted.items() if n}


async def test_the_view_does_not_look_at_what_was_read(path: Path) -> None:
    made = source(path)
    assert made.api
    answer = made.api.routes[0].view(Reading(), Asked(AT, query=[("success", "false")]))
    assert not hasattr(answer, "body")
    body = (await answer).body
    assert body == b'{"since":"1h","success":false,"kind":null,"count":0}'
    await made.close()
