"""When files were changed, without looking into them."""

import os
from pathlib import Path

from exporter.inputs.stamps import changed


def test_files_are_told_by_name_with_their_times(tmp_path: Path) -> None:
    for name, time in (("a.txt", 100.5), ("b.txt", 200), ("c.log", 300)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    (tmp_path / "nowhere.txt").symlink_to(tmp_path / "gone")
    assert changed(tmp_path, "*.txt") == {"a.txt": 100.5, "b.txt": 200}


def test_a_directory_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert changed(tmp_path / "gone", "*") == {}
