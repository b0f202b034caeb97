"""The host part: what the machine says, and what it will not say."""

from pathlib import Path

import psutil
import pytest

from exporter.core.errors import Unreachable
from exporter.domains.host import FAMILIES, STATES
from exporter.sources.music_agents.host import Machine
from tests.sources.music_agents.golden import points

NOW = 1_800_000_000.0


def test_every_family_has_something_to_say_of_this_machine(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    taken = machine.read(NOW)
    found = points(FAMILIES, taken.value)
    assert {family.name for family in FAMILIES} - set(found) <= {"studio_host_cpu_usage_ratio"}  # if ticks are too few
    assert {state for (state,) in found["studio_host_connections"]} == set(STATES)
    assert ("/",) in found["studio_host_filesystem_size_bytes"]
    assert taken.skipped == {}
    assert taken.records == 5 + len(found["studio_host_filesystem_size_bytes"])


def test_what_is_refused_is_absent_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A /proc that has no lists of sockets and of mounts."""
    machine = Machine(tmp_path)
    (tmp_path / "stat").write_text("cpu  1 1 1 1 1 1 1 1 1 1\nbtime 1700000000\n")
    others = "".join(f"{name}: 1 kB\n" for name in ("Buffers", "Cached", "Shmem", "Active", "Inactive", "Slab"))
    (tmp_path / "meminfo").write_text(f"MemTotal: 2048 kB\nMemFree: 512 kB\nMemAvailable: 1024 kB\n{others}")
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text("header\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    taken = machine.read(NOW)
    assert (taken.value.memory_size, taken.value.memory_available) == (2097152, 1048576)
    assert taken.value.booted == 1_700_000_000
    assert (taken.value.filesystems, taken.value.connections) == ({}, None)
    assert taken.skipped == {"missing": 2}
    assert "studio_host_connections" not in points(FAMILIES, taken.value)


def test_a_machine_that_tells_nothing_is_unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path)
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "nowhere"))
    with pytest.raises(Unreachable, match="/proc"):
        machine.read(NOW)
