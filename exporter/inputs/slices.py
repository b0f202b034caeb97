"""The records of a JSON list, decoded a slice at a time, so that no step holds the interpreter for long.

msgspec holds the interpreter while it decodes, and a record need not end where a slice of bytes does. So a slice is cut
at a comma that seems to stand between two records, and the cut is proved by decoding `[` + slice + `]`: a slice begins
where a record may, so if that is a list, a JSON parser has a record behind it at the cut and no other bracket open.
Where msgspec refuses (a wrong cut, `NaN`, half a surrogate pair: json.dump writes those), Python's parser walks on from
record to record; it is some thirty times slower, accepts all that json.load does, and says where a broken text breaks.

Most of a file that is rewritten is as it was. The bytes of a slice are known again by their digest: as they stand where
a record may, and end behind a comma or the list, what was proved of them holds. Where others stand, the next slice that
may be known again is looked for, and the cut made before it.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import GenericAlias
from typing import Any, Final, Generic, TypeVar

import msgspec

from exporter.core.errors import Malformed

Json = dict[str, Any] | list[Any] | str | int | float | bool | None
"""Any JSON value. (Any: what a value holds is not known before it is looked at.)"""

NoObject = list[Any] | str | int | float | bool | None
"""What may stand in the place of an object of known fields."""

NoList = dict[str, Any] | str | int | float | bool | None
"""What may stand in the place of a list of known records."""

CHUNK = 64 * 1024
"""Bytes of a slice: what is decoded of it fits the cache of a processor, and takes a fraction of a millisecond."""

ABSENT: Final = msgspec.UNSET
"""The default of a field whose absence is not the same as null."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """The base of what is wanted of a record: an object's fields by name, all others passed over.

    A field must accept every JSON value, so that no record makes a whole slice fail: its type is Any, a Record or
    `NoObject`, or a list or `NoList`; and it has a default, None or `ABSENT`.
    """


class Undecodable:
    """What stands for a record whose keys are not text: half a surrogate pair is JSON to Python, and no UTF-8."""


UNDECODABLE: Final = Undecodable()

R = TypeVar("R", bound=Record)
Batch = list[R | Json | Undecodable]

Take = Callable[[int], bytes]
"""At most so many bytes of a file, none at its end."""


@dataclass(frozen=True, slots=True)
class Wanted(Generic[R]):
    """The records of the list that a JSON document is or, with `key`, also has under it where it is an object."""

    record: type[R]
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """What the bytes of a slice, with the comma or bracket behind it, are known by: how many, how they begin, their
    digest, and whether the list ends with them."""

    size: int
    head: bytes
    digest: bytes
    closed: bool


@dataclass(frozen=True, slots=True)
class Slice(Generic[R]):
    """Records that were decoded together; without a mark they cannot be known again."""

    records: Batch[R]
    mark: Mark | None = None


_HEAD = 128  # bytes a slice is looked for by
_AHEAD = 8  # slices that are looked for where others stand: more may be gone, and then all behind them is decoded
_MARGIN = 16  # characters no unfinished escape, number or word is longer than
_TRIES = 4  # cuts tried before walking: what a record holds may begin as the record does
_WIDEST_GAP = 64  # bytes of white space between two records
_SPACE = re.compile(r"[ \t\n\r]*")
_SPACE_BYTES = re.compile(rb"[ \t\n\r]*")
_OPENING = re.compile(rb'\{[ \t\n\r]*(?:"[^"\\]{0,64}")?')
_PYTHON = json.JSONDecoder()


def slices(
    take: Take, wanted: Wanted[R], place: str, marks: Sequence[Mark] = (), chunk: int = CHUNK
) -> Iterator[Slice[R] | int]:
    """The records that are wanted of a document; a slice that has one of `marks`, which are in the order of an earlier
    state of the document, as the place of that mark.

    Objects come as records, anything else in the list as it is, undecodable objects as `UNDECODABLE`. A document of
    another shape is one record of None. Raises Malformed, which names `place` and the byte, wherever json.load would
    fail, and where an object gives the key twice; what was yielded before is then worth nothing.
    """
    feed = _Feed(take, place, chunk)
    known = _Known(marks)
    feed.fill(chunk)
    match feed.peek():
        case b"[":
            feed.drop(1)
            yield from _records(feed, _Decoder(wanted.record), known)
        case b"{" if wanted.key is not None:
            feed.drop(1)
            yield from _members(feed, wanted.key, _Decoder(wanted.record), known)
        case b"":
            raise feed.malformed(0, "the file is empty")
        case _:
            feed.value()
            yield Slice([None])
    if feed.peek():
        raise feed.malformed(0, "expected the end of the file")


class _Feed:
    """What is left to decode: the bytes taken and not yet dropped, and where in the file they begin."""

    def __init__(self, take: Take, place: str, chunk: int) -> None:
        self.data = b""
        self.ended = False
        self.chunk = chunk
        self._start = 0
        self._take = take
        self._place = place

    def fill(self, size: int) -> None:
        """Takes more until there are `size` bytes or the file ends."""
        while len(self.data) < size and not self.ended:
            more = self._take(size - len(self.data))
            self.ended = not more
            self.data += more

    def grow(self) -> None:
        """Takes more because what there is does not hold one whole value."""
        self.fill(max(self.chunk, 2 * len(self.data)))

    def drop(self, count: int) -> None:
        self.data = self.data[count:]
        self._start += count

    def peek(self) -> bytes:
        """The next byte that is not white space, none at the end; drops the white space before it."""
        while True:
            self.drop(_skipped(_SPACE_BYTES.match(self.data)))
            if self.data or self.ended:
                return self.data[:1]
            self.fill(self.chunk)

    def text(self) -> str:
        """The whole characters there are; Malformed where they are not UTF-8."""
        try:
            return codecs.utf_8_decode(self.data, "strict", self.ended)[0]
        except UnicodeDecodeError as error:
            raise self.malformed(error.start, f"not UTF-8: {error.reason}") from None

    def value(self) -> Json:
        """Drops the JSON value that is next, and gives it."""
        while (found := self.decoded(text := self.text(), 0)) is None:
            self.grow()
        value, end = found
        self.drop(len(text[:end].encode()))
        return value

    def decoded(self, text: str, at: int) -> tuple[Json, int] | None:
        """The value at a character of `text()`, and where what follows it is; None where the text ends too soon."""
        start = _skipped(_SPACE.match(text, at))
        try:
            value, end = _PYTHON.raw_decode(text, start)
        except json.JSONDecodeError as error:
            if not self.ended and (error.msg.startswith("Unterminated") or error.pos + _MARGIN > len(text)):
                return None
            begins = self._start + len(text[:start].encode())
            raise self.malformed_in(text, error.pos, f"{error.msg}, in what begins at byte {begins}") from None
        except RecursionError:
            raise self.malformed_in(text, start, "nested too deeply") from None
        except ValueError:  # what int() says of thousands of digits
            raise self.malformed_in(text, start, "a number of too many digits") from None
        end = _skipped(_SPACE.match(text, end))
        return None if end + _MARGIN > len(text) and not self.ended else (value, end)

    def malformed_in(self, text: str, at: int, what: str) -> Malformed:
        """The error at a character of `text()`."""
        return self.malformed(len(text[:at].encode()), what)

    def malformed(self, at: int, what: str) -> Malformed:
        """The error at a byte of `data`."""
        return Malformed(f"{self._place}: not valid JSON at byte {self._start + at}: {what}")


class _Decoder(Generic[R]):
    """One kind of record, by msgspec and by Python."""

    def __init__(self, record: type[R]) -> None:
        self._element: Any = record | NoObject  # Any: to a checker, what is made at run time is no type
        self._slice: msgspec.json.Decoder[Any] = msgspec.json.Decoder(GenericAlias(list, (self._element,)))

    def slice(self, data: bytes) -> Batch[R]:
        """The records between two cuts; none where msgspec refuses."""
        try:
            found: Batch[R] = self._slice.decode(b"[%b]" % data)
        except (msgspec.MsgspecError, RecursionError):
            return []
        return found

    def one(self, value: Json) -> R | Json | Undecodable:
        """A record that Python has decoded."""
        try:
            found: R | Json = msgspec.convert(value, self._element)
        except UnicodeEncodeError:
            return UNDECODABLE
        return found


class _Known:
    """The marks of an earlier state, and the next of them."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._marks = marks
        self._next = 0

    def again(self, feed: _Feed) -> tuple[int, Mark] | None:
        """The next mark and its place, where its bytes are the next ones."""
        if self._next == len(self._marks):
            return None
        place, mark = self._next, self._marks[self._next]
        feed.fill(mark.size)
        if not feed.data.startswith(mark.head) or _digest(feed.data[: mark.size]) != mark.digest:
            return None
        self._next += 1
        return place, mark

    def ahead(self, feed: _Feed) -> tuple[int, int] | None:
        """Where in the data a slice begins that may be known again, and the place of its mark: the first that is not
        too near, so that slices do not crumble, or else the last."""
        window = range(self._next, min(self._next + _AHEAD, len(self._marks)))
        if window:
            feed.fill(2 * feed.chunk)
        later = ((feed.data.find(self._marks[place].head, feed.chunk // 4), place) for place in window)
        sooner = ((feed.data.find(self._marks[place].head, 1), place) for place in reversed(window))
        return next((one for found in (later, sooner) for one in found if one[0] > 0), None)

    def skip(self, place: int) -> None:
        """Makes a mark the next one."""
        self._next = place


def _digest(data: bytes) -> bytes:
    return sha256(data, usedforsecurity=False).digest()


def _members(feed: _Feed, key: str, decoder: _Decoder[R], known: _Known) -> Iterator[Slice[R] | int]:
    """The records under `key` of the object whose `{` was dropped."""
    found = False
    listed = False
    more = feed.peek() != b"}"
    while more:
        name = _name(feed)
        if name == key and found:
            raise feed.malformed(0, f"{key!r} is given twice")
        found = found or name == key
        if name == key and feed.peek() == b"[":
            feed.drop(1)
            listed = True
            yield from _records(feed, decoder, known)
        else:
            feed.value()
        more = feed.peek() == b","
        feed.drop(1 if more else 0)
    if feed.peek() != b"}":
        raise feed.malformed(0, "expected ',' or '}'")
    feed.drop(1)
    if not listed:
        yield Slice([None])


def _name(feed: _Feed) -> str:
    if feed.peek() != b'"':
        raise feed.malformed(0, "expected a name in double quotes")
    name = feed.value()
    if feed.peek() != b":":
        raise feed.malformed(0, "expected ':'")
    feed.drop(1)
    return str(name)


def _records(feed: _Feed, decoder: _Decoder[R], known: _Known) -> Iterator[Slice[R] | int]:
    """The records of the list whose `[` was dropped, up to and with its `]`."""
    closed = feed.peek() == b"]"
    if closed:
        feed.drop(1)
    while not closed:
        feed.fill(feed.chunk)
        feed.peek()
        if again := known.again(feed):
            place, mark = again
            feed.drop(mark.size)
            closed = mark.closed
            yield place
            continue
        found, closed = _cut(feed, decoder, known) or _walk(feed, decoder)
        if found.records:
            yield found
        else:
            feed.grow()


def _cut(feed: _Feed, decoder: _Decoder[R], known: _Known) -> tuple[Slice[R], bool] | None:
    """A slice that msgspec takes, and whether the list ends with it; None where there is none."""
    for at, place in _cuts(feed, known):
        _check(feed, at)
        if found := decoder.slice(feed.data[:at]):
            data, closed = feed.data[: at + 1], feed.data[at : at + 1] == b"]"
            feed.drop(at + 1)
            if place is not None:
                known.skip(place)
            return Slice(found, Mark(len(data), data[:_HEAD], _digest(data), closed)), closed
    return None


def _cuts(feed: _Feed, known: _Known) -> Iterator[tuple[int, int | None]]:
    """Where the list may end or a comma may stand between two of its records: before a slice that may be known again,
    with the place of its mark, and then the last first."""
    at = len(feed.data)
    found = known.ahead(feed)
    data = feed.data
    if found and (comma := _comma(data, found[0])) is not None:
        yield comma, found[1]
    if feed.ended and (last := data.rfind(b"]")) >= 0:
        yield last, None
    opening = _OPENING.match(data)
    for _ in range(_TRIES if opening else 0):
        if (at := data.rfind(opening[0] if opening else b"", 1, at)) < 0:
            return
        if (comma := _comma(data, at)) is not None:
            yield comma, None


def _comma(data: bytes, at: int) -> int | None:
    """Where the comma is that stands before a byte, with nothing but white space between the two."""
    gap = data[max(0, at - _WIDEST_GAP) : at].rstrip(b" \t\n\r")
    return max(0, at - _WIDEST_GAP) + len(gap) - 1 if gap.endswith(b",") else None


def _check(feed: _Feed, end: int) -> None:
    """Malformed where it is not UTF-8: msgspec looks only at the text that is asked for."""
    data = feed.data[:end]
    try:
        data.isascii() or data.decode()
    except UnicodeDecodeError as error:
        raise feed.malformed(error.start, f"not UTF-8: {error.reason}") from None


def _walk(feed: _Feed, decoder: _Decoder[R]) -> tuple[Slice[R], bool]:
    """The records that are there whole, one by one, and whether the list ends with them."""
    text, at, closed = feed.text(), 0, False
    found: Batch[R] = []
    while not closed and (one := feed.decoded(text, at)) is not None:
        value, end = one
        if text[end : end + 1] not in (",", "]"):
            raise feed.malformed_in(text, end, "expected ',' or ']'")
        found.append(decoder.one(value))
        at, closed = end + 1, text[end] == "]"
    feed.drop(len(text[:at].encode()))
    return Slice(found), closed


def _skipped(space: re.Match[Any] | None) -> int:
    """Where white space ends; the pattern matches everywhere, if only nothing."""
    return space.end() if space else 0
