"""A JSON file that holds a list of records: read when it changed, off the event loop, a slice at a time, of which those
that stayed as they were are not decoded again."""

import errno
import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import is_
from pathlib import Path
from typing import Generic, Literal, TypeVar

from exporter.core.errors import Malformed, Missing, ReadError, Refused, TooLarge, Unreachable
from exporter.inputs.slices import ABSENT, UNDECODABLE, Mark, NoList, NoObject, Record, Slice, Take, Wanted, slices
from exporter.inputs.worker import Worker

__all__ = [
    "ABSENT",
    "FRESH",
    "Content",
    "Document",
    "Fingerprint",
    "Layout",
    "NoList",
    "NoObject",
    "Record",
    "Skip",
    "opened",
    "translated",
]

FRESH = 2.0
"""Seconds for which a file may change again without its time changing: FAT keeps times to two seconds."""

BLOCK = 1024 * 1024
"""Bytes taken from the file at once: some milliseconds of work."""

PAUSE = 1e-4
"""Seconds without the interpreter before each block, for whoever waits for it. A thread that gives it up often and for
moments, as many small reads do, starves the others: each time they wake up too late, and begin to wait anew."""

R = TypeVar("R", bound=Record)
Row = TypeVar("Row")
P = TypeVar("P")
T = TypeVar("T")


class Skip(Exception):
    """A record is left out, for one of the reasons of `exporter.core.part.SKIPS`."""

    def __init__(self, reason: Literal["encoding", "invalid", "missing", "type"]) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Layout(Generic[R, Row, P, T]):
    """What a document holds: a list of records or, with `key`, also an object with that list under it.

    `row` is the whole rule for one record and raises Skip. `piece` is what the rows of a slice come to, and `total`
    makes the value of all pieces; both get theirs in the file's order. All three are pure, and keep nothing of a record
    but what they give. Pieces that are `kept` for the next read should be small.
    """

    record: type[R]
    row: Callable[[R], Row]
    piece: Callable[[Sequence[Row]], P]
    total: Callable[[Sequence[P]], T]
    key: str | None = None
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Content(Generic[T]):
    """What a document said: its value, and how many records made it or were skipped, by reason."""

    value: T
    origin: str
    records: int
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Two files, or two states of one, that agree in this are taken to be the same."""

    modified: int  # nanoseconds since the epoch
    size: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Fingerprint":
        return cls(status.st_mtime_ns, status.st_size, status.st_ino)


@dataclass(frozen=True, slots=True)
class _Piece(Generic[P]):
    """What a slice came to; its records and those left out are counted."""

    made: P
    mark: Mark | None
    records: int
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Kept(Generic[P, T]):
    fingerprint: Fingerprint
    settled: bool
    content: Content[T]
    pieces: Sequence[_Piece[P]]


class Document(Generic[R, Row, P, T]):
    """One file and what it said when it was last read; its worker reads for no one else."""

    def __init__(self, path: Path, layout: Layout[R, Row, P, T], limit: int, worker: Worker) -> None:
        """`limit` in bytes."""
        self._path = path
        self._layout = layout
        self._limit = limit
        self._worker = worker
        self._kept: _Kept[P, T] | None = None

    async def read(self, now: float) -> Content[T]:
        """What the file says at `now` (epoch seconds): the same object as long as the file stays as it is.

        Raises Missing, Refused (permissions), TooLarge (more bytes than the limit, also when it grows meanwhile),
        Malformed (torn, not JSON, not UTF-8, written to while it was read), Unreachable (everything else the system
        says), and TimedOut while a read that was given up has not come back.
        """
        return await self._worker.run(lambda: self._read(now))

    def _read(self, now: float) -> Content[T]:
        """Runs on the worker's thread. Keeps what it finds also when nobody waits for it any longer."""
        with translated(self._path):
            kept = self._kept
            if kept and kept.settled and kept.fingerprint == Fingerprint.of(self._path.stat()):
                return kept.content
            with opened(self._path) as (descriptor, status):
                found = Fingerprint.of(status)
                content, pieces = self._decode(descriptor, status)
                if Fingerprint.of(os.fstat(descriptor)) != found:
                    raise Malformed(f"{self._path}: was written to while it was read")
        # a file may be written to twice within the resolution of its times: once more when they are past doubt
        self._kept = _Kept(found, abs(now - status.st_mtime) >= FRESH, content, pieces if self._layout.kept else ())
        return content

    def _decode(self, descriptor: int, status: os.stat_result) -> tuple[Content[T], Sequence[_Piece[P]]]:
        if status.st_size > self._limit:
            raise _too_large(self._path, f"is {status.st_size} bytes", self._limit)
        before = self._kept.pieces if self._kept else ()
        pieces = [*self._pieces(self._taker(descriptor), before)]
        if self._kept and self._layout.kept and len(pieces) == len(before) and all(map(is_, pieces, before)):
            value = self._kept.content.value
        else:
            value = self._layout.total([piece.made for piece in pieces])
        skipped = Counter[str]()
        for piece in pieces:
            skipped.update(piece.skipped)
        records = sum(piece.records for piece in pieces) - skipped.total()
        return Content(value, _origin(self._path, status), records, dict(skipped)), pieces

    def _pieces(self, take: Take, before: Sequence[_Piece[P]]) -> Iterator[_Piece[P]]:
        """What the slices come to, those of before that are there again among them."""
        known = [(piece, piece.mark) for piece in before if piece.mark]
        marks = [mark for _, mark in known]
        wanted = Wanted(self._layout.record, self._layout.key)
        for found in slices(take, wanted, str(self._path), marks):
            yield known[found][0] if isinstance(found, int) else self._piece(found)

    def _piece(self, found: Slice[R]) -> _Piece[P]:
        record, row, skipped = self._layout.record, self._layout.row, Counter[str]()
        rows: list[Row] = []
        for one in found.records:
            if not isinstance(one, record):
                skipped["encoding" if one is UNDECODABLE else "type"] += 1
                continue
            try:
                rows.append(row(one))
            except Skip as skip:
                skipped[skip.reason] += 1
        return _Piece(self._layout.piece(rows), found.mark, len(found.records), skipped)

    def _taker(self, descriptor: int) -> Take:
        """Reads in blocks, and pauses before each."""
        block, taken, total = b"", 0, 0

        def take(count: int) -> bytes:
            nonlocal block, taken, total
            if taken == len(block):
                time.sleep(PAUSE)
                block, taken = os.read(descriptor, BLOCK), 0
                total += len(block)
            if total > self._limit:
                raise _too_large(self._path, "grew while it was read", self._limit)
            data = block[taken : taken + count]
            taken += len(data)
            return data

        return take


@contextmanager
def opened(path: Path) -> Iterator[tuple[int, os.stat_result]]:
    """A descriptor of a regular file, and its status before anything is read from it."""
    # without O_NONBLOCK a named pipe would hold the thread until somebody writes into it
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Unreachable(f"{path}: expected a file, found {_kind(status.st_mode)}")
        yield descriptor, status
    finally:
        os.close(descriptor)


def _kind(mode: int) -> str:
    return "a directory" if stat.S_ISDIR(mode) else "a device, pipe or socket"


def _too_large(path: Path, what: str, limit: int) -> TooLarge:
    return TooLarge(f"{path}: {what}, more than limits.document_size allows ({limit} bytes)")


def _origin(path: Path, status: os.stat_result) -> str:
    modified = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(status.st_mtime_ns // 10**9))
    return f"{path} ({status.st_size} bytes, modified {modified})"


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """The system's errors as ours."""
    try:
        yield
    except OSError as error:
        raise _error(path, error) from error


def _error(path: Path, error: OSError) -> ReadError:
    said = f"{path}: {error.strerror or error}"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Missing(said)
    return Refused(said) if error.errno in (errno.EACCES, errno.EPERM) else Unreachable(said)
