"""The records of a file, each as few bytes: a hundred thousand of them, of which a request asks for a few."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import msgspec

from exporter.inputs.documents import Skip

LARGEST = 1 << 63
"""Numbers beyond it are kept as text."""

_ENCODE = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Shelf:
    """Some records that follow one another, as one text: an object for each of a hundred thousand would take ten
    milliseconds to forget at a stroke, in which nothing is answered. `ends` are 64-bit numbers, where each record ends
    in `text`; `hashes` are those of their ids, 32 bits of each."""

    text: bytes = b""
    ends: bytes = b""
    hashes: bytes = b""

    @classmethod
    def of(cls, records: Sequence[tuple[str, bytes]]) -> "Shelf":
        """Records with their ids."""
        texts = [text for _, text in records]
        return cls(
            b"".join(texts),
            array("Q", accumulate(map(len, texts))).tobytes(),
            array("I", [_hash(name) for name, _ in records]).tobytes(),
        )

    def __len__(self) -> int:
        return len(self.ends) // 8

    def record(self, place: int) -> bytes:
        """One of them."""
        ends = memoryview(self.ends).cast("Q")
        return self.text[ends[place - 1] if place else 0 : ends[place]]


@dataclass(frozen=True, slots=True)
class Records:
    """Records by place and by id. `name` gives the id of one; `ends` are the places where the shelves end."""

    name: Callable[[bytes], str]
    shelves: tuple[Shelf, ...]
    ends: tuple[int, ...]
    hashes: bytes

    @classmethod
    def of(cls, name: Callable[[bytes], str], shelves: Sequence[Shelf]) -> "Records":
        """The records of some shelves."""
        ends = accumulate(map(len, shelves))
        return cls(name, tuple(shelves), tuple(ends), b"".join(shelf.hashes for shelf in shelves))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def record(self, place: int) -> bytes:
        """One of them, by its place in the file."""
        number = bisect_right(self.ends, place)
        return self.shelves[number].record(place - (self.ends[number - 1] if number else 0))

    def find(self, name: str) -> bytes | None:
        """The first with an id."""
        wanted, at = array("I", [_hash(name)]).tobytes(), -1
        while (at := self.hashes.find(wanted, at + 1)) >= 0:
            if at % 4 == 0 and self.name(record := self.record(at // 4)) == name:
                return record
        return None


NONE = Records.of(bytes.decode, ())


def _hash(name: str) -> int:
    return hash(name) & 0xFFFF_FFFF


def packed(record: msgspec.Struct) -> bytes:
    """A record as MessagePack, twice as fast as JSON; halves of surrogate pairs become question marks, and what is
    nested too deeply is skipped."""
    try:
        return _ENCODE(record)
    except (UnicodeEncodeError, OverflowError):
        return _ENCODE(plain(msgspec.to_builtins(record)))
    except RecursionError:
        raise Skip("invalid") from None


def clean(text: str) -> str:
    """Text with question marks for halves of surrogate pairs."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def plain(value: Any) -> Any:  # Any: whatever JSON has
    """A value that can be encoded: text without halves of surrogate pairs, and the largest numbers as text."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        return str(value)
    if isinstance(value, dict):
        return {clean(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def same(one: Records, other: Records) -> bool:
    """Whether two say the same, on whatever shelves. A record of JSON or MessagePack tells its own end, so where joined
    records are equal each of them is."""
    mine, theirs = one.shelves, other.shelves
    if mine == theirs:
        return True
    if len(one) != len(other) or sum(len(shelf.text) for shelf in mine) != sum(len(shelf.text) for shelf in theirs):
        return False
    return b"".join(shelf.text for shelf in mine) == b"".join(shelf.text for shelf in theirs)


def changed(before: Records, after: Records) -> Iterator[str]:
    """The ids of which the first record came, went or is another now, those of `after` first, each in the order of its
    file. Shelves that both have, in one order, are passed over: of a large file that is nearly all."""
    both = {*before.shelves} & {*after.shelves}
    if [shelf for shelf in before.shelves if shelf in both] != [shelf for shelf in after.shelves if shelf in both]:
        both = set()
    one, other = _first(before, both), _first(after, both)
    moved = {_hash(name) for name in one.keys() | other.keys()}
    twice = {number for shelf in both for number in moved.intersection(memoryview(shelf.hashes).cast("I"))}
    for name in {**other, **one}:
        perhaps = one.get(name) != other.get(name) or _hash(name) in twice
        if perhaps and before.find(name) != after.find(name):
            yield name


def _first(records: Records, without: Collection[Shelf]) -> Mapping[str, bytes]:
    """The first record of each id on other shelves than these."""
    found: dict[str, bytes] = {}
    for shelf in records.shelves:
        if shelf not in without:
            for record in map(shelf.record, range(len(shelf))):
                found.setdefault(records.name(record), record)
    return found
