"""Production's families: what is zero, what is absent, and which words a status may be."""

from exporter.core.family import Family
from exporter.domains.production import PROJECTS, RECONCILE, VERSIONS, Production, Projects, Reconciled
from tests.domains.points import points

FACTS = Production(
    shots={"b": 0, "a": 2},
    versions={("a", "approved"): 3, ("a", "wtg"): 1, ("b", "rev"): 1},
)


def test_projects_are_counted() -> None:
    assert points(PROJECTS, Projects(("a", "b"))) == {"studio_projects": {(): 2}}
    assert points(PROJECTS, Projects(())) == {"studio_projects": {(): 0}}


def test_every_project_has_the_three_common_statuses_and_its_own() -> None:
    assert points(VERSIONS, FACTS) == {
        "studio_shots": {("a",): 2, ("b",): 0},
        "studio_versions": {
            ("a", "approved"): 3,
            ("a", "published"): 0,
            ("a", "unknown"): 0,
            ("a", "wtg"): 1,
            ("b", "approved"): 0,
            ("b", "published"): 0,
            ("b", "rev"): 1,
            ("b", "unknown"): 0,
        },
    }


def test_points_come_in_the_order_of_their_labels() -> None:
    families: tuple[Family[Production], ...] = VERSIONS
    for family in families:
        labels = [labels for labels, _ in family.points(FACTS)]
        assert labels == sorted(labels)


def test_without_a_version_there_is_nothing_to_say() -> None:
    assert points(VERSIONS, Production({}, {})) == {"studio_shots": {}, "studio_versions": {}}


def test_only_kinds_that_were_looked_for_are_told() -> None:
    assert points(RECONCILE, Reconciled({"version_mismatch": 0, "missing_in_fs": 2})) == {
        "studio_reconcile_errors": {("missing_in_fs",): 2, ("version_mismatch",): 0}
    }
