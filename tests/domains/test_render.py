"""The families of render over facts written by hand."""

from exporter.core.family import OTHER, Point
from exporter.domains.render import FAMILIES, STATUSES, Render


def points(name: str, facts: Render) -> list[Point]:
    (family,) = [family for family in FAMILIES if family.name == name]
    return list(family.points(facts))


def test_jobs_by_farm_and_status_have_every_status_of_each_farm() -> None:
    found = dict(points("studio_render_jobs", Render({("tractor", "paused"): 2, ("deadline", "melted"): 1}, {}, {})))
    assert found == dict.fromkeys(((farm, status) for farm in ("deadline", "tractor") for status in STATUSES), 0) | {
        ("tractor", "paused"): 2,
        ("deadline", OTHER): 1,
    }


def test_points_are_sorted() -> None:
    facts = Render({("b", "queued"): 1, ("a", "running"): 1}, {"b": 2.0, "a": 3.0}, {"b": 4.0, "a": 5.0})
    for family in FAMILIES:
        labels = [labels for labels, _ in family.points(facts)]
        assert labels
        assert labels == sorted(labels)


def test_the_oldest_times_are_said_of_the_farms_that_have_one() -> None:
    facts = Render({("a", "queued"): 1, ("b", "running"): 1}, {"a": 1.0}, {"b": 2.0})
    assert points("studio_render_oldest_waiting_timestamp_seconds", facts) == [(("a",), 1.0)]
    assert points("studio_render_oldest_running_timestamp_seconds", facts) == [(("b",), 2.0)]


def test_nothing_on_record_is_no_sample() -> None:
    assert [list(family.points(Render({}, {}, {}))) for family in FAMILIES] == [[], [], []]


def test_families_are_those_of_the_catalogue() -> None:
    assert [(family.name, family.labels, family.named, family.merge) for family in FAMILIES] == [
        ("studio_render_jobs", ("farm", "status"), ("farm",), "sum"),
        ("studio_render_oldest_waiting_timestamp_seconds", ("farm",), ("farm",), "min"),
        ("studio_render_oldest_running_timestamp_seconds", ("farm",), ("farm",), "min"),
    ]
