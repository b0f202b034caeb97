"""A site of ShotGrid: its REST API over HTTP, for scripts that log in, page by page (contract trafalgar b.3).

    POST /api/v1/auth/access_token
    GET  /api/v1/entities/{projects,playlists,versions}?fields=…&filter[0][…]=…&sort=id&page[number]=n&page[size]=n

Of the API there is what a reader of these three entities needs; what it does not know it refuses with status 400.
"""

import http.server
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from secrets import token_hex
from threading import Lock, Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

SCRIPT, KEY = "studio-exporter", "demo-key"
"""The script that may log in, and its key. It opens nothing but this simulation."""

ADDRESS = "127.0.0.1"
API = "/api/v1"
LOGIN = f"{API}/auth/access_token"
ENTITIES = f"{API}/entities/"
TOKEN_SECONDS = 60.0
LARGEST_PAGE = 250
LARGEST_BODY = 4096

Row = Mapping[str, Any]  # Any, here and below: what JSON holds
Tables = Mapping[str, Sequence[Row]]
"""Rows by entity, sorted by id."""


class Answer(NamedTuple):
    """A status and what is said as JSON."""

    status: int
    body: Mapping[str, Any]


class Filter(NamedTuple):
    """A condition on a field: `$is` one value, `$in` several, or `$gte`."""

    field: str
    operator: str
    value: str


class Unknown(ValueError):
    """A question that the site does not understand; the message says what of it."""


class Site:
    """What the site answers; `now` gives seconds of a clock that never goes back. Threads may share it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.tables: Tables = {"projects": (), "playlists": (), "versions": ()}
        self._now = now
        self._lock = Lock()
        self._tokens: dict[str, float] = {}

    def forget(self) -> None:
        """From now on it takes no token that it gave, as after a restart."""
        with self._lock:
            self._tokens.clear()

    def login(self, body: bytes) -> Answer:
        """A token for a minute, to the script with its key."""
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            asked = None
        if asked != {"grant_type": "client_credentials", "client_id": SCRIPT, "client_secret": KEY}:
            return _refusal(400, "Can't authenticate script")
        token, now = token_hex(16), self._now()
        with self._lock:
            self._tokens = {text: until for text, until in self._tokens.items() if until > now}
            self._tokens[token] = now + TOKEN_SECONDS
        return Answer(200, {"token_type": "Bearer", "access_token": token, "expires_in": int(TOKEN_SECONDS)})

    def get(self, target: str, authorization: str) -> Answer:
        """Rows of an entity, as many as stand on the page that is asked for."""
        with self._lock:
            until = self._tokens.get(authorization.removeprefix("Bearer "), 0.0)
        if self._now() >= until:
            return _refusal(401, "Unauthorized")
        parts = urlsplit(target)
        rows = self.tables.get(parts.path.removeprefix(ENTITIES)) if parts.path.startswith(ENTITIES) else None
        if rows is None:
            return _refusal(404, "Not Found")
        try:
            return Answer(200, page(rows, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))))
        except Unknown as error:
            return _refusal(400, str(error))


def page(rows: Sequence[Row], path: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
    """A page of the rows that fit, with the link to the next where more follow; Unknown for what it does not know."""
    rest = dict(asked)
    number, size = _number(rest.pop("page[number]", "1")), _number(rest.pop("page[size]", str(LARGEST_PAGE)))
    size = min(size, LARGEST_PAGE)
    fields = [name for name in rest.pop("fields", "").split(",") if name]
    if (order := rest.pop("sort", "id")) != "id":
        raise Unknown(f"cannot sort by {order}")
    filters = [_filter(key, value) for key, value in rest.items()]
    found = [row for row in rows if all(fits(row, one) for one in filters)]
    links = {"self": f"{path}?{urlencode(asked)}"}
    if len(found) > number * size:
        links["next"] = f"{path}?{urlencode({**asked, 'page[number]': number + 1})}"
    return {"data": [_cut(row, fields) for row in found[(number - 1) * size : number * size]], "links": links}


def fits(row: Row, condition: Filter) -> bool:
    """Whether a row meets a condition; what a row refers to is compared by its id, times as text."""
    related = row.get("relationships", {}).get(condition.field)
    if condition.field == "id":
        found = row["id"]
    else:
        found = related["data"]["id"] if related else row["attributes"].get(condition.field)
    if found is None:
        return False
    if condition.operator == "$gte":
        return str(found) >= condition.value.replace("Z", "+00:00")
    return str(found) in (condition.value.split(",") if condition.operator == "$in" else (condition.value,))


def _filter(key: str, value: str) -> Filter:
    if not (found := re.fullmatch(r"filter\[[0-9]+\]\[(\w+)(?:\[(\$in|\$gte)\])?\]", key)):
        raise Unknown(f"unknown parameter {key}")
    return Filter(found[1], found[2] or "$is", value)


def _number(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise Unknown(f"expected a number above 0, found {text}")
    return int(text)


def _cut(row: Row, fields: Sequence[str]) -> Row:
    """A row with those of the fields that it has."""
    cut = {"id": row["id"], "type": row["type"]}
    for group in ("attributes", "relationships"):
        cut[group] = {name: row[group][name] for name in fields if name in row.get(group, ())}
    return cut


def _refusal(status: int, title: str) -> Answer:
    return Answer(status, {"errors": [{"status": status, "title": title}]})


class _Visit(http.server.BaseHTTPRequestHandler):
    """One connection, which may ask several times."""

    protocol_version = "HTTP/1.1"
    server_version = "shotgrid-demo"
    timeout = 60
    wbufsize = -1  # an answer leaves in one piece

    def __init__(self, site: Site, *connection: Any) -> None:
        self._site = site
        super().__init__(*connection)

    def handle(self) -> None:
        """Until the other side goes, however it does."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        """Rows."""
        self._say(self._site.get(self.path, self.headers.get("Authorization", "")))

    def do_POST(self) -> None:
        """A login."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._say(_refusal(400, f"expected a body of at most {LARGEST_BODY} bytes"))
            return
        body = self.rfile.read(int(length))
        self._say(self._site.login(body) if self.path == LOGIN else _refusal(404, "Not Found"))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the demo's output is the exporter's."""

    def _say(self, answer: Answer) -> None:
        body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The site at a free port of this machine, for as long as the context lasts; its address. OSError without one."""
    with http.server.ThreadingHTTPServer((ADDRESS, 0), partial(_Visit, site)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield f"http://{ADDRESS}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
