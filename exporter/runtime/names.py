"""The label values a source has shown: first come, first named; past the limit everything is `_other`, for good."""

from collections.abc import Iterable
from threading import Lock

from exporter.core.family import OTHER


class Names:
    """One label of one source. A name once given is kept, so that no value ever moves between labels."""

    def __init__(self, limit: int, first: Iterable[str] = ()) -> None:
        self._limit = limit
        self._names = dict.fromkeys(first)
        self._lock = Lock()  # two parts of one source may render at once, each in a thread of its own

    def name(self, value: str) -> str:
        """The value itself if it has a name or there is room for one, else `_other`."""
        if value in self._names or value == OTHER:
            return value
        with self._lock:
            if len(self._names) >= self._limit:
                return OTHER
            self._names[value] = None
            return value
