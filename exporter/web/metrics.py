"""GET /metrics: the page of the board that the request asks for, in the format and coding it likes best."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from exporter.runtime.board import Board
from exporter.runtime.exposition import Page
from exporter.web.negotiate import format_of, gzip_accepted, json_preferred

INLINE = 256 * 1024
"""Bytes compressed at once on the event loop (some 2 ms); more go to a thread."""

MOST_SOURCES = 256


class Pages:
    """The pages of a board, in the format and coding that a request likes best."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._packing = {whole: asyncio.Lock() for whole in (True, False)}  # odd parts keep no whole page waiting

    async def answer(self, request: web.Request, only: frozenset[str] | None) -> web.Response:
        """The page of some sources, or of all for None."""
        page = self._board.page(format_of(listed(request, "Accept")), only)
        headers = {"Content-Type": page.form.value, "Vary": "Accept, Accept-Encoding"}
        if not gzip_accepted(listed(request, "Accept-Encoding")):
            return web.Response(body=page.body, headers=headers)
        body = await packed(page, self._packing[only is None])
        return web.Response(body=body, headers={**headers, "Content-Encoding": "gzip"})


Legacy = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""The answer of the one system replaced that had JSON of its own at this path; None where it is not meant."""


def routes(board: Board, pages: Pages, legacy: Legacy) -> Iterable[web.AbstractRouteDef]:
    async def metrics(request: web.Request) -> web.StreamResponse:
        if json_preferred(listed(request, "Accept")) and (found := await legacy(request)) is not None:
            return found
        return await pages.answer(request, chosen(board, request.query.getall("source", [])))

    return [web.get("/metrics", metrics)]


def listed(request: web.Request, name: str) -> str:
    """A header that is a list, whole however many lines it came on (RFC 9110, 5.3)."""
    return ", ".join(request.headers.getall(name, []))


def chosen(board: Board, names: list[str]) -> frozenset[str] | None:
    """The sources named by the request, None for all.

    A name that is no source is an error (404), so that a typo or a source that is gone shows as `up 0` in Prometheus,
    where an empty page would look well. The name is not repeated: it is the caller's text.
    """
    if not names:
        return None
    if len(names) > MOST_SOURCES:
        raise web.HTTPBadRequest(text=f"at most {MOST_SOURCES} source parameters\n")
    if set(names) - {source.name for source in board.sources}:
        raise web.HTTPNotFound(text="not all of the sources asked for exist; the page / lists those that do\n")
    return frozenset(names)


async def packed(page: Page, packing: asyncio.Lock) -> bytes:
    """The page as gzip; of many who wait for a large one that changed, one compresses it."""
    if page.cold <= INLINE:
        return page.gzip
    async with packing:
        return page.gzip if page.cold <= INLINE else await asyncio.to_thread(lambda: page.gzip)
