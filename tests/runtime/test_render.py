"""Rendering: byte for byte what prometheus_client writes, and whatever must not be written is counted."""

import math
from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.samples import Exemplar as Known
from prometheus_client.utils import floatToGoString

from exporter.core.family import Exemplar, Family, Histogram, Merge, Total
from exporter.core.source import Limits
from exporter.runtime.exposition import Format, header
from exporter.runtime.lint import lint
from exporter.runtime.names import Names
from exporter.runtime.render import Renderer, number, numbers
from tests.fakes import declared, gauge

LABEL = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


class Collected:
    """What prometheus_client's writers accept."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        return [self._metric]


def pages(family: Family[Any], facts: Any) -> tuple[bytes, bytes]:
    block = Renderer(family, "vfx", Limits(), {}).block(facts)
    return header(family, Format.TEXT) + block.text, header(family, Format.OPENMETRICS) + block.openmetrics + b"# EOF\n"


def reference(metric: Metric) -> tuple[bytes, bytes]:
    return generate_latest(Collected(metric)), generate_openmetrics(Collected(metric))  # type: ignore[no-untyped-call]


@given(st.dictionaries(st.tuples(LABEL, LABEL), FINITE | st.integers(-(2**53), 2**53), max_size=8), LABEL)
def test_gauges_are_written_as_prometheus_client_does(points: dict[tuple[str, str], float], about: str) -> None:
    family = declared("gauge", "studio_test", ("zone", "farm"), about)
    metric = GaugeMetricFamily("studio_test", about, labels=("zone", "farm", "source"))
    for labels, value in points.items():
        metric.add_metric((*labels, "vfx"), value)
    assert pages(family, points.items()) == reference(metric)


@given(st.dictionaries(st.tuples(LABEL), st.floats(0, 1e300), max_size=5))
def test_counters_are_written_as_prometheus_client_does(points: dict[tuple[str], float]) -> None:
    family = declared("counter", "studio_test_total", ("zone",))
    metric = CounterMetricFamily("studio_test", "About.", labels=("zone", "source"))
    for labels, value in points.items():
        metric.add_metric((*labels, "vfx"), value)
    assert pages(family, points.items()) == reference(metric)


def test_an_opened_counter_says_since_when_in_openmetrics_alone() -> None:
    family = declared("counter", "studio_test_total", ("zone",))
    metric = CounterMetricFamily("studio_test", "About.", labels=("zone", "source"))
    metric.add_metric(("a", "vfx"), 3, created=1.8e9)
    text, openmetrics = pages(family, [(("a",), Total(3, created=1.8e9))])
    assert openmetrics == reference(metric)[1]
    assert b"_created" not in text
    assert text.endswith(b'studio_test_total{source="vfx",zone="a"} 3.0\n')


@given(st.dictionaries(st.sampled_from(["unit", "farm"]), LABEL), st.floats(0.001, 1e10))
def test_an_exemplar_is_written_as_prometheus_client_does_in_openmetrics_alone(
    labels: dict[str, str], at: float
) -> None:
    metric = Metric("studio_test", "About.", "counter")
    pairs = {"source": "vfx", "zone": "a"}
    metric.add_sample("studio_test_total", pairs, 3.0, exemplar=Known(labels, 1.0, at))
    metric.add_sample("studio_test_created", pairs, 1.8e9)
    points = [(("a",), Total(3, 1.8e9, Exemplar(labels, at)))]
    text, openmetrics = pages(declared("counter", "studio_test_total", ("zone",)), points)
    assert openmetrics == reference(metric)[1]
    assert text.endswith(b'studio_test_total{source="vfx",zone="a"} 3.0\n')
    assert lint(openmetrics, openmetrics=True) == []
    assert lint(openmetrics.replace(b" counter", b" gauge"), openmetrics=True) != []


@pytest.mark.parametrize(
    ("unit", "written"), [("x" * 124, True), ("x" * 125, False), ("\ud800", False), ("a\0b", False), ("ü" * 124, True)]
)
def test_an_exemplar_that_may_not_be_written_leaves_its_counter_alone(unit: str, written: bool) -> None:
    points = [(("a",), Total(3, exemplar=Exemplar({"unit": unit}, 1.8e9)))]
    block = Renderer(declared("counter", "studio_test_total", ("zone",)), "vfx", Limits(), {}).block(points)
    line = b'studio_test_total{source="vfx",zone="a"} 3.0'
    assert block.text == line + b"\n"
    assert block.openmetrics == line + (f' # {{unit="{unit}"}} 1.0 1800000000.0'.encode() if written else b"") + b"\n"


@given(st.lists(st.floats(0, 100), max_size=20))
def test_histograms_are_written_as_prometheus_client_does(observed: list[float]) -> None:
    bounds = (0.005, 0.1, 1.0, 2.5, 10.0, 3600.0, 86400.0)
    histogram = Histogram.empty(bounds)
    for value in observed:
        histogram = histogram.observe(value)
    assert sum(histogram.counts) == len(observed)
    assert histogram.counts[0] == sum(value <= 0.005 for value in observed)
    buckets = [*zip([*map(floatToGoString, bounds), "+Inf"], accumulate(histogram.counts), strict=True)]
    metric = HistogramMetricFamily("studio_test_seconds", "About.", labels=("part", "source"))
    metric.add_metric(("ingest", "vfx"), buckets, histogram.sum)
    family = declared("histogram", "studio_test_seconds", ("part",))
    assert pages(family, [(("ingest",), histogram)]) == reference(metric)


def test_an_info_is_one_in_openmetrics_and_a_gauge_in_text() -> None:
    metric = InfoMetricFamily("studio_test", "About.", labels=("source",))
    metric.add_metric(("vfx",), {"kind": "trafalgar"})
    family = declared("info", "studio_test_info", ("kind",))
    assert pages(family, [(("trafalgar",), 1)]) == reference(metric)


@given(st.lists(FINITE))
def test_numbers_are_those_of_prometheus_client(values: list[float]) -> None:
    assert numbers(values) == [*map(number, values)]


def test_samples_without_labels_have_no_braces() -> None:
    family = gauge(labels=(), of_exporter=True)
    assert Renderer(family, None, Limits(), {}).block([((), 1)]).text == b"studio_test_things 1.0\n"


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, Decimal("1.5"), "3", b"3", 10**400, object(), [1]], ids=repr
)
def test_what_is_no_finite_number_is_dropped_and_counted(value: Any) -> None:
    block = Renderer(gauge(), "vfx", Limits(), {}).block([(("good",), 1), (("bad",), value)])
    assert block.text == b'studio_test_things{source="vfx",thing="good"} 1.0\n'
    assert block.dropped == {"value": 1}
    assert block.series == 1


@pytest.mark.parametrize("label", [None, 3, b"x", "\ud800", "x" * 129, "a\0b", ["x"], {"x": 1}], ids=repr)
@pytest.mark.parametrize("family", [gauge(), declared("counter", "studio_test_total", ("x",))])
def test_what_cannot_be_a_label_is_dropped_and_counted(family: Family[Any], label: Any) -> None:
    block = Renderer(family, "vfx", Limits(), {}).block([(("good",), 1), ((label,), 1)])
    assert block.series == 1
    assert block.dropped == {"label": 1}


@pytest.mark.parametrize("value", [-1, math.nan, Total(-1), Total(math.inf), Histogram.empty((1.0,)).observe(math.nan)])
def test_counters_and_histograms_hold_only_what_they_may(value: Any) -> None:
    family = declared("counter", "studio_test_total", ("x",))
    assert Renderer(family, "vfx", Limits(), {}).block([(("a",), value)]).dropped == {"value": 1}


def test_nothing_to_say_is_no_sample_and_no_drop() -> None:
    block = Renderer(gauge(), "vfx", Limits(), {}).block([(("a",), None)])
    assert (block.text, block.series, block.dropped) == (b"", 0, {})


@pytest.mark.parametrize("family", [gauge(), declared("counter", "studio_test_total", ("x",))])
def test_labels_that_stand_already_are_dropped(family: Family[Any]) -> None:
    block = Renderer(family, "vfx", Limits(), {}).block([(("a",), 1), (("a",), 2)])
    assert block.text.endswith(b'"a"} 1.0\n')
    assert block.dropped == {"duplicate": 1}


def test_a_wrong_number_of_label_values_is_a_bug() -> None:
    with pytest.raises(ValueError, match="studio_test_things"):
        Renderer(gauge(), "vfx", Limits(), {}).block([(("a", "b"), 1)])


@pytest.mark.parametrize(
    ("merge", "written"), [("sum", "5.0"), ("min", "2.0"), ("max", "3.0"), ("drop", None)], ids=str
)
def test_names_past_the_limit_fold_as_the_family_says(merge: Merge, written: str | None) -> None:
    names = {"thing": Names(1)}
    renderer = Renderer(gauge(named=("thing",), merge=merge), "vfx", Limits(), names)
    for _ in range(2):  # the second time from what is remembered
        block = renderer.block([(("a",), 1), (("b",), 2), (("c",), 3)])
        other = "" if written is None else f'studio_test_things{{source="vfx",thing="_other"}} {written}\n'
        assert block.text.decode() == 'studio_test_things{source="vfx",thing="a"} 1.0\n' + other
        assert block.dropped == ({"limit": 2} if written is None else {})


def test_a_family_past_the_cap_is_left_out_whole_and_counted_whole() -> None:
    block = Renderer(gauge(), "vfx", Limits(series_per_source=10), {}).block(((str(i),), i) for i in range(1_000_000))
    assert (block.text, block.series, block.dropped) == (b"", 0, {"limit": 1_000_000})


def test_values_move_under_labels_that_stand() -> None:
    renderer = Renderer(gauge(), "vfx", Limits(), {})
    for values in [(1.5, 2), (0.1, 1e9), (math.nan, 3), (4, 5), (10**400, 1)]:
        points = [((name,), value) for name, value in zip("ab", values, strict=True)]
        assert renderer.block(points) == Renderer(gauge(), "vfx", Limits(), {}).block(points)


def test_labels_that_went_are_not_remembered_for_ever() -> None:
    renderer = Renderer(gauge(), "vfx", Limits(), {})
    for i in range(3000):
        renderer.block([((str(i),), 1)])
    assert len(renderer._starts) <= 1002
