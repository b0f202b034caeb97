"""A real browser without a window, driven over its DevTools protocol."""

import asyncio
import json
import os
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from tests.prometheus import needs_command

OPTIONS = (
    "--headless",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
)
DEADLINE = 30.0


class Left(Exception):
    """The page went away while it was asked."""


class Browser:
    """One tab. `complaints` are what its console said: errors of scripts, and what the content policy refused.
    `requests` are the addresses it has asked for."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._calls = 0
        self.complaints: list[str] = []
        self.requests: list[str] = []

    async def call(self, method: str, **params: Any) -> Any:
        """One command of the protocol, and its result."""
        self._calls += 1
        await self._socket.send_json({"id": self._calls, "method": method, "params": params})
        async with asyncio.timeout(DEADLINE):
            while True:
                message = await self._socket.receive_json()
                if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                    self.complaints.append(json.dumps(message["params"]))
                if message.get("method") == "Network.requestWillBeSent":
                    self.requests.append(message["params"]["request"]["url"])
                if message.get("id") == self._calls:
                    if "navigated" in message.get("error", {}).get("message", ""):
                        raise Left
                    assert "error" not in message, message
                    return message["result"]

    async def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        done = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    async def open(self, url: str, width: int = 1280, scheme: str = "light") -> None:
        """Goes to a page, as wide as this (CSS pixels), in the light or dark scheme."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await self.call("Page.navigate", url=url)
        await self.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    async def press(self, key: str, code: int, text: str = "") -> None:
        """A key of the keyboard, by its name and number (`Tab`, 9); `text` is what it writes."""
        pressed = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **pressed)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    async def write(self, text: str) -> None:
        """Text, as a keyboard writes it where the focus is."""
        for letter in text:
            await self.press(letter, ord(letter.upper()), letter)

    async def until(self, condition: str) -> None:
        """Waits until an expression in the page is true."""
        async with asyncio.timeout(DEADLINE):
            while not await self._looked(condition):
                pass  # every look is a turn of the browser's own loop

    async def _looked(self, condition: str) -> Any:
        with suppress(Left):  # it is on its way to another page
            return await self.run(condition)


@asynccontextmanager
async def browsing(home: Path) -> AsyncIterator[Browser]:
    """A browser with a fresh profile in this directory; the test is skipped where there is none."""
    command = needs_command("chromium")
    # what a first run looks up belongs to the test, too
    env = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}
    args = (*OPTIONS, f"--user-data-dir={home / 'profile'}", "about:blank")
    process = await asyncio.create_subprocess_exec(command, *args, env=env, stdout=DEVNULL, stderr=PIPE)
    try:
        port = await debugging_port(process)
        async with ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = await answer.json(content_type=None)
            tab = next(tab for tab in tabs if tab["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                browser = Browser(socket)
                for domain in ("Page", "Log", "Runtime", "Network"):
                    await browser.call(f"{domain}.enable")
                yield browser
    finally:
        process.terminate()
        await process.communicate()


async def debugging_port(process: asyncio.subprocess.Process) -> int:
    """Where the browser listens, which it says on its standard error."""
    assert process.stderr
    async with asyncio.timeout(DEADLINE):
        async for line in process.stderr:
            if b"DevTools listening on ws://" in line:
                return int(line.split(b"://")[1].split(b"/")[0].rpartition(b":")[2])
    raise AssertionError("the browser ended before it listened")
