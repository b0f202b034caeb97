"""The projects known: configured, on record in `dashboard-projects.json`, and found on the site (contract b.4)."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from exporter.core.errors import Missing, ReadError, TimedOut
from exporter.core.part import Taken
from exporter.domains.production import Projects
from exporter.inputs.replacing import replace_text
from exporter.inputs.texts import SMALL, Texts
from exporter.inputs.worker import Worker

log = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that anything waits for the file: a dead mount must not keep the site from being read."""


@dataclass(frozen=True, slots=True)
class Sync:
    """What the site had when it was last read whole, and when that was (epoch seconds)."""

    found: frozenset[str]
    at: float


@dataclass(frozen=True, slots=True)
class Unfit:
    """What is wrong with a file that can be read."""

    message: str


def names(data: bytes) -> frozenset[str] | Unfit:
    """The names in the file: the items of a list as text, or the keys of an object; empty ones are none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return Unfit("expected a JSON list of names, found text that is not JSON")
    if not isinstance(found, list | dict):
        return Unfit(f"expected a JSON list of names, found {'nothing' if found is None else type(found).__name__}")
    return frozenset(str(name) for name in found if isinstance(name, str | int | float) and str(name))


def stamp(data: bytes) -> frozenset[str]:
    """The names that the site had when the stamp was written; none where that cannot be told."""
    with suppress(ValueError, RecursionError, TypeError, KeyError):
        return frozenset(str(name) for name in json.loads(data)["found"])
    return frozenset()


class Registry:
    """`dashboard-projects.json`, and a stamp beside it that says when it was last true and what the site had then.

    The file is as its other readers expect it: a sorted JSON list, indented by 2, without a last line break. It is
    written only when its names change, and only after the site was read; names in it that the site never had are
    somebody else's and stay, those that it had once and has no more go. Used by one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = path.with_suffix(".sync.json")
        self._texts = Texts(names, SMALL)
        self._stamps = Texts(stamp, SMALL)
        self._warned: dict[str, str] = {}

    def names(self, now: float) -> frozenset[str]:
        """The names in the file; none, with a warning, where it cannot be read or holds something else."""
        return self._read(now) or frozenset()

    def sync(self, known: frozenset[str], sync: Sync, configured: frozenset[str]) -> frozenset[str]:
        """The names that the file has from now on. A file that cannot be read is not written either; one that holds
        something else is, as the system did."""
        before = self._read(sync.at)
        gone = self._once(sync.at) - sync.found
        after = ((before or frozenset()) - gone) | configured | sync.found
        if before is None:
            return known | after
        text = json.dumps(sorted(after), indent=2, ensure_ascii=False)
        seen = json.dumps({"synced_at": _iso(sync.at), "found": sorted(sync.found)}, indent=2, ensure_ascii=False)
        self._tell("write", partial(self._write, text if after != before else None, seen))
        return after

    def _read(self, now: float) -> frozenset[str] | None:
        """None where it is there and cannot be read."""
        try:
            found = self._texts.file(self.path, now)
        except Missing:
            found = frozenset()
        except ReadError as error:
            self._warn("read", str(error))
            return None
        if isinstance(found, Unfit):
            self._warn("read", f"{self.path}: {found.message}")
            return frozenset()
        self._warned.pop("read", None)
        return found

    def _once(self, now: float) -> frozenset[str]:
        with suppress(ReadError):
            return self._stamps.file(self._stamp, now)
        return frozenset()

    def _write(self, text: str | None, stamp: str) -> None:
        if text is not None:
            replace_text(self.path, text)
        replace_text(self._stamp, stamp)

    def _tell(self, what: str, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self._warn(what, f"{self.path}: cannot be written: {error.strerror or error}")
        else:
            self._warned.pop(what, None)

    def _warn(self, what: str, message: str) -> None:
        """Once, until it says something else or works again."""
        if self._warned.get(what) != message:
            log.warning("%s", message)
        self._warned[what] = message


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Known:
    """The projects known to the parts of a source. What the file says is waited for only so long."""

    def __init__(self, configured: Iterable[str], registry: Registry | None, worker: Worker) -> None:
        """The worker reads and writes the file, and nothing else."""
        self._configured = frozenset(configured)
        self._found: frozenset[str] = frozenset()
        self._recorded: frozenset[str] = frozenset()
        self._registry = registry
        self._worker = worker
        self._turn = asyncio.Lock()
        self._late = False
        self._last: Projects | None = None

    async def names(self, now: float) -> frozenset[str]:
        """All names at `now` (epoch seconds)."""
        if registry := self._registry:
            self._recorded = await self._asked(partial(registry.names, now))
        return self._configured | self._recorded | self._found

    async def synced(self, found: frozenset[str], now: float) -> frozenset[str]:
        """All names, now that the site has those that were found, and no others."""
        self._found = found
        if registry := self._registry:
            known = self._configured | self._recorded
            self._recorded = await self._asked(partial(registry.sync, known, Sync(found, now), self._configured))
        return self._configured | self._recorded | self._found

    async def read(self, now: float) -> Taken[Projects]:
        """The part of the names alone, so that they are told whatever becomes of the site."""
        found = Projects(tuple(sorted(await self.names(now))))
        if self._last is None or self._last != found:
            self._last = found
        return Taken(self._last, self._origin(), len(found.names))

    def _origin(self) -> str:
        return f"the configuration and {self._registry.path}" if self._registry else "the configuration"

    async def _asked(self, work: Callable[[], frozenset[str]]) -> frozenset[str]:
        """What the file comes to, or what it came to before where it takes too long."""
        try:
            async with asyncio.timeout(PATIENCE), self._turn:
                found = await self._worker.run(work)
        except (TimeoutError, TimedOut):
            if not self._late:
                log.warning("%s: takes longer than %g s; what it said last stands", self._worker.name, PATIENCE)
            self._late = True
            return self._recorded
        self._late = False
        return found
