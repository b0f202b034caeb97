"""Blocks to pages: headers, the join in catalogue order, and one gzip stream whose unchanged stretches are kept."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from importlib import import_module
from struct import pack
from types import ModuleType
from typing import Any

from exporter.core.family import Family

try:
    deflate: ModuleType = import_module("isal.isal_zlib")
except ImportError:  # no wheel for this platform: slower, otherwise the same
    deflate = zlib

STRETCH = 64 * 1024
"""Pieces of a page are compressed together until they are this long: shorter ones compress badly alone."""


SUFFIXES = {"counter": "_total", "info": "_info"}
"""What the samples of a type are named with, and its family in OpenMetrics is not."""


class Format(Enum):
    """The formats of a page, by the content type they are served as."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def header(family: Family[Any], form: Format) -> bytes:
    """HELP and TYPE of a family, as the format names them (OpenMetrics names counters without `_total`)."""
    help_text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    if form is Format.OPENMETRICS:
        name = family.name.removesuffix(SUFFIXES.get(family.type, ""))
        return f"# HELP {name} {help_text.replace(chr(34), chr(92) + chr(34))}\n# TYPE {name} {family.type}\n".encode()
    kind = "gauge" if family.type == "info" else family.type
    return f"# HELP {family.name} {help_text}\n# TYPE {family.name} {kind}\n".encode()


@dataclass(frozen=True)
class Page:
    """A page in one format, as the pieces it is made of; the same page is joined and compressed once."""

    form: Format
    pieces: tuple[bytes, ...]
    kept: dict[tuple[int, ...], "Stretch"] = field(default_factory=dict)

    @cached_property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @cached_property
    def gzip(self) -> bytes:
        """The page as one gzip member; stretches that `kept` holds from the page before are not compressed again."""
        stretches = [self.kept.get(tuple(map(id, run))) or Stretch.of(run) for run in runs(self.pieces)]
        self.kept.clear()
        self.kept.update({tuple(map(id, stretch.pieces)): stretch for stretch in stretches})
        checksum = 0
        for piece in self.pieces:
            checksum = deflate.crc32(piece, checksum)
        size = sum(map(len, self.pieces)) & 0xFFFFFFFF
        deflated = [stretch.deflated for stretch in stretches]
        return b"".join([b"\x1f\x8b\x08\0\0\0\0\0\0\xff", *deflated, b"\x03\0", pack("<II", checksum, size)])

    @property
    def cold(self) -> int:
        """How many bytes would have to be compressed now."""
        if "gzip" in self.__dict__:
            return 0
        return sum(sum(map(len, run)) for run in runs(self.pieces) if tuple(map(id, run)) not in self.kept)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring pieces, compressed so that the result can stand anywhere in a deflate stream."""

    pieces: Sequence[bytes]
    deflated: bytes

    @classmethod
    def of(cls, pieces: Sequence[bytes]) -> "Stretch":
        packer = deflate.compressobj(1, zlib.DEFLATED, -15)
        return cls(pieces, b"".join([*map(packer.compress, pieces), packer.flush(zlib.Z_FULL_FLUSH)]))


def runs(pieces: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Neighbours taken together until they are STRETCH long."""
    run: list[bytes] = []
    length = 0
    for piece in pieces:
        run.append(piece)
        length += len(piece)
        if length >= STRETCH:
            yield run
            run, length = [], 0
    if run:
        yield run
