"""The render farms that came with the system, and what it said of them (recorded)."""

from collections.abc import Iterable

import msgspec


class Priority(msgspec.Struct):
    """The priorities that a farm takes."""

    default: int | None
    minimum: int | None
    maximum: int | None


class Chunking(msgspec.Struct):
    """How many frames a farm takes at once."""

    enabled: bool
    minimum: int | None
    maximum: int | None
    default: int | None


class Cancellation(msgspec.Struct):
    """Whether a job can be cancelled: not from here."""

    supported: bool = False


class Capabilities(msgspec.Struct):
    """What a farm can do."""

    priority: Priority
    chunking: Chunking
    cancellation: Cancellation


class FarmShown(msgspec.Struct):
    """A farm."""

    name: str
    description: str
    capabilities: Capabilities


class FarmsShown(msgspec.Struct):
    """All farms, by name."""

    farms: list[FarmShown]


def _farm(name: str, description: str, priority: tuple[int, int, int], chunk: tuple[int, int]) -> FarmShown:
    default, largest = chunk
    able = Capabilities(Priority(*priority), Chunking(True, 1, largest, default), Cancellation())
    return FarmShown(name, description, able)


BUILT_IN = (
    _farm("deadline", "Autodesk Deadline render manager (stub).", (50, 0, 100), (10, 50)),
    _farm("mock", "Mock render farm for testing and demos.", (50, 0, 100), (5, 10)),
    _farm("opencue", "OpenCue render manager (stub).", (60, 0, 120), (6, 25)),
    _farm("tractor", "Pixar Tractor render farm (stub).", (75, 1, 150), (8, 30)),
)


def farms(used: Iterable[str]) -> FarmsShown:
    """The farms built in, and those that a job names: what these can do is known to the system alone."""
    known = {farm.name: farm for farm in BUILT_IN}
    for name in used:
        if name not in known:
            able = Capabilities(Priority(None, None, None), Chunking(False, None, None, None), Cancellation())
            known[name] = FarmShown(name, f"Render farm adapter registered as '{name}'.", able)
    return FarmsShown([known[name] for name in sorted(known)])
