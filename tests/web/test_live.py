"""The status page as somebody uses it: it filters by the keyboard, follows what happens, and asks nobody else."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from exporter.core.address import address
from exporter.web.server import serving
from tests.command import command
from tests.fakes import things
from tests.web.browser import Browser, browsing
from tests.web.examples import Example, every_state, everything

GOLDEN = Path(__file__).parent.parent / "golden"
ANYWHERE = [address("127.0.0.1:0")]
REFRESH = "document.dispatchEvent(new Event('visibilitychange'))"  # as when its tab is looked at again
HASTY = "const every = setInterval; window.setInterval = (what, pause) => every(what, pause / 50)"
SHOWN = "[...document.querySelectorAll('#parts tbody')].map(body => body.id.replace('source-', ''))"
FOCUS = "document.activeElement.name || document.activeElement.textContent"
CHOSEN = "[...document.querySelectorAll('#filter :checked')].map(box => box.value)"


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser; at the end its console has complained of nothing."""
    async with browsing(tmp_path) as found:
        yield found
        assert found.complaints == []


async def shown(browser: Browser, *sources: str) -> None:
    """Waits until the table has these sources."""
    await browser.until(f"String({SHOWN}) === {json.dumps(','.join(sources))}")


# the filter


async def test_the_filter_works_by_keyboard_and_stays_through_a_refresh(browser: Browser) -> None:
    made = every_state()
    async with serving(everything(made), ANYWHERE) as urls:
        await browser.open(f"{urls[0]}/")
        while await browser.run(FOCUS) != "find":
            await browser.press("Tab", 9)
        await browser.run("window.before = document.activeElement")
        await browser.write("decnet ingest")
        await shown(browser, "decoys", "new")
        await browser.until("location.search === '?find=decnet+ingest'")
        assert await browser.run("document.querySelector('#found [role=status]').textContent") == "2 of 8 parts shown"
        await browser.press("ArrowLeft", 37)
        made.pass_time(60)
        made.add("third", "ingest", kind="decnet")
        await browser.run(REFRESH)
        await shown(browser, "decoys", "new", "third")
        assert await browser.run("document.activeElement === before && before.isConnected")
        assert await browser.run("[before.value, before.selectionStart]") == ["decnet ingest", 12]
        for _ in range(3):
            await browser.press("Tab", 9)
        await browser.press(" ", 32, " ")
        await shown(browser, "new", "third")
        assert await browser.run("location.search") == "?find=decnet+ingest&state=new"
        assert await browser.run(FOCUS) == "state"
        await browser.press(" ", 32, " ")
        await shown(browser, "decoys", "new", "third")


async def test_enter_in_the_filter_leads_nowhere(browser: Browser) -> None:
    async with serving(everything(every_state()), ANYWHERE) as urls:
        await browser.open(f"{urls[0]}/")
        await browser.run("document.querySelector('[name=find]').focus(); window.here = true")
        await browser.write("vfx")
        await browser.press("Enter", 13, "\r")
        await shown(browser, "vfx")
        assert await browser.run("window.here")


async def test_an_address_with_a_filter_can_be_shared_and_be_left(browser: Browser) -> None:
    async with serving(everything(every_state()), ANYWHERE) as urls:
        await browser.open(f"{urls[0]}/?find=ingest&state=old&state=well")
        await shown(browser, "vfx", "publishing", "decoys")
        assert await browser.run("document.querySelector('[name=find]').value") == "ingest"
        assert await browser.run(CHOSEN) == ["old", "well"]
        await browser.run(REFRESH)
        await browser.run("[...document.querySelectorAll('#found a')].find(a => a.textContent === 'Show all').click()")
        await shown(browser, "vfx", "publishing", "decoys", "new")
        assert await browser.run("location.search") == ""


async def test_what_needs_attention_is_reached_though_it_is_filtered_away(browser: Browser) -> None:
    async with serving(everything(every_state()), ANYWHERE) as urls:
        await browser.open(f"{urls[0]}/?find=vfx")
        await browser.run("[...document.querySelectorAll('.verdict a')].find(a => /publishing/.test(a.text)).click()")
        await browser.until("document.querySelector('tbody:target')?.id === 'source-publishing'")


HOLD = """
const real = fetch;
window.held = [];
window.fetch = (...asked) => new Promise(done => held.push(async () => {
  const answer = await real(...asked);
  const text = await answer.text();
  done({ok: true, text: async () => text});
  await new Promise(turn => setTimeout(turn));
}));
document.querySelector("[name=find]").focus();
"""
"""Answers come when they are let."""


async def test_only_the_last_of_several_answers_counts(browser: Browser) -> None:
    async with serving(everything(every_state()), ANYWHERE) as urls:
        await browser.open(f"{urls[0]}/")
        await browser.run(HOLD)
        await browser.write("vx")
        await browser.press("Backspace", 8)
        assert await browser.run("held.length") == 3
        for i in (2, 1, 0):
            await browser.run(f"held[{i}]()")
            assert await browser.run(SHOWN) == ["vfx"]
        assert await browser.run("location.search") == "?find=v"


async def test_without_scripts_the_address_filters_and_the_form_is_not_there(browser: Browser) -> None:
    async with serving(everything(every_state()), ANYWHERE) as urls:
        await browser.call("Emulation.setScriptExecutionDisabled", value=True)
        await browser.call("Page.navigate", url=f"{urls[0]}/?find=vfx")
        await browser.until("document.readyState === 'complete' && document.querySelector('#found') !== null")
        await shown(browser, "vfx")
        assert await browser.run("getComputedStyle(document.querySelector('#filter')).display") == "none"
        assert await browser.run("document.querySelector('#found').innerText") == "2 of 8 parts shown Show all"


# its own refresh


def three() -> tuple[Example, web.Application]:
    made = Example()
    for name in ("one", "two", "three"):
        made.add(name)
        made.fail(name, "missing", f"{name}.json: no such file")
    return made, everything(made)


WATCH = """
window.changes = [];
new MutationObserver(found => changes.push(...found.map(({type}) => type)))
  .observe(document.querySelector("main"), {subtree: true, childList: true, attributes: true, characterData: true});
"""


async def refreshed(browser: Browser) -> None:
    """Waits until the page has brought itself up to date once more."""
    await browser.run(f"window.known = performance.getEntriesByType('resource').length; {REFRESH}")
    await browser.until("performance.getEntriesByType('resource').length > known")
    await browser.run("new Promise(done => setTimeout(done))")


async def test_a_refresh_touches_nothing_but_what_has_changed(browser: Browser) -> None:
    made, app = three()
    async with serving(app, ANYWHERE) as urls:
        await browser.open(f"{urls[0]}/")
        await browser.run(WATCH)
        await refreshed(browser)
        assert await browser.run("changes") == []
        made.pass_time(5)
        await browser.run(REFRESH)
        await browser.until("changes.length > 0")
        assert set(await browser.run("changes")) <= {"characterData", "attributes"}


async def test_columns_stay_where_they_are_when_times_change(browser: Browser) -> None:
    made = Example()
    made.add("vfx")
    columns = "[...document.querySelectorAll('#parts thead th')].map(head => head.offsetLeft)"
    async with serving(everything(made), ANYWHERE) as urls:
        await browser.open(f"{urls[0]}/")
        before = await browser.run(columns)
        for seconds, age in ((0.0001, 0), (0.043, 14), (9.9, 3599)):
            made.read("vfx", things(a=1), seconds=seconds)
            made.time.advance(age)
            await refreshed(browser)
            assert await browser.run(columns) == before
        assert "59 min ago" in await browser.run("document.querySelector('#parts').innerText")


async def test_selection_and_focus_stay_where_they_are_when_sources_come_and_go(browser: Browser) -> None:
    made, app = three()
    async with serving(app, ANYWHERE) as urls:
        await browser.open(f"{urls[0]}/")
        await browser.run("document.querySelector('#source-three a').focus(); window.before = document.activeElement")
        await browser.run("getSelection().selectAllChildren(document.querySelector('#source-three .message'))")
        made.board.drop("one")
        made.add("four")
        await browser.run(REFRESH)
        await shown(browser, "two", "three", "four")
        made.board.drop("two")
        await browser.run(REFRESH)
        await shown(browser, "three", "four")
        assert await browser.run("document.activeElement === before && before.isConnected")
        assert await browser.run("String(getSelection())") == "missing three.json: no such file"


async def test_ages_move_by_themselves(browser: Browser) -> None:
    made = Example()
    made.add("vfx")
    made.read("vfx", things(a=1))
    await browser.call("Page.addScriptToEvaluateOnNewDocument", source=HASTY)
    async with serving(everything(made), ANYWHERE) as urls:
        await browser.open(f"{urls[0]}/")
        for seconds, age in ((0, "0 s ago"), (7, "7 s ago"), (60, "1 min ago")):
            made.pass_time(seconds)
            await browser.until(f"document.querySelector('[data-label=\"Last success\"]').innerText === '{age}'")
        made.pass_time(300)
        await browser.until("document.querySelector('.state').innerText.includes('too old to show')")


# the real command


async def test_a_source_that_breaks_and_is_mended_is_seen_without_a_reload(browser: Browser, tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.json"
    shutil.copy(GOLDEN / "trafalgar/inputs/render_jobs.normal.json", jobs)
    config = (
        "refresh: {interval: 200ms, timeout: 2s}\nsources: [{name: farm, kind: trafalgar, render_jobs: jobs.json}]\n"
    )
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    await browser.call("Page.addScriptToEvaluateOnNewDocument", source=HASTY)
    async with command(cwd=tmp_path) as exporter:
        await exporter.listening()
        await browser.open(f"{exporter.url}/")
        await browser.run("window.here = true")
        await browser.until("document.title.startsWith('All is read well: 1 source, 1 part')")
        jobs.rename(tmp_path / "elsewhere.json")
        await browser.until("document.title.startsWith('Of 1 part: 1 failing, since')")
        assert "farm / render: failing since" in await browser.run("document.querySelector('.verdict').innerText")
        assert "missing" in await browser.run("document.querySelector('.message').innerText")
        (tmp_path / "elsewhere.json").rename(jobs)
        await browser.until("document.title.startsWith('All is read well')")
        assert await browser.run("window.here && document.querySelector('.message') === null")
        await browser.open(f"{exporter.url}/catalogue")
    elsewhere = [url for url in browser.requests if not url.startswith((exporter.url, "data:"))]
    assert elsewhere == []
    assert len(browser.requests) > 3
