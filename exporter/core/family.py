"""A metric family is declared once, as data; its points are a pure function of facts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar, cast

MetricType = Literal["gauge", "counter", "histogram", "info"]
Merge = Literal["sum", "min", "max", "drop"]

OTHER = "_other"
"""The label value that unknown words and names past the limit fold into."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """What a counter counted at a time (epoch seconds), named by labels."""

    labels: Mapping[str, str]
    at: float


@dataclass(frozen=True, slots=True)
class Total:
    """The value of a counter, with the time its account was opened (epoch seconds) and the last of what it counted,
    where it has them."""

    value: float
    created: float | None = None
    exemplar: Exemplar | None = None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of observations by upper bound: `counts` has one entry per bound and a last one for everything above."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float = 0.0
    created: float | None = None

    @classmethod
    def empty(cls, bounds: tuple[float, ...], created: float | None = None) -> "Histogram":
        return cls(bounds, (0,) * (len(bounds) + 1), created=created)

    def observe(self, value: float) -> "Histogram":
        """The histogram with one more observation."""
        at = next((i for i, bound in enumerate(self.bounds) if value <= bound), len(self.bounds))
        counts = (*self.counts[:at], self.counts[at] + 1, *self.counts[at + 1 :])
        return replace(self, counts=counts, sum=self.sum + value)


Value = float | Total | Histogram | None
"""What a point can be worth; None means there is nothing to say, so no sample is written."""

Point = tuple[tuple[str, ...], Value]
"""Label values in the order of the family's labels (without `source`), and a value."""

Facts = TypeVar("Facts")
Outer = TypeVar("Outer")


@dataclass(frozen=True, slots=True)
class Family(Generic[Facts]):
    """A declared metric.

    `labels` come besides `source`, which every family has unless `of_exporter`. `named` are those of them whose values
    come from the data and are therefore bounded: past the limit they fold into `_other`, and samples that fall together
    are combined by `merge` (`drop` where no combination of them is true, as for a mean).
    """

    type: MetricType
    name: str
    help: str
    points: Callable[[Facts], Iterable[Point]]
    labels: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    merge: Merge = "sum"
    of_exporter: bool = False

    def over(self, get: Callable[[Outer], Facts | None]) -> "Family[Outer]":
        """The same family over a larger value; where `get` finds None there is nothing to say."""

        def points(value: Outer) -> Iterable[Point]:
            facts = get(value)
            return () if facts is None else self.points(facts)

        return cast("Family[Outer]", replace(self, points=points))  # type: ignore[arg-type]  # replace() keeps Facts


def over(families: Iterable[Family[Facts]], get: Callable[[Outer], Facts | None]) -> tuple[Family[Outer], ...]:
    """Families of a domain, read out of a part's value."""
    return tuple(family.over(get) for family in families)
