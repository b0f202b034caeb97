"""The Api that the dashboard of Music Agents was: its 26 routes, from what was last read of it (contract 1)."""

from collections.abc import Mapping
from typing import Any

from exporter.core.api import Answer, Api, Asked, Reading, Route
from exporter.sources.music_agents.api import answers, asking, writes
from exporter.sources.music_agents.api.agents import NAMES
from exporter.sources.music_agents.api.asking import Look, answer
from exporter.sources.music_agents.api.picks import KEPT
from exporter.sources.music_agents.api.spots import CREATED, DEMONSTRATED, SPOTS
from exporter.sources.music_agents.api.writes import Writes

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width">
<title>Music-Agents Dashboard</title>
<style>body { font-family: sans-serif; margin: 2rem auto; max-width: 40rem; padding: 0 1rem }</style>
</head>
<body>
<h1>Music-Agents Dashboard</h1>
<p>The API of the music production system, served by studio-exporter. Its agents:</p>
<ul>
<AGENTS>
</ul>
<p>All paths: <a href="api/endpoints">api/endpoints</a>, described in <a href="openapi.json">openapi.json</a>.</p>
</body>
</html>
""".replace("<AGENTS>", "\n".join(f"<li>{name}</li>" for name in NAMES.values()))

READ_ONLY = answer(answers.Refused("Not served: this is read-only, unless api.writes allows it for a source", 501), 501)
REFUSED = {
    400: answers.Failure,
    413: answers.Refused,
    415: answers.Failure,
    501: answers.Refused,
    503: answers.Refused,
}


def face(look: Look, changing: Writes | None) -> Api:
    """The Api of a source; `changing` is what its writes are done with, None where they are not allowed."""
    spots = (*SPOTS, *(CREATED if changing else DEMONSTRATED))
    named = {
        "index": _page(),
        **{spot.function: spot.route(look) for spot in spots},
        **_writes(changing),
    }
    return Api(
        routes=(*named.values(), _endpoints(named)),
        refused=asking.refused,
        unknown=asking.UNKNOWN,
        disallowed=asking.disallowed,
        failed=asking.FAILED,
        too_large=asking.TOO_LARGE,
        bearer=asking.bearer,
        head=True,
        options=asking.options,
        busy=asking.BUSY,
    )


def _page() -> Route:
    page = Answer(PAGE.encode(), 200, asking.HTML)
    return Route("GET", "/", lambda _, __: page, "A page for people.", constant=True, answers={200: None}, example="/")


def _endpoints(named: Mapping[str, Route]) -> Route:
    """The list of all routes, which itself is one of them."""
    name, path, about = "api_endpoints", "/api/endpoints", "All paths, and the methods they take."
    listed = ((path, name, "GET"), *((route.path, name, route.method) for name, route in named.items()))
    shown = ((where.replace("{", "<").replace("}", ">"), function, method) for where, function, method in listed)
    made = tuple(answers.Endpoint(where, function, (method,)) for where, function, method in sorted(shown))
    told = answer(answers.Endpoints(len(made), made))
    kinds = {200: answers.Endpoints}
    return Route("GET", path, lambda _, __: told, about, constant=True, answers=kinds, example=path)


def refuse(reading: Reading, asked: Asked) -> Answer:
    """What changes the system gets where that is not allowed."""
    return READ_ONLY


def _writes(changing: Writes | None) -> dict[str, Route]:
    return {
        "training_start": Route(
            "POST",
            "/api/training/start",
            changing.view(writes.start) if changing else refuse,
            "Notes down that training starts, and starts nothing; 409 where a session is running.",
            answers={200: answers.Started, 409: answers.Started, **REFUSED},
            body=dict[str, Any],
            example="/api/training/start",
        ),
        "training_stop": Route(
            "POST",
            "/api/training/stop",
            changing.view(writes.stop) if changing else refuse,
            "Notes down that training has stopped, for every session that is running, and stops nothing.",
            answers={200: answers.Stopped, 501: answers.Refused, 503: answers.Refused},
            example="/api/training/stop",
        ),
        "storyboard_create": Route(
            "POST",
            "/api/storyboard/project/create",
            changing.view(writes.create) if changing else refuse,
            f"Keeps a project, of which there is room for {KEPT}: 409 where there is none left.",
            answers={200: answers.Created, 409: answers.Failure, **REFUSED},
            body=dict[str, Any],
            example="/api/storyboard/project/create",
        ),
    }
