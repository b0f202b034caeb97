"""What the three of the simulated studio have on record, compared as the exporter compares it."""

from itertools import pairwise

import pytest

from exporter.demo.shotgrid import Production
from exporter.demo.shows import Shot, shots
from exporter.demo.storage import COLLECTED, Collected, Key, Storage
from exporter.demo.world import PACE, Agenda, Clock, chance
from exporter.sources.trafalgar.reconcile import Compared, compared

BEGAN = 1_800_000_000.0
EVERY = COLLECTED / PACE


class Live:
    """The production and its storage under a clock that is told the time."""

    def __init__(self, seed: int = 1, keep: int = 500) -> None:
        self.agenda, self.now = Agenda(Clock(BEGAN, PACE)), BEGAN
        self.storage = Storage(self.agenda, chance(seed, "storage"), keep)
        Production(self.agenda, chance(seed, "shotgrid"), shots(chance(seed, "shots")), self.storage.deliver)
        self.agenda.advance(BEGAN)

    def go_on(self, seconds: float) -> None:
        self.now += seconds
        self.agenda.advance(self.now)

    def mismatches(self) -> dict[str, int]:
        found = compared(self.storage.collected.text().encode())
        assert isinstance(found, Compared)
        assert not found.skipped
        return dict(found.facts.mismatches)


@pytest.mark.parametrize("seed", range(1, 4))
def test_mismatches_of_every_kind_appear_and_are_repaired(seed: int) -> None:
    live = Live(seed)
    seen = []
    for _ in range(130):
        live.go_on(3 * EVERY)
        seen.append(live.mismatches())
    for kind in seen[0]:
        counts = [found[kind] for found in seen]
        assert max(counts) > 0, kind
        assert min(counts) == 0, kind
        assert any(later < sooner for sooner, later in pairwise(counts))
    assert max(found["missing_in_s3"] for found in seen) < 30
    assert 4 * sum(found["missing_in_fs"] == 0 for found in seen) > len(seen)


def test_a_collection_stands_until_the_next() -> None:
    live = Live()
    before = live.storage.collected
    assert len(before.shotgrid) > 200
    live.go_on(EVERY - 1)
    assert live.storage.collected is before
    live.go_on(1)
    assert live.storage.collected is not before


def test_records_are_bounded_for_as_long_as_it_lives() -> None:
    live = Live(keep=50)
    for _ in range(300):
        live.go_on(50)
        sizes = [len(records) for records in live.storage.collected]
        assert sizes[0] == 50
        assert max(sizes) < 60


def test_records_are_as_upstream_names_them() -> None:
    one = Key(Shot("ASH", "E101", "S003", "SH0040"), 7)
    assert Collected((one,), (one,), (one,)).text() == (
        '{"shotgrid": [{"shot": "E101_S003_SH0040", "version": "v007"}], '
        '"filesystem": [{"shot": "E101_S003_SH0040", "version": "v007", '
        '"path": "/mnt/prod/ashfall/E101/S003/SH0040/E101_S003_SH0040_v007.mov"}], '
        '"s3": [{"shot": "E101_S003_SH0040", "version": "v007", '
        '"key": "ashfall/E101/S003/SH0040/E101_S003_SH0040_v007.mov"}]}'
    )
