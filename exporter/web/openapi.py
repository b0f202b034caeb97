"""The OpenAPI document of the Apis: every path, with schemas made of the types that encode the answers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from exporter import __version__
from exporter.core.api import Parameter, Refusal, Route, Stream
from exporter.runtime.hub import streams
from exporter.web.faces import Face

REFERENCE = "#/components/schemas/{name}"
REFUSALS: tuple[Refusal, ...] = ("unconfigured", "missing", "wrong")
WHY: Mapping[Refusal, str] = {
    "unconfigured": "No token is configured.",
    "missing": "No token was sent.",
    "wrong": "The token is wrong.",
}


def document(faces: Sequence[tuple[Face, str]], app: str = "") -> bytes:
    """The document of some faces, each below its path; of one app of each, or of all for the empty name."""
    found = [(face, base, route) for face, base in faces for route in routes(face, app)]
    types = [kind for _, _, route in found for kind in (*route.answers.values(), route.body) if kind is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    named = iter(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for face, base, route in found:
        answers = {status: kind if kind is None else next(named) for status, kind in route.answers.items()}
        body = None if route.body is None else next(named)
        paths.setdefault(base + route.path, {})[route.method.lower()] = operation(face, route, answers, body)
    for face, base in faces:
        for stream in followed(face, app):
            paths.setdefault(base + stream.sse, {})["get"] = streaming(face, base, stream)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "studio-exporter: the APIs of the systems replaced",
                "version": __version__,
                "description": "The same paths and JSON as the systems had, from what was last read of them.",
            },
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
        }
    )


def routes(face: Face, app: str) -> Iterator[Route]:
    """The routes of a face that are served, each path and method once: the first is the one that answers."""
    seen = set()
    for route in face.api.routes:
        if (app in ("", route.app) or not route.app) and (route.method, route.path) not in seen:
            seen.add((route.method, route.path))
            yield route


def followed(face: Face, app: str) -> Iterable[Stream]:
    """The streams of a face that are served."""
    return (stream for stream in streams(face.source) if app in ("", stream.app) or not stream.app)


def operation(face: Face, route: Route, answers: Mapping[int, Any], body: Any) -> dict[str, Any]:
    """What a route takes and gives; the schemas are made already."""
    made: dict[str, Any] = {
        "summary": route.about,
        "tags": [face.source.name],
        "security": [] if face.access.public or not route.token else [{"token": []}],
        "parameters": [parameter(each) for each in route.parameters],
        "responses": {
            **refusals(face, route.token),
            **{str(status): described(route.about, schema) for status, schema in answers.items()},
        },
    }
    if body is not None:
        made["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return made


def streaming(face: Face, base: str, stream: Stream) -> dict[str, Any]:
    """A stream of server-sent events, and where it is as a WebSocket."""
    return {
        "summary": stream.about,
        "description": f"Server-sent events; `Last-Event-ID` resumes. The same over WebSocket: `{base}{stream.ws}`.",
        "tags": [face.source.name],
        "security": [] if face.access.public else [{"token": []}],
        "responses": {
            **refusals(face, True),
            "200": {"description": stream.about, "content": {"text/event-stream": {"schema": {"type": "string"}}}},
        },
    }


def refusals(face: Face, token: bool) -> dict[str, Any]:
    """The answers to who may not ask."""
    if face.access.public or not token:
        return {}
    return {str(face.api.refused(why, "").status): {"description": WHY[why]} for why in REFUSALS}


def parameter(given: Parameter) -> dict[str, Any]:
    required = given.required or given.where == "path"
    told = {"name": given.name, "in": given.where, "description": given.about, "schema": given.schema}
    return {**told, "required": required}


def described(about: str, schema: Any) -> dict[str, Any]:
    """An answer; without a schema it is no JSON."""
    content = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
    return {"description": about, **content}
