"""Finishes in columns say what the same finishes say one by one."""

from math import nan

from hypothesis import given
from hypothesis import strategies as st

from exporter.core.finish import SECOND, Ask, Finish
from exporter.domains.finished import NONE, Block, Finished, Row, handed
from exporter.ledger.account import history_of

NOW = 1_778_490_000 * SECOND
KEYS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
"""Of others the ledger shows question marks."""

ROWS = st.lists(
    st.tuples(
        st.text(KEYS, max_size=3),
        st.integers(NOW - 9, NOW + 3).map(lambda at: at / SECOND) | st.integers(0, 2**31).map(float),
        st.sampled_from("abc"),
        st.booleans(),
        st.just(nan) | st.integers(0, 2**31).map(float),
    ),
    max_size=30,
)


def packed(rows: list[Row], *lanes: str, size: int = 4) -> Finished:
    return Finished.of([Block.of(rows[start : start + size]) for start in range(0, len(rows), size)], lanes)


def one_by_one(rows: list[Row]) -> list[Finish]:
    """The first of each key and time."""
    found: dict[tuple[str, int], Finish] = {}
    for key, ended, lane, ok, began in rows:
        at, took = round(ended * SECOND), ended - began
        finish = Finish(key, at, lane, ok, round(took * SECOND) if took >= 0 else None)
        found.setdefault((key, at), finish)
    return [*found.values()]


@given(ROWS, st.integers(NOW - 9, NOW + 3))
def test_what_is_packed_comes_out_as_it_went_in(rows: list[Row], floor: int) -> None:
    expected = one_by_one(rows)
    found = packed(rows)
    assert found.since(-(2**62)) == expected
    assert found.since(floor) == [finish for finish in expected if finish.at >= floor]
    assert len(found) == len(expected)
    assert found == packed(rows)
    assert found.since(floor) == packed(rows, size=30).since(floor)


@given(ROWS, st.sampled_from([NOW, NOW - 5, NOW + 10, 0]))
def test_the_history_is_that_of_the_finishes(rows: list[Row], now: int) -> None:
    assert packed(rows).history(now) == history_of(one_by_one(rows), now)


def test_many_keep_their_order() -> None:
    rows: list[Row] = [(f"run-{at}", float(at), "ab"[at % 2], at % 3 == 0, at - 1.5) for at in range(8999)]
    found = packed(rows, "c", "a", size=256)
    assert found.since(0) == one_by_one(rows)
    assert found.lanes == ("a", "b", "c")
    assert found.since(8998 * SECOND) == [Finish("run-8998", 8998 * SECOND, "a", ok=False, duration=1_500_000)]


def test_what_is_asked_for_is_handed_over_and_the_rest_is_told() -> None:
    found = packed([("old", 100.0, "a", False, nan), ("new", 200.0, "a", False, nan), ("new", 200.0, "b", True, nan)])
    first = handed(found, Ask(now=300 * SECOND, overlap=50 * SECOND))
    assert [finish.key for finish in first.finishes] == ["new"]
    assert (first.lanes, first.under) == (("a", "b"), 1)
    assert first.history is not None
    assert (first.history.streak, first.history.newest) == (2, 200 * SECOND)
    later = handed(found, Ask(now=300 * SECOND, overlap=50 * SECOND, floor=100 * SECOND))
    assert [finish.key for finish in later.finishes] == ["old", "new"]
    assert (later.under, later.history) == (0, None)


def test_nothing_is_nothing() -> None:
    assert packed([]) == NONE
    assert handed(NONE, Ask(NOW, SECOND)).under == 0
