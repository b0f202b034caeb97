"""Time in the simulated studio."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.demo.world import DAY, HISTORY, HOUR, LONGEST_STEP, Agenda, Clock, Life, Moment, Trouble, chance, rhythm

BEGAN = 1_800_000_000.0


def walker(agenda: Agenda, log: list[tuple[str, Moment]], seed: int) -> None:
    """Lives that wait by chance, begin others, and end."""
    dice = chance(seed, "walker")

    def child() -> Life:
        for _ in range(3):
            moment = yield dice.uniform(0, HOUR)
            log.append(("child", moment))

    def parent() -> Life:
        while True:
            log.append(("parent", (yield dice.expovariate(1 / HOUR))))
            agenda.begin(child())

    agenda.begin(parent())


def story(seed: int, steps: list[float], rate: float = 60) -> list[tuple[str, Moment]]:
    """What happened by the end of the steps, which are wall seconds and come after the past."""
    log: list[tuple[str, Moment]] = []
    agenda = Agenda(Clock(BEGAN, rate))
    walker(agenda, log, seed)
    now = BEGAN
    agenda.advance(now)
    for step in steps:
        now += step
        agenda.advance(now)
    return log


@given(st.lists(st.floats(0, LONGEST_STEP), max_size=20), st.integers(0, 5))
def test_what_happens_does_not_depend_on_how_time_is_cut(steps: list[float], seed: int) -> None:
    cut = story(seed, steps)
    whole = story(seed, [LONGEST_STEP] * math.ceil(sum(steps) / LONGEST_STEP))
    known = [(name, moment.at) for name, moment in whole]
    assert [(name, moment.at) for name, moment in cut] == known[: len(cut)]
    assert len(cut) <= len(known)


def test_what_happens_does_not_depend_on_the_speed() -> None:
    slow, fast = story(1, [60.0] * 60, rate=60), story(1, [6.0] * 60, rate=600)
    assert [moment.at for _, moment in slow] == [moment.at for _, moment in fast]
    assert slow[-1][1].at > DAY / 24


@given(st.lists(st.floats(-100, 1000), min_size=1, max_size=20))
def test_no_moment_is_in_the_future(steps: list[float]) -> None:
    log: list[tuple[str, Moment]] = []
    agenda = Agenda(Clock(BEGAN))
    walker(agenda, log, 1)
    now = BEGAN
    agenda.advance(now)
    for step in steps:
        now += step
        seen = len(log)
        agenda.advance(now)
        assert all(moment.wall <= now for _, moment in log[seen:])


def test_moments_come_in_order_and_the_past_has_its_true_length() -> None:
    log = story(2, [30.0] * 20)
    assert all(one.wall <= two.wall for (_, one), (_, two) in pairwise(log))
    assert BEGAN - HISTORY <= log[0][1].wall < BEGAN - HISTORY + DAY
    assert all(moment.wall == BEGAN + moment.at for _, moment in log if moment.at < 0)


@pytest.mark.parametrize("step", [LONGEST_STEP + 1, 3 * DAY, -1.0, -DAY])
def test_after_a_jump_of_the_clock_time_goes_on_where_it_stood(step: float) -> None:
    log: list[tuple[str, Moment]] = []
    agenda = Agenda(Clock(BEGAN))
    walker(agenda, log, 3)
    agenda.advance(BEGAN)
    before = len(log)
    agenda.advance(BEGAN + step)
    assert len(log) == before
    agenda.advance(BEGAN + step + LONGEST_STEP)
    assert [moment.at for _, moment in log] == [moment.at for _, moment in story(3, [LONGEST_STEP])]
    assert log[before][1].wall > BEGAN + step


def test_idle_is_the_time_until_something_happens() -> None:
    agenda = Agenda(Clock(BEGAN, 60))
    assert agenda.idle() == math.inf
    seen: list[float] = []

    def once() -> Life:
        seen.append((yield HISTORY + 120).wall)

    agenda.begin(once())
    agenda.advance(BEGAN)
    assert agenda.idle() == 2.0
    agenda.advance(BEGAN + 2)
    assert seen == [BEGAN + 2]
    assert agenda.idle() == math.inf


def test_what_comes_is_foretold_in_the_wall_s_time_of_its_moment() -> None:
    agenda = Agenda(Clock(BEGAN, 60))
    foretold: list[float] = []

    def once() -> Life:
        yield HISTORY - 60
        foretold.append(agenda.wall(30))
        foretold.append(agenda.wall(180))
        seen.append((yield 180).wall)

    seen: list[float] = []
    agenda.begin(once())
    agenda.advance(BEGAN)
    agenda.advance(BEGAN + 2)
    assert foretold == [BEGAN - 30, BEGAN + 2]
    assert seen == [BEGAN + 2]


def test_each_system_has_dice_of_its_own() -> None:
    assert chance(1, "a").random() == chance(1, "a").random()
    assert len({chance(seed, name).random() for seed in (1, 2) for name in ("a", "b")}) == 4


def test_a_day_is_busy_and_a_night_is_quiet() -> None:
    hours = [rhythm(hour * HOUR) for hour in range(24)]
    assert max(hours) == pytest.approx(1.6)
    assert min(hours) == pytest.approx(0.4)
    assert sum(hours) / 24 == pytest.approx(1)
    assert rhythm(0) == pytest.approx(rhythm(DAY)) == pytest.approx(1)


def test_trouble_comes_and_goes_and_makes_nearly_everything_fail() -> None:
    agenda = Agenda(Clock(BEGAN))
    trouble = Trouble(chance(1, "trouble"), {"a": 2 * HOUR, "b": 2 * HOUR})
    outcomes: dict[bool, list[bool]] = {True: [], False: []}
    names: list[str | None] = []

    def observer() -> Life:
        while True:
            yield 300.0
            names.append(trouble.name)
            outcomes[trouble.name == "a"].append(trouble.strikes("a"))

    agenda.begin(trouble.life())
    agenda.begin(observer())
    agenda.advance(BEGAN)
    assert set(names) == {None, "a", "b"}
    assert sum(one != two for one, two in pairwise(names)) >= 10
    assert sum(outcomes[True]) > 0.8 * len(outcomes[True]) > 20
    assert sum(outcomes[False]) < 0.1 * len(outcomes[False])
