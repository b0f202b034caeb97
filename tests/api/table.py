"""What a row of the table of differences is, and the table as the README has it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

REASONS: Mapping[int, str] = {
    1: "The documents promised more than the code did.",
    2: "It crashed, or hid a failure as zeros, where an answer was possible.",
    3: "It invented a number.",
    4: "Read-only and security.",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, or one kind of it.

    `where` is a pattern that matches, from its beginning, the `Found.place` of what it explains; `told` is `where` for
    people (a route, a field); `about` says what was and what is now. `reason` is a key of REASONS.
    """

    system: str
    where: str
    told: str
    reason: Literal[1, 2, 3, 4]
    about: str

    def explains(self, system: str, place: str) -> bool:
        """Whether a difference found there is this one."""
        return system == self.system and re.match(self.where, place) is not None


def markdown(rows: Iterable[Difference]) -> str:
    """The table for the README."""
    head = "| system | where | what was, and what is now | why |\n|---|---|---|---|\n"
    lines = (f"| {row.system} | {row.told} | {row.about} | {row.reason} |\n" for row in rows)
    reasons = "".join(f"{number}. {text}\n" for number, text in REASONS.items())
    return f"Why:\n\n{reasons}\n{head}{''.join(lines)}"
