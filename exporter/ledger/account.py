"""The pure account of one pipeline: what finishes do to counters, streaks and times, each finish once.

Times are integer microseconds. An account is a value: whatever happens to it gives another one, and what has to be
written so that the store says the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from exporter.core.family import OTHER
from exporter.core.finish import GRAIN, Ask, Batch, Finish, History, Past, identity, named
from exporter.core.source import Limits
from exporter.ledger.horizon import Horizon
from exporter.ledger.lane import NO_STREAK, Lane, Streak, nameable, newest, shown

MOST_FUTURE = 10_000
"""So many finishes dated in the future are counted ahead of their time; each is read again until then."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How late a finish may come (microseconds behind the newest), and what bounds the names of lanes."""

    overlap: int
    limits: Limits = field(default_factory=Limits)
    future: int = MOST_FUTURE


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a pipeline's finishes.

    `mark` is the newest that was not in the future when it was first seen; nothing below `floor` is admitted any more,
    and what is not below it is in `seen`. Neither ever falls. `full` says that a lane had to be folded into `_other`:
    no other gets a name of its own any more. `under` is the most finishes that can lie below the floor without one of
    them having come too late; None until a source hands over all it has. `fingerprint` names the database or file
    last counted. `revision` counts what was written.
    """

    opened: int
    mark: int
    floor: int
    lanes: Mapping[str, Lane]
    streak: Streak = NO_STREAK
    seen: Horizon = field(default_factory=Horizon)
    full: bool = False
    under: int | None = None
    late: int = 0
    fingerprint: str = ""
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A finish as it is remembered: `t` is its place in time, never later than when it was first seen."""

    unit: str
    at: int
    t: int
    ok: bool | None
    lane: str


@dataclass(frozen=True, slots=True)
class Delta:
    """What is new in an account besides its own numbers: `rows` to be remembered, and the new times of some that are
    remembered already; what is below the floor is to be forgotten where it rose."""

    rows: Sequence[Row]
    moved: Mapping[str, int]
    lanes: Sequence[str]
    rose: bool
    opened: bool = False


def apply(account: Account, batch: Batch, now: int, terms: Terms) -> tuple[Account, Delta | None]:
    """The account with what is new in a batch, and what to write: None where nothing is new (LEDGER 1 to 5).

    `now` is the clock when the read began; that it may step back disorders nothing.
    """
    present = max(now, account.mark)
    fresh, moved, under = _fresh(account, batch, present, terms)
    late = 0 if account.under is None else max(0, len(under) + (batch.under or 0) - account.under)
    lanes, full = _named(account, (*batch.lanes, *(finish.lane for _, finish in fresh)), now, terms)
    if not (fresh or moved or late) and len(lanes) == len(account.lanes) and full == account.full:
        return account, None
    mark = max([account.mark, *(finish.at for _, finish in fresh if finish.at <= present)])
    floor = _floor(account, mark, terms)
    rows = [_row(unit, finish, present, lanes) for unit, finish in fresh]
    _count(lanes, rows, fresh)
    streak = _streak(account, lanes, rows).folded(floor)
    lanes = {name: lane.folded(floor) for name, lane in lanes.items()}
    kept = [row for row in rows if row.at >= floor]
    seen = account.seen.moved({**moved, **{row.unit: row.at for row in kept}}, floor)
    sunk = len(account.seen.at) + len(rows) - len(seen.at)
    after = Account(
        opened=account.opened,
        mark=mark,
        floor=floor,
        lanes=MappingProxyType(lanes),
        streak=streak,
        seen=seen,
        full=full,
        under=_expected(account, batch, under, sunk),
        late=account.late + late,
        fingerprint=account.fingerprint,
        revision=account.revision + 1,
    )
    changed = [name for name, lane in lanes.items() if lane is not account.lanes.get(name)]
    return after, Delta(kept, moved, changed, floor > account.floor)


def opened(batch: Batch, now: int, terms: Terms) -> tuple[Account, Delta]:
    """An account at 0, which takes only streaks and last times from what is on record (LEDGER 4).

    Without a history the batch holds everything there is.
    """
    history = batch.history or history_of(batch.finishes, now)
    floor = Ask(now, terms.overlap).opening(history.newest)
    mark = now if history.newest is None else history.newest
    blank = Account(opened=now, mark=mark, floor=floor, lanes={})
    known = (*batch.lanes, *history.lanes, *(finish.lane for finish in batch.finishes))
    lanes, full = _named(blank, known, now, terms)
    fresh, _, under = _fresh(blank, batch, now, replace(terms, future=len(batch.finishes)))
    rows = [_row(unit, finish, now, lanes) for unit, finish in fresh]
    for name, past in history.lanes.items():
        place = name if name in lanes else OTHER
        lanes[place] = _remembered(lanes[place], past)
    by_lane: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_lane[row.lane].append(row)
    for name, lane in lanes.items():
        past = history.lanes.get(name, Past())
        lanes[name] = replace(lane, streak=_resumed(past.streak, lane, by_lane[name]))
    whole = Lane(now, last_success=newest(*(lane.last_success for lane in lanes.values())))
    account = replace(
        blank,
        lanes=MappingProxyType(lanes),
        streak=_resumed(history.streak, whole, rows),
        seen=Horizon().moved({row.unit: row.at for row in rows}, floor),
        full=full,
        under=None if batch.under is None else len(under) + batch.under,
    )
    return account, Delta(rows, {}, [*lanes], rose=False, opened=True)


def history_of(finishes: Iterable[Finish], now: int) -> History:
    """What finishes amount to where all of them are at hand; `now` is microseconds, and the time of what is later."""
    first: dict[str, Finish] = {}
    for finish in sorted(finishes, key=_order):
        first.setdefault(identity(finish), finish)
    lanes: defaultdict[str, list[tuple[int, Finish]]] = defaultdict(list)
    for finish in first.values():
        lanes[finish.lane].append((min(finish.at, now), finish))
    whole = Lane(now).after([entry for entries in lanes.values() for entry in entries])
    past = {name: Lane(now).after(entries) for name, entries in lanes.items()}
    return History(
        streak=whole.streak.length,
        lanes={
            name: Past(lane.last_success, lane.last_failure, lane.failing, lane.streak.length)
            for name, lane in past.items()
        },
        newest=newest(*(finish.at for finish in first.values() if finish.at <= now)),
    )


def _order(finish: Finish) -> tuple[int, str, str, str, int]:
    """Which of several comes first, whatever order they were read in."""
    duration = -1 if finish.duration is None else finish.duration
    return finish.at, finish.key, str(finish.lane), str(finish.ok), duration


Fresh = list[tuple[str, Finish]]


def _floor(account: Account, mark: int, terms: Terms) -> int:
    """Nothing older is admitted. It never falls, also where the overlap was made longer."""
    return max(account.floor, mark - terms.overlap - GRAIN)


def _fresh(account: Account, batch: Batch, present: int, terms: Terms) -> tuple[Fresh, dict[str, int], set[str]]:
    """The finishes not seen before, in order, each with its identity; the times of those seen before, where they are
    later than what is remembered: they must not be forgotten too early; and, of a source that hands over all it has,
    the identities below the floor."""
    # not the floor of the account: the overlap may be shorter now, and pages of any size must admit the same
    remembered, floor = account.seen.at, _floor(account, account.mark, terms)
    found: Fresh = []
    moved: dict[str, int] = {}
    under: set[str] = set()
    for finish in batch.finishes:
        unit = named(finish)
        if (at := remembered.get(unit)) is None:  # most have been seen, and need no more
            unit = identity(finish)
            at = remembered.get(unit)
        if at is not None:
            if finish.at > at:
                moved[unit] = max(finish.at, moved.get(unit, at))
        elif finish.at >= floor:
            found.append((unit, finish))
        elif batch.under is not None:
            under.add(unit)
    found.sort(key=lambda entry: _order(entry[1]))
    first: dict[str, Finish] = {}
    for unit, finish in found:
        first.setdefault(unit, finish)
    fresh = [(unit, finish) for unit, finish in first.items() if finish.at <= present]
    ahead = [(unit, finish) for unit, finish in first.items() if finish.at > present]
    if ahead:
        room = max(0, terms.future - account.seen.later(present))
        fresh += ahead[:room]
    return fresh, moved, under


def _named(account: Account, names: Iterable[str], now: int, terms: Terms) -> tuple[dict[str, Lane], bool]:
    """The lanes with those that are new, first come, first named; and whether one of them found no room."""
    lanes, full = dict(account.lanes), account.full
    for name in dict.fromkeys(names):
        if name in lanes:
            continue
        if name != OTHER and nameable(name, terms.limits):
            full = full or len(lanes) - (OTHER in lanes) >= terms.limits.label_values
        if full or name == OTHER or not nameable(name, terms.limits):
            lanes.setdefault(OTHER, Lane(now))
        else:
            lanes[name] = Lane(now)
    return lanes, full


def _row(unit: str, finish: Finish, present: int, lanes: Mapping[str, Lane]) -> Row:
    """A finish cannot have happened after it was seen."""
    lane = finish.lane if finish.lane in lanes else OTHER
    return Row(unit, finish.at, min(finish.at, present), finish.ok, lane)


def _count(lanes: dict[str, Lane], rows: Sequence[Row], fresh: Sequence[tuple[str, Finish]]) -> None:
    """Adds new finishes to their lanes."""
    parts: defaultdict[str, list[tuple[int, Finish]]] = defaultdict(list)
    for row, (_, finish) in zip(rows, fresh, strict=True):
        parts[row.lane].append((row.t, finish))
    for name, finishes in parts.items():
        lanes[name] = lanes[name].after(finishes)


def _streak(account: Account, lanes: Mapping[str, Lane], rows: Sequence[Row]) -> Streak:
    """The pipeline's streak with new finishes, already counted in the lanes."""
    last = newest(*(lane.last_success for lane in lanes.values()))
    success = newest(*(row.t for row in rows if row.ok))
    return account.streak.after([row.t for row in rows if row.ok is False], success, last)


def _expected(account: Account, batch: Batch, under: set[str], sunk: int) -> int | None:
    """How many finishes may lie below the new floor with none of them late: those that did, for what is gone may come
    back, and those that sank below it now."""
    if batch.under is None:
        return account.under
    return max(account.under or 0, len(under) + batch.under) + sunk


def _remembered(lane: Lane, past: Past) -> Lane:
    """A lane with the last times of history, the later ones where several lanes are folded into it."""
    if past.last_failure is None or (lane.last_failure is not None and lane.last_failure >= past.last_failure):
        return replace(lane, last_success=newest(lane.last_success, past.last_success))
    success = newest(lane.last_success, past.last_success)
    return replace(lane, last_success=success, last_failure=past.last_failure, failing=shown(past.failing))


def _resumed(length: int, lane: Lane, rows: Sequence[Row]) -> Streak:
    """A streak of so many failures: those at or above the floor in the trail, the others in the base."""
    trail = Streak().after([row.t for row in rows if row.ok is False], None, lane.last_success).trail
    return Streak(max(0, length - len(trail)), trail)
