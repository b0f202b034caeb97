"""What stands before all that the main listener has: connections on terms, and names and passwords."""

import logging
import ssl
from asyncio import BaseTransport
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from exporter.core.errors import ConfigError, Problem
from exporter.web.apis import BELOW, Apis, authorization
from exporter.web.basic import CrowdedError, Users
from exporter.web.cors import allowed, asking
from exporter.web.faces import MAIN
from exporter.web.metrics import listed
from exporter.web.negotiate import json_preferred
from exporter.web.routing import decoded
from exporter.web.tls import Current, names

log = logging.getLogger(__name__)
CHALLENGE = 'Basic realm="studio-exporter", charset="UTF-8"'


@dataclass(frozen=True, slots=True)
class Terms:
    """What the main listener asks for and says; by default it asks for nothing.

    `context` is that of TLS, None where none is spoken; `sans` are the subject alternative names of which a client's
    certificate must have one, if there are any; `users` those who may ask, None for everybody; `headers` are said with
    every answer that does not say them itself.
    """

    context: ssl.SSLContext | None = None
    sans: frozenset[str] = frozenset()
    users: Users | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        asked = ["TLS" if self.context else "no TLS"]
        if self.context and self.context.verify_mode != ssl.CERT_NONE:
            asked.append("client certificates")
        return ", ".join([*asked, f"{len(self.users.hashes) if self.users else 'no'} users"])


class Gate:
    """The terms in force, and how others come.

    `load` gives those of the files as they are now, the same as before where none has changed; it blocks, and raises
    ConfigError. `context` is what listeners take, None where no TLS is spoken: it has each handshake done under the
    terms in force. `watched` says that there are files that may change.
    """

    def __init__(self, load: Callable[[], Terms] | None = None) -> None:
        self.watched = load is not None
        self._load = load or Terms
        self._loaded = self.terms = self._load()
        first = self.terms.context
        self.context = Current(lambda: self.terms.context or first) if first else None
        warn(self.terms)

    def load(self) -> Terms:
        """Terms that can be put in force; raises ConfigError where there are none."""
        if not self.watched:
            return self._loaded
        terms = self._load()
        if (terms.context is None) != (self.context is None):
            turned = "off" if self.context else "on"
            raise ConfigError([Problem("tls_server_config", None, f"TLS is turned {turned} by a restart alone")])
        return terms

    def put(self, terms: Terms) -> bool:
        """Puts terms in force that were loaded; whether they are others than before."""
        if terms is self._loaded:
            return False
        self._loaded, before = terms, self.terms
        if terms.users and before.users and terms.users.hashes == before.users.hashes:
            terms = replace(terms, users=before.users)  # which knows passwords that it need not look at again
        self.terms = terms
        warn(terms)
        return True


def warn(terms: Terms) -> None:
    if terms.users and not terms.context:
        log.warning("basic_auth_users without tls_server_config: names and passwords travel unencrypted")


def guarding(gate: Gate, apis: Apis) -> Middleware:
    """Lets nobody through who does not keep to the terms, whatever they ask for."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        terms = gate.terms
        refused = await refusal(request, terms, apis)
        answer = await handler(request) if refused is None else refused
        if not answer.prepared and under(request.transport) is not terms.context:
            answer.force_close()  # the next request shall come under the terms in force
        return answer

    return guard


async def refusal(request: web.Request, terms: Terms, apis: Apis) -> web.Response | None:
    """What a caller gets who does not keep to the terms, and is counted; None for one who does. It says nothing of what
    there is behind it."""
    if not fits(request.transport, terms):
        apis.traffic.refuse(MAIN)
        refused = web.Response(status=403, text="403: this connection is not one that is let in\n")
        refused.force_close()
        return refused
    if terms.users is None or has_token(request, apis):
        return None
    try:
        if await terms.users.admits(authorization(request)):
            return None
    except CrowdedError:
        return web.Response(status=503, text="503: too many passwords wait\n", headers={"Retry-After": "1"})
    apis.traffic.refuse(MAIN)
    challenge = {"WWW-Authenticate": CHALLENGE}
    return web.Response(status=401, text="401: a name and a password are needed\n", headers=challenge)


def under(transport: BaseTransport | None) -> ssl.SSLContext | None:
    """The context that a connection was made under."""
    connection: ssl.SSLObject | None = transport.get_extra_info("ssl_object") if transport else None
    return connection.context if connection else None


def fits(transport: BaseTransport | None, terms: Terms) -> bool:
    """Whether a connection keeps to the terms: it may have been made under those before."""
    if terms.context is None:
        return True
    if transport is None or under(transport) is None:
        return False
    certificate = transport.get_extra_info("peercert") or {}
    if terms.context.verify_mode == ssl.CERT_REQUIRED and not certificate:
        return False
    return not terms.sans or bool(terms.sans & names(certificate))


def has_token(request: web.Request, apis: Apis) -> bool:
    """Whether a request is for the Api of a source and has its token.

    There is one Authorization header, so that its token stands in the place of name and password there, and nowhere
    else; what is public has none and needs them. Browsers send neither when they ask for a page of an origin in
    `api.cors` whether it may send a token.
    """
    if not isinstance(request.match_info.http_exception, web.HTTPNotFound):
        return request.path == "/metrics" and _has_legacy_token(request, apis)
    found = BELOW.match(decoded(request.rel_url.raw_path))
    face = apis.faces().get(found[1]) if found else None
    if face is None or face.access.public:
        return False
    asked = asking(request) and "Access-Control-Allow-Origin" in allowed(face.access, request)
    return asked or face in apis.known(request)


def _has_legacy_token(request: web.Request, apis: Apis) -> bool:
    """The same for JSON at `/metrics`, which is the only source's that has some there."""
    if not json_preferred(listed(request, "Accept")):
        return False
    having = [face for face in apis.faces().values() if face.tables[""].found("/metrics")]
    return len(having) == 1 and not having[0].access.public and having[0] in apis.known(request)
