"""A source's Api as it is served: who may reach it, and where which of its paths are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from exporter.core.api import Access, Api
from exporter.core.source import Source
from exporter.runtime.hub import streams
from exporter.web.routing import Table

MAIN = "main"
"""How the main listener is counted; the others by their source, or source/app."""


@dataclass(frozen=True, slots=True)
class Face:
    """A source's Api as it is served: who may reach it, and its routes by app, all of them under the empty name."""

    source: Source
    api: Api
    access: Access
    tables: Mapping[str, Table]

    @classmethod
    def of(cls, source: Source, access: Access) -> "Face | None":
        """That of a source; None where it has no Api."""
        if (api := source.api) is None:
            return None
        apps = {"", *(route.app for route in api.routes), *(stream.app for stream in api.streams), *dict(access.listen)}
        followed = tuple(streams(source))
        return cls(source, api, access, {app: Table.of(api.routes, followed, app) for app in apps})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a face is met: on which listener (as it is counted), below which path, and as which app."""

    listener: str = MAIN
    base: str = ""
    app: str = ""


def apart(source: str, app: str) -> Place:
    """Where a source, or one app of it (all of them: empty), is met on a listener of its own."""
    return Place(f"{source}/{app}" if app else source, "", app)


Faces = Callable[[], Mapping[str, Face]]


def nobody() -> Mapping[str, Face]:
    """No source has an Api."""
    return {}
