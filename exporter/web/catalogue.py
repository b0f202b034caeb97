"""GET /catalogue: every metric there is, for people who write queries."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from exporter.core.family import Family
from exporter.web.frame import Frame
from exporter.web.markup import Html, join, tag

Catalogue = Mapping[str, Sequence[Family[Any]]]
"""Families by domain, in the order of the page."""


def routes(frame: Frame, families: Catalogue) -> Iterable[web.AbstractRouteDef]:
    page = catalogue(families)

    async def show(_: web.Request) -> web.Response:
        return frame.page("/catalogue", "Catalogue · studio-exporter", page)

    return [web.get("/catalogue", show)]


def catalogue(families: Catalogue) -> Html:
    """A table for every domain."""
    links = [tag("a", name, " ", tag("small", str(len(found))), href=f"#{name}") for name, found in families.items()]
    return tag(
        "main",
        tag("h1", f"{sum(map(len, families.values()))} metrics"),
        tag("nav", *links, class_="domains", aria_label="Domains"),
        *(table(domain, found) for domain, found in families.items()),
        id="main",
        class_="catalogue",
    )


def table(domain: str, families: Sequence[Family[Any]]) -> Html:
    columns = tag("tr", *(tag("th", name, scope="col") for name in ("Metric", "Type", "Labels", "What it says")))
    body = tag("tbody", *map(row, families))
    return join(tag("h2", domain, id=domain), tag("table", tag("thead", columns), body))


def row(family: Family[Any]) -> Html:
    labels = family.labels if family.of_exporter else ("source", *family.labels)
    return tag(
        "tr",
        tag("th", tag("code", family.name), scope="row"),
        tag("td", family.type),
        tag("td", join(*(tag("code", label, " ") for label in labels)), class_="labels"),
        tag("td", family.help),
    )
