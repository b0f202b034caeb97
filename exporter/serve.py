"""Everything at once: the listeners, the loops, and what signals do to them."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

from exporter import __version__
from exporter.app import App
from exporter.catalogue import CATALOGUE
from exporter.runtime.clock import Clock
from exporter.web.server import Address, Served, application, serving

log = logging.getLogger(__name__)


def shown(app: App, clock: Clock, lifecycle: bool) -> Served:
    """What the listeners read of a running app."""
    reloading = app.reload if lifecycle else None
    return Served(app.board, app.traffic, clock, app.traffic.opened, CATALOGUE, lambda: app.reloaded, reloading)


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

    running = loop.create_task(app.run())
    running.add_done_callback(lambda _: stopped.set())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        async with serving(application(served), addresses) as urls:
            log.info("studio-exporter %s listens on %s", __version__, ", ".join(urls))
            for url in urls:
                ready(url)
            await stopped.wait()
            log.info("stopping")
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
