"""Small files: what each of them says by one rule, decoded once for as long as it stays as it is."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Generic, TypeVar

from exporter.core.errors import Malformed, ReadError, TooLarge
from exporter.inputs.documents import FRESH, Fingerprint, opened, translated

SMALL = 1024 * 1024
"""Bytes a file may have, unless a smaller limit is configured: more is no report that a person would read."""

MOST = 10_000
"""Files of one directory that are read: 27 years of one a day."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    fingerprint: Fingerprint
    settled: bool
    value: T


class Texts(Generic[T]):
    """Files that one rule decodes. Used by one thread at a time; it reads, and so may block."""

    def __init__(self, decode: Callable[[bytes], T], limit: int, most: int = SMALL) -> None:
        """`decode` gives a value for any bytes at all; `limit` in bytes, `most` where that is less."""
        self._decode = decode
        self._limit = min(limit, most)
        self._kept: dict[str, _Kept[T]] = {}

    def file(self, path: Path, now: float) -> T:
        """What a file says at `now` (epoch seconds): the same object as long as the file stays as it is.

        Raises Missing, Refused (permissions), TooLarge, Malformed (written to while it was read) and Unreachable
        (no regular file, and everything else the system says).
        """
        with translated(path):
            kept = self._settled(str(path), path.stat())
            return kept.value if kept else self._read(path, now)

    def directory(self, path: Path, pattern: str, now: float) -> dict[str, T | ReadError]:
        """What the files of a directory say whose names match a shell pattern, by name; or why one says nothing.

        What was known of other files is forgotten. Raises as `file` does, but for the directory itself; TooLarge where
        it has more than MOST such files. A file that stays as it is costs one stat.
        """
        with translated(path), os.scandir(path) as entries:
            found = sorted((entry.name, entry) for entry in entries if fnmatchcase(entry.name, pattern))
        if len(found) > MOST:
            raise TooLarge(f"{path}: {len(found)} files match {pattern}, at most {MOST} are read")
        said = {name: self._entry(entry, now) for name, entry in found}
        present = {entry.path for _, entry in found}
        self._kept = {place: kept for place, kept in self._kept.items() if place in present}
        return said

    def _entry(self, entry: "os.DirEntry[str]", now: float) -> T | ReadError:
        with suppress(OSError):  # it comes again where the file is opened
            if kept := self._settled(entry.path, entry.stat()):
                return kept.value
        try:
            with translated(Path(entry)):
                return self._read(Path(entry), now)
        except ReadError as error:
            return error

    def _settled(self, place: str, status: os.stat_result) -> _Kept[T] | None:
        """What is known of a file, if the file is known to be still the same."""
        kept = self._kept.get(place)
        return kept if kept and kept.settled and kept.fingerprint == Fingerprint.of(status) else None

    def _read(self, path: Path, now: float) -> T:
        with opened(path) as (descriptor, before):
            found = Fingerprint.of(before)
            data = self._taken(path, descriptor)
            if Fingerprint.of(os.fstat(descriptor)) != found:
                raise Malformed(f"{path}: was written to while it was read")
        value = self._decode(data)
        # a file may be written to twice within the resolution of its times: once more when they are past doubt
        self._kept[str(path)] = _Kept(found, abs(now - before.st_mtime) >= FRESH, value)
        time.sleep(0)  # lets other threads have the interpreter
        return value

    def _taken(self, path: Path, descriptor: int) -> bytes:
        data = b""
        while len(data) <= self._limit and (more := os.read(descriptor, self._limit + 1 - len(data))):
            data += more
        if len(data) > self._limit:
            raise TooLarge(f"{path}: has more than the {self._limit} bytes that are read of such a file")
        return data
