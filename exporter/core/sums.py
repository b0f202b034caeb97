"""A sum of floats that is the same on every Python."""

from collections.abc import Iterable
from functools import reduce
from operator import add


def added(values: Iterable[float]) -> float:
    """The sum from left to right, rounded at each step, as the systems replaced had it. sum() gives that up to Python
    3.11; from 3.12 on it carries what rounding loses, and other digits come out."""
    return reduce(add, values, 0.0)
