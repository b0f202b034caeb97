"""What can go wrong, as one small tree of exceptions.

    StudioError
    ├── ConfigError        a configuration that cannot be used; carries every problem at once
    └── ReadError          a part that could not be read; `reason` is the value of the metric label
        ├── Unreachable    nobody answers, or the connection broke
        ├── TimedOut       the limit passed
        ├── Refused        credentials or permissions
        ├── Malformed      what came is not what it should be: torn, not JSON, not UTF-8
        ├── SchemaMismatch a table, a column or a key that must be there is not
        ├── TooLarge       a cap bit before the answer was whole
        └── Missing        the file is not there

Inputs translate the errors of drivers and the operating system at the border and nowhere else. Whatever else is raised
while a part is read is a bug, and becomes the reason `bug` in the one guard (`exporter.runtime.guard`).
Messages name the place and what was found and expected; they never hold a secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

BUG = "bug"


class StudioError(Exception):
    """The root of this package's exceptions."""


class ReadError(StudioError):
    """A part could not be read; the message is for the person who can mend it."""

    reason: ClassVar[str]


class Unreachable(ReadError):
    reason = "unreachable"


class TimedOut(ReadError):
    reason = "timeout"


class Refused(ReadError):
    reason = "refused"


class Malformed(ReadError):
    reason = "malformed"


class SchemaMismatch(ReadError):
    reason = "schema"


class TooLarge(ReadError):
    reason = "too_large"


class Missing(ReadError):
    reason = "missing"


REASONS: tuple[str, ...] = (
    *(kind.reason for kind in (Unreachable, TimedOut, Refused, Malformed, SchemaMismatch, TooLarge, Missing)),
    BUG,
)
"""The closed vocabulary of the label `reason` of failed reads."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration: where (`sources[0].database`), on which line, and what; and in which file,
    if that is not the configuration's own."""

    path: str
    line: int | None
    message: str
    file: str = ""

    def __str__(self) -> str:
        line = "" if self.line is None else f" (line {self.line})"
        if self.file:
            return ": ".join(part for part in (f"{self.file}{line}", self.path, self.message) if part)
        return f"{self.path or 'config'}{line}: {self.message}"


class ConfigError(StudioError):
    """A configuration that cannot be used, with every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
