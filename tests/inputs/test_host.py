"""The machine: figures from this one, and limits from trees of files such as containers see."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from exporter.inputs.host import Memory, Processors, Space, booted, connections, filesystems, memory, spent, told

GIB = 1 << 30


def looks(*seconds: tuple[float, float]) -> Iterator[tuple[float, float]]:
    return iter(seconds)


def test_processors_are_compared_with_the_look_before() -> None:
    given = looks((10, 100), (15, 110), (15, 120), (25, 130))
    processors = Processors(lambda: next(given))
    assert [processors.ratio() for _ in range(3)] == [0.5, 0, 1]


def test_looks_too_close_together_tell_nothing_new() -> None:
    given = looks((10, 100), (10.01, 100.01), (15, 110), (15, 110), (20, 115))
    processors = Processors(lambda: next(given))
    assert [processors.ratio() for _ in range(4)] == [None, 0.5, 0.5, 1]


def test_counters_that_fall_leave_the_ratio_between_0_and_1() -> None:
    given = looks((10, 100), (9, 101), (11, 102))
    processors = Processors(lambda: next(given))
    assert [processors.ratio() for _ in range(2)] == [0, 1]


def test_a_system_that_refuses_at_first_is_compared_later() -> None:
    answers: list[tuple[float, float] | OSError] = [OSError("no"), (0, 10), (5, 20)]

    def look() -> tuple[float, float]:
        found = answers.pop(0)
        if isinstance(found, OSError):
            raise found
        return found

    processors = Processors(look)
    assert [processors.ratio() for _ in range(2)] == [None, 0.5]


def test_the_processors_of_this_machine_were_in_use_for_a_part_of_their_time() -> None:
    busy, total = spent()
    assert 0 < busy < total


def test_guests_and_waiting_are_no_time_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stat").write_text("cpu  1000 200 300 4000 500 60 70 80 90 10\nbtime 1700000000\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    busy, total = spent()
    assert busy == pytest.approx(17.1)
    assert total == pytest.approx(62.1)


def second_version(root: Path, most: str | int, used: int, droppable: int) -> Path:
    (root / "memory.max").write_text(f"{most}\n")
    (root / "memory.current").write_text(f"{used}\n")
    (root / "memory.stat").write_text(f"anon 1\ninactive_file {droppable}\nactive_file 7\n")
    return root


def first_version(root: Path, most: int, used: int, droppable: int) -> Path:
    (root / "memory").mkdir()
    (root / "memory" / "memory.limit_in_bytes").write_text(f"{most}\n")
    (root / "memory" / "memory.usage_in_bytes").write_text(f"{used}\n")
    (root / "memory" / "memory.stat").write_text(f"inactive_file 1\ntotal_inactive_file {droppable}\n")
    return root


@pytest.mark.parametrize("version", [first_version, second_version])
def test_a_limit_of_a_container_counts(version: Callable[[Path, int, int, int], Path], tmp_path: Path) -> None:
    version(tmp_path, GIB // 8, GIB // 16, GIB // 32)
    assert memory(tmp_path) == Memory(GIB // 8, GIB // 8 - GIB // 16 + GIB // 32)


def test_a_container_that_is_full_has_nothing_left(tmp_path: Path) -> None:
    assert memory(second_version(tmp_path, GIB // 8, GIB // 4, 0)) == Memory(GIB // 8, 0)


@pytest.mark.parametrize("most", ["max", str(1 << 62), "", "-1", "text"])
def test_without_a_limit_the_memory_is_that_of_the_machine(most: str, tmp_path: Path) -> None:
    size = psutil.virtual_memory().total
    found = memory(second_version(tmp_path, most, GIB, 0))
    assert found.size == size
    assert 0 < found.available <= size
    assert memory(tmp_path / "nowhere").size == size


def test_what_version_1_says_without_a_limit_is_none(tmp_path: Path) -> None:
    assert memory(first_version(tmp_path, 9223372036854771712, GIB, 0)).size == psutil.virtual_memory().total


def test_the_root_is_among_the_file_systems() -> None:
    root = filesystems()["/"]
    assert isinstance(root, Space)
    assert 0 < root.free <= root.size
    assert root.used <= root.size


def test_only_directories_and_no_images_are_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "snap").mkdir()
    (tmp_path / "hosts").touch()
    (tmp_path / "filesystems").write_text("nodev\tproc\n\text4\n\tsquashfs\nnodev\tnfs\n")
    mounts = f"/dev/a {tmp_path}/data ext4 rw 0 0\n/dev/b {tmp_path}/snap squashfs ro 0 0\n"
    mounts += f"/dev/a {tmp_path}/hosts ext4 rw 0 0\nhost:/x {tmp_path}/self nfs rw 0 0\n"
    (tmp_path / "self" / "mounts").write_text(mounts)
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert list(filesystems()) == ["/", str(tmp_path / "data")]


def test_the_machine_was_started_in_the_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stat").write_text("cpu  1 1 1 1 1 1 1 1 1 1\nbtime 1700000000\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert booted() == 1_700_000_000


def test_a_listening_socket_is_counted() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))):
        assert connections()["listen"] > 0


def test_what_the_system_refuses_is_not_told() -> None:
    def refuse(error: Exception) -> None:
        raise error

    assert told(lambda: refuse(PermissionError())) is None
    assert told(lambda: refuse(psutil.AccessDenied())) is None
    assert told(lambda: 3) == 3
    with pytest.raises(ValueError, match="a bug"):
        told(lambda: refuse(ValueError("a bug")))
