"""Where a simulated system finds what it needs, and what it must give."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from exporter.demo.world import Agenda

Write = Callable[[], None]
"""Brings to disk what happened since the last time, as the real system would; OSError where it cannot."""


@dataclass(frozen=True, slots=True)
class Studio:
    """`wait` lets that many seconds of the wall's pass and says whether the demo is over; it is then over at once."""

    agenda: Agenda
    seed: int
    directory: Path
    wait: Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class System:
    """A system of the studio: its entry in the exporter's configuration, its life, whose value is its writer, and what
    is left of it in the directory, as patterns. The entry can be told once the system lives; OSError before that."""

    source: Callable[[Path], str]
    live: Callable[[Studio], AbstractContextManager[Write]]
    leaves: tuple[str, ...]
