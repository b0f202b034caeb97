"""Everything at once: the listeners, the loops, and what signals do to them."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

from exporter import __version__
from exporter.app import App
from exporter.catalogue import CATALOGUE
from exporter.config import Config
from exporter.core.address import Address
from exporter.notes import notes, works
from exporter.runtime.clock import Clock
from exporter.web.faces import MAIN
from exporter.web.listeners import Listeners, beside
from exporter.web.server import Served, application, serving

log = logging.getLogger(__name__)


def shown(app: App, clock: Clock, lifecycle: bool) -> Served:
    """What the listeners read of a running app."""
    reloading = app.reload if lifecycle else None
    return Served(
        app.board,
        app.traffic,
        clock,
        app.traffic.opened,
        CATALOGUE,
        lambda: app.reloaded,
        reloading,
        lambda: works(app),
        lambda: notes(app),
        app.faces,
        app.due,
        gate=app.gate,
    )


async def serve(app: App, served: Served, addresses: Sequence[Address], ready: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT; SIGHUP reloads. `ready` is told the URLs, one at a time, when they answer.

    Raises ConfigError where it cannot listen, and whatever ended the app. It stops listening before it stops reading:
    a scrape must not find a page without its sources.
    """
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    reloads: set[asyncio.Task[str | None]] = set()

    def reload() -> None:
        task = loop.create_task(app.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    running: asyncio.Task[None] | None = None
    try:
        turned, main = partial(served.traffic.turn, MAIN), application(served)
        async with (
            beside(served) as listeners,
            serving(main, addresses, gate=served.gate, turned=turned) as urls,
        ):
            app.listening = reached(listeners)
            await app.listen()
            running = loop.create_task(app.run())
            running.add_done_callback(lambda _: stopped.set())
            log.info("studio-exporter %s listens on %s", __version__, ", ".join(urls))
            for url in urls:
                ready(url)
            await stopped.wait()
            log.info("stopping")
    finally:
        if running is not None:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def reached(listeners: Listeners) -> Callable[[Config], Awaitable[None]]:
    """Has the sources of a configuration reached at the addresses that it gives them."""

    async def change(config: Config) -> None:
        await listeners.change({source.name: source.api for source in config.sources})

    return change
