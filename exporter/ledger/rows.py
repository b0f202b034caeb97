"""Accounts as rows of the store's tables, and back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from exporter.ledger.account import Account, Delta
from exporter.ledger.horizon import Horizon
from exporter.ledger.lane import Lane, Streak, newest

Values = dict[str, Any]
"""A row by column: whatever a database keeps."""

ACCOUNT = ("fingerprint", "opened", "mark", "floor", "under", "late", "revision")
LANE = ("opened", "finished", "failed", "untimed", "duration", "last_success", "last_failure", "failing")
"""The columns that say what the fields of their name do."""


def _insert(table: str, columns: Iterable[str]) -> str:
    names = [*columns]
    return f"insert into {table} ({', '.join(names)}) values ({', '.join(f':{name}' for name in names)})"  # noqa: S608  # constants of this file


INSERT_ACCOUNT = _insert("ledger_account", ("id", "source", "pipeline", *ACCOUNT, "base", "is_full"))
UPDATE_ACCOUNT = (
    "update ledger_account set "  # noqa: S608  # constants of this file
    + ", ".join(f"{name} = :{name}" for name in (*ACCOUNT, "base", "is_full"))
    + " where id = :id and revision = :before"
)
INSERT_LANE = _insert("ledger_lane", ("account", "number", "name", *LANE, "counts", "base"))
DELETE_LANE = "delete from ledger_lane where account = :account and number = :number"
INSERT_SEEN = _insert("ledger_seen", ("account", "unit", "at", "t", "ok", "lane"))
UPDATE_SEEN = "update ledger_seen set at = :at where account = :account and unit = :unit"
DELETE_SEEN = "delete from ledger_seen where account = :account and at < :floor"


def account_row(account: Account) -> Values:
    """An account's own row, without its key."""
    return {
        **{name: getattr(account, name) for name in ACCOUNT},
        "base": account.streak.base,
        "is_full": int(account.full),
    }


def lane_rows(number: int, account: Account, delta: Delta) -> list[Values]:
    """The rows of the lanes that changed; a lane's number is its place among those of its account."""
    changed = {*delta.lanes}
    return [
        {
            "account": number,
            "number": place,
            "name": name,
            **{column: getattr(lane, column) for column in LANE},
            "counts": " ".join(map(str, lane.counts)),
            "base": lane.streak.base,
        }
        for place, (name, lane) in enumerate(account.lanes.items())
        if name in changed
    ]


def seen_rows(number: int, account: Account, delta: Delta) -> list[Values]:
    """The rows of what is to be remembered."""
    places = {name: place for place, name in enumerate(account.lanes)}
    return [
        {
            "account": number,
            "unit": row.unit,
            "at": row.at,
            "t": row.t,
            "ok": None if row.ok is None else int(row.ok),
            "lane": places[row.lane],
        }
        for row in delta.rows
    ]


def account_of(row: Mapping[str, Any], lanes: Sequence[Mapping[str, Any]], seen: Sequence[Sequence[Any]]) -> Account:
    """The account that rows make: its own, its lanes' by number, and what is remembered: unit, at, t, ok, lane.

    The trails of the streaks are no rows of their own: they are the failures remembered that no success ended.
    """
    failures: defaultdict[int, list[int]] = defaultdict(list)
    for _, _, t, ok, place in seen:
        if ok == 0 and t >= row["floor"]:
            failures[place].append(t)
    found = {lane["name"]: _lane(lane, failures[lane["number"]]) for lane in lanes}
    every = [t for times in failures.values() for t in times]
    return Account(
        **{name: row[name] for name in ACCOUNT},
        lanes=MappingProxyType(found),
        streak=_streak(row["base"], every, newest(*(lane.last_success for lane in found.values()))),
        seen=Horizon().moved({unit: at for unit, at, *_ in seen}, row["floor"]),
        full=bool(row["is_full"]),
    )


def _lane(row: Mapping[str, Any], failures: Iterable[int]) -> Lane:
    return Lane(
        **{name: row[name] for name in LANE},
        counts=tuple(map(int, row["counts"].split())),
        streak=_streak(row["base"], failures, row["last_success"]),
    )


def _streak(base: int, failures: Iterable[int], last_success: int | None) -> Streak:
    return Streak(base, Streak().after(failures, None, last_success).trail)
