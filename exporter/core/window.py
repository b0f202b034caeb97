"""A window of time ending now, as people write it: `5m`, `24h`, `7d`."""

import re
from dataclasses import dataclass

from exporter.core.units import Unfit

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST = 7 * 86400


@dataclass(frozen=True, slots=True)
class Window:
    """`text` as it was written (it becomes a label value) and its length in seconds."""

    text: str
    seconds: int


def window(text: str) -> Window:
    """A window of 1 second to 7 days; `Unfit`, a ValueError, says what is wrong with it."""
    if not (found := re.fullmatch(r"([0-9]{1,9})([smhd])", text)):
        raise Unfit("a number and one of s, m, h, d, as in 15m or 7d", text)
    seconds = int(found[1]) * UNITS[found[2]]
    if not 0 < seconds <= LONGEST:
        raise Unfit("a window of 1s to 7d", text)
    return Window(text, seconds)
