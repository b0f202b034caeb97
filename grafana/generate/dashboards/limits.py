"""Colours by the limits that the alerts have."""

from collections.abc import Callable

from grafana.generate.dashboards.style import CRITICAL, GOOD, WARNING, Steps
from grafana.generate.thresholds import Level, Thresholds

Colours = Callable[[str], Steps]
"""The colours of a level, by its name in `thresholds.yaml`."""


def colours(thresholds: Thresholds) -> Colours:
    """The levels of the file as colours; those of silence by the name of their pipeline, as `silence.publish`."""
    levels = {**thresholds.levels, **{f"silence.{name}": level for name, level in thresholds.silence.items()}}
    return lambda name: coloured(levels[name])


def coloured(level: Level) -> Steps:
    """Green, orange from the warning, red from the critical number; the other way round where low is bad."""
    known = {WARNING: level.warning, CRITICAL: level.critical}
    worse = [(beginning(level, limit), colour) for colour, limit in known.items() if limit is not None]
    if not level.below:
        return ((None, GOOD), *worse)
    upwards = [(None, ""), *sorted(worse)]
    colours = [*(colour for _, colour in sorted(worse)), GOOD]
    return tuple((limit, colour) for (limit, _), colour in zip(upwards, colours, strict=True))


def beginning(level: Level, limit: float) -> float:
    """Where a colour begins. Grafana gives it to the number itself, too: so it does not turn where no alert begins, as
    at a count of 0 of which any is too many, or still is not over, as at a change that must be less."""
    if limit == 0 and level.unit == "count" and not level.at_least:
        return 1
    return round(limit + 0.001, 3) if level.below and level.at_least else limit
