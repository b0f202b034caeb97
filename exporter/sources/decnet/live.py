"""The count of failures as it is now: read when it is asked for, once for all who ask the same at a time."""

import asyncio
from dataclasses import dataclass

from exporter.core.errors import ReadError, TimedOut
from exporter.inputs.sql import Database, Query, naive
from exporter.sources.decnet.tables import EMAILS, EVENTS

KEPT = 1.0
"""Seconds for which a count, or why there is none, is told again."""

MOST = 100
"""Different questions under way at a time; who asks one more is sent away."""

EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Question:
    """Failures of the last so many seconds, of one kind or of all."""

    seconds: int
    kind: str | None


@dataclass(frozen=True, slots=True)
class Flight:
    """A question under way, or answered, since `at` (epoch seconds)."""

    at: float
    count: asyncio.Task[int | ReadError]

    def fresh(self, now: float) -> bool:
        """Whether who asks now is told the same."""
        return not self.count.done() or 0 <= now - self.at < KEPT


class Counts:
    """Counts on a connection of their own, one after the other; who waits spends the time of his own read."""

    def __init__(self, database: Database, timeout: float) -> None:
        self._database = database
        self._timeout = timeout
        self._turn = asyncio.Lock()
        self._flights: dict[Question, Flight] = {}

    async def count(self, question: Question, now: float) -> int | ReadError:
        """How many there are at `now` (epoch seconds), or why nobody can say."""
        self._flights = {asked: flight for asked, flight in self._flights.items() if flight.fresh(now)}
        if question not in self._flights:
            if sum(not flight.count.done() for flight in self._flights.values()) >= MOST:
                return TimedOut(f"{self._database.describe()}: {MOST} other questions are waiting")
            self._flights[question] = Flight(now, asyncio.ensure_future(self._read(question, now)))
        count = self._flights[question].count
        await asyncio.wait([count])  # whoever leaves does not take it away from the others
        return TimedOut(f"{self._database.describe()}: closed meanwhile") if count.cancelled() else count.result()

    async def close(self) -> None:
        """Ends what is under way, and the connection."""
        under_way = [flight.count for flight in self._flights.values() if not flight.count.done()]
        for each in under_way:
            each.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._database.close()

    async def _read(self, question: Question, now: float) -> int | ReadError:
        try:
            async with asyncio.timeout(self._timeout), self._turn:
                return await self._database.read(lambda query: failures(query, question, now))
        except TimeoutError:
            return TimedOut(f"{self._database.describe()}: no answer within {self._timeout:g} s")
        except ReadError as error:
            return error


def failures(query: Query, question: Question, now: float) -> int:
    """Failures on record since the window began, of both tables as of one snapshot; the future is in every window.

    Words are compared as the database does it. SQLite is kept from the indexes of `success` and `kind`: it has no
    statistics here, and would walk through all failures there are.
    """
    free = "+" if query.dialect == "sqlite" else ""
    since = f"{free}success = 0 and ts >= :since"
    events = f"select count(*) from {EVENTS} where {since}"  # noqa: S608  # here and below: constants of this package
    emails = f"select count(*) from {EMAILS} where {since}"  # noqa: S608
    values: dict[str, object] = {"since": naive(now - question.seconds)}
    if question.kind == EMAIL:
        statement = emails
    elif question.kind is None:
        statement = f"select ({events}) + ({emails})"
    else:
        statement, values["kind"] = f"{events} and {free}kind = :kind", question.kind
    return int(query(statement, **values)[0][0])
