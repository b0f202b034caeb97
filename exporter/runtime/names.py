"""The label values a source has shown: first come, first named; past the limit everything is `_other`, for good."""

import logging
from collections.abc import Iterable
from threading import Lock

from exporter.core.family import OTHER

log = logging.getLogger(__name__)


class Names:
    """One label of one source. A name once given is kept, so that no value ever moves between labels; past a restart
    those are that the ledger has for its lanes.

    `place` says for the log whose label it is.
    """

    def __init__(self, limit: int, first: Iterable[str] = (), place: str = "") -> None:
        self._place = place
        self._limit = limit
        self._full = False
        self._names = dict.fromkeys(first)
        self._lock = Lock()  # two parts of one source may render at once, each in a thread of its own

    def name(self, value: str) -> str:
        """The value itself if it has a name or there is room for one, else `_other`."""
        if value in self._names or value == OTHER:
            return value
        with self._lock:
            if len(self._names) >= self._limit:
                if not self._full:
                    self._full = True
                    log.warning(
                        "%s: has had %d names (limits.label_values), further ones are counted as %s",
                        self._place,
                        len(self._names),
                        OTHER,
                    )
                return OTHER
            self._names[value] = None
            return value
