"""The hub: what changed, to everyone who follows it, each with a queue of their own."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from struct import pack

import msgspec

from exporter.core.api import Stream
from exporter.core.event import Event
from exporter.core.source import Source
from exporter.runtime.clock import Clock

QUEUE = 64
"""Events that wait for a listener; the oldest makes room for one more."""

RING = 1024
"""Events of a stream that are kept for listeners who come back."""

MOST = 2048
"""Listeners at a time, of all streams. One source has no more than there is room left for others: half when alone."""

KEEPALIVE = 15.0
"""Seconds without an event after which a listener is told that there is none."""

STALLED = 30.0
"""Seconds after which a listener is let go that has not taken what waits for it."""

PARTING = 0.5
"""Seconds that the end of a stream may take."""

WHOLE_TEXT = 0x81
"""How a frame of a WebSocket begins that is a message of text and all of it."""


@dataclass(slots=True, eq=False)
class Entry:
    """An event of a stream as its listeners get it; each form is made once, when the first needs it."""

    stream: Stream
    event: Event
    number: int
    id: str
    _frame: bytes | None = None
    _message: str | None = None
    _packet: bytes | None = None

    @property
    def frame(self) -> bytes:
        """A whole frame of server-sent events."""
        if self._frame is None:
            self._frame = f"{self.stream.frame(self.event)}\nid: {self.id}\n\n".encode()
        return self._frame

    @property
    def message(self) -> str:
        """A text message of a WebSocket."""
        if self._message is None:
            self._message = self.stream.message(self.event)
        return self._message

    @property
    def packet(self) -> bytes:
        """That message as a server's whole frame (RFC 6455, section 5.2)."""
        if self._packet is None:
            text = self.stream.message(self.event).encode()
            size = len(text)
            if size < 126:
                head = pack("!BB", WHOLE_TEXT, size)
            elif size < 1 << 16:
                head = pack("!BBH", WHOLE_TEXT, 126, size)
            else:
                head = pack("!BBQ", WHOLE_TEXT, 127, size)
            self._packet = head + text
        return self._packet


class Listener:
    """One who follows a stream, `at` a listening address. `missed` is what happened while they were away, None where
    that is not known. `gone` says whether the other side is, `straight` writes events to it at once, or says that there
    is no room on the way, and `abort` hangs up."""

    __slots__ = (
        "_waiter",
        "abort",
        "at",
        "channel",
        "closed",
        "fed",
        "gone",
        "missed",
        "nudged",
        "queue",
        "straight",
        "taken",
    )

    def __init__(self, channel: "Channel", missed: Sequence[Entry] | None, tick: float, at: str) -> None:
        self.channel = channel
        self.at = at
        self.missed = missed
        self.queue: deque[Entry] = deque(maxlen=QUEUE)
        self.gone: Callable[[], bool] = present
        self.straight: Callable[[Sequence[Entry]], bool] = no_room
        self.abort: Callable[[], None] = nothing
        self.closed = self.nudged = False
        self.fed = self.taken = tick
        self._waiter: asyncio.Future[None] | None = None

    async def take(self) -> Sequence[Entry] | None:
        """What has happened since the last time, as soon as there is something; nothing when it was quiet for long;
        None when the stream has ended."""
        while not (self.queue or self.nudged or self.closed):
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.closed:
            return None
        self.nudged = False
        found = [*self.queue]
        self.queue.clear()
        return found

    def offer(self, entries: Sequence[Entry], tick: float) -> int:
        """Queues what happened; gives how many events had to make room."""
        if not self.queue:
            self.taken = tick  # nothing has waited before this
        lost = max(len(self.queue) + len(entries) - QUEUE, 0)
        self.queue.extend(entries)
        self.fed = tick
        return lost

    @property
    def waiting(self) -> bool:
        """Whether it has all that happened before, and waits for more."""
        return self._waiter is not None and not self._waiter.done()

    def sent(self) -> bool:
        """Writes what waits straight away; says whether there was room."""
        if done := self.straight([*self.queue]):
            self.queue.clear()
        return done

    def nudge(self, tick: float) -> None:
        """Has it told that nothing happened."""
        self.nudged, self.fed = True, tick
        self.wake()

    def end(self) -> None:
        """Ends the stream; the connection, too, where the other side does not read to the end."""
        if not self.closed:
            self.closed = True
            self.wake()
            asyncio.get_running_loop().call_later(PARTING, lambda: self.abort())  # whatever it will be by then

    def wake(self) -> None:
        """Has it take what there is."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@dataclass(slots=True, eq=False)
class Channel:
    """One stream of one source. `lost` is the number of the last event that is no longer kept; `dropped` counts events
    that a listener did not get, `stalled` listeners that were let go."""

    source: str
    stream: Stream
    opened: float
    lost: int
    ring: deque[Entry] = field(default_factory=lambda: deque(maxlen=RING))
    listeners: set[Listener] = field(default_factory=set)
    events: int = 0
    dropped: int = 0
    stalled: int = 0

    def publish(self, entries: Sequence[Entry], count: int, tick: float) -> None:
        """Tells every listener the last of `count` events, which are all that are kept."""
        if (over := len(self.ring) + len(entries) - RING) > 0:
            self.lost = [*self.ring, *entries][over - 1].number
        if count > len(entries):
            self.lost = entries[0].number - 1
        self.ring.extend(entries)
        self.events += count
        last = entries[-QUEUE:]
        for listener in self.listeners:
            self.dropped += listener.offer(last, tick) + count - len(last)
        asyncio.get_running_loop().call_soon(self._tell)  # a bug in the form of an event is none of who publishes it

    def _tell(self) -> None:
        """Has those who wait get what happened: without waking their tasks, which cost more, where there is room."""
        asleep = [listener for listener in self.listeners if listener.waiting and listener.queue]
        try:
            asleep = [listener for listener in asleep if not listener.sent()]
        finally:
            for listener in asleep:
                listener.wake()

    def since(self, number: int | None) -> Sequence[Entry] | None:
        """The events after that one; None where not all of them are known."""
        if number is None or number < self.lost:
            return None
        return [entry for entry in self.ring if entry.number > number]


def present() -> bool:
    """The other side is not known to be gone."""
    return False


def no_room(_: Sequence[Entry]) -> bool:
    """It is not known how to write at once."""
    return False


def nothing() -> None:
    """There is nothing to hang up."""


class Hub:
    """The streams of all sources, and who listens to them. The ids of events begin with the moment it was made, so that
    those of an earlier process are known for what they are."""

    def __init__(self, clock: Clock | None = None, most: int = MOST) -> None:
        self._clock = clock = clock or Clock()
        self._most = most
        self._mark = format(round(clock.now() * 1000), "x")
        self._count = 0
        self._channels: dict[tuple[str, str], Channel] = {}

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(self._channels.values())

    def add(self, source: Source) -> None:
        """The streams of a source, which nobody follows yet."""
        for stream in streams(source):
            key = source.name, stream.name
            self._channels[key] = Channel(source.name, stream, self._clock.now(), self._count)

    def drop(self, source: str) -> None:
        """Ends the streams of a source that is gone."""
        for key in [key for key in self._channels if key[0] == source]:
            for listener in self._channels.pop(key).listeners:
                listener.end()

    def publish(self, source: str, part: str, events: Sequence[Event]) -> None:
        """What changed in a part, whether or not anybody listens."""
        tick, first = self._clock.monotonic(), self._count + 1
        self._count += len(events)
        for channel in self._channels.values():
            if channel.source == source and channel.stream.part in (part, "") and events:
                numbered = [*enumerate(events, first)][-RING:]
                entries = [Entry(channel.stream, event, number, self._id(number)) for number, event in numbered]
                channel.publish(entries, len(events), tick)

    def listen(self, source: str, stream: str, last: str = "", at: str = "") -> Listener | None:
        """One more listener of a stream, who knows of the event with the id `last`; None where there is no such stream,
        or no room for another. `at` names the listening address."""
        channel = self._channels.get((source, stream))
        left = self._most - len(self._everyone())
        if channel is None or sum(len(each.listeners) for each in self.channels if each.source == source) >= left:
            return None
        listener = Listener(channel, channel.since(self._number(last)), self._clock.monotonic(), at)
        channel.listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """That listener is gone, or as good as: what it has not read by then, it never gets."""
        listener.end()
        listener.channel.listeners.discard(listener)

    def sweep(self) -> None:
        """Lets those go who do not read, and tells those who heard nothing for long that there was nothing: every
        second."""
        tick = self._clock.monotonic()
        for listener in self._everyone():
            if listener.gone():
                listener.end()
            elif listener.queue and tick - listener.taken >= STALLED:
                listener.channel.stalled += 1
                self.leave(listener)
                listener.abort()
            elif tick - listener.fed >= KEEPALIVE:
                listener.nudge(tick)

    def close(self, at: str) -> None:
        """Ends every stream at a listening address."""
        for listener in self._everyone():
            if listener.at == at:
                listener.end()

    def _everyone(self) -> Sequence[Listener]:
        return [*chain.from_iterable(channel.listeners for channel in self._channels.values())]

    def _id(self, number: int) -> str:
        return f"{self._mark}-{number}"

    def _number(self, text: str) -> int | None:
        """The number of an event that this hub gave the id; None for any other text."""
        mark, _, number = text.partition("-")
        known = mark == self._mark and number.isascii() and number.isdecimal() and len(number) <= 18
        return int(number) if known and int(number) <= self._count else None


def streams(source: Source) -> Iterator[Stream]:
    """The streams of a source: those of its Api, and one of all of its events, if it has any."""
    if source.api:
        yield from source.api.streams
        if any(part.events for part in source.parts):
            yield EVENTS


def framed(event: Event) -> str:
    return f"event: {event.name}\ndata: {msgspec.json.encode(event.payload).decode()}"


def messaged(event: Event) -> str:
    return msgspec.json.encode({"event": event.name, "data": event.payload}).decode()


EVENTS = Stream("events", "", "/events", "/events/ws", framed, messaged, "Everything that changes in the source.")
"""What every source with events has, whatever its Api had."""
