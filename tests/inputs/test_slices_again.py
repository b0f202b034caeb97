"""Slices that are known again give what they gave, wherever they stand now; only what is new is decoded."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.core.errors import Malformed
from exporter.inputs.slices import Slice, Wanted, slices
from tests.inputs.test_slices import Outer, Reader, chunks, lists, records, same, styles

Known = list[Slice[Outer]]
Records = list[Any]


def reread(data: bytes, before: Known, chunk: int) -> tuple[Records, Known, int]:
    """The records of a document, its slices, and how many of them are none of before."""
    known = [(one, one.mark) for one in before if one.mark]
    marks = [mark for _, mark in known]
    found = [*slices(Reader(data), Wanted(Outer, "runs"), "runs.json", marks, chunk)]
    every = [known[one][0] if isinstance(one, int) else one for one in found]
    return [record for one in every for record in one.records], every, sum(isinstance(one, Slice) for one in found)


def outcome(data: bytes, before: Known, chunk: int) -> Records | str:
    """The records, or what is wrong with the document."""
    try:
        return reread(data, before, chunk)[0]
    except Malformed as error:
        return str(error)


@st.composite
def rewritten(draw: st.DrawFn) -> tuple[Records, Records]:
    """A list, and the same with some of it gone, new, or in another place."""
    before = draw(lists)
    after = [*before]
    for _ in range(draw(st.integers(0, 3))):
        start, stop = sorted(draw(st.tuples(*[st.integers(0, len(after))] * 2)))
        piece = draw(st.sampled_from([[], after[start:stop] * 2, draw(st.lists(records, max_size=2))]))
        after[start:stop] = [] if draw(st.booleans()) else piece
    return before, after


@given(rewritten(), styles, chunks)
def test_a_list_that_is_rewritten_gives_what_it_gives_alone(
    value: tuple[Records, Records], style: dict[str, Any], chunk: int
) -> None:
    before, after = (json.dumps(one, **style).encode() for one in value)
    _, known, _ = reread(before, [], chunk)
    alone, _, _ = reread(after, [], chunk)
    again, made, _ = reread(after, known, chunk)
    assert same(again, alone)
    assert same(reread(after, made, chunk)[0], alone)


@given(lists, chunks, st.data())
def test_damage_to_what_was_known_is_told_as_if_nothing_was(value: Records, chunk: int, data: st.DataObject) -> None:
    whole = json.dumps({"runs": value, "more": value[:2]}).encode()
    _, known, _ = reread(whole, [], chunk)
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    piece = data.draw(st.sampled_from([b"", b",", b"]", b"}", b'"', b"\xff", b" ", b"[", b"{}", b"0"]))
    damaged = whole[:start] + piece + data.draw(st.sampled_from([whole[start:], whole[stop:]]))
    found, expected = outcome(damaged, known, chunk), outcome(damaged, [], chunk)
    assert repr(found) == repr(expected)


COUNT = 5000


def runs(first: int, stop: int) -> Records:
    return [{"id": n, "x": "y" * (n % 50)} for n in range(first, stop)]


def changed(value: Records) -> Records:
    return [*value[:2000], {"id": 2000, "x": "it has ended"}, *value[2001:]]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("change", "most"),
    [
        (lambda value: value, 0),
        (lambda value: [*value, *runs(COUNT, COUNT + 1)], 2),
        (lambda value: [*runs(COUNT, COUNT + 1), *value], 2),
        (lambda value: value[:-1], 1),
        (lambda value: value[1:], 1),
        (lambda value: value[200:], 2),
        (lambda value: value[:2000] + value[2001:], 2),
        (changed, 2),
        (lambda value: changed([*runs(COUNT, COUNT + 1), *value[100:]]), 5),
    ],
)
def test_only_what_changed_is_decoded(change: Callable[[Records], Records], most: int, indent: int | None) -> None:
    value = runs(0, COUNT)
    _, known, fresh = reread(json.dumps(value, indent=indent).encode(), [], 4096)
    assert fresh > 50
    after = json.dumps(change(value), indent=indent).encode()
    found, _, decoded = reread(after, known, 4096)
    assert found == [Outer(id=one["id"]) for one in change(value)]
    assert decoded <= most


@pytest.mark.parametrize("front", [True, False])
def test_slices_do_not_crumble(front: bool) -> None:
    value, known = runs(0, 1000), list[Slice[Outer]]()
    for number in range(1000, 1300):
        value = [*runs(number, number + 1), *value] if front else [*value, *runs(number, number + 1)]
        found, known, _ = reread(json.dumps(value).encode(), known, 4096)
    assert found == [Outer(id=one["id"]) for one in value]
    assert len(known) < 3 * len(json.dumps(value)) / 4096


def test_records_that_all_begin_alike_are_told_apart() -> None:
    def alike(count: int, skipped: Sequence[int] = ()) -> bytes:
        return json.dumps([{"x": "y" * 300, "id": n} for n in range(count) if n not in skipped]).encode()

    _, known, _ = reread(alike(500), [], 4096)
    found, _, _ = reread(alike(500, [7, 300]), known, 4096)
    assert found == [Outer(id=n) for n in range(500) if n not in (7, 300)]
