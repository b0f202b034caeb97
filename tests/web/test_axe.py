"""axe-core finds no barrier on the pages, in any state, width and scheme."""

import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
from aiohttp import web

from exporter.core.address import address
from exporter.web.server import application, serving
from exporter.web.work import Worked
from tests.fakes import START, things
from tests.web.browser import Browser, browsing
from tests.web.examples import CATALOGUE, NOTES, Example, every_state, everything

AXE = Path(__file__).parent / "axe/node_modules/axe-core/axe.min.js"
FINDINGS = """
axe.run(document, {resultTypes: ["violations"]}).then(({violations, passes}) => ({
  passes: passes.length,
  violations: violations.map(({id, impact, help, nodes}) => [impact, id, help, nodes.map(({html}) => html)]),
}))
"""


def needs_axe() -> str:
    """The script; the test is skipped where it is not installed, and fails where everything must be."""
    if AXE.is_file():
        return AXE.read_text(encoding="utf-8")
    message = "axe-core is not installed: npm ci --prefix tests/web/axe"
    if os.environ.get("STUDIO_REQUIRE_SERVICES") == "1":
        pytest.fail(message)
    pytest.skip(message)


def well() -> web.Application:
    made = Example()
    for name in ("vfx", "decoys"):
        made.add(name, "ingest", "database")
        for part in ("ingest", "database"):
            made.read(name, things(a=1), part=part)
    return everything(made, notes=())


def many() -> web.Application:
    """Twenty sources, of which a third fail, and one with a thousand lanes."""
    made = Example()
    for i in range(20):
        made.add(f"show-{i}", "ingest", "render")
        made.read(f"show-{i}", things(a=1), part="ingest")
        if i % 3 == 0:
            made.fail(f"show-{i}", "unreachable", "nobody answers", part="render")
    return everything(made, [Worked("show-1", "ingest", f"lane-{i}", i, 0, 0, START) for i in range(1000)], NOTES)


PAGES: Mapping[str, tuple[Callable[[], web.Application], str]] = {
    "no sources": (lambda: application(Example().served()), "/"),
    "all well": (well, "/"),
    "every state": (lambda: everything(every_state()), "/"),
    "filtered": (lambda: everything(every_state()), "/?find=vfx&state=well"),
    "nothing left by the filter": (lambda: everything(every_state()), "/?find=nowhere"),
    "many sources": (many, "/"),
    "catalogue": (lambda: application(Example().served(catalogue=CATALOGUE)), "/catalogue"),
}


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with browsing(tmp_path) as found:
        yield found


async def barriers(browser: Browser, axe: str) -> list[str]:
    """What axe-core finds on the page that is open."""
    await browser.run(f"{axe}; null")
    found = await browser.run(FINDINGS)
    assert found["passes"] > 10
    return [json.dumps(each, indent=1) for each in found["violations"]]


@pytest.mark.parametrize("page", PAGES)
async def test_no_barriers(browser: Browser, page: str) -> None:
    axe = needs_axe()
    made, path = PAGES[page]
    async with serving(made(), [address("127.0.0.1:0")]) as urls:
        for width in (390, 1280):
            for scheme in ("light", "dark"):
                await browser.open(urls[0] + path, width, scheme)
                assert await barriers(browser, axe) == [], f"{width} px, {scheme}"
    assert browser.complaints == []


async def test_a_barrier_is_found(browser: Browser) -> None:
    axe = needs_axe()
    async with serving(well(), [address("127.0.0.1:0")]) as urls:
        await browser.open(f"{urls[0]}/")
        await browser.run("document.querySelector('.find').replaceWith(document.querySelector('input[name=find]'))")
        assert "label" in "".join(await barriers(browser, axe))
