"""The ledger equals a naive recount, whatever source, clock and process do; and would not if a rule were missing."""

import inspect
import logging
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import IntegrityError

from exporter.ledger import account, horizon, lane, ledger
from tests.ledger import test_account
from tests.ledger.machine import Machine

SLOW = settings(deadline=None, suppress_health_check=[*HealthCheck], stateful_step_count=40)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A machine warns thousands of times that its clock is wrong, and so it is."""
    logging.getLogger(ledger.__name__).setLevel(logging.CRITICAL)
    yield
    logging.getLogger(ledger.__name__).setLevel(logging.NOTSET)


def test_the_ledger_equals_a_naive_recount() -> None:
    run_state_machine_as_test(Machine, settings=settings(SLOW, max_examples=150))


MUTANTS: Mapping[str, tuple[ModuleType, str, str, str]] = {
    "no present": (account, "apply", "max(now, account.mark)", "now"),
    "no clamp": (account, "_row", "min(finish.at, present)", "finish.at"),
    "the mark follows future rows": (account, "apply", " if finish.at <= present)])", ")])"),
    "ties are failures": (lane, "Streak.after", "at > last", "at >= last"),
    "ties stay failures": (lane, "Streak.after", "bisect_right(", "bisect_left("),
    "the base outlives a success": (lane, "Streak.after", "self.base if success is None else 0", "self.base"),
    "nothing folds": (lane, "Streak.folded", "if sunk else self", "if sunk > 99 else self"),
    "forgotten early": (account, "_floor", "mark - terms.overlap", "mark - terms.overlap // 2"),
    "forgotten at the floor": (horizon, "Horizon.moved", "at[unit] >= floor", "at[unit] > floor"),
    "the floor falls": (account, "_floor", "max(account.floor, ", "max(-1, "),
    "the floor of another overlap": (account, "_fresh", "_floor(account, account.mark, terms)", "account.floor"),
    "a touched unit is forgotten": (account, "_fresh", "if finish.at > at:", "if False:"),
    "what comes back is late": (account, "_expected", "max(account.under or 0, ", "max(0, "),
    "memory is believed after a failure": (ledger, "Ledger._believed", "self._believable.clear()", "pass"),
}
"""A rule of the ledger, and the ledger without it: module, function, what stands there, what stands there instead."""


BY_HAND: Mapping[str, Callable[[], None]] = {
    "ties stay failures": test_account.test_a_success_ends_the_failures_of_its_own_instant,
    "the base outlives a success": test_account.test_a_streak_goes_on_where_its_beginning_is_forgotten,
    "the floor of another overlap": test_account.test_a_shorter_overlap_admits_the_same_in_pages_of_any_size,
    "a touched unit is forgotten": test_account.test_a_unit_whose_time_moves_on_is_not_forgotten_with_its_first_time,
    "what comes back is late": test_account.test_what_went_and_came_back_did_not_come_late,
}
"""What a machine comes upon late or never."""


@pytest.mark.parametrize("what", MUTANTS)
def test_a_ledger_without_a_rule_is_found_out(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch, *MUTANTS[what])
    with pytest.raises((AssertionError, IntegrityError, ExceptionGroup)):
        BY_HAND.get(what, hunt)()


def hunt() -> None:
    """The machine with the same dice each time, without a search for the smallest example."""
    found = settings(SLOW, max_examples=600, derandomize=True, database=None, phases=[Phase.generate])
    run_state_machine_as_test(Machine, settings=settings(found, report_multiple_bugs=False))


def mutate(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, before: str, after: str) -> None:
    """Puts a function made of changed text in the place of one of a module, and of the ledger's."""
    holder, _, function = name.rpartition(".")
    owner = getattr(module, holder) if holder else module
    source = textwrap.dedent(inspect.getsource(getattr(owner, function)))
    assert source.count(before) == 1
    made = dict(vars(module))
    exec(compile(source.replace(before, after), name, "exec"), made)  # noqa: S102  # the source is ours
    for place in (owner, ledger):
        if hasattr(place, function):
            monkeypatch.setattr(place, function, made[function])
