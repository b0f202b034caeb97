"""Points of a family to the bytes of its samples: checked, folded, and written once for both formats."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, islice
from math import isfinite
from typing import Any

import msgspec
from prometheus_client.utils import floatToGoString

from exporter.core.family import OTHER, Exemplar, Family, Histogram, Merge, Point, Total
from exporter.core.source import Limits
from exporter.runtime.names import Names

DROPS: tuple[str, ...] = ("duplicate", "label", "limit", "value")
"""Why a sample was left out: its labels stand already; a label value is no text, too long or not encodable;
its family would pass the cap on series; its value is no finite number."""

LONGEST_EXEMPLAR = 128
"""Characters of all labels of an exemplar together (OpenMetrics 1.0.0)."""

MERGES: Mapping[Merge, Callable[[float, float], float]] = {"sum": lambda a, b: a + b, "min": min, "max": max}


@dataclass(frozen=True, slots=True)
class Block:
    """The samples of one family of one source, as both formats write them (headers apart)."""

    text: bytes = b""
    openmetrics: bytes = b""
    series: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


def number(value: float) -> str:
    """A finite number as Go, and so every exporter, writes it."""
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]  # prometheus_client is partly untyped


def numbers(values: list[float]) -> list[str]:
    """Finite floats as `floatToGoString` writes them, 5 times as fast: msgspec writes the plain ones all at once."""
    if not values:
        return []
    texts = msgspec.json.encode(values).decode("ascii")[1:-1].split(",")
    for i in [i for i, value in enumerate(values) if not 1e-4 <= value < 1e6 and value]:
        texts[i] = number(values[i])
    return texts


def escape(text: str) -> str:
    """A label value as both formats quote it."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def unwritable(value: object, longest: int) -> bool:
    """Whether a label value must not be written: Prometheus ends the page at a NUL, and refuses what is not UTF-8."""
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False


def plain(value: object) -> bool:
    """Whether a value is a finite number."""
    try:
        return type(value) in (int, float, bool) and isfinite(value)  # type: ignore[arg-type]  # the type was just asked
    except OverflowError:  # an integer larger than any float
        return False


def all_plain(values: list[Any]) -> bool:
    """The same for many values, three times as fast."""
    try:
        return {*map(type, values)} <= {int, float} and all(map(isfinite, values))
    except OverflowError:
        return False


def prefix(name: str, labels: Mapping[str, str]) -> str:
    """How a sample begins: its name, its labels sorted by name, a blank."""
    if not labels:
        return f"{name} "
    return name + "{" + ",".join(f'{label}="{escape(value)}"' for label, value in sorted(labels.items())) + "} "


class Renderer:
    """Writes one family of one source. It remembers how label values are written, for they seldom change."""

    def __init__(self, family: Family[Any], source: str | None, limits: Limits, names: Mapping[str, Names]) -> None:
        self._family = family
        self._limits = limits
        self._common = {} if source is None else {"source": source}
        self._names = {i: names[label] for i, label in enumerate(family.labels) if label in family.named}
        self._order = sorted(range(len(family.labels)), key=lambda i: family.labels[i])
        self._template = prefix(family.name, {**dict.fromkeys(family.labels, "\0"), **self._common}).split("\0")
        self._starts: dict[tuple[str, ...], str] = {}
        self._folded: set[str] = set()
        self._keys: list[tuple[str, ...]] = []
        self._prefixes: list[str] = []

    def block(self, facts: Any) -> Block:  # Any: facts are of the family's own type
        """The samples of these facts. A wrong number of label values is a bug and raises ValueError."""
        points = iter(self._family.points(facts))
        found = [point for point in islice(points, self._limits.series_per_source + 1) if point[1] is not None]
        if len(found) > self._limits.series_per_source:
            return Block(dropped={"limit": len(found) + sum(1 for _ in points)})
        if self._family.type in ("counter", "histogram"):
            return self._composed(found)
        values: list[Any] = [value for _, value in found]
        if all_plain(values) and (prefixes := self._known([labels for labels, _ in found])) is not None:
            return joined(prefixes, values, {})
        return self._checked(found)

    def _known(self, keys: list[tuple[str, ...]]) -> list[str] | None:
        """How samples with these labels begin, if all have been written before and each begins otherwise."""
        if keys == self._keys:
            return self._prefixes
        try:
            found = [*map(self._starts.get, keys)]
        except TypeError:  # a list or an object where text belongs
            return None
        prefixes = [start for start in found if start]
        if len({*prefixes}) < len(keys) or (self._folded and self._family.merge == "drop"):
            return None
        self._keys, self._prefixes = keys, prefixes
        return prefixes

    def _checked(self, points: list[Point]) -> Block:
        """Gauges, each looked at: the first time, and whenever labels changed or a value is odd."""
        kept: dict[str, Any] = {}
        dropped: Counter[str] = Counter()
        value: Any  # whatever the data brought
        for labels, value in points:
            start = self._start(labels)
            if not start:
                dropped["label"] += 1
            elif not plain(value):
                dropped["value"] += 1
            elif start in self._folded and self._family.merge == "drop":
                dropped["limit"] += 1
            elif start not in kept:
                kept[start] = value
            elif start in self._folded:
                kept[start] = MERGES[self._family.merge](kept[start], value)
            else:
                dropped["duplicate"] += 1
        if len(self._starts) > 2 * len(points) + 1000:  # what is gone is not remembered for ever
            self._starts = {}
        return joined([*kept], [*kept.values()], dropped)

    def _composed(self, points: list[Point]) -> Block:
        """Counters and histograms, which have several samples each, and more of them in OpenMetrics."""
        text: list[str] = []
        openmetrics: list[str] = []
        dropped: Counter[str] = Counter()
        seen: set[tuple[str, ...]] = set()
        for labels, value in points:
            if not self._start(labels):
                dropped["label"] += 1
            elif labels in seen:
                dropped["duplicate"] += 1
            elif (samples := self._samples(labels, value)) is None:
                dropped["value"] += 1
            else:
                seen.add(labels)
                text += samples[0]
                openmetrics += samples[1]
        return Block("".join(text).encode(), "".join(openmetrics).encode(), len(text), dropped)

    def _samples(self, labels: tuple[str, ...], value: object) -> tuple[list[str], list[str]] | None:
        """The lines of one counter or histogram in the text format, and in OpenMetrics."""
        name, pairs = self._family.name, self._pairs(labels)
        if isinstance(value, Histogram):
            if not plain(value.sum):
                return None
            bounds = [*map(number, value.bounds), "+Inf"]
            lines = [
                f"{prefix(f'{name}_bucket', {**pairs, 'le': bound})}{number(count)}\n"
                for bound, count in zip(bounds, accumulate(value.counts), strict=True)
            ]
            lines.append(f"{prefix(f'{name}_count', pairs)}{number(sum(value.counts))}\n")
            lines.append(f"{prefix(f'{name}_sum', pairs)}{number(value.sum)}\n")
            return lines, lines + created(name, pairs, value.created)
        total = value if isinstance(value, Total) else Total(value)  # type: ignore[arg-type]  # asked in the next line
        if not plain(total.value) or total.value < 0:
            return None
        line = f"{prefix(name, pairs)}{number(total.value)}"
        since = created(name.removesuffix("_total"), pairs, total.created)
        return [f"{line}\n"], [f"{line}{exemplar(total.exemplar)}\n", *since]

    def _start(self, labels: tuple[str, ...]) -> str:
        """How samples with these labels begin; empty if they cannot be written."""
        try:
            if start := self._starts.get(labels):
                return start
        except TypeError:  # a list or an object where text belongs
            return ""
        if len(labels) != len(self._family.labels):
            raise ValueError(f"{self._family.name}: labels {self._family.labels}, but values {labels!r}")
        if any(unwritable(value, self._limits.label_length) for value in labels):
            return ""
        named = [self._names[i].name(value) if i in self._names else value for i, value in enumerate(labels)]
        parts = [""] * (2 * len(named) + 1)
        parts[::2] = self._template
        parts[1::2] = [escape(named[i]) for i in self._order]
        start = self._starts[labels] = "".join(parts)
        if any(named[i] == OTHER for i in self._names):
            self._folded.add(start)
        return start

    def _pairs(self, labels: tuple[str, ...]) -> dict[str, str]:
        return {**dict(zip(self._family.labels, labels, strict=True)), **self._common}


def joined(prefixes: list[str], values: list[Any], dropped: Mapping[str, int]) -> Block:
    """Lines that are the same in both formats."""
    lines = [""] * (3 * len(prefixes))
    lines[0::3] = prefixes
    lines[1::3] = numbers([*map(float, values)])
    lines[2::3] = ["\n"] * len(prefixes)
    body = "".join(lines).encode()
    return Block(body, body, len(prefixes), dropped)


def created(name: str, pairs: Mapping[str, str], at: float | None) -> list[str]:
    """The OpenMetrics sample that says since when something has been counted (epoch seconds)."""
    return [] if at is None else [f"{prefix(f'{name}_created', pairs)}{number(at)}\n"]


def exemplar(found: Exemplar | None) -> str:
    """What OpenMetrics writes behind a counter; nothing where its labels are longer than that allows, or no text."""
    if found is None or not plain(found.at):
        return ""
    labels = sorted(found.labels.items())
    if unwritable("".join(name + value for name, value in labels), LONGEST_EXEMPLAR):
        return ""
    pairs = ",".join(f'{name}="{escape(value)}"' for name, value in labels)
    return f" # {{{pairs}}} 1.0 {found.at}"
