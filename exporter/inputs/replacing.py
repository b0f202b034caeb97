"""Small files that are written whole: what reads them sees the old text or the new one, and never a part."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

MODE = 0o644
"""Of a file that was not there: it is for others to read."""


def replace_text(path: Path, text: str) -> None:
    """Puts a text in the place of a file's, which keeps its mode and, where it is a link, stays one.

    It is on the disk before it has the file's name, so that not even a crash of the machine leaves half of it. Blocks;
    raises OSError, and then the file is as it was and nothing else is left behind.
    """
    target = Path(os.path.realpath(path))
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(descriptor, _mode(target))
            os.fsync(descriptor)
        Path(name).replace(target)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
    _settle(target.parent)


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return MODE


def _settle(directory: Path) -> None:
    """The new name itself on the disk, where the file system lets a directory be synced."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
