"""The soak itself, for half a minute: `python -m tests.soak` is the same for longer."""

from pathlib import Path

from tests.soak.report import report
from tests.soak.run import soak
from tests.soak.stage import Plan


async def test_the_page_is_what_the_studio_did_and_fire_shows_and_clears(tmp_path: Path) -> None:
    found = await soak(tmp_path, Plan(seconds=0.0, lives=2.0, troubles=3, interval=0.4, scrape="2s"))
    told = report(found)
    assert found.problems == [], told
    assert (found.counted, len(found.seen)) == (3, 3)
    assert found.compared > 500
    assert found.scrapes > 0
    assert "0 problems" in told
