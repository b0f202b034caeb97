"""When the files of a directory were changed, as their file system says."""

import os
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path


def changed(path: Path, pattern: str) -> dict[str, float]:
    """Epoch seconds of the last change of each file whose name matches a shell pattern, by name; empty where there is
    no such directory, or it may not be read. Blocks."""
    found = {}
    with suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            if fnmatchcase(entry.name, pattern):
                with suppress(OSError):  # it is gone, or a link that leads nowhere
                    found[entry.name] = entry.stat().st_mtime
    return found
