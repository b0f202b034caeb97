"""Campaigns: how many there are, and what they may spend."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter.core.family import OTHER, Family, Point
from exporter.domains.table import row

STATUSES = ("active", "completed", "draft", "paused")


@dataclass(frozen=True, slots=True)
class Campaigns:
    """`count`, and `budget` in currency units, by status; None where the source has no budgets."""

    count: Mapping[str, int]
    budget: Mapping[str, float] | None


def _budget(facts: Campaigns) -> Iterator[Point]:
    if facts.budget is None:
        return
    filled = dict.fromkeys(STATUSES, 0.0)
    for word, amount in facts.budget.items():
        cell = word if word in STATUSES else OTHER
        filled[cell] = filled.get(cell, 0.0) + amount
    yield from (((word,), amount) for word, amount in sorted(filled.items()))


FAMILIES: tuple[Family[Campaigns], ...] = (
    Family(
        "gauge",
        "studio_campaigns",
        "Campaigns on record when the source was last read in the background, by status. Sum over statuses, after max "
        "by (source, status) where several exporters watch one source.",
        lambda facts: row(facts.count, STATUSES),
        labels=("status",),
    ),
    Family(
        "gauge",
        "studio_campaign_budget",
        "Budgets of the campaigns on record at the last background read, in currency units, by status; what they may "
        "spend, not what was spent. Sum over statuses, after max by (source, status) where several exporters watch "
        "one source.",
        _budget,
        labels=("status",),
    ),
)
