"""Which proxy leads to a server, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say, in capitals or not.

They are read as Prometheus and its exporters do, which are written in Go. aiohttp can read them, too, but would then
send whatever ~/.netrc holds for the server and for the proxy.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit

from exporter.core.errors import Unreachable

PORTS: Mapping[str, int] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy is, as people may see it; which variable says so; and what it is told of who asks, which does not
    print."""

    place: str
    variable: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def proxy_to(address: str, settings: Mapping[str, str]) -> Proxy | None:
    """The proxy on the way to a server's address; None where there is none.

    `settings` are those of `urllib.request.getproxies_environment`: `http`, `https` and `no`. Raises Unreachable where
    one is no address of a proxy, without showing what may be a password.
    """
    server = urlsplit(address)
    url = settings.get(server.scheme, "")
    if not url or _spared(server.hostname or "", server.port or PORTS[server.scheme], settings.get("no", "")):
        return None
    variable = f"{server.scheme.upper()}_PROXY"
    found = _split(url)
    if found is None:
        expected = "expected the address of a proxy, as http://proxy.example:3128 or http://user:password@proxy.example"
        raise Unreachable(f"{address}: {variable}: {expected}; what is special in a password is written as %xx")
    place = f"http://{found.netloc.rpartition('@')[2]}"
    if found.username is None:
        return Proxy(place, variable)
    who = f"{unquote(found.username)}:{unquote(found.password or '')}".encode(errors="surrogateescape")
    return Proxy(place, variable, {"Proxy-Authorization": f"Basic {b64encode(who).decode()}"})


def _split(url: str) -> SplitResult | None:
    """The parts of a proxy's address; None where it is none. A password that is not escaped ends the host early."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        usable = parts.scheme == "http" and parts.hostname and parts.port != 0
    except ValueError:
        return None
    more = parts.path not in ("", "/") or parts.query or parts.fragment or re.search(r"[\s\\]", url)
    return parts if usable and not more else None


def _spared(host: str, port: int, exceptions: str) -> bool:
    """Whether a host is reached without a proxy: this machine is, and whatever NO_PROXY names."""
    with suppress(ValueError):
        if ip_address(host).is_loopback:
            return True
    return host == "localhost" or any(_names(each.strip().lower(), host, port) for each in exceptions.split(","))


def _names(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY names a host: `*`, a network, an address, or a domain with all below it; a port
    narrows it."""
    with suppress(ValueError):
        return ip_address(host) in ip_network(entry, strict=False)
    found = re.fullmatch(r"(?:\*?\.)?([^:*]+)(?::([0-9]+))?", entry)
    if found is None or (found[2] and int(found[2]) != port):
        return entry == "*"
    return host == found[1] or host.endswith(f".{found[1]}")
