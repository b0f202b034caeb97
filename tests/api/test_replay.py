"""The harness itself finds what differs, and nothing else."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.api import replay
from tests.api.replay import BEARER, Exchange, Got, Tally, compared, served
from tests.api.table import Difference, markdown
from tests.web.apis import System

NOW = 1_800_000_000.0
VALUE = (("a", 1), ("b", 2))


def exchange(body: Any, **more: Any) -> Exchange:
    return Exchange("x", "GET", "/", 200, body, **more)


async def test_a_source_is_asked_over_a_real_connection() -> None:
    async with served(System().source("vfx", VALUE), NOW) as desk:
        right = Exchange("one", "GET", "/things/a", 200, {"name": "a", "count": 1}, BEARER)
        json_header = {"Content-Type": "application/json"}
        for same in (
            right,
            Exchange("text", "GET", "/things/a", 200, '{"name":"a","count":1}', BEARER, headers=json_header),
            Exchange("none", "GET", "/things/a?x=%FF", 401, {"detail": "missing, found ''"}),
            Exchange(
                "slash", "GET", "/things/?a=%20", 307, "", BEARER, headers={"Location": "http://h:1/things?a=%20"}
            ),
            Exchange(
                "echo", "POST", "/things", 200, {"got": "{}", "media": "", "query": [], "now": NOW}, BEARER, b"{}"
            ),
        ):
            matter = [key for key in replay.MATTER if same.headers.keys() & {key.title()}]
            found = await desk.differences(Exchange(**{**fields(same), "matter": matter}))
            assert found == [], same.name
        wrong = Exchange("wrong", "GET", "/things/a", 201, {"count": 1, "name": "A"}, BEARER)
        assert [found.place for found in await desk.differences(wrong)] == [
            "wrong status",
            "wrong header content-type",
            "wrong $ order",
            "wrong $.name",
        ]


def fields(one: Exchange) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


@pytest.mark.parametrize(
    ("before", "now", "places"),
    [
        ({"a": 1, "b": [1, 2]}, '{"a":1,"b":[1,2]}', []),
        ({"a": 1}, '{"a":1.0}', ["x $.a"]),
        ({"a": 1}, '{"a":true}', ["x $.a"]),
        ({"a": 0.0}, '{"a":-0.0}', ["x $.a"]),
        ({"a": None}, "{}", ["x $.a"]),
        ({}, '{"a":null}', ["x $.a"]),
        ({"a": 1, "b": 2}, '{"b":2,"a":1}', ["x $ order"]),
        ([1, 2], "[1]", ["x $ length"]),
        ([{"id": 1}], '[{"id":2}]', ["x $[0].id"]),
        ({"a": 1}, "<p>", ["x $"]),
        ("a\n", "a", ["x text"]),
    ],
)
def test_every_difference_has_its_place(before: Any, now: str, places: Sequence[str]) -> None:
    found = compared(exchange(before, matter=()), Got(200, {}, now.encode()), "")
    assert [each.place for each in found] == places


def test_numbers_may_be_compared_as_numbers_and_places_left_out() -> None:
    told = exchange({"a": 0, "b": [{"at": 1, "c": 2}]}, numerically=True, ignore=("$.b[*].at",), matter=())
    got = Got(200, {}, b'{"a":-0.0,"b":[{"at":9,"c":3}]}')
    assert [each.place for each in compared(told, got, "")] == ["x $.b[0].c"]


def test_what_no_row_explains_fails_and_so_does_an_idle_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (Difference("s", r"x \$\.a", "`a`", 3, "was random"), Difference("s", "y status", "y", 2, "was 500"))
    monkeypatch.setattr(replay, "DIFFERENCES", rows)
    one = exchange({"a": 1, "b": 1}, matter=())
    tally = Tally("s")
    tally.add(one, compared(one, Got(200, {}, b'{"a":2,"b":2}'), ""))
    with pytest.raises(AssertionError, match=r"(?s)1 differences that no row explains:\nx \$\.b: was 1, is 2"):
        tally.settle()
    tally = Tally("s")
    tally.add(one, compared(one, Got(200, {}, b'{"a":2,"b":1}'), ""))
    tally.add(one, compared(one, Got(200, {}, b'{"a":1,"b":1}'), ""))
    assert (tally.replayed, tally.equal, tally.listed) == (2, 1, 1)
    with pytest.raises(AssertionError, match="rows that explain nothing"):
        tally.settle()
    monkeypatch.setattr(replay, "DIFFERENCES", rows[:1])
    tally.settle()


def test_the_table_says_why() -> None:
    assert markdown([Difference("s", "x", "`a`", 3, "was random")]).endswith("| s | `a` | was random | 3 |\n")
