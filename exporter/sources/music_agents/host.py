"""The machine the exporter runs on, in place of the figures the dashboard measured for each request."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from exporter.core.errors import Unreachable
from exporter.core.part import Taken
from exporter.domains.host import Filesystem, Host
from exporter.inputs.host import CGROUP, Processors, booted, connections, filesystems, memory, told

T = TypeVar("T")


class Machine:
    """Made when the source is, so that the first read has something to compare the processors with."""

    def __init__(self, cgroup: Path = CGROUP) -> None:
        self._cgroup = cgroup
        self._processors = Processors()

    def read(self, now: float) -> Taken[Host]:
        """How the machine is, whatever the time `now`. What the system refuses to tell is absent and counted; raises
        Unreachable where it refuses everything. Blocks, but never sleeps."""
        asked = refused = 0

        def ask(get: Callable[[], T]) -> T | None:
            nonlocal asked, refused
            found = told(get)
            asked, refused = asked + 1, refused + (found is None)
            return found

        ratio = ask(lambda: (self._processors.ratio(),))
        sizes = ask(lambda: memory(self._cgroup))
        spaces = ask(filesystems) or {}
        value = Host(
            cpu=ratio[0] if ratio else None,
            memory_available=sizes.available if sizes else None,
            memory_size=sizes.size if sizes else None,
            filesystems={at: Filesystem(space.size, space.used, space.free) for at, space in spaces.items() if space},
            booted=ask(booted),
            connections=ask(connections),
        )
        if refused == asked:
            raise Unreachable("the operating system tells nothing: is /proc mounted?")
        refused += sum(space is None for space in spaces.values())
        skipped = {"missing": refused} if refused else {}
        return Taken(value, "the machine the exporter runs on", asked + len(spaces) - refused, skipped)
