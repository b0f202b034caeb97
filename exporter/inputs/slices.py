"""The records of a JSON list, decoded a slice at a time, so that no step holds the interpreter for long.

msgspec holds the interpreter while it decodes, and a record need not end where a slice of bytes does. So a slice is cut
at a comma that seems to stand between two records, and the cut is proved by decoding `[` + slice + `]`: a slice begins
where a record may, so if that is a list, a JSON parser has a record behind it at the cut and no other bracket open.
Where msgspec refuses (a wrong cut, `NaN`, half a surrogate pair: json.dump writes those), Python's parser walks on from
record to record; it is some thirty times slower, accepts all that json.load does, and says where a broken text breaks.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator
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

_MARGIN = 16  # characters no unfinished escape, number or word is longer than
_TRIES = 4  # cuts tried before walking: what a record holds may begin as the record does
_WIDEST_GAP = 64  # bytes of white space between two records
_SPACE = re.compile(r"[ \t\n\r]*")
_SPACE_BYTES = re.compile(rb"[ \t\n\r]*")
_OPENING = re.compile(rb'\{[ \t\n\r]*(?:"[^"\\]{0,64}")?')
_PYTHON = json.JSONDecoder()


def slices(take: Take, record: type[R], key: str | None, place: str, chunk: int = CHUNK) -> Iterator[Batch[R]]:
    """The records of the list that a JSON document is or, where it is an object, has under `key`.

    Objects come as `record`, anything else in the list as it is, undecodable objects as `UNDECODABLE`. A document of
    another shape is one record of None. Raises Malformed, which names `place` and the byte, wherever json.load would
    fail, and where an object gives `key` twice; what was yielded before is then worth nothing.
    """
    feed = _Feed(take, place, chunk)
    feed.fill(chunk)
    match feed.peek():
        case b"[":
            feed.drop(1)
            yield from _records(feed, _Decoder(record))
        case b"{" if key is not None:
            feed.drop(1)
            yield from _members(feed, key, _Decoder(record))
        case b"":
            raise feed.malformed(0, "the file is empty")
        case _:
            feed.value()
            yield [None]
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


def _members(feed: _Feed, key: str, decoder: _Decoder[R]) -> Iterator[Batch[R]]:
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
            yield from _records(feed, decoder)
        else:
            feed.value()
        more = feed.peek() == b","
        feed.drop(1 if more else 0)
    if feed.peek() != b"}":
        raise feed.malformed(0, "expected ',' or '}'")
    feed.drop(1)
    if not listed:
        yield [None]


def _name(feed: _Feed) -> str:
    if feed.peek() != b'"':
        raise feed.malformed(0, "expected a name in double quotes")
    name = feed.value()
    if feed.peek() != b":":
        raise feed.malformed(0, "expected ':'")
    feed.drop(1)
    return str(name)


def _records(feed: _Feed, decoder: _Decoder[R]) -> Iterator[Batch[R]]:
    """The records of the list whose `[` was dropped, up to and with its `]`."""
    closed = feed.peek() == b"]"
    if closed:
        feed.drop(1)
    while not closed:
        feed.fill(feed.chunk)
        found, closed = _cut(feed, decoder) or _walk(feed, decoder)
        if found:
            yield found
        else:
            feed.grow()


def _cut(feed: _Feed, decoder: _Decoder[R]) -> tuple[Batch[R], bool] | None:
    """A slice that msgspec takes, and whether the list ends with it; None where there is none."""
    feed.peek()
    for at in _cuts(feed):
        _check(feed, at)
        if found := decoder.slice(feed.data[:at]):
            closed = feed.data[at : at + 1] == b"]"
            feed.drop(at + 1)
            return found, closed
    return None


def _cuts(feed: _Feed) -> Iterator[int]:
    """Where the list may end or a comma may stand between two of its records, the last first."""
    data = feed.data
    if feed.ended and (last := data.rfind(b"]")) >= 0:
        yield last
    opening = _OPENING.match(data)
    at = len(data)
    for _ in range(_TRIES if opening else 0):
        if (at := data.rfind(opening[0] if opening else b"", 1, at)) < 0:
            return
        gap = data[max(0, at - _WIDEST_GAP) : at].rstrip(b" \t\n\r")
        if gap.endswith(b","):
            yield max(0, at - _WIDEST_GAP) + len(gap) - 1


def _check(feed: _Feed, end: int) -> None:
    """Malformed where it is not UTF-8: msgspec looks only at the text that is asked for."""
    data = feed.data[:end]
    try:
        data.isascii() or data.decode()
    except UnicodeDecodeError as error:
        raise feed.malformed(error.start, f"not UTF-8: {error.reason}") from None


def _walk(feed: _Feed, decoder: _Decoder[R]) -> tuple[Batch[R], bool]:
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
    return found, closed


def _skipped(space: re.Match[Any] | None) -> int:
    """Where white space ends; the pattern matches everywhere, if only nothing."""
    return space.end() if space else 0
