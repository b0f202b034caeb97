"""What the exporter's process holds: memory, threads, descriptors and connections, sampled through the whole soak."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import psutil

WARM = 0.2
"""The share of the soak in which things are opened for the first time, and grow."""

MEGABYTE = 1 << 20
FLAT: dict[str, Callable[[float], float]] = {
    "memory": lambda before: 1.2 * before + 24 * MEGABYTE,
    "threads": lambda before: before + 2,
    "descriptors": lambda before: before + 6,
    "connections": lambda before: before + 4,
}
"""What the middle of the second half may be, by that of the first. The studio's databases grow all the while, so that
memory may a little; the event loop has a few threads that it starts when there is work, and scrapers come and go."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at a process; memory in bytes."""

    memory: float
    threads: float
    descriptors: float
    connections: float


def look(pid: int) -> Vitals:
    """How the process is now."""
    process = psutil.Process(pid)
    with process.oneshot():
        return Vitals(
            process.memory_info().rss, process.num_threads(), process.num_fds(), len(process.net_connections())
        )


def halves(looks: Sequence[Vitals], name: str) -> tuple[float, float]:
    """The middle values of the two halves after the warm-up."""
    values = [float(getattr(one, name)) for one in looks[int(len(looks) * WARM) :]]
    middle = len(values) // 2
    return median(values[:middle]), median(values[middle:])


def grown(looks: Sequence[Vitals]) -> list[str]:
    """What is not flat."""
    found = []
    for name, most in FLAT.items():
        before, after = halves(looks, name)
        if after > most(before):
            found.append(f"{name} grew from {before:g} to {after:g}; at most {most(before):g} were expected")
    return found
