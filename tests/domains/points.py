"""The points of families over facts, by name and labels."""

from collections.abc import Iterable
from typing import TypeVar

from exporter.core.family import Family, Value

Facts = TypeVar("Facts")


def points(families: Iterable[Family[Facts]], facts: Facts) -> dict[str, dict[tuple[str, ...], Value]]:
    return {family.name: dict(family.points(facts)) for family in families}
