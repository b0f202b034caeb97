"""The identities that are remembered, and what is forgotten of them when the floor rises."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

SLICE = 60_000_000
"""Microseconds of one slice: to forget costs what is forgotten, and a look at each slice."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """`at` by identity, and the identities by slice of their `at`. All it changes is copied."""

    at: MappingProxyType[str, int] = field(default_factory=lambda: MappingProxyType({}))
    slices: MappingProxyType[int, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}), compare=False)

    def moved(self, added: Mapping[str, int], floor: int) -> "Horizon":
        """The same with more, or with other times for some, and without what lies below the floor (microseconds)."""
        at = self.at.copy()  # many times as fast as dict() of a proxy
        slices = self.slices.copy()
        for number, units in _sliced({unit: at[unit] for unit in added if unit in at}).items():
            gone = {*units}
            slices[number] = tuple(unit for unit in slices[number] if unit not in gone)
        at.update(added)
        for number, units in _sliced(added).items():
            slices[number] = (*slices.get(number, ()), *units)
        edge = floor // SLICE
        for number in [number for number in slices if number <= edge]:
            units = slices.pop(number)
            if kept := tuple(unit for unit in units if number == edge and at[unit] >= floor):
                slices[number] = kept
            for unit in units if not kept else {*units}.difference(kept):
                del at[unit]
        return Horizon(MappingProxyType(at), MappingProxyType(slices))

    def later(self, than: int) -> int:
        """How many are later than a time."""
        edge = than // SLICE
        beyond = sum(len(units) for number, units in self.slices.items() if number > edge)
        return beyond + sum(self.at[unit] > than for unit in self.slices.get(edge, ()))


def _sliced(added: Mapping[str, int]) -> Mapping[int, Iterable[str]]:
    slices: defaultdict[int, list[str]] = defaultdict(list)
    for unit, at in added.items():
        slices[at // SLICE].append(unit)
    return slices
