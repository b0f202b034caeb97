"""A source is a configured system: its parts, and what must be closed when it goes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from exporter.core.api import Access, Api
from exporter.core.finish import Pipeline
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
class Index:
    """An index that spares a database passes through a table; `place` is where that is, without secrets.

    `spares` says what for; where it is `vital`, that is the counting of finished work. `statement` is what makes it
    there, `plan` how the database goes about that work now, in its own words.
    """

    place: str
    table: str
    columns: tuple[str, ...]
    spares: str
    vital: bool
    there: bool
    statement: str
    plan: tuple[str, ...]


async def no_indexes(now: float) -> Sequence[Index]:
    """Of a source that has no database, or one whose tables stay small."""
    return ()


@dataclass(frozen=True, slots=True)
class Source:
    """`names` are label values known from the configuration, by label: they are named before any that data bring.
    `api` is the face it had before, None where it had none.

    `indexes(now)` looks up those that its database should have, at epoch seconds, and may raise a ReadError; it reads
    no rows, on a connection of its own.
    """

    name: str
    kind: str
    parts: tuple[Part[Any], ...]  # Any: each part has a value type of its own
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    close: Callable[[], Awaitable[None]] = nothing_to_close
    indexes: Callable[[float], Awaitable[Sequence[Index]]] = no_indexes
    api: Api | None = None

    @property
    def pipelines(self) -> tuple[Pipeline[Any], ...]:
        """The finished work that its parts see."""
        return tuple(part.finishes for part in self.parts if part.finishes)


@dataclass(frozen=True, slots=True)
class Context:
    """What a kind is given to make a source of its configuration."""

    name: str
    schedule: Schedule
    limits: Limits
    api: Access = field(default_factory=Access)


@dataclass(frozen=True, slots=True)
class Kind:
    """A system this exporter knows: the dataclass of its configuration, and how a source is made of one.

    `apps` are the programs that its Api was, where it was several: each may have an address of its own. `token` names
    the environment variable with the token of its Api, where the system had one.
    """

    config: type[Any]
    source: Callable[[Any, Context], Source]
    summary: str
    apps: tuple[str, ...] = ()
    token: str = ""
