"""GET /api and /openapi.json: the Apis of the systems replaced, for people and for machines."""

from collections.abc import Iterable

from aiohttp import web

from exporter.core.api import Route, Stream
from exporter.runtime.hub import streams
from exporter.web.apis import Apis
from exporter.web.faces import Face
from exporter.web.frame import Frame
from exporter.web.gate import Gate, Terms
from exporter.web.markup import Html, join, tag
from exporter.web.openapi import routes


def guide_routes(frame: Frame, apis: Apis, gate: Gate) -> Iterable[web.AbstractRouteDef]:
    """The page names sources, as the page of their status does; the document those whose token is sent."""

    async def show(request: web.Request) -> web.Response:
        origin = f"{request.scheme}://{request.host}"
        return frame.page("/api", "APIs · studio-exporter", guide([*apis.faces().values()], origin, gate.terms))

    async def described(request: web.Request) -> web.Response:
        body = apis.document([(face, f"/{face.source.name}") for face in apis.known(request)])
        return web.Response(body=body, content_type="application/json")

    return [web.get("/api", show), web.get("/openapi.json", described)]


def guide(faces: list[Face], origin: str, terms: Terms) -> Html:
    """The paths of every source on the main listener, with a command to copy for each."""
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
        *(section(face, origin, terms) for face in faces),
        id="main",
        class_="catalogue",
    )


def section(face: Face, origin: str, terms: Terms) -> Html:
    """One source: where it is reached, and a row for every path."""
    base, (needed, sent) = f"{origin}/{face.source.name}", who(face, terms)
    places = join(tag("code", f"{base}/"), *(tag("code", f" {app} {at}") for app, at in face.access.listen))
    columns = tag("tr", *(tag("th", name, scope="col") for name in ("Path", "What it says", "To copy")))
    rows = [
        *(row(sent, route, base) for route in routes(face, "")),
        *(follower(sent, each, base) for each in streams(face.source)),
    ]
    return join(
        tag("h2", face.source.name, class_="name", id=face.source.name),
        tag("p", face.source.kind, ", at ", places, ". ", needed),
        tag("table", tag("thead", columns), tag("tbody", *rows)),
    )


def who(face: Face, terms: Terms) -> tuple[str, str]:
    """What a caller needs, in words, and as curl sends it; the token stands in the shell's TOKEN."""
    if face.access.public and terms.users:
        return "It is public: no token is needed, but a name and a password.", "-u NAME "
    if face.access.public:
        return "It is public: no token is needed.", ""
    sent = '-H "Authorization: Bearer $TOKEN" '
    if face.access.token is None:
        return "No token is configured (api.token), so it answers nobody.", sent
    return "It needs its token.", sent


def row(sent: str, route: Route, base: str) -> Html:
    return tag(
        "tr",
        tag("th", tag("code", f"{route.method} {route.path}"), scope="row"),
        tag("td", route.about),
        tag("td", tag("code", command(sent, route.method, base + (route.example or route.path)))),
    )


def follower(sent: str, stream: Stream, base: str) -> Html:
    return tag(
        "tr",
        tag("th", tag("code", f"GET {stream.sse}"), scope="row"),
        tag("td", stream.about, " Also over WebSocket: ", tag("code", stream.ws)),
        tag("td", tag("code", command(f"-N {sent}", "GET", base + stream.sse))),
    )


def command(sent: str, method: str, url: str) -> str:
    """A command that asks."""
    wanted = "" if method == "GET" else f"-X {method} "
    return f"curl {wanted}{sent}'{url}'"
