"""Playlists and clips: each rule, and what is told of those that cannot be read."""

import json
import logging
from typing import Any

import pytest

from exporter.domains.review import Playlists
from exporter.inputs.shotgrid import Row
from exporter.sources.trafalgar.review import Clip, playable
from tests.shotgrid_server import (
    Site,
    clip,
    golden,
    playlist,
    project,
)
from tests.shotgrid_server import status as answering
from tests.sources.trafalgar.files import GOLDEN, NOW, samples
from tests.sources.trafalgar.site import ALPHA, KNOWN, is_by_id, is_playlists, of_project, opened, rows


# what could not be read
def recorded_step(number: int) -> list[dict[str, Any]]:
    exchanges = json.loads((GOLDEN / "responses" / "shotgrid_partial_failures.json").read_text())["exchanges"]
    found: list[dict[str, Any]] = exchanges[number]["response"]["body"]["review"]["projects"]
    return found


async def test_a_project_whose_playlists_cannot_be_listed_is_counted_and_the_others_are_read() -> None:
    site = golden()
    site.fault(lambda asked: is_playlists(asked) and of_project(asked) in ("", "101"), answering(500))
    async with opened(site, *KNOWN) as part:
        taken = await part.read(NOW)
    assert rows(taken.value.review) == recorded_step(0)
    assert taken.value.review.playlists["atlas_rising"] is None
    found = samples(part, taken.value)
    assert ("atlas_rising",) not in found["studio_review_playlists"]
    assert {name: n for (name,), n in found["studio_review_unread_playlists"].items() if n} == {"atlas_rising": 1}
    assert site.count("playlists") == 1 + 5


async def test_versions_that_cannot_be_read_leave_their_playlists_unread(caplog: pytest.LogCaptureFixture) -> None:
    site = golden()
    site.fault(is_by_id, answering(500))
    async with opened(site, *KNOWN) as part:
        taken = await part.read(NOW)
        assert rows(taken.value.review) == recorded_step(2)
        unread = samples(part, taken.value)["studio_review_unread_playlists"]
        lost = {"atlas_rising": 4, "deep_harbor": 2, "signal_noir": 3}
        assert {name: n for (name,), n in unread.items() if n} == lost
        await part.read(NOW + 60)
        said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert [message.split(":")[0] for message in said] == [f"project {name}" for name in lost]
        assert all(message.endswith("/entities/versions: answers with status 500") for message in said)


async def test_only_playlists_that_miss_a_version_are_unread() -> None:
    site = Site(
        projects=[ALPHA],
        playlists=[playlist(1, ALPHA, "a", *range(500)), playlist(2, ALPHA, "b", 499, 500), playlist(3, ALPHA, "c")],
        clips=[clip(number, "s") for number in range(501)],
    )
    site.fault(lambda asked: asked.params.get("filter[0][id[$in]]") == "500", answering(500))
    async with opened(site) as part:
        review = (await part.read(NOW)).value.review
    assert review.playlists == {"alpha": Playlists(2, 500, 1, 500.0)}
    assert review.unread == {"alpha": 1}
    assert sum(map(is_by_id, site.asked)) == 2


# the rules of playlists
async def reviewed(*playlists: dict[str, Any], clips: tuple[dict[str, Any], ...] = ()) -> Playlists | None:
    async with opened(Site(projects=[ALPHA], playlists=list(playlists), clips=list(clips))) as part:
        found: Playlists | None = (await part.read(NOW)).value.review.playlists["alpha"]
        return found


async def test_a_shot_counts_once_in_each_of_its_playlists() -> None:
    clips = (clip(1, "s1"), clip(2, "s1"), clip(3, "s2"))
    found = await reviewed(playlist(1, ALPHA, "a", 1, 2, 3), playlist(2, ALPHA, "b", 1), clips=clips)
    assert found == Playlists(2, 4, 3, 4.0)


async def test_a_playlist_whose_name_is_not_its_code_is_read() -> None:
    assert await reviewed(playlist(1, ALPHA, "code", 1, name="name"), clips=(clip(1, "s"),)) == Playlists(1, 1, 1, 1.0)


async def test_of_playlists_of_one_name_that_with_the_code_counts() -> None:
    one, two = playlist(1, ALPHA, "other", 1, 2, name="x"), playlist(2, ALPHA, "x", 1)
    clips = (clip(1, "s"), clip(2, "s"))
    assert await reviewed(one, two, clips=clips) == await reviewed(two, one, clips=clips) == Playlists(1, 1, 1, 1.0)


async def test_a_playlist_without_a_name_is_skipped() -> None:
    site = Site(projects=[ALPHA], playlists=[playlist(1, ALPHA, ""), playlist(2, ALPHA, "b")])
    async with opened(site) as part:
        taken = await part.read(NOW)
    assert taken.value.review.playlists["alpha"] == Playlists(1)
    assert taken.skipped == {"missing": 1}


async def test_versions_of_a_playlist_that_are_gone_are_no_clips() -> None:
    assert await reviewed(playlist(1, ALPHA, "a", 1, 99), clips=(clip(1, "s"),)) == Playlists(1, 1, 1, 1.0)


async def test_playlists_of_projects_that_are_not_listed_are_left_out() -> None:
    strange = playlist(1, project(9, "strange"), "a")
    del strange["relationships"]["versions"]
    none = {**playlist(2, ALPHA, "b"), "relationships": {}}
    assert await reviewed(strange, none) == Playlists()


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({}, Clip("s", 1.0)),
        ({"sg_path_to_movie": None}, None),
        ({"sg_path_to_movie": ""}, None),
        ({"sg_path_to_movie": None, "sg_uploaded_movie": {"url": "u"}}, Clip("s", 1.0)),
        ({"sg_path_to_movie": None, "sg_uploaded_movie": {"local_path": "p"}}, Clip("s", 1.0)),
        ({"sg_path_to_movie": None, "sg_uploaded_movie": {"name": "n"}}, None),
        ({"sg_path_to_movie": None, "sg_path_to_frames": "/f.%04d.exr"}, Clip("s", 1.0)),
        ({"sg_uploaded_movie_frame_count": 48, "sg_uploaded_movie_frame_rate": 12}, Clip("s", 4.0)),
        ({"sg_uploaded_movie_frame_rate": 0}, Clip("s", 0.0)),
        ({"sg_uploaded_movie_frame_rate": None}, Clip("s", 0.0)),
        ({"sg_uploaded_movie_frame_count": None}, Clip("s", 0.0)),
        ({"sg_uploaded_movie_frame_count": "48"}, Clip("s", 0.0)),
        ({"sg_uploaded_movie_frame_count": -48}, Clip("s", 0.0)),
        ({"sg_uploaded_movie_frame_count": True}, Clip("s", 0.0)),
        ({"entity": {"code": "other"}}, Clip("other", 1.0)),
        ({"entity": {}}, Clip("c7", 1.0)),
        ({"entity": None}, Clip("c7", 1.0)),
    ],
)
def test_what_is_a_clip(attributes: dict[str, Any], found: Clip | None) -> None:
    whole = {"code": "c7", "entity": {"name": "s"}, **clip(7, "s")["attributes"], **attributes}
    assert playable(Row(7, whole)) == found
