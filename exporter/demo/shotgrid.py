"""ShotGrid in the simulated studio: artists submit versions of shots, dailies are watched, a bid comes and goes.

The rows are those of the recording of a site (contract trafalgar b.3 and b.4). One that changes is a new one: whoever
has taken a row may keep it.
"""

from collections.abc import Callable, Generator, Mapping
from itertools import count
from random import Random
from typing import Any

from exporter.demo.shows import SHOWS, Shot, Shots
from exporter.demo.world import DAY, HOUR, MINUTE, Agenda, Life, Moment, Trouble, rhythm

Row = Mapping[str, Any]  # Any: what JSON holds
Rows = dict[int, Row]
Deliver = Callable[[Shot, int], None]
"""Told of a version of a shot that was approved."""

PLAYLISTS_KEPT = 6
VERSIONS_KEPT = 20_000
"""When there are more, the oldest are deleted, as many at once as `CLEARED`: after a studio year, if anybody waits."""

CLEARED = 500
CUT = 12
"""Versions in a playlist at most; those submitted later on the same day are watched without one."""

BID = "kingfisher_bid"
ARTISTS = ("A. Okafor", "J. Lindqvist", "M. Silva", "R. Tanaka", "T. Laurent")
RATES = (23.976, 24.0, 25.0)


class Production:
    """Versions are submitted by day, reviewed, sent back or approved and then published; what the client sends back of
    a show in trouble is nearly all. `projects`, `playlists` and `versions` are the rows by id, in its order."""

    def __init__(self, agenda: Agenda, dice: Random, shots: Shots, deliver: Deliver) -> None:
        self._dice, self._deliver = dice, deliver
        self._trouble = Trouble(dice, dict.fromkeys(SHOWS, 10 * HOUR), rare=0.35)
        self._project_ids, self._version_ids, self._playlist_ids = count(101), count(5001), count(901)
        self._projects = {code: self._project(code, name) for code, name in SHOWS.items()}
        self._dailies: dict[str, int] = {}
        self.projects: Rows = {row["id"]: row for row in self._projects.values()}
        self.playlists: Rows = {}
        self.versions: Rows = {}
        self.changes = 0
        every = [shot for show in shots.values() for shot in show]
        lives = (self._trouble.life(), self._bids(), *map(self._days, SHOWS), *map(self._work, count(1), every))
        for life in lives:
            agenda.begin(life)

    def tables(self) -> Mapping[str, tuple[Row, ...]]:
        """All rows as they are now, by entity."""
        every = {"projects": self.projects, "playlists": self.playlists, "versions": self.versions}
        return {entity: tuple(rows.values()) for entity, rows in every.items()}

    def _project(self, code: str, name: str) -> Row:
        return {"id": next(self._project_ids), "type": "Project", "attributes": {"name": name, "code": code}}

    def _bids(self) -> Life:
        """Now and then the studio bids for a show, and does not get it."""
        while True:
            yield self._dice.uniform(6 * HOUR, 14 * HOUR)
            bid = self._project("KFB", BID)
            self._put(self.projects, bid)
            yield self._dice.uniform(4 * HOUR, 10 * HOUR)
            del self.projects[bid["id"]]
            self.changes += 1

    def _days(self, show: str) -> Life:
        """Each day has a playlist of its own; the oldest of them goes."""
        mine: list[int] = []
        yield self._dice.uniform(0, 3 * HOUR)
        for number in count(1):
            id_, code = next(self._playlist_ids), f"{show}_dailies_{number:03}"
            links = {"project": _link(self._projects[show]), "versions": {"data": []}}
            attributes = {"code": code, "name": code}
            row = {"id": id_, "type": "Playlist", "attributes": attributes, "relationships": links}
            self._put(self.playlists, row)
            self._dailies[show] = id_
            mine.append(id_)
            if len(mine) > PLAYLISTS_KEPT:
                del self.playlists[mine.pop(0)]
            yield DAY

    def _work(self, entity: int, shot: Shot) -> Life:
        """Versions of a shot, one after the other; one that is published is the last for some days."""
        moment = yield self._dice.uniform(0, 5 * DAY)
        for number in count(1):
            id_ = self._submit(entity, shot, number, moment)
            moment = yield from self._reviewed(id_, shot, number)
            moment = yield self._dice.expovariate(rhythm(moment.at) / (30 * HOUR))

    def _submit(self, entity: int, shot: Shot, number: int, moment: Moment) -> int:
        id_, code, now = next(self._version_ids), f"{shot.name}_v{number:03}", _iso(moment)
        frames, movie = self._dice.randint(24, 240), f"/mnt/prod/{SHOWS[shot.show]}/dailies/{code}.mov"
        attributes = {
            "code": code,
            "version_number": number,
            "sg_status_list": self._dice.choice(("wtg", "wtg", None)),
            "sg_path_to_movie": movie if self._dice.random() < 0.95 else None,
            "sg_uploaded_movie": None,
            "sg_path_to_frames": None,
            "frame_range": f"1001-{1000 + frames}",
            "sg_uploaded_movie_frame_count": frames,
            "sg_uploaded_movie_frame_rate": self._dice.choice(RATES),
            "created_at": now,
            "updated_at": now,
        }
        links = {
            "project": _link(self._projects[shot.show]),
            "entity": {"data": {"type": "Shot", "id": entity, "name": shot.name}},
            "user": {"data": {"type": "HumanUser", "id": 3, "name": self._dice.choice(ARTISTS)}},
        }
        self._put(self.versions, {"id": id_, "type": "Version", "attributes": attributes, "relationships": links})
        self._clear()
        return id_

    def _reviewed(self, id_: int, shot: Shot, number: int) -> Generator[float, Moment, Moment]:
        """From the dailies to the client's word; its value is the last moment."""
        self._status(id_, "rev", (yield self._dice.uniform(5, 40) * MINUTE))
        self._watch(id_, shot.show)
        moment = yield self._dice.uniform(1, 6) * HOUR
        if self._trouble.strikes(shot.show):
            self._status(id_, "rtk", moment)
            return moment
        self._status(id_, "apr", moment)
        self._deliver(shot, number)
        moment = yield self._dice.uniform(1, 10) * HOUR
        self._status(id_, "pub", moment)
        return (yield self._dice.uniform(1, 4) * DAY)

    def _watch(self, id_: int, show: str) -> None:
        playlist = self.playlists.get(self._dailies.get(show, 0))
        if playlist is None or len(watched := playlist["relationships"]["versions"]["data"]) >= CUT:
            return
        more = {"versions": {"data": [*watched, {"type": "Version", "id": id_}]}}
        self._put(self.playlists, {**playlist, "relationships": {**playlist["relationships"], **more}})

    def _status(self, id_: int, word: str, moment: Moment) -> None:
        if before := self.versions.get(id_):
            changed = {"sg_status_list": word, "updated_at": _iso(moment)}
            self._put(self.versions, {**before, "attributes": {**before["attributes"], **changed}})

    def _put(self, rows: Rows, row: Row) -> None:
        rows[row["id"]] = row
        self.changes += 1

    def _clear(self) -> None:
        if len(self.versions) > VERSIONS_KEPT:
            for id_ in [*self.versions][:CLEARED]:
                del self.versions[id_]


def _link(row: Row) -> Row:
    return {"data": {"type": row["type"], "id": row["id"], "name": row["attributes"]["name"]}}


def _iso(moment: Moment) -> str:
    return moment.utc.isoformat()
