"""The one place that catches everything: whatever goes wrong becomes a reason, and nothing else stops for it."""

import logging
import traceback
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

from exporter.core.errors import BUG, ReadError, TimedOut

log = logging.getLogger(__name__)
T = TypeVar("T")
TELLING = 10
"""How many of a bug's innermost frames tell it from another."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not work: `reason` is one of `REASONS`, `message` is for people and holds no secret. `bug` is
    what tells a bug from another: what was raised, and where."""

    reason: str
    message: str
    bug: tuple[object, ...] = field(default=(), repr=False)


async def guarded(
    what: str, work: Awaitable[T], passing: tuple[type[Exception], ...] = (), before: object = None
) -> T | Failure:
    """What the work gives, or why it gave nothing. Exceptions of the types `passing` are answers and go through.

    A bug is logged here with its traceback, unless it is the one that `before` tells of, what the same work gave the
    last time; what can be expected to fail is left to the caller to report.
    """
    try:
        return await work
    except passing:
        raise
    except ReadError as error:
        return Failure(error.reason, str(error))
    except TimeoutError:
        return Failure(TimedOut.reason, "took longer than its timeout")
    except Exception as error:
        bug = (type(error), *_places(error)[-TELLING:])
        if not isinstance(before, Failure) or before.bug != bug:
            log.exception("%s: a bug, please report it", what)
        return Failure(BUG, f"a bug in the exporter ({type(error).__name__}); its log has the traceback", bug)


def _places(error: Exception) -> list[tuple[str, int]]:
    """The files and lines that an exception came through, the innermost last."""
    return [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
