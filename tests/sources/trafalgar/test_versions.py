"""Versions: each rule, counts that keep up, and reads that ask only for what changed."""

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from exporter.core.errors import Unreachable
from exporter.domains.production import Production
from exporter.inputs.shotgrid import Row
from exporter.sources.trafalgar.versions import FULL, SHARE, Tally, Version, status
from tests.shotgrid_server import (
    Site,
    version,
)
from tests.shotgrid_server import status as answering
from tests.sources.trafalgar.files import NOW
from tests.sources.trafalgar.site import ALPHA, BETA, LATER, STAMP, counted, is_listing, opened, small


# the rules of versions
@pytest.mark.parametrize(
    ("word", "canonical"),
    [
        ("apr", "approved"),
        ("Approved", "approved"),
        ("pub", "published"),
        ("Final", "published"),
        ("finalised", "published"),
        ("fin", "fin"),
        ("WTG", "wtg"),
        ("", "unknown"),
        (None, "unknown"),
        (7, "unknown"),
    ],
)
def test_the_canonical_status(word: object, canonical: str) -> None:
    assert status(Row(1, {"sg_status_list": word})) == canonical


async def test_a_version_of_an_asset_is_of_no_shot_and_one_of_no_project_is_of_the_unknown_one() -> None:
    asset = version(1, ALPHA, "chair", "rev", STAMP)
    asset["relationships"]["entity"]["data"]["type"] = "Asset"
    async with opened(Site(projects=[ALPHA], versions=[asset, version(2, None, "s", "rev", STAMP)])) as part:
        found = (await part.read(NOW)).value.production
    assert found == Production({"alpha": 0}, {("alpha", "rev"): 1, ("unknown", "rev"): 1})


NAMES, SHOTS = st.sampled_from(["", "a", "b"]), st.sampled_from(["", "s", "t"])
OPERATIONS = st.tuples(st.integers(0, 5), st.none() | st.builds(Version, NAMES, SHOTS, st.sampled_from("xy")))


@for_all(st.lists(OPERATIONS))
def test_the_counts_keep_up_with_whatever_comes_and_goes(operations: list[tuple[int, Version | None]]) -> None:
    tally, rows = Tally(), dict[int, Version]()
    for id_, found in operations:
        if found is None:
            tally.drop(id_)
            rows.pop(id_, None)
        else:
            tally.put(id_, found)
            rows[id_] = found
    versions = dict[tuple[str, str], int]()
    for one in rows.values():
        key = (one.project or "unknown", one.status)
        versions[key] = versions.get(key, 0) + 1
    names = {one.project for one in rows.values() if one.project}
    shots = {name: len({one.shot for one in rows.values() if one.project == name and one.shot}) for name in names}
    assert tally.rows == rows
    assert tally.projects() == names
    assert tally.facts() == Production(shots, versions)


# keeping versions up to date
def asked_since(site: Site) -> list[str]:
    return [since for asked in site.asked if (since := asked.params.get("filter[0][updated_at[$gte]]"))]


async def test_after_the_first_read_only_what_changed_is_asked_for_with_an_overlap() -> None:
    site = small()
    async with opened(site) as part:
        await part.read(NOW)
        assert asked_since(site) == []
        site.versions[1] = version(2, ALPHA, "s2", "apr", LATER)
        site.versions.append(version(4, BETA, "s4", "wtg", LATER))
        found = counted(await part.read(NOW + 60))
        assert asked_since(site) == ["2026-05-11T07:55:00Z"]
        assert found == {("alpha", "approved"): 2, ("beta", "unknown"): 1, ("beta", "wtg"): 1}
        await part.read(NOW + 120)
        assert asked_since(site)[1:] == ["2026-05-11T08:54:30Z"]
        assert sum(map(is_listing, site.asked)) == 3


async def test_what_was_deleted_goes_with_the_next_full_read() -> None:
    site = small()
    async with opened(site) as part:
        await part.read(NOW)
        del site.versions[2]
        assert len(counted(await part.read(NOW + FULL - 1))) == 3
        assert len(counted(await part.read(NOW + FULL))) == 2
        assert len(asked_since(site)) == 2
        await part.read(NOW + FULL + 60)
        assert sum(map(is_listing, site.asked)) == 1 + 1 + 2 + 1


async def test_a_full_read_of_many_pages_is_shared_among_reads() -> None:
    site = Site(projects=[ALPHA], most=1)
    site.versions = [version(number, ALPHA, "s", "wtg", STAMP) for number in range(SHARE + 5)]
    site.versions[0] = version(0, ALPHA, "s", "wtg", LATER)
    async with opened(site) as part:
        assert counted(await part.read(NOW)) == {("alpha", "wtg"): SHARE + 5}
        site.versions.pop()
        site.asked.clear()
        assert counted(await part.read(NOW + FULL)) == {("alpha", "wtg"): SHARE + 5}
        assert sum(map(is_listing, site.asked)) == 1 + SHARE
        assert counted(await part.read(NOW + FULL + 60)) == {("alpha", "wtg"): SHARE + 4}
        assert sum(map(is_listing, site.asked)) == 1 + SHARE + 1 + 4


async def test_a_first_read_that_is_given_up_goes_on_where_it_stopped() -> None:
    site = Site(projects=[ALPHA], most=1, versions=[version(n, ALPHA, "s", "wtg", STAMP) for n in range(4)])
    site.fault(lambda asked: is_listing(asked) and asked.params["page[number]"] == "3", answering(500), times=1)
    async with opened(site) as part:
        with pytest.raises(Unreachable):
            await part.read(NOW)
        assert counted(await part.read(NOW + 1)) == {("alpha", "wtg"): 4}
    assert [asked.params["page[number]"] for asked in site.asked if is_listing(asked)] == ["1", "2", "3", "3", "4"]


async def test_what_changed_while_the_first_read_was_interrupted_is_not_missed() -> None:
    site = small()
    site.most = 1
    site.fault(lambda asked: is_listing(asked) and asked.params["page[number]"] == "3", answering(500), times=1)
    async with opened(site) as part:
        with pytest.raises(Unreachable):
            await part.read(NOW)
        site.versions[0] = version(1, ALPHA, "s1", "pub", "2026-05-11T09:00:10+00:00")  # its page was read before
        site.versions[2] = version(3, BETA, "s1", None, "2026-05-11T10:00:00+00:00")
        await part.read(NOW + 2 * FULL)
        assert counted(await part.read(NOW + 2 * FULL + 60))["alpha", "published"] == 1


async def test_where_no_row_says_when_it_changed_every_read_is_a_full_one() -> None:
    site = Site(projects=[ALPHA], versions=[version(1, ALPHA, "s", "wtg", None)])
    async with opened(site) as part:
        await part.read(NOW)
        site.versions.clear()
        assert counted(await part.read(NOW + 60)) == {}
    assert asked_since(site) == []


async def test_a_change_in_the_future_does_not_hide_those_before_it() -> None:
    site = small()
    site.versions.append(version(4, BETA, "s", "wtg", "2030-01-01T00:00:00Z"))
    async with opened(site) as part:
        await part.read(NOW)
        site.versions[0] = version(1, ALPHA, "s1", "pub", LATER)
        assert counted(await part.read(NOW + 60))["alpha", "published"] == 1
