"""The status page: what is wrong and since when, in words, with everything escaped."""

import re
from itertools import pairwise

import pytest

from exporter import __version__
from exporter.core.source import Limits, Source
from exporter.runtime.itself import Reload
from exporter.web.narrow import Filter
from exporter.web.status import Concern, main
from tests.fakes import START, things
from tests.web.examples import APIS, NOTES, WORKS, Example, Seen, asking, every_state

NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>\"' & \0 \udce9 ]]> -->"


async def seen(made: Example, path: str = "/") -> Seen:
    """The page as a parser sees it."""
    async with asking(made.served()) as client:
        answer = await client.get(path)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        return Seen((await answer.read()).decode())


def headline(page: Seen) -> str:
    """The title, which is the heading and the name of the program."""
    found = re.search(r"\n(.+) · studio-exporter\n", page.text)
    assert found
    assert page.text.count(found[1]) >= 2
    return found[1]


def words(page: Seen) -> str:
    return " ".join(page.text.split())


async def test_no_sources() -> None:
    page = await seen(Example())
    assert headline(page) == "No sources are configured"
    assert "They belong under sources in the configuration file." in page.text
    assert "table" not in {name for name, _ in page.elements}
    assert __version__ in page.text


async def test_all_well() -> None:
    made = Example()
    made.add("vfx", "ingest", "render", kind="trafalgar")
    for part in ("ingest", "render"):
        made.read("vfx", things(a=1, b=2), part=part, seconds=0.043)
    made.pass_time(4)
    page = await seen(made)
    assert headline(page) == "All is read well: 1 source, 2 parts"
    assert "vfx trafalgar" in page.text
    assert "2 of 20,000 series" in page.text
    assert page.text.count("reading well since 08:00 UTC (4 s)") == 2
    assert page.text.count("4 s ago") == 3  # the configuration is as old
    assert page.text.count("43 ms") == 2
    assert page.text.count("every 15 s") == 2


async def test_while_it_starts() -> None:
    made = Example()
    made.add("vfx", "ingest", "render")
    made.read("vfx", things(a=1), part="ingest")
    page = await seen(made)
    assert headline(page) == "Starting: 1 of 2 parts not read yet"
    assert "not read yet" in page.text
    assert "never" in page.text


async def test_a_failing_part_says_why_since_when_and_what_that_means() -> None:
    made = Example()
    made.add("vfx", "ingest", "shotgrid")
    for part in ("ingest", "shotgrid"):
        made.read("vfx", things(a=1), part=part)
    made.pass_time(120)
    made.fail("vfx", "refused", "https://studio.example: 403, is the key right?", part="shotgrid")
    made.pass_time(10)
    made.fail("vfx", "refused", "https://studio.example: 403, is the key right?", part="shotgrid")
    page = await seen(made)
    assert headline(page) == "Of 2 parts: 1 failing, since 08:02 UTC"
    assert "vfx / shotgrid: failing since 08:02 UTC (10 s)" in page.text
    assert "refused https://studio.example: 403, is the key right?" in page.text
    assert "2 attempts in a row; its last good values are still shown" in page.text
    assert "in 12 s every 15 s" in page.text  # two seconds after an attempt that took ten
    assert page.text.count("reading well") == 1


async def test_a_part_that_never_succeeded() -> None:
    made = Example()
    made.add("vfx")
    made.fail("vfx", "unreachable", "nobody answers")
    page = await seen(made)
    assert "1 attempt in a row; no read has succeeded yet" in page.text


async def test_values_too_old_to_show() -> None:
    made = Example()
    made.add("vfx")
    made.add("hung")
    made.read("vfx", things(a=1))
    made.read("hung", things(a=1))
    made.fail("vfx", "timeout", "took longer than its timeout")
    made.pass_time(86400 * 2)
    page = await seen(made)
    assert headline(page) == "Of 2 parts: 2 too old to show, since 15 Jan 2027, 08:00 UTC"
    assert page.text.count("(2 d)") == 4
    assert "its series have left the page" in page.text
    assert "2 d ago" in page.text


async def test_series_past_the_limit_and_dropped_samples() -> None:
    made = Example()
    made.add("vfx", limit=3)
    made.add("music")
    made.read("vfx", things(a=1, b=2, c=3, d=4))
    made.read("music", [(("a",), 1), (("a",), 2), (("b",), float("nan"))], missing=3, type=1)
    page = await seen(made)
    assert headline(page) == "vfx: 4 series past a limit are not shown"
    assert "dropped: 4 limit" in page.text
    assert "dropped: 1 duplicate, 1 value" in page.text
    assert "3 missing, 1 type" in page.text


async def test_a_reload_that_failed() -> None:
    made = Example()
    made.add("vfx", limit=1)
    made.read("vfx", things(a=1))
    made.reload = Reload(good=False, at=START - 3600, problem="sources[0]: no such kind\nsources[1]: no name")
    page = await seen(made)
    assert headline(page) == "Configuration: the last reload failed"
    assert "sources[0]: no such kind (and 1 more)" in page.text
    assert "last reload failed; in force is the one loaded 1 h ago" in page.text
    made.read("vfx", things(a=1, b=1))
    assert headline(await seen(made)) == "2 things need attention"


async def test_many_concerns_are_listed_up_to_a_point() -> None:
    made = Example()
    for i in range(9):
        made.add(f"show-{i}")
        made.pass_time(60)
        made.fail(f"show-{i}", "missing", "no such file")
    page = await seen(made)
    listed = re.findall(r"(show-\d) / main: failing", page.text)
    assert listed == [f"show-{i}" for i in range(6)]
    assert "and 3 more below" in page.text
    assert headline(page) == "Of 9 parts: 9 failing, since 08:01 UTC"


def test_notes_are_concerns_the_worst_first() -> None:
    made = Example()
    made.add("vfx")
    made.fail("vfx", "missing", "no such file")
    made.pass_time(60)
    page = Seen(main(made.status(notes=NOTES)))
    told = [
        "Ledger: cannot be written: the disk is full",
        "vfx / main: failing",
        "publishing: no index on publish_logs",
    ]
    places = [page.text.index(each) for each in told]
    assert places == sorted(places)
    assert "Of 1 part: 1 failing, since 08:00 UTC" in page.text  # and not since the ledger cannot be written


@pytest.mark.parametrize(("how", "sign"), [("bad", "▲"), ("old", "◆")])
def test_a_note_is_the_verdict_where_all_is_read_well(how: str, sign: str) -> None:
    made = Example()
    made.add("vfx")
    made.read("vfx", things(a=1))
    page = Seen(main(made.status(notes=[Concern(how, "Ledger", "cannot be written", START, "/-/ready")])))
    assert f"{sign}Ledger: cannot be written{sign}Ledger: cannot be written since 08:00 UTC" in page.text
    assert ("a", {"href": "/-/ready"}) in page.elements
    assert ("section", {"class": f"verdict {how}", "aria-label": "Summary"}) in page.elements


def test_the_apis_of_a_source_are_linked_beside_its_metrics() -> None:
    page = Seen(main(every_state().status(apis=APIS)))
    links = [attributes["href"] for name, attributes in page.elements if name == "a"]
    assert [link for link in links if link and not link.startswith("#")] == [
        "/metrics?source=vfx",
        "/vfx/",
        "/metrics?source=publishing",
        "/publishing/",
        "/publishing/admin/",
        "/metrics?source=decoys",
        "/metrics?source=new",
    ]


def test_finished_work_is_summed_up_at_the_top_and_listed_at_the_end() -> None:
    page = Seen(main(every_state().status(works=WORKS)))
    assert "Work11,036 finished, 572 failed ▲2 lanes failing again and again" in page.text
    assert page.text.index("Sources and their parts") < page.text.index("Finished work")
    plain = Seen(main(every_state().status()))
    assert "inished work" not in plain.text
    assert "Work" not in plain.text


async def test_a_clock_set_back_makes_no_odd_ages() -> None:
    made = Example()
    made.add("vfx")
    made.read("vfx", things(a=1))
    made.time.step -= 7200
    page = await seen(made)
    assert "0 s ago" in page.text
    assert not re.search(r"-\d", page.text.partition("Sources and their parts")[2].partition("use strict")[0])


async def test_nothing_from_outside_becomes_markup() -> None:
    made = Example()
    tame = await seen(made)
    made.add("a<b>&\"'", "p<i>", kind="<u>")
    made.fail("a<b>&\"'", "malformed", NASTY, part="p<i>")
    page = await seen(made)
    kinds = [name for name, _ in page.elements]
    assert {"img", "i", "u"}.isdisjoint(kinds)
    assert kinds.count("script") == [name for name, _ in tame.elements].count("script") == 1
    assert not [attribute for _, attributes in page.elements for attribute in attributes if attribute.startswith("on")]
    assert "<script>alert(1)</script><img src=x onerror=alert(2)>\"' & " in page.text
    links = [attributes["href"] or "" for name, attributes in page.elements if name == "a"]
    assert "/metrics?source=a%3Cb%3E%26%22%27" in links


async def test_a_very_long_message_is_cut() -> None:
    made = Example()
    made.add("vfx")
    made.fail("vfx", "malformed", "x" * 100_000)
    page = await seen(made)
    assert "x" * 600 + "…" in page.text
    assert "x" * 601 not in page.text


async def test_a_table_that_screen_readers_can_follow() -> None:
    made = Example()
    made.add("vfx", "ingest", "render")
    made.add("empty")
    page = await seen(made)
    elements = page.elements
    assert {"header", "nav", "main", "caption"} <= {name for name, _ in elements}
    assert [name for name, _ in elements].count("h1") == 1
    heads = [attributes["scope"] for name, attributes in elements if name == "th"]
    assert heads == ["col"] * 7 + ["rowgroup", "row", "row", "rowgroup", "row"]
    roles = {name: attributes.get("role") for name, attributes in elements if name in ("table", "tr", "td")}
    assert roles == {"table": "table", "tr": "row", "td": "cell"}
    signs = [attributes for _, attributes in elements if "sign" in (attributes.get("class") or "").split()]
    assert signs
    assert all(attributes["aria-hidden"] == "true" for attributes in signs)
    targets = {attributes["id"] for _, attributes in elements if "id" in attributes}
    inside = [attributes["href"] or "" for name, attributes in elements if name == "a"]
    assert all(to.removeprefix("#") in targets for to in inside if to.startswith("#"))


async def test_links_lead_to_pages_that_are_there() -> None:
    made = Example()
    made.add("vfx & co")
    made.read("vfx & co", things(a=1))
    page = await seen(made)
    links = [attributes["href"] or "" for name, attributes in page.elements if name == "a"]
    async with asking(made.served()) as client:
        statuses = {link: (await client.get(link)).status for link in links if not link.startswith("#")}
    assert statuses == {
        "/": 200,
        "/catalogue": 200,
        "/api": 200,
        "/metrics": 200,
        "/-/ready": 200,
        "/metrics?source=vfx%20%26%20co": 200,
    }


async def test_head_of_the_page_has_its_length() -> None:
    async with asking(Example().served()) as client:
        got, asked = await client.get("/"), await client.head("/")
        assert asked.headers["Content-Length"] == str(len(await got.read()))
        assert await asked.read() == b""


async def test_heading_levels_do_not_skip() -> None:
    page = await seen(Example(), "/catalogue")
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch(r"h[1-6]", name)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("path", ["/", "/catalogue"])
async def test_a_page_tells_which_of_the_pages_it_is(path: str) -> None:
    page = await seen(Example(), path)
    current = [attributes["href"] for _, attributes in page.elements if attributes.get("aria-current") == "page"]
    assert current == [path]


def shown(page: Seen) -> list[str]:
    """The anchors of what is listed."""
    return [attributes["id"] or "" for name, attributes in page.elements if name == "tbody"]


def test_a_filter_leaves_what_fits_and_says_how_much() -> None:
    status = every_state().status(works=WORKS, apis=APIS)
    page = Seen(main(status, Filter("decoys")))
    assert shown(page) == ["source-decoys", "work-decoys"]
    assert "2 of 8 parts shown Show all" in page.text
    assert "Of 8 parts: 1 failing, 2 too old to show" in page.text
    page = Seen(main(status, Filter("database malformed", frozenset({"bad", "well"}))))
    assert shown(page) == ["source-publishing"]
    assert "1 of 8 parts shown" in page.text
    everything = Seen(main(status))
    assert len(shown(everything)) == 6
    assert "Show all" not in everything.text


def test_a_filter_that_nothing_fits() -> None:
    page = Seen(main(every_state().status(works=WORKS), Filter("nowhere")))
    assert shown(page) == []
    assert "No part is like that Show all" in page.text


def test_concerns_lead_out_of_a_filter() -> None:
    status = every_state().status()
    links = {attributes.get("href") for _, attributes in Seen(main(status)).elements}
    assert "#source-publishing" in links
    links = {attributes.get("href") for _, attributes in Seen(main(status, Filter("vfx"))).elements}
    assert "/#source-publishing" in links
    assert "#source-publishing" not in links


async def test_a_source_without_parts_is_listed_unless_a_filter_is_set() -> None:
    made = Example()
    made.add("vfx")
    made.board.add(Source("empty", "test", ()), Limits(), START)
    assert "empty" in (await seen(made)).text
    assert "empty" not in (await seen(made, "/?find=vfx")).text
