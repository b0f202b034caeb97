"""Pictures of the pages as the demo shows them, for a look at them: `python -m tests.web.pictures DIRECTORY`."""

import asyncio
import base64
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.command import command
from tests.web.browser import Browser, browsing

WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")


async def picture(browser: Browser) -> bytes:
    """The whole page as it stands, as PNG."""
    shot = await browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
    return base64.b64decode(shot["data"])


async def pictures(home: Path) -> AsyncGenerator[tuple[str, bytes], None]:
    """Every page in every width and scheme, by what it is called: `status-1280-dark.png` and so on."""
    studio = home / "studio"
    async with command("demo", "--keep", studio, cwd=home) as demo, browsing(home) as browser:

        async def seen(name: str, path: str) -> AsyncGenerator[tuple[str, bytes], None]:
            for width, scheme in product(WIDTHS, SCHEMES):
                await browser.open(demo.url + path, width, scheme)
                yield f"{name}-{width}-{scheme}.png", await picture(browser)

        await demo.listening()
        await browser.call("Emulation.setScrollbarsHidden", hidden=True)
        await browser.open(f"{demo.url}/")
        await browser.until("document.title.startsWith('All is read well')")
        for name, path in {"status": "/", "catalogue": "/catalogue"}.items():
            async for each in seen(name, path):
                yield each
        (studio / "reconcile.json").rename(home / "reconcile.json")
        await browser.open(f"{demo.url}/")
        await browser.until("document.title.startsWith('Of')")
        for name, path in {"trouble": "/", "filtered": "/?find=vfx&state=bad"}.items():
            async for each in seen(name, path):
                yield each
        demo.process.terminate()
        await demo.ended()


async def main(directory: Path) -> None:
    with TemporaryDirectory() as home:
        async with aclosing(pictures(Path(home))) as taken:
            async for name, png in taken:
                await asyncio.to_thread((directory / name).write_bytes, png)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1])))
