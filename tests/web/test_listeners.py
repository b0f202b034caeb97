"""Addresses that sources have for themselves come and go with a reload."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import replace

import pytest
from aiohttp import ClientSession

from exporter.core.address import Address
from exporter.core.api import Access
from exporter.core.errors import ConfigError
from exporter.core.secret import Secret
from exporter.core.source import Limits
from exporter.web.faces import Face
from exporter.web.gate import Gate, Terms
from exporter.web.listeners import Listeners, beside
from tests.fakes import until
from tests.web.apis import System
from tests.web.examples import Example

ANY = Address("127.0.0.1", 0)
BEARER = {"Authorization": "Bearer x"}


def reached(*listen: tuple[str, Address]) -> Access:
    return Access(Secret("x"), listen)


class Studio:
    """Sources with Apis behind listeners."""

    def __init__(self, *names: str) -> None:
        self.example, self.faces = Example(), dict[str, Face]()
        for name in names:
            source = System().source(name, ())
            self.example.board.add(source, Limits(), 0)
            self.example.traffic.hub.add(source)
            face = Face.of(source, reached())
            assert face
            self.faces[name] = face
        self.served = self.example.served(faces=lambda: self.faces)

    async def statuses(self, listeners: Listeners, target: str) -> Mapping[tuple[str, str], int]:
        async with ClientSession() as session:
            found = {}
            for spot, url in listeners.urls.items():
                async with session.get(url + target, headers=BEARER) as answer:
                    found[spot.source, spot.app] = answer.status
            return found


async def test_each_source_or_app_is_reached_where_it_says() -> None:
    studio = Studio("a", "b")
    async with beside(studio.served) as listeners:
        await listeners.change({"a": reached(("", ANY)), "b": reached(("left", ANY), ("right", ANY))})
        assert await studio.statuses(listeners, "/things/x") == {
            ("a", ""): 404,
            ("b", "left"): 404,
            ("b", "right"): 404,
        }
        assert studio.example.traffic.turned == {"a": 0, "b/left": 0, "b/right": 0}
        assert await studio.statuses(listeners, "/") == {("a", ""): 200, ("b", "left"): 200, ("b", "right"): 404}
        before = dict(listeners.urls)
        await listeners.change({"b": reached(("left", ANY)), "c": reached(("", ANY))})
        assert await studio.statuses(listeners, "/things") == {("b", "left"): 200, ("c", ""): 503}
        kept = {spot: url for spot, url in listeners.urls.items() if spot in before}
        assert kept == {spot: before[spot] for spot in kept}
        assert len(kept) == 1
    assert listeners.urls == {}


async def test_refusals_are_counted_from_0_where_there_may_be_some() -> None:
    studio = Studio("a", "b")
    open_ = Access(public=True, listen=(("", ANY),))
    refused = studio.example.traffic.refused
    async with beside(studio.served) as listeners:
        await listeners.change({"a": open_})
        assert refused == {}
        await listeners.change({"a": open_, "b": reached(("left", ANY))})
        assert refused == {"main": 0, "b/left": 0}
        studio.example.traffic.refuse("b/left")
        await listeners.change({"a": reached(("", ANY)), "b": reached(("left", ANY))})
        assert refused == {"main": 0, "b/left": 1, "a": 0}


async def test_terms_may_refuse_what_is_public() -> None:
    studio = Studio("a")
    async with beside(replace(studio.served, gate=Gate(Terms))) as listeners:
        await listeners.change({"a": Access(public=True)})
    assert studio.example.traffic.refused == {"main": 0}


async def test_an_address_goes_from_one_source_to_another() -> None:
    studio = Studio("a", "b")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at = Address("127.0.0.1", free.getsockname()[1])
    async with beside(studio.served) as listeners:
        await listeners.change({"a": reached(("", at))})
        await listeners.change({"b": reached(("", at))})
        assert [spot.source for spot in listeners.urls] == ["b"]


async def test_an_address_that_is_taken_leaves_all_as_it_was() -> None:
    studio = Studio("a", "b")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        at = Address("127.0.0.1", taken.getsockname()[1])
        async with beside(studio.served) as listeners:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                handed = Address("127.0.0.1", free.getsockname()[1])
            await listeners.change({"a": reached(("", handed))})
            before = dict(listeners.urls)
            with pytest.raises(
                ConfigError, match=f"source b: api.listen: cannot listen on {at}: address already in use"
            ):
                await listeners.change({"b": reached(("", at), ("left", ANY), ("right", handed))})
            assert listeners.urls == before


async def test_an_address_that_is_given_up_ends_its_streams() -> None:
    studio = Studio("a")
    async with beside(studio.served) as listeners, ClientSession() as session:
        await listeners.change({"a": reached(("", ANY))})
        [url] = listeners.urls.values()
        async with session.get(f"{url}/events", headers=BEARER) as answer:
            await until(lambda: any(each.listeners for each in studio.example.traffic.hub.channels))
            async with asyncio.timeout(5):
                await listeners.change({})
                assert await answer.content.read() == b""
