"""Finished work on the page: counts, shares, streaks that weigh, and lanes without end."""

import re

from exporter.web.work import Worked, summary, table
from tests.fakes import START
from tests.web.examples import WORKS, Seen


def cells(work: Worked) -> str:
    """The cells of one lane as they are read."""
    text = Seen(table([work], START)).text
    return text.partition("Last failure")[2]


def test_a_lane() -> None:
    work = Worked("vfx", "ingest", "ASH", 1204, 37, 2, START - 40, START - 900)
    assert cells(work) == "vfxingest ASH2 failures1,20437 3.1 %40 s ago15 min ago"


def test_a_lane_in_which_nothing_has_happened() -> None:
    assert cells(Worked("vfx", "ingest", "ASH", 0, 0, 0)) == "vfxingest ASHnone0nonenevernever"


def test_a_lane_in_which_different_things_fall_together_has_no_streak() -> None:
    assert cells(Worked("vfx", "ingest", "_other", 1, 1)) == "vfxingest _othernot counted11 100 %nevernever"


def test_a_streak_weighs_from_five_on() -> None:
    for streak, weight in ((1, ["streak"]), (4, ["streak"]), (5, ["streak bad"]), (120, ["streak bad"])):
        page = Seen(table([Worked("vfx", "ingest", "ASH", 200, 150, streak, None, START)], START))
        classes = [attributes.get("class") or "" for _, attributes in page.elements]
        assert [each for each in classes if "streak" in each] == weight
        assert ("▲" in page.text) is (streak >= 5)


def test_sources_are_told_apart_and_grave_streaks_come_first() -> None:
    page = Seen(table(WORKS, START))
    assert [attributes["id"] for name, attributes in page.elements if name == "tbody"] == ["work-vfx", "work-decoys"]
    assert [*re.findall(r"deadline|ASH|_other|email|file|traffic", page.text)] == [
        *("deadline", "ASH", "_other"),
        *("email", "file", "traffic"),
    ]
    spans = [attributes["rowspan"] for _, attributes in page.elements if "rowspan" in attributes]
    assert spans == ["3", "3"]


def test_lanes_without_end_are_cut_but_not_those_that_fail() -> None:
    works = [Worked("vfx", "ingest", f"lane-{i}", 9, 9 if i == 99 else 0, 9 if i == 99 else 0) for i in range(100)]
    page = Seen(table(works, START))
    assert [name for name, _ in page.elements].count("tr") == 1 + 40 + 1
    assert "lane-99▲9 failures" in page.text
    assert page.text.endswith("and 60 lanes more, which the filter finds")
    assert [attributes["rowspan"] for _, attributes in page.elements if "rowspan" in attributes] == ["41"]


def test_names_stay_text() -> None:
    page = Seen(table([Worked("<i>", "<b>", "<u>", 1, 0, 0)], START))
    assert {"i", "u"}.isdisjoint({name for name, _ in page.elements})
    assert "<i><b> <u>" in page.text


def test_all_of_it_in_a_line() -> None:
    assert Seen(summary(WORKS)).text == "11,036 finished, 572 failed ▲2 lanes failing again and again"
    assert Seen(summary(WORKS[:1])).text == "1,204 finished, 37 failed"
