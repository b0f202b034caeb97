"""ShotGrid over its REST API: logged in when it must be, rows by the page, whatever their form (contract b.3)."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.core.errors import Malformed, Refused, SchemaMismatch, TooLarge
from exporter.core.secret import Secret
from exporter.inputs.http import Call, Http, ProxyRefused, Unauthorised

API = "/api/v1"
PAGE = 500
"""Rows asked for at once, five times as many as the system replaced asked for. A server that gives fewer says with
`links.next` that there are more; 500 rows of versions are a quarter of a megabyte, and their ids fit a URL."""

UNTOLD_LIFE = 300.0
"""Seconds that a token is used for whose answer does not say how long it lives."""

SOONER = 60.0
"""Seconds before its end at which a token is renewed, or a fifth of its life if that is less."""


@dataclass(frozen=True, slots=True)
class Login:
    """A script of the site and its key."""

    script: str
    key: Secret


@dataclass(frozen=True, slots=True)
class Query:
    """Rows of an entity (`projects`), fields of them, and filters and an order as the API writes them."""

    entity: str
    fields: tuple[str, ...]
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """A row's id and its fields: an entity it refers to is a mapping (id, type, name), several are a list of these."""

    id: int
    fields: Mapping[str, Any]  # Any: whatever JSON has in this place

    def text(self, *names: str) -> str:
        """The first of the fields that is text and not empty; else none."""
        return next((found for name in names if isinstance(found := self.fields.get(name), str) and found), "")


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, how many there were left out by reason (see `exporter.core.part.SKIPS`), and whether more follow."""

    rows: tuple[Row, ...]
    skipped: Mapping[str, int]
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    until: float


class ShotGrid:
    """A site of ShotGrid, asked as one of its scripts."""

    def __init__(self, http: Http, login: Login, most: int) -> None:
        """`most` rows are taken by one query."""
        self.http = http
        self.most = most
        self._login = login
        self._renewing = asyncio.Lock()
        self._token: _Token | None = None

    async def rows(self, query: Query, until: float) -> Page:
        """Every row of a query, page after page; raises as `page` does, and TooLarge past the cap on rows."""
        found: dict[int, Row] = {}
        skipped: Counter[str] = Counter()
        number, more = 1, True
        while more:
            page = await self.page(query, number, until)
            skipped.update(page.skipped)
            before = len(found)
            found.update((row.id, row) for row in page.rows)
            more = page.more and self.goes_on(query, number, len(found) - before)
            self.check(query, len(found))
            number += 1
        return Page(tuple(found.values()), skipped)

    def goes_on(self, query: Query, number: int, new: int) -> bool:
        """True; Malformed where a page that promises more brought nothing new: that would never end."""
        if not new:
            raise Malformed(f"{self._where(query)}: page {number} brings nothing new and promises more")
        return True

    def check(self, query: Query, rows: int) -> None:
        """TooLarge where there are more rows than the cap allows."""
        if rows > self.most:
            raise TooLarge(f"{self._where(query)}: has more than {self.most} rows (limits.rows_per_query)")

    async def page(self, query: Query, number: int, until: float) -> Page:
        """One page, from 1 on; raises as `Http.json` does. `until` is in seconds of the loop's clock.

        Of the link to the next page only its being there counts: the page is asked for by its number, as in the
        recording, and so of this site, wherever the link leads.
        """
        asked = {"fields": ",".join(query.fields), **query.more, "page[number]": str(number), "page[size]": str(PAGE)}
        answer = await self._get(f"{API}/entities/{query.entity}", asked, until)
        if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
            raise Malformed(f"{self._where(query)}: expected an object with a list under 'data', found another")
        links = answer.get("links")
        more = isinstance(links, dict) and bool(links.get("next"))
        skipped: Counter[str] = Counter()
        rows = []
        for one in answer["data"]:
            if isinstance(found := normal(one), Row):
                rows.append(found)
            else:
                skipped[found] += 1
        return Page(tuple(rows), skipped, more)

    def _where(self, query: Query) -> str:
        return f"{self.http.address}{API}/entities/{query.entity}"

    async def _get(self, path: str, query: Mapping[str, str], until: float) -> Any:
        """Logs in anew, once, where the server no longer takes the token that it gave."""
        token = await self._fresh(None, until)
        try:
            return await self.http.json(Call(path, query, _bearer(token)), until)
        except Unauthorised:
            token = await self._fresh(token, until)
        return await self.http.json(Call(path, query, _bearer(token)), until)

    async def _fresh(self, refused: _Token | None, until: float) -> _Token:
        """A token that lives and is not the one refused; of those who want a new one at once, one logs in."""
        async with self._renewing:
            token = self._token
            if token is None or token is refused or token.until <= asyncio.get_running_loop().time():
                self._token = None
                token = self._token = await self._logged_in(until)
            return token

    async def _logged_in(self, until: float) -> _Token:
        """A login as the contract has it: POST /api/v1/auth/access_token with JSON."""
        body = {
            "grant_type": "client_credentials",
            "client_id": self._login.script,
            "client_secret": self._login.key.reveal(),
        }
        path = f"{API}/auth/access_token"
        began = asyncio.get_running_loop().time()
        try:
            answer = await self.http.json(Call(path, body=body), until)
        except ProxyRefused:
            raise
        except (Refused, SchemaMismatch) as error:
            raise Refused(f"{self.http.address}{path}: shotgrid.script or shotgrid.key is refused") from error
        text = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(text, str) or not text or not (text.isascii() and text.isprintable()):
            raise Malformed(f"{self.http.address}{path}: expected an object with an access_token, found none")
        return _Token(text, began + _used_for(answer.get("expires_in")))


def _used_for(life: object) -> float:
    """Seconds that a token is used for, of those that it lives."""
    if isinstance(life, bool) or not isinstance(life, int | float) or not life > 0:
        return UNTOLD_LIFE
    return life - min(SOONER, life / 5)


def _bearer(token: _Token) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token.text}"}


def normal(value: object) -> Row | str:
    """A row of an answer, or the reason that it is none: "type" or "missing".

    A field stands at the top, among the `attributes` or, if it refers to other entities, among the `relationships`
    under `data`; the first place that has it counts (contract b.3).
    """
    if not isinstance(value, dict):
        return "type"
    id_ = value.get("id")
    if isinstance(id_, bool) or not isinstance(id_, int):
        return "missing"
    related = {name: one.get("data") for name, one in _mapping(value, "relationships").items() if isinstance(one, dict)}
    given = {name: found for name, found in value.items() if name not in ("attributes", "relationships")}
    places = (related, _mapping(value, "attributes"), given)
    return Row(id_, {name: found for place in places for name, found in place.items() if found is not None})


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}
