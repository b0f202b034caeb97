"""Host: what is said of a machine, and what is left unsaid."""

from dataclasses import replace

from exporter.core.family import Value
from exporter.domains.host import FAMILIES, STATES, Filesystem, Host

SILENT = Host(None, None, None, {}, None, None)


def of(name: str, facts: Host) -> dict[tuple[str, ...], Value]:
    found = next(family for family in FAMILIES if family.name == name)
    return {labels: value for labels, value in found.points(facts) if value is not None}


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert [name for family in FAMILIES if of(name := family.name, SILENT)] == []


def test_a_file_system_is_measured_in_three_ways() -> None:
    facts = replace(SILENT, filesystems={"/srv": Filesystem(10, 4, 5), "/": Filesystem(3, 2, 1)})
    assert of("studio_host_filesystem_size_bytes", facts) == {("/",): 3, ("/srv",): 10}
    assert of("studio_host_filesystem_used_bytes", facts) == {("/",): 2, ("/srv",): 4}
    assert of("studio_host_filesystem_available_bytes", facts) == {("/",): 1, ("/srv",): 5}


def test_states_are_a_closed_list() -> None:
    facts = replace(SILENT, connections={"listen": 3, "bound": 1, "idle": 1})
    states = of("studio_host_connections", facts)
    assert states == {**{(state,): 0 for state in STATES}, ("listen",): 3, ("_other",): 2}


def test_an_idle_machine_is_at_0() -> None:
    assert of("studio_host_cpu_usage_ratio", replace(SILENT, cpu=0.0)) == {(): 0}
