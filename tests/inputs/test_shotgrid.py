"""ShotGrid's REST API over a real connection: logging in, paging, and rows in whatever form they come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from exporter.core.errors import Malformed, ReadError, Refused, TooLarge, Unreachable
from exporter.core.secret import Secret
from exporter.inputs.http import Http, Terms
from exporter.inputs.shotgrid import Login, Page, Query, Row, ShotGrid, normal
from tests.shotgrid_server import KEY, SCRIPT, Asked, Site, project, saying, served, status

PROJECTS = Query("projects", ("id", "name"))


async def at_once(seconds: float) -> None:
    """A pause that is none."""


@asynccontextmanager
async def opened(site: Site, key: str = KEY, most: int = 1000) -> AsyncIterator[ShotGrid]:
    async with served(site) as address:
        http = Http(address, Terms(1 << 20, total=5.0), at_once)
        try:
            yield ShotGrid(http, Login(SCRIPT, Secret(key)), most)
        finally:
            await http.close()


def many(count: int) -> list[dict[str, Any]]:
    return [project(number, f"p{number}") for number in range(1, count + 1)]


async def rows(client: ShotGrid, query: Query = PROJECTS) -> Page:
    return await client.rows(query, asyncio.get_running_loop().time() + 20)


def is_login(asked: Asked) -> bool:
    return asked.entity == "login"


def is_page(number: int) -> Any:
    return lambda asked: asked.params.get("page[number]") == str(number)


async def test_rows_come_page_after_page_as_long_as_there_is_a_next_one() -> None:
    site = Site(projects=many(5), most=2)
    async with opened(site) as client:
        found = await rows(client)
    assert [row.fields["name"] for row in found.rows] == ["p1", "p2", "p3", "p4", "p5"]
    assert not found.more
    assert [asked.params for asked in site.asked[1:]] == [
        {"fields": "id,name", "page[number]": str(number), "page[size]": "500"} for number in (1, 2, 3)
    ]


async def test_wherever_the_link_leads_the_next_page_is_asked_of_the_same_site() -> None:
    site = Site(projects=many(3), most=2)  # its links lead to another host
    async with opened(site) as client:
        assert len((await rows(client)).rows) == 3
        assert {asked.request.host for asked in site.asked} == {client.http.address.removeprefix("http://")}


@pytest.mark.parametrize(
    "again", ['{"data": [{"id": 1}], "links": {"next": "/x"}}', '{"data": [], "links": {"next": "/x"}}']
)
async def test_pages_that_never_end_are_ended(again: str) -> None:
    site = Site(projects=many(1))
    site.fault(lambda asked: asked.entity == "projects", saying(again))
    async with opened(site) as client:
        with pytest.raises(Malformed, match=r"/entities/projects: page [12] brings nothing new and promises more$"):
            await rows(client)
    assert site.count("projects") <= 2


async def test_more_rows_than_the_cap_are_too_many() -> None:
    site = Site(projects=many(7), most=2)
    async with opened(site, most=3) as client:
        with pytest.raises(TooLarge, match=r"has more than 3 rows \(limits.rows_per_query\)$"):
            await rows(client)
    assert site.count("projects") == 2


async def test_one_login_serves_many_reads() -> None:
    site = Site(projects=many(1))
    async with opened(site) as client:
        await rows(client)
        await rows(client)
    assert site.count("login") == 1
    assert {asked.request.headers["Authorization"] for asked in site.asked[1:]} == {"Bearer token-0"}


async def test_of_many_that_want_to_log_in_one_does() -> None:
    site = Site(projects=many(1))
    async with opened(site) as client:
        await asyncio.gather(*(rows(client) for _ in range(5)))
        site.valid.clear()
        await asyncio.gather(*(rows(client) for _ in range(5)))
    assert site.count("login") == 2


async def test_a_token_is_renewed_before_it_ends() -> None:
    site = Site(projects=many(1), life=1e-9)
    async with opened(site) as client:
        await rows(client)
        await rows(client)
    assert site.count("login") == 2
    assert {asked.request.headers.get("Authorization") for asked in site.asked[1::2]} == {
        "Bearer token-0",
        "Bearer token-1",
    }


@pytest.mark.parametrize("life", ['"soon"', "null", "-1", "true", "0"])
async def test_a_token_that_does_not_say_how_long_it_lives_is_used_all_the_same(life: str) -> None:
    site = Site(projects=many(1))
    site.valid.add("t")
    site.fault(is_login, saying(f'{{"access_token": "t", "expires_in": {life}}}'))
    async with opened(site) as client:
        await rows(client)
        await rows(client)
    assert site.count("login") == 1


async def test_a_token_that_ends_between_two_pages_is_renewed_and_the_page_asked_for_again() -> None:
    site = Site(projects=many(4), most=2)
    site.fault(is_page(2), status(401), times=1)
    async with opened(site) as client:
        assert len((await rows(client)).rows) == 4
    assert [asked.entity for asked in site.asked] == ["login", "projects", "projects", "login", "projects"]


async def test_who_is_refused_with_a_new_token_is_refused() -> None:
    site = Site(projects=many(1))
    site.fault(lambda asked: asked.entity == "projects", status(401))
    async with opened(site) as client:
        with pytest.raises(Refused, match=r"/entities/projects: answers with status 401$"):
            await rows(client)
    assert [asked.entity for asked in site.asked] == ["login", "projects", "login", "projects"]


@pytest.mark.parametrize("number", [None, 400, 401, 403])
async def test_a_login_that_is_refused(number: int | None) -> None:
    site = Site()
    if number:
        site.fault(is_login, status(number))
    async with opened(site, "hunter2") as client:
        with pytest.raises(Refused, match=r"/auth/access_token: shotgrid.script or shotgrid.key is refused$") as caught:
            await rows(client)
        assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r} {client!r} {client._login!r}"
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    "answer",
    ["[]", "{}", '{"access_token": ""}', '{"access_token": 7}', '{"access_token": "a\\nb"}', '{"access_token": "ü"}'],
)
async def test_a_login_without_a_token_to_use(answer: str) -> None:
    site = Site()
    site.fault(is_login, saying(answer))
    async with opened(site) as client:
        with pytest.raises(Malformed, match=r"expected an object with an access_token, found none$"):
            await rows(client)


async def test_a_login_that_fails_for_another_reason_is_not_refused() -> None:
    site = Site()
    site.fault(is_login, status(500))
    async with opened(site) as client:
        with pytest.raises(Unreachable):
            await rows(client)


@pytest.mark.parametrize("answer", ["[]", "{}", "null", '{"data": {}}'])
async def test_an_answer_without_rows_is_malformed(answer: str) -> None:
    site = Site()
    site.fault(lambda asked: asked.entity == "projects", saying(answer))
    async with opened(site) as client:
        with pytest.raises(Malformed, match=r"/entities/projects: expected an object with a list under 'data'"):
            await rows(client)


async def test_rows_that_are_none_are_left_out_and_counted() -> None:
    site = Site()
    site.fault(
        lambda asked: asked.entity == "projects",
        saying('{"data": [1, null, {}, {"id": "7"}, {"id": true}, {"id": 8}]}'),
    )
    async with opened(site) as client:
        found = await rows(client)
    assert found == Page((Row(8, {"id": 8}),), {"type": 2, "missing": 3})


async def test_what_fails_on_a_later_page_fails_the_query() -> None:
    site = Site(projects=many(4), most=2)
    site.fault(is_page(2), status(500))
    async with opened(site) as client:
        with pytest.raises(ReadError):
            await rows(client)


def test_a_field_is_found_at_the_top_among_attributes_or_among_relationships() -> None:
    found = normal(
        {
            "id": 1,
            "code": "top",
            "name": None,
            "attributes": {"code": "below", "name": "attribute", "status": None},
            "relationships": {"name": {"data": {"id": 2}}, "entity": {"data": {"id": 3}}, "odd": 4, "none": {}},
        }
    )
    assert found == Row(1, {"id": 1, "code": "top", "name": "attribute", "entity": {"id": 3}})


def test_rows_without_the_usual_parts() -> None:
    assert normal({"id": 1, "attributes": [], "relationships": None}) == Row(1, {"id": 1})


def test_the_first_text_that_is_not_empty() -> None:
    row = Row(1, {"a": "", "b": 7, "c": "x", "d": "y"})
    assert row.text("a", "b", "c", "d") == "x"
    assert row.text("a", "nothing") == ""
