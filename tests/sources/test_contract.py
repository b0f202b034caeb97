"""What holds for every declared family, whatever its domain."""

import re
from collections import Counter
from typing import Any

import pytest

from exporter.catalogue import CATALOGUE, FAMILIES
from exporter.core.family import Family

RESERVED = {"source", "instance", "job", "le", "quantile", "type", "name"}


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family[Any]:
    found: Family[Any] = request.param
    return found


def test_no_name_stands_twice() -> None:
    assert [name for name, count in Counter(family.name for family in FAMILIES).items() if count > 1] == []


def test_names_are_of_this_exporter_and_say_their_type(family: Family[Any]) -> None:
    assert re.fullmatch(r"(studio|process|python)(_[a-z][a-z0-9]*)+", family.name)
    assert family.name.endswith("_total") == (family.type == "counter")
    assert not family.name.endswith(("_count", "_sum", "_bucket", "_created"))
    if family.type == "info":
        assert family.name.endswith("_info")


def test_labels_are_those_prometheus_leaves_to_us(family: Family[Any]) -> None:
    assert len(set(family.labels)) == len(family.labels)
    told = {"source"} if family.of_exporter else set()  # the exporter's own say themselves whom they are about
    assert not (RESERVED - told) & set(family.labels)
    assert all(re.fullmatch(r"[a-z][a-z_]*", label) for label in family.labels)
    assert set(family.named) <= set(family.labels)


def test_only_gauges_fold_names(family: Family[Any]) -> None:
    assert family.type == "gauge" or not family.named


def test_help_is_sentences(family: Family[Any]) -> None:
    assert family.help[0].isupper()
    assert family.help.endswith(".")
    assert "\n" not in family.help


def test_only_the_exporters_own_families_have_no_source() -> None:
    assert {family.name for family in FAMILIES if family.of_exporter} == {f.name for f in CATALOGUE["exporter"]}


def test_timestamps_and_durations_say_their_unit(family: Family[Any]) -> None:
    if "timestamp" in family.name:
        assert family.name.endswith("_timestamp_seconds")
    assert not re.search(r"_(ms|sec|secs|minutes|mb|kb|percent|bytes_total)(_|$)", family.name)
