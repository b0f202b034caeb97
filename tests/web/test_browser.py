"""The pages in a real browser: they fit, they can be read, they keep themselves up to date, and nothing gets in."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from exporter.core.address import address
from exporter.web.server import application, serving
from tests.web.browser import Browser, browsing
from tests.web.examples import NASTY, every_state, everything

FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
FAINT = """
(() => {
  const rgb = color => color.match(/[0-9.]+/g).map(Number);
  const light = color => {
    const [r, g, b] = rgb(color).map(x => x / 255).map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const paper = at => {
    while (at && rgb(getComputedStyle(at).backgroundColor)[3] === 0) at = at.parentElement;
    return getComputedStyle(at || document.body).backgroundColor;
  };
  const told = [...document.querySelectorAll("body *")].filter(at =>
    at.offsetParent && [...at.childNodes].some(child => child.nodeType === 3 && child.nodeValue.trim()));
  return told.map(at => {
    const [a, b] = [light(getComputedStyle(at).color), light(paper(at))];
    return [at.textContent, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)];
  }).filter(([, contrast]) => contrast < 4.5);
})()
"""
"""The texts whose contrast with what they stand on is less than WCAG 2.2 asks for (1.4.3, AA)."""


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with browsing(tmp_path) as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_fit_and_can_be_read(browser: Browser, scheme: str) -> None:
    made = every_state()
    for app, path in (
        (application(made.served()), "/catalogue"),
        (everything(made), "/"),
        (everything(made), FILTERED),
    ):
        async with serving(app, [address("127.0.0.1:0")]) as urls:
            for width in (320, 390, 800, 1090, 1280):
                await browser.open(urls[0] + path, width, scheme)
                assert await browser.run(FITS)
                assert await browser.run(FAINT) == []
    dark = await browser.run("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0] < 128")
    assert dark is (scheme == "dark")
    assert browser.complaints == []


async def test_what_a_source_says_stays_text(browser: Browser) -> None:
    async with serving(application(every_state().served()), [address("127.0.0.1:0")]) as urls:
        await browser.open(f"{urls[0]}/")
        assert NASTY[:60] in await browser.run("document.querySelector('.message').textContent")
        assert await browser.run("window.owned === undefined && document.images.length === 0")
    assert browser.complaints == []


FILTERED = "/?find=vfx&state=well&state=bad"
REFRESH = "document.dispatchEvent(new Event('visibilitychange'))"  # as when its tab is looked at again


async def test_the_page_brings_itself_up_to_date_under_the_reader_s_eyes(browser: Browser) -> None:
    made = every_state()
    async with serving(application(made.served()), [address("127.0.0.1:0")]) as urls:
        await browser.open(f"{urls[0]}/")
        await browser.run("document.querySelector('#source-vfx a').focus(); window.before = document.activeElement")
        made.pass_time(20)
        made.fail("vfx", "missing", "it is gone", part="ingest")
        made.add("another")
        await browser.run(REFRESH)
        await browser.until("document.body.textContent.includes('it is gone')")
        assert await browser.run("document.activeElement === before && before.isConnected")
        assert (await browser.run("document.title")).startswith("Of 9 parts: 2 failing")
        assert await browser.run("document.querySelector('#source-another') !== null")
    assert browser.complaints == []


async def test_the_page_says_that_it_is_old_when_nobody_answers(browser: Browser) -> None:
    made = every_state()
    shown = "!document.querySelector('.lost').hidden"
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(serving(application(made.served()), [address("127.0.0.1:0")]))
        await browser.open(f"{urls[0]}/")
        assert not await browser.run(shown)
        await stack.aclose()
        await browser.run(REFRESH)
        await browser.until(shown)
        assert "does not answer" in await browser.run("document.querySelector('.lost').textContent")
        again = address(urls[0].removeprefix("http://"))
        await stack.enter_async_context(serving(application(made.served()), [again]))
        await browser.run(REFRESH)
        await browser.until(f"!({shown})")


async def test_the_page_needs_no_scripts(browser: Browser) -> None:
    async with serving(application(every_state().served()), [address("127.0.0.1:0")]) as urls:
        await browser.call("Emulation.setScriptExecutionDisabled", value=True)
        await browser.call("Page.navigate", url=f"{urls[0]}/")
        await browser.until("document.readyState === 'complete' && document.querySelector('h1') !== null")
        assert "failing" in await browser.run("document.querySelector('h1').innerText")
        assert await browser.run("document.querySelectorAll('tbody').length") == 4
