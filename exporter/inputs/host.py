"""The machine as psutil tells of it, and what a container may take of it by the files of its cgroup."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import psutil

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux shows a container the cgroup it is in."""

IMAGES = frozenset({"cdfs", "erofs", "iso9660", "squashfs", "udf"})
"""File systems that are always full, since nobody writes to them."""

MOST = 200
"""File systems that are looked at."""

SHORTEST = 0.05
"""Seconds of processor time between two looks; in less the system's ticks are too coarse to tell anything."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a file system; `free` are those that a program without special rights may take."""

    size: int
    used: int
    free: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes there are, and bytes that programs can still take."""

    size: int
    available: int


def told(ask: Callable[[], T]) -> T | None:
    """What the system answers; None where it refuses, or does not have what is asked for."""
    try:
        return ask()
    except (OSError, psutil.Error):
        return None


def spent() -> tuple[float, float]:
    """Seconds that all processors together were in use since the machine was started, and all the seconds they had.
    Raises OSError. Guests are part of user already; waiting for a disk is no use."""
    times = psutil.cpu_times()
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total - times.idle - getattr(times, "iowait", 0.0), total


class Processors:
    """How busy all processors together are from one look to the next, the first one now. Never waits."""

    def __init__(self, look: Callable[[], tuple[float, float]] = spent) -> None:
        self._look = look
        self._before = told(look)
        self._ratio: float | None = None

    def ratio(self) -> float | None:
        """0 to 1 since the look before; the same again after less than SHORTEST, and None after less than that at
        first. Raises OSError."""
        busy, total = now = self._look()
        if self._before is None:
            self._before = now
        elif (passed := total - self._before[1]) >= SHORTEST:
            self._ratio = min(1.0, max(0.0, (busy - self._before[0]) / passed))
            self._before = now
        return self._ratio


def memory(cgroup: Path = CGROUP) -> Memory:
    """The memory of the machine, or of the container where it has a limit that is less. Raises OSError."""
    machine = psutil.virtual_memory()
    limit = _limit(cgroup)
    if limit is None or limit.size >= machine.total:
        return Memory(machine.total, machine.available)
    return Memory(limit.size, max(0, min(limit.available, machine.available)))


def _limit(cgroup: Path) -> Memory | None:
    """The limit of a cgroup, version 2 or 1, and what is left under it: pages of files that the kernel would drop
    count as left, as they do for the machine."""
    for size, used, statistics, droppable in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
    ):
        most, taken = _number(cgroup / size), _number(cgroup / used)
        if most is not None and taken is not None:
            return Memory(most, most - taken + _statistic(cgroup / statistics, droppable))
    return None


def _number(path: Path) -> int | None:
    """A number in a file; None where there is no such file, or a word such as `max` in it."""
    text = (told(path.read_text) or "").strip()
    return int(text) if text.isdecimal() else None


def _statistic(path: Path, name: str) -> int:
    pairs = (line.split() for line in (told(path.read_text) or "").splitlines())
    return next((int(pair[1]) for pair in pairs if len(pair) == 2 and pair[0] == name and pair[1].isdecimal()), 0)


def filesystems() -> Mapping[str, Space | None]:
    """Space by mount point, None where the system refuses to tell: the root, and the file systems on devices (so no
    network share, which may hang, and no file that a container has mounted over another). Raises OSError."""
    mounted = (disk.mountpoint for disk in psutil.disk_partitions(all=False) if disk.fstype not in IMAGES)
    points = dict.fromkeys(["/", *sorted(point for point in mounted if told(Path(point).is_dir))])
    return {point: told(partial(_space, point)) for point in islice(points, MOST)}


def _space(point: str) -> Space:
    found = psutil.disk_usage(point)
    return Space(found.total, found.used, found.free)


def booted() -> float:
    """When the machine was started, in epoch seconds by its clock. Raises OSError."""
    return psutil.boot_time()


def connections() -> Counter[str]:
    """Sockets of TCP and UDP by state, in lower case. Raises OSError and psutil.AccessDenied."""
    return Counter(connection.status.lower() for connection in psutil.net_connections("inet"))
