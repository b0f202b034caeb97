"""Cross-origin requests: which pages of others may read an Api, and what their browsers are told."""

from collections.abc import Mapping

from aiohttp import web

from exporter.core.api import Access

METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"


def allowed(access: Access, request: web.Request) -> Mapping[str, str]:
    """The headers that let a page of the request's origin read the answer; empty where no page of others may."""
    origin = request.headers.get("Origin")
    if origin is None:
        return {"Access-Control-Allow-Origin": "*"} if "*" in access.cors else {}
    if "*" in access.cors or origin in access.cors:
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    return {"Vary": "Origin"} if access.cors else {}


def asking(request: web.Request) -> bool:
    """Whether a browser asks what it may send, before it does; such a request never has a token."""
    wanted = "Origin" in request.headers and "Access-Control-Request-Method" in request.headers
    return request.method == "OPTIONS" and wanted


def granted(request: web.Request) -> Mapping[str, str]:
    """What a browser may send."""
    headers = request.headers.get("Access-Control-Request-Headers")
    return {"Access-Control-Allow-Methods": METHODS, **({"Access-Control-Allow-Headers": headers} if headers else {})}
