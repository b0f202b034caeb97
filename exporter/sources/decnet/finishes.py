"""Operations as finishes: each row of the two tables is one, at the time the orchestrator wrote it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from exporter.core.family import OTHER
from exporter.core.finish import Ask, Batch, Finish, instant
from exporter.inputs.history import Ends, history, joined
from exporter.inputs.indexes import Wanted
from exporter.inputs.paging import LAST, Kept, Place, Table, everything, key_text, moment, statement
from exporter.inputs.sql import Query, Row, naive
from exporter.inputs.zones import utc
from exporter.sources.decnet.tables import EMAILS, EVENTS, EXACT, LEAST, MOST, WORDS

EMAIL = "email"


def _finish(row: Row, lane: str) -> Finish | None:
    """None where the outcome or the time is none."""
    key, ts, success, *_ = row
    at = instant(ts)
    return Finish(key_text(key), at, lane, bool(success)) if at is not None and success in (0, 1) else None


def _event(row: Row) -> Finish | None:
    """A word is compared here, and exactly: MariaDB takes `Traffic` for `traffic`."""
    return _finish(row, row[3] if row[3] in WORDS else OTHER)


# constants of this package, here and below
TABLES = (
    Table(f"select uuid, ts, success, kind from {EVENTS}", "uuid", "ts", _event),  # noqa: S608
    Table(f"select uuid, ts, success from {EMAILS}", "uuid", "ts", lambda row: _finish(row, EMAIL)),  # noqa: S608
)


def _opening(query: Query, ask: Ask) -> Batch:
    """What both tables amount to, as of one snapshot, and what could still come late."""
    found = history(
        joined(_ends(query, ask.now)),
        lambda since: dict(_failures(query, "count(*)", "at > :since", LEAST if since is None else moment(since))),
        lambda at: dict(_failures(query, "max(uuid)", "at >= :since", moment(at))),
        ask.now,
    )
    return Batch(everything(query, TABLES, ask.opening(found.newest)), history=found)


def _lanes(query: Query) -> Iterator[tuple[str, str]]:
    """Both tables, each with what says the lane of a row of it, and its time `at`."""
    exact = EXACT.get(query.dialect, "kind")
    known = " ".join(f"when {exact} = '{word}' then '{word}'" for word in WORDS)
    at = utc("ts") if query.dialect == "sqlite" else "ts"
    yield EVENTS, f"case {known} else '{OTHER}' end as lane, {at} as at"
    yield EMAILS, f"'{EMAIL}' as lane, {at} as at"


def _ends(query: Query, now: int) -> Iterator[tuple[str, Ends]]:
    """The newest success and the newest failure of each lane."""
    for table, lane in _lanes(query):
        asked = f"""
            select lane, success, max(at), max(case when at <= :now then at end)
            from (select {lane}, success from {table} where ts between :least and :last) finished
            where success in (0, 1) group by lane, success
        """  # noqa: S608
        for name, success, last, past in query(asked, now=moment(now), least=LEAST, last=MOST):
            at = instant(last)
            yield name, Ends(at if success else None, None if success else at, instant(past))


def _failures(query: Query, what: str, later: str, since: datetime) -> Iterator[tuple[str, Any]]:
    """Something about the failures of each lane that are so late."""
    for table, lane in _lanes(query):
        asked = f"""
            select lane, {what} from (select {lane}, uuid from {table} where success = 0 and ts <= :last) failed
            where {later} group by lane
        """  # noqa: S608
        yield from ((name, found) for name, found in query(asked, since=since, last=MOST))


def wanted(now: float) -> tuple[Wanted, ...]:
    """The indexes of `ts`, which upstream makes: without them every read goes through both tables."""
    place = Place(naive(now))
    values = {"at": place.at, "last": LAST}
    return tuple(
        Wanted(name, ("ts",), "counting finished operations", statement(table, place), values, vital=True)
        for name, table in zip((EVENTS, EMAILS), TABLES, strict=True)
    )


KEPT = Kept(tables=lambda _: TABLES, opening=_opening)
