"""The one place that catches everything: whatever goes wrong becomes a reason, and nothing else stops for it."""

import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from exporter.core.errors import BUG, ReadError, TimedOut

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not work: `reason` is one of `REASONS`, `message` is for people and holds no secret."""

    reason: str
    message: str


async def guarded(what: str, work: Awaitable[T], passing: tuple[type[Exception], ...] = ()) -> T | Failure:
    """What the work gives, or why it gave nothing. Exceptions of the types `passing` are answers and go through.

    A bug is logged here with its traceback; what can be expected to fail is left to the caller to report.
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
        log.exception("%s: a bug, please report it", what)
        return Failure(BUG, f"a bug in the exporter ({type(error).__name__}); its log has the traceback")
