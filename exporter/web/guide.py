"""GET /api and /openapi.json: the Apis of the systems replaced, for people and for machines."""

from collections.abc import Iterable

from aiohttp import web

from exporter.core.api import Route, Stream
from exporter.runtime.hub import streams
from exporter.web.apis import Apis
from exporter.web.faces import Face
from exporter.web.frame import Frame
from exporter.web.markup import Html, join, tag
from exporter.web.openapi import routes


def guide_routes(frame: Frame, apis: Apis) -> Iterable[web.AbstractRouteDef]:
    """The page names sources, as the page of their status does; the document those whose token is sent."""

    async def show(request: web.Request) -> web.Response:
        origin = f"{request.scheme}://{request.host}"
        return frame.page("/api", "APIs · studio-exporter", guide([*apis.faces().values()], origin))

    async def described(request: web.Request) -> web.Response:
        body = apis.document([(face, f"/{face.source.name}") for face in apis.known(request)])
        return web.Response(body=body, content_type="application/json")

    return [web.get("/api", show), web.get("/openapi.json", described)]


def guide(faces: list[Face], origin: str) -> Html:
    """The paths of every source, with a command to copy for each."""
    links = [tag("a", face.source.name, href=f"#{face.source.name}") for face in faces]
    return tag(
        "main",
        tag("h1", "APIs of the systems replaced"),
        tag(
            "p",
            "The same paths and JSON as the systems had, answered from what was last read of them. ",
            tag("a", "openapi.json", href="/openapi.json"),
            " describes those whose token is sent.",
        ),
        tag("nav", *links, class_="domains", aria_label="Sources") if faces else tag("p", "No source has one."),
        *(section(face, origin) for face in faces),
        id="main",
        class_="catalogue",
    )


def section(face: Face, origin: str) -> Html:
    """One source: where it is reached, and a row for every path."""
    base = f"{origin}/{face.source.name}"
    places = join(tag("code", f"{base}/"), *(tag("code", f" {app} {at}") for app, at in face.access.listen))
    columns = tag("tr", *(tag("th", name, scope="col") for name in ("Path", "What it says", "To copy")))
    rows = [
        *(row(face, route, base) for route in routes(face, "")),
        *(follower(face, each, base) for each in streams(face.source)),
    ]
    return join(
        tag("h2", face.source.name, class_="name", id=face.source.name),
        tag("p", face.source.kind, ", at ", places, ". ", needed(face)),
        tag("table", tag("thead", columns), tag("tbody", *rows)),
    )


def needed(face: Face) -> str:
    """What a caller needs."""
    if face.access.public:
        return "It is public: no token is needed."
    if face.access.token is None:
        return "No token is configured (api.token), so it answers nobody."
    return "It needs its token."


def row(face: Face, route: Route, base: str) -> Html:
    return tag(
        "tr",
        tag("th", tag("code", f"{route.method} {route.path}"), scope="row"),
        tag("td", route.about),
        tag("td", tag("code", command(face, route.method, base + (route.example or route.path)))),
    )


def follower(face: Face, stream: Stream, base: str) -> Html:
    return tag(
        "tr",
        tag("th", tag("code", f"GET {stream.sse}"), scope="row"),
        tag("td", stream.about, " Also over WebSocket: ", tag("code", stream.ws)),
        tag("td", tag("code", command(face, "GET", base + stream.sse, "-N "))),
    )


def command(face: Face, method: str, url: str, flags: str = "") -> str:
    """A command that asks; its token stands in the shell's TOKEN."""
    token = "" if face.access.public else '-H "Authorization: Bearer $TOKEN" '
    wanted = "" if method == "GET" else f"-X {method} "
    return f"curl {flags}{wanted}{token}'{url}'"
