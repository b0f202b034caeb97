"""The shows of the simulated studio and their shots: one world for those who ingest, render, review and store."""

from collections.abc import Mapping
from itertools import islice, product
from random import Random
from typing import NamedTuple

SHOWS = {"ASH": "ashfall", "BLK": "black_kite", "HLW": "hollow_coast", "MRD": "meridian", "TND": "tundra_line"}
"""Names of the shows by their code; ShotGrid has a project of each name."""

SHOTS_EACH = 40


class Shot(NamedTuple):
    """A shot of a show, as names of files spell it: `E101`, `S012`, `SH0040`."""

    show: str
    episode: str
    scene: str
    number: str

    @property
    def name(self) -> str:
        """Its name in ShotGrid, which no shot of another show has."""
        return f"{self.episode}_{self.scene}_{self.number}"

    @property
    def place(self) -> str:
        """Its folder below that of all shows."""
        return "/".join((SHOWS[self.show], self.episode, self.scene, self.number))


Shots = Mapping[str, tuple[Shot, ...]]
"""The shots of each show by its code, in order."""


def shots(dice: Random) -> Shots:
    """The shots of the studio."""
    names = [*product(range(101, 109), range(1, 41), range(10, 610, 10))]
    chosen = iter(dice.sample(names, SHOTS_EACH * len(SHOWS)))
    return {show: tuple(_shot(show, *name) for name in sorted(islice(chosen, SHOTS_EACH))) for show in SHOWS}


def _shot(show: str, episode: int, scene: int, number: int) -> Shot:
    return Shot(show, f"E{episode}", f"S{scene:03}", f"SH{number:04}")
