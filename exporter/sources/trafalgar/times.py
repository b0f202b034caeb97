"""Times as Trafalgar's files write them."""

from datetime import UTC, datetime


def iso(value: object) -> datetime | None:
    """A time of the ingest registry (contract b.1): ISO 8601 text, in UTC where it names no zone; None for all else."""
    try:
        found = datetime.fromisoformat(value)  # type: ignore[arg-type]  # it refuses what is no text
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def stamp(value: object) -> float | None:
    """A time of the render job store as epoch seconds (contract b.2): ISO 8601 or a number, also as text; else None."""
    if isinstance(value, str):
        text = value.strip()
        if found := iso(f"{text[:-1]}Z" if text.endswith("z") else text):
            return found.timestamp()
        return _epoch(text)
    return _epoch(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _epoch(value: str | float) -> float | None:
    """Seconds that some calendar date has."""
    try:
        return datetime.fromtimestamp(float(value), UTC).timestamp()
    except (OverflowError, OSError, ValueError):
        return None
