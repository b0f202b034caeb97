"""The families of ingest over facts written by hand."""

from typing import Any

from exporter.core.family import OTHER, Point
from exporter.domains.ingest import FAMILIES, Ingest

NOTHING = Ingest({}, {}, {}, None)


def points(name: str, facts: Ingest) -> list[Point]:
    (family,) = [family for family in FAMILIES if family.name == name]
    return list(family.points(facts))


def facts(**given: Any) -> Ingest:
    return Ingest(**{"runs": {}, "files": {}, "recent": {}, "oldest_running": None} | given)


def test_runs_by_show_and_status_have_every_status_of_each_show() -> None:
    assert points("studio_ingest_runs", facts(runs={("IOR", "failed"): 2, ("ATL", "running"): 1})) == [
        (("ATL", "failed"), 0),
        (("ATL", "running"), 1),
        (("ATL", "succeeded"), 0),
        (("IOR", "failed"), 2),
        (("IOR", "running"), 0),
        (("IOR", "succeeded"), 0),
    ]


def test_a_status_of_another_system_is_counted_as_other() -> None:
    assert (("IOR", OTHER), 3) in points("studio_ingest_runs", facts(runs={("IOR", "melted"): 3}))


def test_recent_runs_are_zeros_where_there_are_none() -> None:
    assert points("studio_ingest_recent_runs", NOTHING) == [(("failed",), 0), (("running",), 0), (("succeeded",), 0)]


def test_files_by_show_and_result() -> None:
    assert points("studio_ingest_files", facts(files={("IOR", "processed"): 4})) == [
        (("IOR", "invalid"), 0),
        (("IOR", "processed"), 4),
    ]


def test_the_oldest_running_run_is_a_time_or_nothing_to_say() -> None:
    assert points("studio_ingest_oldest_running_timestamp_seconds", facts(oldest_running=1.5)) == [((), 1.5)]
    assert points("studio_ingest_oldest_running_timestamp_seconds", NOTHING) == [((), None)]


def test_families_are_those_of_the_catalogue() -> None:
    assert [(family.name, family.labels, family.named, family.merge) for family in FAMILIES] == [
        ("studio_ingest_runs", ("show", "status"), ("show",), "sum"),
        ("studio_ingest_recent_runs", ("status",), (), "sum"),
        ("studio_ingest_files", ("show", "result"), ("show",), "sum"),
        ("studio_ingest_oldest_running_timestamp_seconds", (), (), "min"),
    ]
