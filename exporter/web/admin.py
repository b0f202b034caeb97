"""The routes for machines and their keepers: /-/healthy, /-/ready and /-/reload."""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from exporter.runtime.board import Board

Reloading = Callable[[], Awaitable[str | None]]
"""Loads the configuration anew; gives what is wrong with it (no secrets), None when it is in force."""


def routes(board: Board, reloading: Reloading | None) -> Iterable[web.AbstractRouteDef]:
    """`reloading` is None where the lifecycle routes are not enabled."""

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="studio-exporter is healthy.\n")

    async def ready(_: web.Request) -> web.Response:
        if board.ready:
            return web.Response(text="studio-exporter is ready.\n")
        outstanding, parts = untried(board)
        return web.Response(status=503, text=f"not ready: {outstanding} of {parts} parts have not been read yet.\n")

    async def reload(_: web.Request) -> web.Response:
        if reloading is None:
            raise web.HTTPForbidden(text="Reloading over HTTP is off; --web.enable-lifecycle turns it on.\n")
        if problem := await reloading():
            text = f"The configuration was not loaded; the one before stays in force.\n{problem}\n"
            return web.Response(status=500, body=text.encode("utf-8", "replace"), content_type="text/plain")
        return web.Response(text="The configuration was loaded.\n")

    return [
        web.get("/-/healthy", healthy),
        web.get("/-/ready", ready),
        web.post("/-/reload", reload),
        web.put("/-/reload", reload),
    ]


def untried(board: Board) -> tuple[int, int]:
    """How many parts have not been tried once, and how many there are."""
    standings = [standing for source in board.sources for standing in board.facts(source.name).standings]
    return sum(not standing.tried for standing in standings), len(standings)
