"""What ShotGrid, the file system and S3 have on record of approved versions, and how these come apart and together.

The file is that of the reconcile records (contract trafalgar b.5); a collector rewrites it four times an hour.
"""

import json
from random import Random
from typing import NamedTuple

from exporter.demo.shows import Shot
from exporter.demo.world import HOUR, MINUTE, Agenda, Life, Trouble

RECORDS_KEPT = 500
COLLECTED = 15 * MINUTE

COPY, UPLOAD = "copy", "upload"


class Key(NamedTuple):
    """A version of a shot."""

    shot: Shot
    number: int


class Collected(NamedTuple):
    """What each of the three had when it was last asked."""

    shotgrid: tuple[Key, ...] = ()
    files: tuple[Key, ...] = ()
    s3: tuple[Key, ...] = ()

    def text(self) -> str:
        """The file of the reconcile records."""
        return json.dumps(
            {
                "shotgrid": [_record(key) for key in self.shotgrid],
                "filesystem": [{**_record(key), "path": f"/mnt/prod/{_file(key)}"} for key in self.files],
                "s3": [{**_record(key), "key": _file(key)} for key in self.s3],
            }
        )


class Storage:
    """Versions are copied to the file system and uploaded to S3; while one of the two is in trouble they are missing
    there, until it is tried again. What artists leave on the disk without a word is an orphan until it is swept."""

    def __init__(self, agenda: Agenda, dice: Random, keep: int = RECORDS_KEPT) -> None:
        self._agenda, self._dice, self._keep = agenda, dice, keep
        self._trouble = Trouble(dice, {COPY: 4 * HOUR, UPLOAD: 6 * HOUR}, rare=0.02)
        self.shotgrid, self.files, self.s3 = dict[Key, None](), dict[Key, None](), dict[Key, None]()
        self.collected = Collected()
        for life in (self._trouble.life(), self._collections(), self._slips()):
            agenda.begin(life)

    def deliver(self, shot: Shot, number: int) -> None:
        """A version was approved: from now on ShotGrid wants it to be there."""
        key = Key(shot, number)
        self.shotgrid[key] = None
        if len(self.shotgrid) > self._keep:
            oldest = next(iter(self.shotgrid))
            for records in (self.shotgrid, self.files, self.s3):
                records.pop(oldest, None)
        self._agenda.begin(self._stored(key))

    def _stored(self, key: Key) -> Life:
        yield self._dice.uniform(1, 5) * MINUTE
        while self._trouble.strikes(COPY):
            yield HOUR
        self._put(self.files, key)
        yield self._dice.uniform(5, 30) * MINUTE
        while self._trouble.strikes(UPLOAD):
            yield HOUR
        self._put(self.s3, key)

    def _put(self, records: dict[Key, None], key: Key) -> None:
        if key in self.shotgrid:
            records[key] = None

    def _slips(self) -> Life:
        """Now and then somebody leaves a version nobody knows on the disk, or in the bucket."""
        while True:
            yield self._dice.uniform(4 * HOUR, 10 * HOUR)
            if self.shotgrid:
                shot, number = self._dice.choice([*self.shotgrid])
                where = self.files if self._dice.random() < 0.7 else self.s3
                self._agenda.begin(self._orphan(where, Key(shot, number + 50)))

    def _orphan(self, records: dict[Key, None], key: Key) -> Life:
        yield 0.0
        records[key] = None
        yield self._dice.uniform(2 * HOUR, 8 * HOUR)
        records.pop(key, None)

    def _collections(self) -> Life:
        while True:
            yield COLLECTED
            self.collected = Collected(tuple(self.shotgrid), tuple(self.files), tuple(self.s3))


def _record(key: Key) -> dict[str, str]:
    return {"shot": key.shot.name, "version": f"v{key.number:03}"}


def _file(key: Key) -> str:
    return f"{key.shot.place}/{key.shot.name}_v{key.number:03}.mov"
