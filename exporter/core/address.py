"""An address to listen on, as flags and configurations write it."""

import re
from dataclasses import dataclass

from exporter.core.units import Unfit


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; `host` is None for every interface, of IPv4 and IPv6."""

    host: str | None
    port: int

    def __str__(self) -> str:
        host = self.host or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def address(text: str) -> Address:
    """`127.0.0.1:10210`, `localhost:10210`, `[::1]:10210`, and `:10210` or `[::]:10210` for every interface.

    Unfit, a ValueError, says what is wrong with it. Port 0 is any that is free.
    """
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s:/\[\]@]*)):([0-9]{1,5})", text, re.ASCII)
    if not found:
        raise Unfit("host:port, [IPv6 address]:port or :port", text)
    if (port := int(found[3])) > 65535:
        raise Unfit("a port from 0 to 65535", text)
    host = found[1] or found[2]
    return Address(None if host in ("", "::") else host, port)
