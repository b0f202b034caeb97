"""The account by hand: what the machine beside it reaches only by luck."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.core.family import OTHER
from exporter.core.finish import SECOND, Batch, Finish, History, Past, identity, instant, span
from exporter.core.source import Limits
from exporter.ledger.account import Account, Terms, apply, history_of, opened
from exporter.ledger.lane import EDGES, shown

NOW = 1_700_000_000 * SECOND
OVERLAP = 600 * SECOND
TERMS = Terms(OVERLAP)


def finish(key: str, at: int = 0, ok: bool | None = True, **more: Any) -> Finish:
    """A finish so many seconds after NOW."""
    return Finish(key, NOW + at * SECOND, more.pop("lane", "a"), ok, **more)


def empty(*lanes: str, terms: Terms = TERMS) -> Account:
    return opened(Batch((), lanes), NOW, terms)[0]


def after(account: Account, *finishes: Finish, now: int = 0, terms: Terms = TERMS) -> Account:
    return apply(account, Batch(finishes), NOW + now * SECOND, terms)[0]


def counted(account: Account) -> dict[str, tuple[int, int]]:
    return {name: (lane.finished, lane.failed) for name, lane in account.lanes.items()}


# opening


def test_an_account_opens_at_zero_with_what_its_source_remembers() -> None:
    rows = [finish("old", -9000, ok=False), finish("good", -8000), finish("bad", -10, ok=False)]
    account, delta = opened(Batch(rows, under=0), NOW, TERMS)
    assert counted(account) == {"a": (0, 0)}
    assert account.streak.length == account.lanes["a"].streak.length == 1
    assert (account.lanes["a"].last_success, account.lanes["a"].last_failure) == (rows[1].at, rows[2].at)
    assert (account.mark, account.floor) == (rows[2].at, rows[2].at - OVERLAP - SECOND)
    assert [row.unit for row in delta.rows] == [identity(rows[2])]
    assert (account.under, account.late) == (2, 0)


def test_an_account_without_any_finish_begins_now() -> None:
    account = empty("email", "file")
    assert (account.mark, counted(account)) == (NOW, {"email": (0, 0), "file": (0, 0)})


def test_a_history_stands_for_the_rows_that_are_not_handed_over() -> None:
    past = Past(NOW - 9000 * SECOND, NOW, "bad", streak=22)
    history = History(streak=142, lanes={"a": past, "b": Past(None, NOW - 5 * SECOND, "x", 120)}, newest=NOW)
    account, _ = opened(Batch([finish("bad", ok=False)], history=history), NOW, TERMS)
    assert account.streak.length == 142
    assert {name: lane.streak.length for name, lane in account.lanes.items()} == {"a": 22, "b": 120}
    success = after(account, finish("good", 1), now=1)
    assert (success.streak.length, success.lanes["a"].streak.length) == (0, 0)
    assert success.lanes["b"].streak.length == 120


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-2000, 100), st.booleans()), max_size=30))
def test_the_history_of_a_whole_source_needs_no_history(rows: list[tuple[str, int, bool]]) -> None:
    finishes = [finish(f"k{i}", at, ok, lane=lane) for i, (lane, at, ok) in enumerate(rows)]
    whole, _ = opened(Batch(finishes, under=0), NOW, TERMS)
    near = [one for one in finishes if one.at >= whole.floor]
    assert opened(Batch(near, history=history_of(finishes, NOW)), NOW, TERMS)[0] == replace(whole, under=None)


def test_a_future_success_at_first_contact_ends_the_streaks() -> None:
    """As DECNET's figures have it: a row dated in the future is a thing that happened."""
    rows = [finish("bad", -5, ok=False), finish("ahead", 5000)]
    account, _ = opened(Batch(rows, under=0), NOW, TERMS)
    assert account.streak.length == 0
    assert account.lanes["a"].last_success == NOW
    assert account.mark == rows[0].at


# counting


def test_nothing_new_is_nothing_to_write_and_the_same_account() -> None:
    account = after(empty(), finish("one", -5))
    assert apply(account, Batch([finish("one", -5)]), NOW + 99, TERMS) == (account, None)
    assert apply(account, Batch([finish("one", -5)]), NOW, TERMS)[0] is account


def test_applying_twice_to_one_account_gives_the_same_twice() -> None:
    account = after(empty(), finish("one", -5))
    assert after(account, finish("two", -4)) == after(account, finish("two", -4))
    assert counted(account) == {"a": (1, 0)}


def test_what_is_remembered_and_counts_as_nothing() -> None:
    account = after(empty("a"), finish("shadow", ok=None))
    assert counted(account) == {"a": (0, 0)}
    assert after(account, finish("shadow", ok=False)) is account


@given(st.permutations([finish("x", 1, lane=lane, ok=ok) for lane in "ab" for ok in (True, False)]))
def test_of_one_finish_told_in_several_ways_the_order_decides_nothing(told: Sequence[Finish]) -> None:
    assert after(empty(), *told, now=5) == after(empty(), *sorted(told, key=str), now=5)


@pytest.mark.parametrize(
    ("duration", "bucket"),
    [(0, 0), (SECOND, 0), (SECOND + 1, 1), (EDGES[-1], len(EDGES) - 1), (EDGES[-1] + 1, len(EDGES))],
)
def test_a_duration_is_in_the_bucket_of_the_first_bound_that_is_not_below_it(duration: int, bucket: int) -> None:
    lane = after(empty(), finish("x", duration=duration)).lanes["a"]
    assert (lane.counts[bucket], sum(lane.counts), lane.duration, lane.untimed) == (1, 1, duration, 0)


@pytest.mark.parametrize("duration", [None, -1, 10**18])
def test_a_success_without_a_possible_duration_is_counted_apart(duration: int | None) -> None:
    lane = after(empty(), finish("x", duration=duration), finish("y", ok=False, duration=5)).lanes["a"]
    assert (lane.finished, lane.untimed, sum(lane.counts), lane.duration) == (2, 1, 0, 0)


def test_the_last_failure_is_that_of_the_greatest_time_and_key() -> None:
    account = after(empty(), finish("b", 1, ok=False), finish("a", 1, ok=False), finish("z", 0, ok=False), now=1)
    assert (account.lanes["a"].last_failure, account.lanes["a"].failing) == (NOW + SECOND, "b")
    assert shown("x" * 500) == "x" * 123 + "…"
    assert shown("a\0\ud800") == "a??"


# time


def test_what_is_dated_in_the_future_happened_when_it_was_seen() -> None:
    account = after(empty(), finish("ahead", 5000, ok=False))
    assert (account.mark, account.lanes["a"].last_failure) == (NOW, NOW)
    assert account.seen.later(account.mark) == 1
    assert after(account, finish("good", 1), now=2).streak.length == 0


def test_of_too_many_in_the_future_those_beyond_the_cap_wait_for_their_time() -> None:
    terms = replace(TERMS, future=2)
    rows = [finish(f"f{i}", 100 + i) for i in range(4)]
    account = after(empty(), *rows, terms=terms)
    assert counted(account) == {"a": (2, 0)}
    assert after(account, *rows, terms=terms) is account
    assert counted(after(account, *rows, now=200, terms=terms)) == {"a": (4, 0)}


def test_a_late_success_takes_away_the_failures_before_it_and_a_late_failure_nothing() -> None:
    account = after(empty(), *(finish(f"f{i}", i, ok=False) for i in range(10)), now=10)
    account = after(account, finish("late", 4), now=20)
    assert account.streak.length == account.lanes["a"].streak.length == 5
    assert after(account, finish("later", 3, ok=False), now=30).streak.length == 5


def test_a_success_ends_the_failures_of_its_own_instant() -> None:
    account = after(empty(), finish("bad", 1, ok=False), now=1)
    assert after(account, finish("good", 1), now=2).streak.length == 0
    assert after(empty(), finish("bad", 1, ok=False), finish("good", 1), now=1).streak.length == 0


def test_a_streak_goes_on_where_its_beginning_is_forgotten() -> None:
    account = empty()
    for i in range(50):
        account = after(account, finish(f"f{i}", i * 100, ok=False), now=i * 100)
    assert account.streak.length == 50
    assert len(account.seen.at) == 7
    assert after(account, finish("good", 4901), now=5000).streak.length == 0


def test_a_unit_whose_time_moves_on_is_not_forgotten_with_its_first_time() -> None:
    """As the two rows of one post, whose times differ by milliseconds."""
    account = after(empty(), finish("post", 0, attempt="once"))
    account = after(account, finish("post", 60, attempt="once"), now=60)
    account = after(account, finish("other", 640), now=640)
    assert account.floor > NOW
    assert counted(after(account, finish("post", 60, attempt="once"), now=650)) == {"a": (2, 0)}


def test_a_shorter_overlap_admits_the_same_in_pages_of_any_size() -> None:
    """Or the first page would lift the floor for the second."""
    account = empty(terms=replace(TERMS, overlap=9000 * SECOND))
    rows = [finish("one", -700), finish("two", -700), finish("three", -600)]
    paged = account
    for row in rows:
        paged = after(paged, row)
    assert counted(paged) == counted(after(account, *rows)) == {"a": (1, 0)}
    assert paged.floor == NOW - OVERLAP - SECOND


@given(
    st.lists(st.tuples(st.integers(-900, 900), st.sampled_from("ab"), st.booleans()), max_size=40), st.integers(1, 9)
)
def test_pages_of_any_size_come_to_the_same(rows: list[tuple[int, str, bool]], size: int) -> None:
    finishes = sorted((finish(f"k{i}", at, ok, lane=lane) for i, (at, lane, ok) in enumerate(rows)), key=lambda f: f[1])
    paged = start = empty("a", "b", terms=replace(TERMS, overlap=OVERLAP // 2))
    for first in range(0, len(finishes), size):
        paged = after(paged, *finishes[first : first + size], now=300)
    whole = after(start, *finishes, now=300)
    assert replace(paged, revision=0) == replace(whole, revision=0)


def test_memory_follows_the_overlap_and_not_what_has_passed_through() -> None:
    """A million finishes, ten a second."""
    account, page = empty(), 1000
    for first in range(0, 1_000_000, page):
        rows = [Finish(f"job-{i}", NOW + i * SECOND // 10, "a", i % 7 > 0) for i in range(first, first + page)]
        account, _ = apply(account, Batch(rows), rows[-1].at, TERMS)
        assert len(account.seen.at) <= 6011
        assert sum(map(len, account.seen.slices.values())) == len(account.seen.at)
        assert len(account.streak.trail) + len(account.lanes["a"].streak.trail) <= 12
    assert counted(account) == {"a": (1_000_000, 142_858)}


# what came too late


def test_what_came_too_late_is_counted_by_a_source_that_hands_over_all() -> None:
    rows = [finish("one", -5000), finish("two")]
    account, _ = opened(Batch(rows, under=0), NOW, TERMS)
    rows.append(finish("late", -4000))
    account, delta = apply(account, Batch(rows, under=0), NOW, TERMS)
    assert (account.late, delta is not None, counted(account)) == (1, True, {"a": (0, 0)})
    assert apply(account, Batch(rows, under=0), NOW, TERMS) == (account, None)
    assert apply(account, Batch([rows[1]], under=2), NOW, TERMS) == (account, None)
    assert apply(account, Batch([rows[1]], under=3), NOW, TERMS)[0].late == 2


def test_what_went_and_came_back_did_not_come_late() -> None:
    rows = [*(finish(f"r{i}", -5000 + i) for i in range(9)), finish("last", -4000)]
    account, _ = opened(Batch(rows, under=0), NOW, TERMS)
    for at in (1, 2):
        account, _ = apply(account, Batch([finish("new", at)], under=0), NOW + 3 * SECOND, TERMS)
    late, _ = apply(account, Batch([*rows, finish("new", 2)], under=0), NOW + 3 * SECOND, TERMS)
    assert (account.under, late.late) == (10, 0)


# names


def lanes(*names: str, first: int = 0) -> list[Finish]:
    return [finish(f"{name!r}{first}", first + i, lane=name) for i, name in enumerate(names)]


def test_lanes_are_named_first_come_and_the_rest_fold_for_good() -> None:
    few = replace(TERMS, limits=Limits(label_values=2))
    account = after(empty("known", terms=few), *lanes("x", "y", "z"), now=9, terms=few)
    assert counted(account) == {"known": (0, 0), "x": (1, 0), OTHER: (2, 0)}
    account = after(account, *lanes("y", "x", "w", first=10), now=19)
    assert counted(account) == {"known": (0, 0), "x": (2, 0), OTHER: (4, 0)}


def test_a_name_that_cannot_be_a_label_folds_alone() -> None:
    account = after(empty(), *lanes("a\0", "\ud800", "x" * 129, OTHER, "fine"), now=9)
    assert counted(account) == {OTHER: (4, 0), "fine": (1, 0)}


# identity


TEXT = st.text(max_size=200) | st.text(st.characters(categories=["Cs", "Cc", "Lu"]), max_size=5)


@given(st.lists(st.tuples(TEXT, st.integers(0, 3), st.none() | TEXT), min_size=2, max_size=2, unique=True))
def test_identities_are_as_different_as_what_they_are_of(two: list[tuple[str, int, str | None]]) -> None:
    one, other = (Finish(key, at, "a", True, attempt=attempt) for key, at, attempt in two)
    same = one.key == other.key and one.attempt == other.attempt is not None
    assert (identity(one) == identity(other)) is same
    assert all(len(identity(each)) <= 160 and identity(each).isascii() for each in (one, other))
    assert identity(one).isprintable()


def test_times_and_durations_are_whole_microseconds() -> None:
    assert instant("2023-11-14T22:13:20.000001+00:00") == NOW + 1
    assert instant("2023-11-14 22:13:20") == instant("2023-11-15T00:13:20+02:00") == NOW
    assert [instant(value) for value in (None, 3, "soon", "0001-01-01T00:00:00+14:00")][:3] == [None] * 3
    assert [span(value) for value in (0.0000014, 2, None, -1, float("nan"), float("inf"))] == [1, 2 * SECOND] + [
        None
    ] * 4
