"""Times as Music Agents writes them: local and naive, so a zone must be known."""

from datetime import UTC, date, datetime, time, tzinfo


def moment(value: object, zone: tzinfo) -> datetime | None:
    """A time in ISO 8601, or None.

    A naive time is local, with the first of an hour that comes twice; but with a space where ISO has a `T` it is
    SQLite's own CURRENT_TIMESTAMP, and so UTC (contract 2.6 and 6). A time that names its zone is taken at its word.
    """
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC if value[10:11] == " " else zone)


def epoch(value: object, zone: tzinfo) -> float | None:
    """Epoch seconds of such a time."""
    found = moment(value, zone)
    return None if found is None else found.timestamp()


def beginning(day: date, zone: tzinfo) -> float:
    """Epoch seconds of the beginning of a day."""
    return datetime.combine(day, time(), zone).timestamp()


def today(zone: tzinfo, now: float) -> date:
    """The day that it is at `now` (epoch seconds)."""
    return datetime.fromtimestamp(now, zone).date()
