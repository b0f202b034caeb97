"""JSON over HTTP: a few calls at once, every answer capped, and a server in trouble asked again at its own pace."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, NoReturn
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies_environment

import aiohttp
import msgspec

from exporter import __version__
from exporter.core.errors import Malformed, Missing, ReadError, Refused, SchemaMismatch, TimedOut, TooLarge, Unreachable
from exporter.core.units import shown
from exporter.inputs.proxy import Proxy, proxy_to

FIRST_PAUSE = 0.5
"""Seconds before a failed call is made again, doubled each time; half of it is left to chance."""

LONGEST_REST = 600.0
"""Seconds for which a server is left alone at most, whatever it asks for in Retry-After."""

PASSING = frozenset({429, 502, 503, 504})
"""Statuses that may be others soon."""

KINDS: Mapping[int, type[ReadError]] = {
    400: SchemaMismatch,
    403: Refused,
    404: Missing,
    410: Missing,
    422: SchemaMismatch,
}
"""What a status says of a call that need not be made again; 401 and those not here: see `_refuse`."""


class Unauthorised(Refused):
    """The server wants to be told (again) who asks: status 401."""


class ProxyRefused(Refused):
    """It is the proxy on the way that refuses: statuses 407 and 403."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be asked of one server: bytes of an answer; seconds of a call from begin to end, to connect, and between
    two pieces of an answer; calls at once; and how often one is made that fails for a reason that may pass."""

    size: int
    total: float = 15.0
    connect: float = 5.0
    idle: float = 10.0
    together: int = 4
    tries: int = 4


@dataclass(frozen=True, slots=True)
class Call:
    """A GET of a path or, with `body`, a POST of that as JSON. Its headers and its body do not print."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, str] | None = field(default=None, repr=False)


class _Passing(Exception):
    """A failure that may be over when the call is made again."""

    def __init__(self, error: ReadError) -> None:
        super().__init__(str(error))
        self.error = error


def address_problem(url: str) -> str | None:
    """Why a server's address cannot be used, without showing what may be a password; None if it can."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return "expected an address such as https://studio.shotgrid.example"
    if parts.username is not None or parts.password is not None:
        return "expected an address without a user and a password"
    if parts.query or parts.fragment:
        return "expected an address without '?' and '#'"
    return None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # it is this that refuses a port which is none
    except ValueError:
        return None
    return None if re.search(r"\s", url) else parts


class Http:
    """One server, at an address that has no problem; one session for as long as the source lives.

    Certificates are verified against those the system trusts, redirects are not followed, cookies are not kept, and
    nobody's ~/.netrc is read. `calls` counts what was sent, repetitions included.
    """

    def __init__(
        self,
        address: str,
        terms: Terms,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        proxies: Callable[[], Mapping[str, str]] = getproxies_environment,
    ) -> None:
        """`chance` gives numbers from 0 to 1, `proxies` the settings that `proxy_to` takes."""
        self.address = address.rstrip("/")
        self.calls = 0
        self._terms = terms
        self._sleep = sleep
        self._chance = chance
        self._proxies = proxies
        self._slots = asyncio.Semaphore(terms.together)
        self._session: aiohttp.ClientSession | None = None
        self._rest_until = 0.0

    async def json(self, call: Call, until: float) -> Any:
        """What the server answers, decoded; not begun and not waited for past `until`, in seconds of the loop's clock.

        Made again after 429, 502, 503, 504, a broken connection or a torn answer, as often as the terms allow, and not
        before the time that Retry-After names: until then no call is made at all. Raises Unreachable (nobody answers,
        or with such a status or 500), TimedOut, Unauthorised (401), Refused (403), ProxyRefused, Missing (404),
        SchemaMismatch (400: it does not know what it is asked for), TooLarge and Malformed (not JSON, not whole, a
        redirect).
        """
        failed: ReadError | None = None
        for attempt in range(self._terms.tries):
            pause = FIRST_PAUSE * 2 ** (attempt - 1) * (0.5 + self._chance() / 2) if failed else 0.0
            await self._wait(call, pause, until, failed)
            try:
                async with self._slots:
                    return await self._once(call, until)
            except _Passing as passing:
                failed = passing.error
        raise failed or ValueError("terms that allow no call")

    async def close(self) -> None:
        """Ends the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _wait(self, call: Call, pause: float, until: float, failed: ReadError | None) -> None:
        now = asyncio.get_running_loop().time()
        rest = self._rest_until - now
        if max(rest, pause) > until - now:
            asked = f"asked to be left alone for {rest:.0f} s more" if rest > pause else "this read has no time left"
            raise failed or Unreachable(f"{self._place(call)}: {asked}")
        if (seconds := max(rest, pause)) > 0:
            await self._sleep(seconds)

    async def _once(self, call: Call, until: float) -> Any:
        budget = min(self._terms.total, until - asyncio.get_running_loop().time())
        if budget <= 0:  # to aiohttp 0 is no limit
            raise TimedOut(f"{self._place(call)}: the time of the read was over before this call")
        limits = aiohttp.ClientTimeout(budget, sock_connect=self._terms.connect, sock_read=self._terms.idle)
        proxy, tunnel = self._proxy, self.address.startswith("https:")
        told = proxy.headers if proxy else {}
        self.calls += 1
        with self._translated(call):
            async with self._opened().request(
                "GET" if call.body is None else "POST",
                self.address + call.path,
                params=call.query,
                headers=call.headers if tunnel else {**call.headers, **told},
                json=call.body,
                allow_redirects=False,
                timeout=limits,
                proxy=proxy.place if proxy else None,
                proxy_headers=told if tunnel else None,
            ) as answer:
                if not 200 <= answer.status < 300:
                    self._refuse(call, answer)
                return self._decoded(call, answer, await self._taken(call, answer))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Accept": "application/json", "User-Agent": f"studio-exporter/{__version__}"}
            self._session = aiohttp.ClientSession(headers=headers, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _place(self, call: Call) -> str:
        """Where a call goes, and how, for people; queries are left out, as they tell nothing and are long."""
        proxy = self._proxy
        return f"{self.address}{call.path}" + (f" through {proxy.place} ({proxy.variable})" if proxy else "")

    @cached_property
    def _proxy(self) -> Proxy | None:
        """The proxy on the way; raises Unreachable where what the environment says of it is no address."""
        return proxy_to(self.address, self._proxies())

    @contextmanager
    def _translated(self, call: Call) -> Iterator[None]:
        """The client's errors as ours. None of its texts is passed on but the system's: they may quote an answer."""
        place = self._place(call)
        try:
            yield
        except aiohttp.ClientHttpProxyError as error:
            raise _proxy_refusal(error.status, place) from error
        except TimeoutError as error:
            raise TimedOut(f"{place}: no whole answer in time") from error
        except aiohttp.ClientSSLError as error:
            raise Unreachable(f"{place}: no trusted TLS connection: {_said(error)}") from error
        except aiohttp.ClientConnectorError as error:
            to = " to the proxy" if self._proxy else ""  # through it, only itself is connected to
            raise Unreachable(f"{place}: cannot connect{to}: {_said(error)}") from error
        except aiohttp.ClientPayloadError as error:
            raise _Passing(Malformed(f"{place}: the answer broke off, or is not encoded as it says")) from error
        except aiohttp.ClientResponseError as error:
            raise Malformed(f"{place}: the answer is not HTTP") from error
        except aiohttp.ClientError as error:
            raise _Passing(Unreachable(f"{place}: the connection broke")) from error

    def _refuse(self, call: Call, answer: aiohttp.ClientResponse) -> NoReturn:
        status, said = answer.status, f"{self._place(call)}: answers with status {answer.status}"
        if status == 407 and self._proxy:
            raise _proxy_refusal(status, self._place(call))
        if status in PASSING:
            rest = min(retry_after(answer.headers), LONGEST_REST)
            self._rest_until = max(self._rest_until, asyncio.get_running_loop().time() + rest)
            raise _Passing(Unreachable(said + (f" and asks to be left alone for {rest:.0f} s" if rest else "")))
        if status == 401:
            raise Unauthorised(said)
        if 300 <= status < 400:
            raise Malformed(f"{said}, a redirect, which is not followed: configure the address that it leads to")
        raise KINDS.get(status, Unreachable if status >= 500 else Malformed)(said)

    async def _taken(self, call: Call, answer: aiohttp.ClientResponse) -> bytes:
        """The body, as far as the cap allows; pieces are counted when they are unpacked."""
        limit, body = self._terms.size, bytearray()
        if (answer.content_length or 0) <= limit:
            async for piece in answer.content.iter_any():
                body += piece
                if len(body) > limit:
                    break
            else:
                return bytes(body)
        raise TooLarge(f"{self._place(call)}: the answer has more than limits.document_size allows ({limit} bytes)")

    def _decoded(self, call: Call, answer: aiohttp.ClientResponse, body: bytes) -> Any:
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            what = f"{len(body)} bytes of {shown(answer.content_type)}"
        raise Malformed(f"{self._place(call)}: expected JSON, found status {answer.status} and {what}")


def _proxy_refusal(status: int, place: str) -> ReadError | _Passing:
    """Why a proxy that answers with this status lets nothing through."""
    if status == 407:
        return ProxyRefused(f"{place}: the proxy wants a user and a password, or others than it was told")
    said = f"{place}: the proxy answers with status {status}"
    if status in PASSING:
        return _Passing(Unreachable(said))
    return (ProxyRefused if status == 403 else Unreachable)(said)


def _said(error: aiohttp.ClientConnectorError | aiohttp.ClientSSLError) -> str:
    """What the system said."""
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    return str(getattr(inner, "verify_message", "") or getattr(inner, "strerror", "") or type(inner).__name__)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that an answer asks to wait before the next call: 0 where it does not, or names a time that is past.

    A date is compared with the answer's own, so that no clock but the server's decides (RFC 9110, 10.2.3).
    """
    asked = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", asked):
        return float(asked)
    then, now = _date(asked), _date(headers.get("Date", ""))
    return max(0.0, (then - now).total_seconds()) if then and now else 0.0


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
