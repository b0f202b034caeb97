"""The filter: what an address asks for, what fits, and a form that says the same."""

import pytest
from aiohttp.test_utils import make_mocked_request

from exporter.web.levels import WORDS
from exporter.web.narrow import ALL, CHOICES, Filter, asked, form
from tests.fakes import things
from tests.web.examples import Example, Seen, asking, every_state


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ALL),
        ("?find=&state=", ALL),
        ("?find=%20Vfx%20%20render+", Filter("Vfx render")),
        ("?state=bad&state=old&state=bad", Filter("", frozenset({"bad", "old"}))),
        ("?state=worse&other=1&find=a&find=b", Filter("a")),
        ("?find=" + "x" * 300, Filter("x" * 100)),
    ],
)
def test_an_address_asks(query: str, expected: Filter) -> None:
    assert asked(make_mocked_request("GET", f"/{query}")) == expected


def test_every_level_can_be_chosen() -> None:
    assert [*CHOICES] == [*WORDS]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (ALL, True),
        (Filter("VFX"), True),
        (Filter("trafalgar"), True),
        (Filter("render fail"), True),
        (Filter("refused"), True),
        (Filter("403 key vfx"), True),
        (Filter("vfx decoys"), False),
        (Filter("vfxtrafalgar"), False),
        (Filter(levels=frozenset({"bad"})), True),
        (Filter(levels=frozenset({"old", "bad"})), True),
        (Filter(levels=frozenset({"well"})), False),
        (Filter("vfx", frozenset({"well"})), False),
        (Filter("decoys", frozenset({"bad"})), False),
    ],
)
def test_a_part_fits_by_its_names_its_state_and_its_error(wanted: Filter, fits: bool) -> None:
    made = Example()
    made.add("vfx", "render")
    made.fail("vfx", "refused", "403, is the key right?", part="render")
    assert wanted.fits(made.board.standing("vfx", "render"), "vfx", "trafalgar") is fits
    assert bool(wanted) is (wanted is not ALL)


def test_a_part_that_reads_well_fits_too() -> None:
    made = Example()
    made.add("vfx")
    made.read("vfx", things(a=1))
    assert Filter("reading well").fits(made.board.standing("vfx", "main"), "vfx")


def test_the_form_says_what_is_asked_for_and_how_many_there_are() -> None:
    page = Seen(form(Filter('"<b>', frozenset({"old"})), {"old": 1200, "well": 3}))
    inputs = {attributes["value"]: attributes for name, attributes in page.elements if name == "input"}
    assert [*inputs] == ['"<b>', "bad", "old", "new", "well"]
    assert [value for value, attributes in inputs.items() if "checked" in attributes] == ["old"]
    assert page.text == "Filter State▲failing 0◆too old 1,200○not read 0●well 3"


async def test_the_page_is_what_its_address_asks_for() -> None:
    async with asking(every_state().served()) as client:
        page = Seen(await (await client.get("/", params={"find": "<i>", "state": "new"})).text())
        assert "No part is like that" in page.text
        assert "i" not in {name for name, _ in page.elements}
        page = Seen(await (await client.get("/?state=new")).text())
        assert "3 of 8 parts shown" in page.text
        assert (await client.get("/?find=%ff%00&state=%ff")).status == 200
