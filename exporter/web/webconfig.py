"""The web configuration, in the format of Prometheus' exporter-toolkit: YAML becomes terms, or every problem there
is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from ssl import SSLContext
from types import MappingProxyType

from exporter.core import scalar
from exporter.core.decode import CORE, NO_KEYS, Decoder, Keys, Node, Scalar, document
from exporter.core.errors import ConfigError
from exporter.core.failed import FAILED
from exporter.core.scalar import Given
from exporter.core.secret import Secret
from exporter.core.units import Unfit, shown
from exporter.web import tls
from exporter.web.basic import Users
from exporter.web.gate import Terms

HASH = r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}"
"""Version, cost, a salt of 128 bits (so that its last character is one of four) and the hash."""
HEADERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Content-Security-Policy": (),
        "Strict-Transport-Security": (),
        "X-Content-Type-Options": ("nosniff",),
        "X-Frame-Options": ("deny", "sameorigin"),
        "X-XSS-Protection": (),
    }
)
"""The headers that may be set, and the values they may have; without any, all."""


@dataclass(frozen=True, slots=True)
class _Document:
    tls_server_config: Node = NO_KEYS
    http_server_config: Node = NO_KEYS
    basic_auth_users: Node = NO_KEYS
    rate_limit: Node = NO_KEYS


@dataclass(frozen=True, slots=True)
class _Http:
    """`http2` may say what it likes: HTTP/1.1 is spoken, which every client can."""

    http2: bool = True
    headers: Node = NO_KEYS


def load(text: str, directory: Path, env: Mapping[str, str], read: Callable[[Path], str]) -> Terms:
    """The terms that a YAML text in this directory gives; raises ConfigError with every problem, in the order of lines.

    `env` answers `!env` and `~` (HOME). `read` gives the text of a file that is named, or raises OSError or
    UnicodeError. Relative paths begin at the directory. A text that says nothing asks for nothing.
    """
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return Terms()
    decoder = Decoder(env, lambda path: read(directory / path))
    top = decoder.fields(_Document, _section(document(text, decoder.problems)))
    sections = {name: NO_KEYS if node is FAILED else _section(node) for name, node in top.items()}
    if sections["rate_limit"] != NO_KEYS:
        decoder.problem(sections["rate_limit"], "requests are not limited here, but in a proxy: leave it out")
    terms = Terms(
        *_tls(decoder, sections["tls_server_config"], directory),
        users=_users(decoder, sections["basic_auth_users"]),
        headers=_headers(decoder, sections["http_server_config"]),
    )
    if decoder.problems:
        raise ConfigError(sorted(decoder.problems, key=lambda problem: problem.line or 0))
    return terms


def _section(node: Node) -> Node:
    """A section; a key whose lines are all comments says nothing."""
    empty = isinstance(node, Scalar) and node.tag == f"{CORE}null"
    return NO_KEYS if empty or (isinstance(node, Keys) and not node.nodes and not node.lines) else node


def _tls(decoder: Decoder, node: Node, directory: Path) -> tuple[SSLContext | None, frozenset[str]]:
    """The context and the names that clients must have, None and none of them where there is no TLS."""
    if node == NO_KEYS:
        return None, frozenset()
    before = len(decoder.problems)
    values = decoder.fields(tls.Tls, node)
    if not isinstance(node, Keys):
        return None, frozenset()

    def wrong(key: str, message: str) -> None:
        decoder.problem(node.nodes.get(key, node), message)

    made = tls.Tls(**{name: value for name, value in values.items() if value is not FAILED})
    for key, message in tls.faults(made, node.nodes.keys()):
        wrong(key, message)
    for key in ("cert_file", "key_file", "client_ca_file"):
        if (path := getattr(made, key)) and (problem := _unread(decoder, path)):
            wrong(key, problem)
    if len(decoder.problems) > before:
        return None, frozenset()
    try:
        return tls.context(made, directory, wrong), frozenset(map(tls.spelled, made.client_allowed_sans))
    except OSError as error:
        wrong("", f"what stands here cannot be given to OpenSSL: {error.strerror or type(error).__name__}")
    return None, frozenset()


def _unread(decoder: Decoder, path: Path) -> str | None:
    """Why a file cannot be read."""
    try:
        decoder.read(path)
    except OSError as error:
        return f"cannot read {shown(str(path))}: {error.strerror or type(error).__name__}"
    except UnicodeError:
        return f"{shown(str(path))} is not UTF-8 text"
    return None


def _users(decoder: Decoder, node: Node) -> Users | None:
    """Those who may ask; None where everybody may."""
    if node == NO_KEYS:
        return None
    if not isinstance(node, Keys):
        decoder.value(Mapping[str, Secret], node)
        return None
    hashes = {name: decoder.scalar(each, _hash, secret=True) for name, each in node.nodes.items()}
    for name in hashes:
        if ":" in name or not name.isprintable():
            decoder.problem(node.nodes[name], "expected a name of printable characters without a colon")
    return Users(hashes) if hashes else None


def _hash(given: Given) -> Secret:
    expected = "a bcrypt hash, as `htpasswd -nBC 10` makes it, of 60 characters that begin with $2y$, $2b$ or $2a$"
    if not re.fullmatch(HASH, scalar.text(given)):
        raise Unfit(expected, given.text)
    return Secret(given.text)


def _headers(decoder: Decoder, node: Node) -> Mapping[str, str]:
    if node == NO_KEYS:
        return {}
    headers = decoder.fields(_Http, node)["headers"]
    if headers is FAILED or (headers := _section(headers)) == NO_KEYS:
        return {}
    if not isinstance(headers, Keys):
        decoder.value(Mapping[str, str], headers)
        return {}
    decoder.known_keys(headers, tuple(HEADERS))
    known = {name: each for name, each in headers.nodes.items() if name in HEADERS}
    values = {name: decoder.scalar(each, partial(_header, HEADERS[name])) for name, each in known.items()}
    return MappingProxyType({name: value for name, value in values.items() if value})


def _header(allowed: tuple[str, ...], given: Given) -> str:
    """The value of a header, empty where it is not to be set."""
    found = scalar.text(given)
    if found and allowed and found not in allowed:
        raise Unfit(" or ".join(allowed), found)
    if not (found.isascii() and found.isprintable()):
        raise Unfit("printable ASCII characters", found)
    return found
