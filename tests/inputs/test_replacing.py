"""Files written whole: all of the new text or all of the old one, under the mode that was there."""

import os
from pathlib import Path

import pytest

from exporter.inputs.replacing import replace_text


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_the_text_is_there_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    replace_text(path, "ü\r\n")
    assert path.read_bytes() == "ü\r\n".encode()
    assert there(tmp_path) == ["a.json"]


@pytest.mark.parametrize("before", [0o600, 0o664, 0o640])
def test_a_file_keeps_its_mode(tmp_path: Path, before: int) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    path.chmod(before)
    replace_text(path, "new")
    assert (mode(path), path.read_text()) == (before, "new")


def test_a_new_file_is_for_others_to_read(tmp_path: Path) -> None:
    replace_text(tmp_path / "a.json", "")
    assert mode(tmp_path / "a.json") == 0o644


def test_who_has_the_old_file_open_reads_on_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with path.open() as reader:
        replace_text(path, "new and longer")
        assert reader.read() == "old"


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "a.json", tmp_path / "a.json"
    target.write_text("old")
    link.symlink_to(target)
    replace_text(link, "new")
    assert link.is_symlink()
    assert (target.read_text(), there(target.parent)) == ("new", ["a.json"])


def test_where_nothing_can_be_written_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_text(tmp_path / "none" / "a.json", "x")
    (tmp_path / "a.json").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_text(tmp_path / "a.json", "x")
    assert there(tmp_path) == ["a.json"]


def test_a_disk_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.json"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_text(path, "new")
    assert (path.read_text(), there(tmp_path)) == ("old", ["a.json"])
