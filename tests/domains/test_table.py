"""Counts become points: every word of each name, sorted, and words of no list together."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exporter.core.family import OTHER
from exporter.domains.table import row, table

WORDS = ("failed", "running")
counts = st.dictionaries(st.sampled_from(["failed", "running", "melted", "lost"]), st.integers(0, 9))


def test_a_table_has_every_word_of_each_name_in_sorted_order() -> None:
    assert list(table({("b", "running"): 2, ("a", "failed"): 1}, WORDS)) == [
        (("a", "failed"), 1),
        (("a", "running"), 0),
        (("b", "failed"), 0),
        (("b", "running"), 2),
    ]


def test_words_of_no_list_are_counted_together_and_only_where_there_are_any() -> None:
    found = dict(table({("a", "melted"): 2, ("a", "lost"): 3, ("b", "failed"): 1}, WORDS))
    assert found[("a", OTHER)] == 5
    assert ("b", OTHER) not in found


def test_nothing_counted_is_no_point_in_a_table_and_zeros_in_a_row() -> None:
    assert list(table({}, WORDS)) == []
    assert list(row({}, WORDS)) == [(("failed",), 0), (("running",), 0)]


def test_a_row_has_its_words_sorted_and_the_others_together() -> None:
    assert list(row({"running": 1, "melted": 2, "lost": 3}, WORDS)) == [
        ((OTHER,), 5),
        (("failed",), 0),
        (("running",), 1),
    ]


@given(st.dictionaries(st.text(max_size=3), counts))
def test_no_count_is_lost(tables: dict[str, dict[str, int]]) -> None:
    cells = {(name, word): count for name, words in tables.items() for word, count in words.items()}
    points: dict[Any, Any] = dict(table(cells, WORDS))
    assert sum(points.values()) == sum(cells.values())
    assert list(points) == sorted(points)
