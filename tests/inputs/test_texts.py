"""Small files: decoded once while they stay as they are, and read anew whenever that is in doubt."""

import os
from pathlib import Path

import pytest

from exporter.core.errors import Missing, ReadError, TooLarge, Unreachable
from exporter.inputs import texts
from exporter.inputs.texts import SMALL, Texts

NOW = 1_800_000_000.0


class Decoder:
    """Counts what it decodes."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, data: bytes) -> str:
        self.calls += 1
        return data.decode()


def put(path: Path, text: str, at: float = NOW - 60) -> Path:
    path.write_text(text)
    os.utime(path, (at, at))
    return path


def test_a_file_that_stays_as_it_is_is_decoded_once(tmp_path: Path) -> None:
    decode = Decoder()
    read = Texts(decode, SMALL)
    path = put(tmp_path / "a.txt", "one")
    first = read.file(path, NOW)
    assert read.file(path, NOW + 15) is first
    assert decode.calls == 1
    put(path, "two!")
    assert (read.file(path, NOW + 30), decode.calls) == ("two!", 2)


def test_a_file_just_changed_is_read_again_until_its_time_is_past_doubt(tmp_path: Path) -> None:
    decode = Decoder()
    read = Texts(decode, SMALL)
    path = put(tmp_path / "a.txt", "one", NOW)
    assert read.file(path, NOW) == "one"
    put(path, "two", NOW)
    assert read.file(path, NOW + 1) == "two"
    read.file(path, NOW + 2)
    read.file(path, NOW + 3)
    assert decode.calls == 3


def test_of_a_directory_only_the_files_that_match_are_read(tmp_path: Path) -> None:
    decode = Decoder()
    read = Texts(decode, SMALL)
    put(tmp_path / "b.txt", "b")
    put(tmp_path / "a.txt", "a")
    put(tmp_path / "c.json", "c")
    assert read.directory(tmp_path, "*.txt", NOW) == {"a.txt": "a", "b.txt": "b"}
    assert list(read.directory(tmp_path, "*.txt", NOW)) == ["a.txt", "b.txt"]
    assert decode.calls == 2


def test_a_file_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    decode = Decoder()
    read = Texts(decode, SMALL)
    path = put(tmp_path / "a.txt", "a")
    read.directory(tmp_path, "*", NOW)
    away = path.rename(tmp_path.parent / "away.txt")
    assert read.directory(tmp_path, "*", NOW) == {}
    away.rename(path)
    assert read.directory(tmp_path, "*", NOW) == {"a.txt": "a"}
    assert decode.calls == 2


def test_one_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    put(tmp_path / "a.txt", "a")
    (tmp_path / "b.txt").mkdir()
    (tmp_path / "c.txt").symlink_to(tmp_path / "nowhere")
    put(tmp_path / "d.txt", "long")
    os.mkfifo(tmp_path / "e.txt")
    said = Texts(Decoder(), 3).directory(tmp_path, "*.txt", NOW)
    kinds = {name: type(found) for name, found in said.items()}
    assert kinds == {"a.txt": str, "b.txt": Unreachable, "c.txt": Missing, "d.txt": TooLarge, "e.txt": Unreachable}


def test_a_file_is_never_larger_than_small_whatever_is_configured(tmp_path: Path) -> None:
    path = put(tmp_path / "a.txt", "")
    os.truncate(path, SMALL + 1)
    with pytest.raises(TooLarge, match=str(SMALL)):
        Texts(Decoder(), 10 * SMALL).file(path, NOW)


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    read = Texts(Decoder(), SMALL)
    with pytest.raises(Missing):
        read.file(tmp_path / "a.txt", NOW)
    with pytest.raises(Missing):
        read.directory(tmp_path / "logs", "*", NOW)
    with pytest.raises(ReadError):
        read.directory(put(tmp_path / "file", ""), "*", NOW)


def test_a_directory_of_more_files_than_are_read_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MOST", 1)
    put(tmp_path / "a.txt", "a")
    put(tmp_path / "b.json", "b")
    assert Texts(Decoder(), SMALL).directory(tmp_path, "*.txt", NOW) == {"a.txt": "a"}
    with pytest.raises(TooLarge, match="2 files match"):
        Texts(Decoder(), SMALL).directory(tmp_path, "*", NOW)
