"""Host: the machine that the exporter runs on, or the container where one has limits of its own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from exporter.core.family import Family, Point
from exporter.domains.table import row

STATES = (
    "close",
    "close_wait",
    "closing",
    "established",
    "fin_wait1",
    "fin_wait2",
    "last_ack",
    "listen",
    "none",
    "syn_recv",
    "syn_sent",
    "time_wait",
)


@dataclass(frozen=True, slots=True)
class Filesystem:
    """Bytes of a file system: all there are, those in use, and those that programs may still take."""

    size: float
    used: float
    available: float


@dataclass(frozen=True, slots=True)
class Host:
    """How busy the processors are (0 to 1), bytes of memory that are available and that there are, file systems by
    mount point, when the machine was started (epoch seconds), connections by state; None where the system does not
    tell."""

    cpu: float | None
    memory_available: float | None
    memory_size: float | None
    filesystems: Mapping[str, Filesystem]
    booted: float | None
    connections: Mapping[str, int] | None


def _filesystems(get: Callable[[Filesystem], float]) -> Callable[[Host], Iterator[Point]]:
    return lambda facts: (((mountpoint,), get(found)) for mountpoint, found in sorted(facts.filesystems.items()))


def _one(value: float | None) -> tuple[Point, ...]:
    return (((), value),)


FAMILIES: tuple[Family[Host], ...] = (
    Family(
        "gauge",
        "studio_host_cpu_usage_ratio",
        "Share of the processor time of the whole machine that was in use (not idle, not waiting for a disk) between "
        "the last two background reads, 0 to 1; limits of a container do not count. Take the mean or the max.",
        lambda facts: _one(facts.cpu),
        merge="max",
    ),
    Family(
        "gauge",
        "studio_host_memory_available_bytes",
        "Memory that programs can take without swapping, at the last background read: of the machine, or what is "
        "left under the limit of the container (cgroup v1 or v2) where that is less; pages of files that can be "
        "dropped count as available. Sum over hosts.",
        lambda facts: _one(facts.memory_available),
    ),
    Family(
        "gauge",
        "studio_host_memory_size_bytes",
        "Memory there is, at the last background read: of the machine, or the limit of the container (cgroup v1 or "
        "v2) where that is less. Sum over hosts.",
        lambda facts: _one(facts.memory_size),
    ),
    Family(
        "gauge",
        "studio_host_filesystem_available_bytes",
        "Bytes that programs without special rights can still write, at the last background read, by mount point: "
        "the root and the file systems on devices, of the exporter's container where it runs in one. One device may "
        "be mounted at several points, so sum only over those you choose.",
        _filesystems(lambda found: found.available),
        labels=("mountpoint",),
        named=("mountpoint",),
    ),
    Family(
        "gauge",
        "studio_host_filesystem_used_bytes",
        "Bytes in use at the last background read, by mount point; used and available need not add up to the size, "
        "as some is reserved. One device may be mounted at several points, so sum only over those you choose.",
        _filesystems(lambda found: found.used),
        labels=("mountpoint",),
        named=("mountpoint",),
    ),
    Family(
        "gauge",
        "studio_host_filesystem_size_bytes",
        "Bytes there are at the last background read, by mount point. One device may be mounted at several points, "
        "so sum only over those you choose.",
        _filesystems(lambda found: found.size),
        labels=("mountpoint",),
        named=("mountpoint",),
    ),
    Family(
        "gauge",
        "studio_host_boot_timestamp_seconds",
        "When the machine was started, as seconds since 1970 by its own clock; not when a container was. Take the "
        "min, never a sum.",
        lambda facts: _one(facts.booted),
        merge="min",
    ),
    Family(
        "gauge",
        "studio_host_connections",
        "Sockets of TCP and UDP at the last background read, by state; none is UDP. Of the exporter's container "
        "where it runs in one, and absent where the system refuses to list them. Sum over states and hosts.",
        lambda facts: () if facts.connections is None else row(facts.connections, STATES),
        labels=("state",),
    ),
)
