"""Times as systems store them, as epoch seconds."""

from datetime import UTC, datetime


def epoch(value: object) -> float | None:
    """Epoch seconds of a database's time: a datetime or ISO 8601 text, in UTC where it names no zone; else None."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)  # type: ignore[arg-type]  # it refuses what is no text
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
