"""When a cron expression is next due."""

from datetime import UTC, datetime, tzinfo

from cronsim import CronSim, CronSimError

from exporter.inputs.documents import Skip

LONGEST = 200
"""Characters of an expression: longer ones are not looked at."""


def due(expression: str, zone: tzinfo, now: float) -> float | None:
    """Epoch seconds of the first time after `now` in five fields of cron, or six with seconds first; None where no time
    of the next 50 years fits. Raises Skip for an expression that is none.

    As Debian's cron does it: a time that daylight saving skips is due when the clock has jumped, and one that comes
    twice only the first time, but for expressions of every hour or minute.
    """
    if len(expression) > LONGEST:
        raise Skip("invalid")
    try:
        times = CronSim(expression, datetime.fromtimestamp(now, UTC).astimezone(zone))
    except CronSimError:
        raise Skip("invalid") from None
    # inside an hour that comes twice the first of them may be past
    return next((time for found in times if (time := found.timestamp()) > now), None)
