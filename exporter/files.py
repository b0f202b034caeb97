"""The files that people write for the exporter: their text, whether they have changed, and the web configuration."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from exporter.core.errors import ConfigError, Problem
from exporter.web.gate import Terms
from exporter.web.webconfig import load

LARGEST_TEXT = 4 * 1024 * 1024

A = TypeVar("A")
B = TypeVar("B")


class WebFile:
    """The web configuration in a file as it is loaded, and loaded again. It remembers which files gave its terms."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self._path = path
        self._env = env
        self._known: list[tuple[Terms, Mapping[Path, object]]] = []

    def load(self) -> Terms:
        """The terms as the file has them now, the same as before where no file has changed."""
        for terms, seen in self._known:
            if unchanged(seen):
                return terms
        seen = dict[Path, object]()

        def read(path: Path) -> str:
            seen[path] = identity(path)  # before it is read: what changes meanwhile is seen next time
            return small_text(path)

        try:
            terms = load(whole(self._path, read), self._path.parent, self._env, read)
        except ConfigError as error:
            raise ConfigError([replace(problem, file=str(self._path)) for problem in error.problems]) from error
        self._known = [*self._known[-1:], (terms, seen)]  # the last may have been refused
        return terms


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """What two loads give; raises ConfigError with the problems of both."""
    try:
        one = first()
    except ConfigError as error:
        try:
            second()
        except ConfigError as other:
            raise ConfigError([*error.problems, *other.problems]) from error
        raise
    return one, second()


def whole(path: Path, read: Callable[[Path], str]) -> str:
    """The text of a configuration; raises ConfigError where it cannot be read."""
    try:
        return read(path)
    except OSError as error:
        raise ConfigError([Problem("", None, f"cannot be read: {error.strerror}")]) from error
    except UnicodeError as error:
        raise ConfigError([Problem("", None, "cannot be read: it is not UTF-8")]) from error


def unchanged(seen: Mapping[Path, object]) -> bool:
    """Whether files are still what they were."""
    return all(identity(path) == was for path, was in seen.items())


def identity(path: Path) -> object:
    """What tells a file from what it was before; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def small_text(path: Path) -> str:
    """The text of a file, or as much of it as any configuration or secret needs: a device has no end."""
    with path.open("rb") as file:
        return file.read(LARGEST_TEXT).decode()
