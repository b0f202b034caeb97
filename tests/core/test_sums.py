"""Sums of floats have the digits that the systems replaced showed."""

from exporter.core.sums import added


def test_each_step_is_rounded() -> None:
    assert added([0.1] * 10) == 0.9999999999999999
    assert added(iter([1e16, 1.0, -1e16])) == 0.0
    assert str(added([])) == "0.0"
