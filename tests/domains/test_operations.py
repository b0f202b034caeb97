"""The families of operations over facts written by hand."""

from exporter.core.family import OTHER, Point
from exporter.domains.operations import FAMILIES, OPERATIONS, Operations

NOTHING = Operations(("5m", "1h"), {}, {}, {}, 0)
SOME = Operations(
    windows=("1h", "5m"),
    attempts={("file", "1h"): 5, ("file", "5m"): 2, (OTHER, "1h"): 1},
    failures={("file", "1h"): 3},
    last={"traffic": 1781524800.5, "file": 1781524799.0},
    future=4,
)


def points(name: str, facts: Operations) -> list[Point]:
    (family,) = [family for family in FAMILIES if family.name == name]
    return list(family.points(facts))


def test_every_operation_has_every_window_in_the_order_they_are_configured_in() -> None:
    assert points("studio_operation_failures", SOME) == [
        ((OTHER, "1h"), 0),
        ((OTHER, "5m"), 0),
        (("email", "1h"), 0),
        (("email", "5m"), 0),
        (("file", "1h"), 3),
        (("file", "5m"), 0),
        (("traffic", "1h"), 0),
        (("traffic", "5m"), 0),
    ]
    assert dict(points("studio_operation_attempts", SOME)) == {
        **{(operation, window): 0 for operation in OPERATIONS for window in SOME.windows},
        **SOME.attempts,
    }


def test_where_nothing_happened_counts_are_zeros() -> None:
    for name in ("studio_operation_failures", "studio_operation_attempts"):
        found = points(name, NOTHING)
        assert len(found) == 8
        assert {value for _, value in found} == {0}


def test_an_operation_that_never_happened_has_no_last_event() -> None:
    name = "studio_operation_last_event_timestamp_seconds"
    assert points(name, NOTHING) == []
    assert points(name, SOME) == [(("file",), 1781524799.0), (("traffic",), 1781524800.5)]


def test_future_rows_are_always_a_number() -> None:
    assert points("studio_operation_future_rows", NOTHING) == [((), 0)]
    assert points("studio_operation_future_rows", SOME) == [((), 4)]


def test_help_says_what_may_be_summed() -> None:
    counts = [family for family in FAMILIES if "window" in family.labels]
    assert len(counts) == 2
    assert all("never over windows" in family.help for family in counts)
