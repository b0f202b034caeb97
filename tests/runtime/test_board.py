"""The board: blocks of many sources make one valid page, and only what is known now is on it."""

from collections.abc import Mapping
from typing import Any

import pytest

from exporter.core.family import Family
from exporter.core.part import Schedule, Taken
from exporter.core.source import Limits, Source
from exporter.ledger import families as work
from exporter.ledger.account import Account
from exporter.ledger.families import Work, Works
from exporter.ledger.lane import Lane
from exporter.runtime import standing
from exporter.runtime.board import Board
from exporter.runtime.exposition import Format
from exporter.runtime.guard import Failure
from exporter.runtime.render import Block
from exporter.runtime.standing import Outcome
from tests.fakes import gauge, giving, part, source, things

FIRST, SECOND = gauge("studio_first"), gauge("studio_second")


def board(*sources: Source, limits: Limits | None = None) -> Board:
    made = Board([FIRST, SECOND, *standing.FAMILIES])
    for each in sources:
        made.add(each, limits or Limits(), opened=0)
    return made


def post(at: Board, name: str, value: Any, part_name: str = "main", when: float = 0.0) -> None:
    found = next(
        part for source in at.sources if source.name == name for part in source.parts if part.name == part_name
    )
    if isinstance(value, Failure):
        at.post(name, part_name, Outcome(when, when, 0.1, value))
    else:
        at.post(name, part_name, Outcome(when, when, 0.1, Taken(value, "a test"), at.render(name, found, value)))


def lines(at: Board, family: str = "studio_first", only: frozenset[str] | None = None) -> list[str]:
    return [line for line in at.page(Format.TEXT, only).body.decode().splitlines() if family in line]


def one(name: str, *families: Family[Any]) -> Source:
    return source(name, part(giving(), *families or (FIRST,)))


def value(at: Board, name: str) -> Mapping[str, str]:
    """Samples of a family by their labels, as the page has them."""
    found = (line.rsplit(" ", 1) for line in lines(at, name) if line.startswith((f"{name}{{", f"{name} ")))
    return {labels.removeprefix(name): number for labels, number in found}


def test_two_sources_of_one_family_stand_under_one_header_in_the_order_of_the_configuration() -> None:
    at = board(one("b"), one("a"))
    post(at, "a", things(x=1))
    post(at, "b", things(x=2))
    assert lines(at) == [
        "# HELP studio_first About.",
        "# TYPE studio_first gauge",
        'studio_first{source="b",thing="x"} 2.0',
        'studio_first{source="a",thing="x"} 1.0',
    ]


def test_families_stand_in_catalogue_order_whatever_part_brings_them() -> None:
    at = board(source("a", part(giving(), SECOND, name="early"), part(giving(), FIRST, name="late")))
    post(at, "a", things(x=1), "early")
    post(at, "a", things(x=2), "late")
    body = at.page(Format.TEXT).body
    assert 0 < body.index(b"studio_first{") < body.index(b"studio_second{") < body.index(b"studio_source_up{")


def test_families_without_samples_have_no_header() -> None:
    at = board(one("a"))
    assert lines(at) == []


def test_rows_that_vanished_vanish() -> None:
    at = board(one("a"))
    post(at, "a", things(x=1, y=2))
    post(at, "a", things(y=3))
    assert lines(at)[2:] == ['studio_first{source="a",thing="y"} 3.0']


def test_a_failed_read_keeps_the_last_good_value_and_shows_its_reason() -> None:
    at = board(one("a"))
    post(at, "a", things(x=1), when=10)
    post(at, "a", Failure("malformed", "torn"), when=20)
    assert len(lines(at)) == 3
    assert value(at, "studio_source_up") == {'{part="main",source="a"}': "0.0"}
    assert value(at, "studio_source_last_success_timestamp_seconds") == {'{part="main",source="a"}': "10.0"}
    raised = [labels for labels, on in value(at, "studio_source_error").items() if on == "1.0"]
    assert raised == ['{part="main",reason="malformed",source="a"}']
    failures = value(at, "studio_source_read_failures_total")
    assert [count for labels, count in failures.items() if 'reason="malformed"' in labels] == ["1.0"]
    assert len(failures) == 8  # the others stand at 0


def test_a_part_not_tried_yet_says_only_how_it_will_be_read() -> None:
    at = board(one("a"))
    assert not at.ready
    assert value(at, "studio_source_up") == {}
    assert value(at, "studio_source_error") == {}
    assert value(at, "studio_source_last_success_timestamp_seconds") == {}
    assert value(at, "studio_source_interval_seconds") == {'{part="main",source="a"}': "15.0"}
    post(at, "a", Failure("missing", "no such file"))
    assert at.ready


def test_last_good_values_leave_after_max_stale_and_their_freshness_stays() -> None:
    at = board(
        source("a", part(giving(), FIRST, schedule=Schedule(max_stale=100)), part(giving(), SECOND, name="other"))
    )
    post(at, "a", things(x=1), when=0)
    post(at, "a", things(x=1), "other", when=0)
    post(at, "a", Failure("missing", "gone"), when=90)
    at.expire(100)
    assert lines(at)
    at.expire(100.5)
    assert lines(at) == []
    assert lines(at, "studio_second")  # the other part's schedule is its own
    assert '{part="main",source="a"}' in value(at, "studio_source_last_success_timestamp_seconds")
    assert at.standing("a", "main").stale
    at.expire(101)
    post(at, "a", things(x=2), when=102)
    assert lines(at)[2:] == ['studio_first{source="a",thing="x"} 2.0']
    assert not at.standing("a", "main").stale


def test_a_dropped_source_leaves_nothing() -> None:
    at = board(one("a"), one("b"))
    post(at, "a", things(x=1))
    post(at, "b", things(x=1))
    at.drop("a")
    assert not [line for line in at.page(Format.TEXT).body.decode().splitlines() if 'source="a"' in line]
    assert lines(at)[2:] == ['studio_first{source="b",thing="x"} 1.0']


def test_a_page_of_some_sources_has_theirs_alone() -> None:
    at = board(one("a"), one("b"))
    post(at, "a", things(x=1))
    post(at, "b", things(x=1))
    at.place_own({"studio_second": Block(b"studio_second 1.0\n", b"studio_second 1.0\n", 1)})
    body = at.page(Format.OPENMETRICS, frozenset({"a"})).body.decode()
    assert 'source="a"' in body
    assert 'source="b"' not in body
    assert "studio_second" not in body
    assert body.endswith("# EOF\n")
    assert "studio_second" in at.page(Format.OPENMETRICS).body.decode()


def test_a_page_is_made_once_until_something_changes() -> None:
    at = board(one("a"))
    post(at, "a", things(x=1))
    before = at.page(Format.TEXT)
    at.place_own({})
    assert at.page(Format.TEXT) is before
    post(at, "a", things(x=2))
    assert at.page(Format.TEXT) is not before


def test_a_family_past_the_cap_is_left_out_and_the_others_stay() -> None:
    at = board(
        source("a", part(giving(), FIRST), part(giving(), SECOND, name="other")), limits=Limits(series_per_source=3)
    )
    post(at, "a", things(a=1, b=1, c=1, d=1))
    post(at, "a", things(x=1), "other")
    assert lines(at) == []
    assert lines(at, "studio_second")
    assert value(at, "studio_source_series") == {'{source="a"}': "1.0"}
    assert value(at, "studio_source_series_limit") == {'{source="a"}': "3.0"}
    assert value(at, "studio_source_dropped_samples")['{reason="limit",source="a"}'] == "4.0"


def test_the_cap_counts_the_parts_of_a_source_together() -> None:
    at = board(
        source("a", part(giving(), FIRST), part(giving(), SECOND, name="other")), limits=Limits(series_per_source=3)
    )
    post(at, "a", things(x=1, y=1), "other")
    assert lines(at, "studio_second")
    post(at, "a", things(a=1, b=1))
    assert lines(at)
    assert lines(at, "studio_second") == []  # it comes later in the catalogue
    assert value(at, "studio_source_dropped_samples")['{reason="limit",source="a"}'] == "2.0"


def test_names_of_a_label_are_shared_by_the_parts_of_a_source_and_not_by_sources() -> None:
    first, second = gauge("studio_first", named=("thing",)), gauge("studio_second", named=("thing",))
    parts = part(giving(), first), part(giving(), second, name="other")
    at = board(source("a", *parts, names={"thing": ("k",)}), source("b", *parts), limits=Limits(label_values=2))
    post(at, "a", things(x=1))
    post(at, "a", things(x=1, y=2), "other")
    post(at, "b", things(y=3, z=4), "other")
    assert value(at, "studio_second") == {
        '{source="a",thing="x"}': "1.0",
        '{source="a",thing="_other"}': "2.0",
        '{source="b",thing="y"}': "3.0",
        '{source="b",thing="z"}': "4.0",
    }


def works(*lanes: str) -> Works:
    """An account with these lanes."""
    return (Work("render", Account(opened=0, mark=0, floor=0, lanes={name: Lane(0) for name in lanes})),)


def counting(limits: Limits) -> Board:
    at = Board([*work.FAMILIES, *standing.FAMILIES])
    at.add(one("a"), limits, opened=0)
    return at


def test_lanes_are_as_long_as_the_source_allows() -> None:
    at, name = counting(Limits(label_length=200)), "x" * 200
    at.place_work("a", at.render_work("a", works(name)))
    assert value(at, "studio_work_finished_total") == {f'{{lane="{name}",pipeline="render",source="a"}}': "0.0"}
    assert value(at, "studio_source_dropped_samples")['{reason="label",source="a"}'] == "0.0"


def test_lanes_that_were_named_when_they_could_be_longer_are_dropped_and_counted() -> None:
    at = counting(Limits(label_length=8))
    at.place_work("a", at.render_work("a", works("x" * 9, "short")))
    assert [*value(at, "studio_work_finished_total")] == ['{lane="short",pipeline="render",source="a"}']
    assert value(at, "studio_source_dropped_samples")['{reason="label",source="a"}'] == "5.0"  # one in each family


@pytest.mark.parametrize("most", [1, 20_000])
def test_accounts_are_on_the_page_whatever_the_cap_on_series(most: int) -> None:
    """What bounds them is the cap on names."""
    at = counting(Limits(series_per_source=most, label_values=100_000))
    at.place_work("a", at.render_work("a", works(*map(str, range(most + 1)))))
    assert len(value(at, "studio_work_finished_total")) == most + 1
    assert value(at, "studio_source_dropped_samples")['{reason="limit",source="a"}'] == "0.0"


@pytest.mark.parametrize("form", [*Format])
def test_skipped_records_are_those_of_the_last_reading(form: Format) -> None:
    at = board(one("a"))
    for skipped in ({"type": 2}, {"invalid": 1}):
        at.post("a", "main", Outcome(0, 0, 0.1, Taken((), "a test", 5, skipped), {}))
    found = value(at, "studio_source_skipped_records")
    assert {labels: count for labels, count in found.items() if count != "0.0"} == {
        '{part="main",reason="invalid",source="a"}': "1.0"
    }
    assert b"studio_source_skipped_records{" in at.page(form).body
