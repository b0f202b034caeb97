"""What it costs to write samples, beside prometheus_client: labels new, labels known, and labels that stand.

    python -m benchmarks.bench_render [--series 100000] [--rounds 5]

Goals: changed samples at least 9 times as fast as `generate_latest`, 30 times where labels stand and values move.
"""

import argparse
import gzip
import random
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from exporter.core.family import Family, Point
from exporter.core.source import Limits
from exporter.runtime.exposition import Format, Page, header
from exporter.runtime.render import Renderer

LABELS = ("farm", "status", "task")
FAMILY: Family[Any] = Family("gauge", "studio_bench_things", "Things of a benchmark.", lambda facts: facts, LABELS)


class Collected:
    """The same points for prometheus_client."""

    def __init__(self, points: list[Point]) -> None:
        self._points = points

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(FAMILY.name, FAMILY.help, labels=(*LABELS, "source"))
        for labels, value in self._points:
            family.add_metric((*labels, "vfx"), value)  # type: ignore[arg-type]  # gauges have plain values
        return [family]


def points(series: int, dice: random.Random) -> list[Point]:
    """New tuples each time, as a family makes them, with random values."""
    return [((f"farm{i % 50}", ("queued", "running")[i % 2], f"t{i}"), dice.random() * 1e5) for i in range(series)]


def took(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def one_round(series: int, dice: random.Random) -> dict[str, float]:
    """Milliseconds of each way, over points of the same labels."""
    limits = Limits(series_per_source=1_000_000)
    renderer = Renderer(FAMILY, "vfx", limits, {})
    first, second, third = points(series, dice), points(series, dice), points(series, dice)
    reference = Collected(first)
    assert header(FAMILY, Format.TEXT) + renderer.block(first).text == generate_latest(reference)
    dice.shuffle(third)
    body = renderer.block(first).text
    return {
        "generate_latest": took(lambda: generate_latest(Collected(second))),
        "ours, labels new": took(lambda: Renderer(FAMILY, "vfx", limits, {}).block(second)),
        "ours, labels known": took(lambda: renderer.block(third)),
        "ours, labels stand": [took(lambda: renderer.block(third)), took(lambda: renderer.block(third))][1],
        "gzip.compress": took(lambda: gzip.compress(body)),
        "our gzip": took(lambda: Page(Format.TEXT, (body,)).gzip),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    dice = random.Random(1)
    rounds = [one_round(options.series, dice) for _ in range(options.rounds)]
    medians = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    for name, milliseconds in medians.items():
        beside = medians["gzip.compress" if "gzip" in name else "generate_latest"]
        print(f"{name:20} {milliseconds:9.1f} ms  {beside / milliseconds:6.1f} times")


if __name__ == "__main__":
    main()
