"""A source is a configured system: its parts, and what must be closed when it goes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from exporter.core.part import Part, Schedule
from exporter.core.units import Between, Bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on what one source may bring: series on its pages, rows of a query, bytes of a document,
    names of a label, and characters of a label value."""

    series_per_source: Annotated[int, Between(1, 10_000_000)] = 20_000
    rows_per_query: Annotated[int, Between(1, 100_000_000)] = 200_000
    document_size: Annotated[Bytes, Between(1 << 10, 16 << 30)] = 256 << 20
    label_values: Annotated[int, Between(1, 100_000)] = 200
    label_length: Annotated[int, Between(8, 65_536)] = 128


async def nothing_to_close() -> None:
    """A source that holds nothing open."""


@dataclass(frozen=True, slots=True)
class Source:
    """`names` are label values known from the configuration, by label: they are named before any that data bring."""

    name: str
    kind: str
    parts: tuple[Part[Any], ...]  # Any: each part has a value type of its own
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    close: Callable[[], Awaitable[None]] = nothing_to_close


@dataclass(frozen=True, slots=True)
class Context:
    """What a kind is given to make a source of its configuration."""

    name: str
    schedule: Schedule
    limits: Limits


@dataclass(frozen=True, slots=True)
class Kind:
    """A system this exporter knows: the dataclass of its configuration, and how a source is made of one."""

    config: type[Any]
    source: Callable[[Any, Context], Source]
    summary: str
