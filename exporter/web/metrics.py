"""GET /metrics: the page of the board that the request asks for, in the format and coding it likes best."""

import asyncio
from collections.abc import Iterable

from aiohttp import web

from exporter.runtime.board import Board
from exporter.runtime.exposition import Page
from exporter.web.negotiate import format_of, gzip_accepted

INLINE = 256 * 1024
"""Bytes compressed at once on the event loop (some 2 ms); more go to a thread."""

MOST_SOURCES = 256


def routes(board: Board) -> Iterable[web.AbstractRouteDef]:
    packing = {whole: asyncio.Lock() for whole in (True, False)}  # who asks for odd parts keeps no whole page waiting

    async def metrics(request: web.Request) -> web.Response:
        only = chosen(board, request.query.getall("source", []))
        page = board.page(format_of(listed(request, "Accept")), only)
        headers = {"Content-Type": page.form.value, "Vary": "Accept, Accept-Encoding"}
        if not gzip_accepted(listed(request, "Accept-Encoding")):
            return web.Response(body=page.body, headers=headers)
        body = await packed(page, packing[only is None])
        return web.Response(body=body, headers={**headers, "Content-Encoding": "gzip"})

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
