"""/metrics over HTTP: the board's page, whole, in the format and coding asked for."""

import asyncio
import gzip
import itertools
import random
from typing import Any

import pytest

from exporter.runtime.exposition import Format
from exporter.runtime.lint import lint
from exporter.web.metrics import INLINE, MOST_SOURCES
from tests.fakes import things
from tests.web.examples import Client, Example, asking

OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
GZIP = {"Accept-Encoding": "gzip"}


def example() -> Example:
    made = Example()
    for name in ("vfx", "music"):
        made.add(name)
        made.read(name, things(shots=7, plates=3))
    return made


async def get(client: Client, path: str, **headers: str) -> tuple[int, bytes, Any]:
    answer = await client.get(path, headers=headers)
    return answer.status, await answer.read(), answer.headers


@pytest.mark.parametrize(("wish", "form"), [({}, Format.TEXT), (OPENMETRICS, Format.OPENMETRICS)])
async def test_the_page_with_its_exact_headers(wish: dict[str, str], form: Format) -> None:
    made = example()
    async with asking(made.served()) as client:
        status, body, headers = await get(client, "/metrics", **wish)
    assert status == 200
    assert body == made.board.page(form).body
    assert b'studio_test_things{source="vfx",thing="shots"} 7.0\n' in body
    assert headers["Content-Type"] == form.value
    assert headers["Vary"] == "Accept, Accept-Encoding"
    assert headers["Content-Length"] == str(len(body))
    assert "Content-Encoding" not in headers
    assert "Transfer-Encoding" not in headers


@pytest.mark.parametrize("wish", [{}, OPENMETRICS])
async def test_gzip_is_the_same_page(wish: dict[str, str]) -> None:
    async with asking(example().served()) as client:
        _, plain, _ = await get(client, "/metrics", **wish)
        _, packed, headers = await get(client, "/metrics", **wish, **GZIP)
        _, refused, _ = await get(client, "/metrics", **wish, **{"Accept-Encoding": "gzip;q=0, *"})
    assert gzip.decompress(packed) == plain == refused
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Length"] == str(len(packed))
    assert headers["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("wish", [{}, GZIP, {**OPENMETRICS, **GZIP}])
async def test_head_says_what_get_would_and_sends_nothing(wish: dict[str, str]) -> None:
    async with asking(example().served()) as client:
        got = await client.get("/metrics", headers=wish)
        asked = await client.head("/metrics", headers=wish)
        assert await asked.read() == b""
    assert {**asked.headers, "Date": ""} == {**got.headers, "Date": ""}
    assert asked.status == 200


async def test_a_header_on_several_lines_is_one_list() -> None:
    lines = [("Accept", "text/plain;q=0.1"), ("Accept", "application/openmetrics-text"), ("Accept-Encoding", "br")]
    async with asking(example().served()) as client:
        answer = await client.get("/metrics", headers=[*lines, ("Accept-Encoding", "gzip")])
    assert answer.content_type == "application/openmetrics-text"
    assert answer.headers["Content-Encoding"] == "gzip"


async def test_sources_are_chosen_by_name() -> None:
    made = example()
    made.add("third")
    async with asking(made.served()) as client:
        _, one, _ = await get(client, "/metrics?source=vfx&unknown=ignored&source=vfx")
        _, two, _ = await get(client, "/metrics?source=music&source=vfx")
    assert b'source="vfx"' in one
    assert b'source="music"' not in one
    assert b'source="music"' in two
    assert b'source="third"' not in two
    assert lint(one.decode(), False) == lint(two.decode(), False) == []


@pytest.mark.parametrize("query", ["source=gone", "source=vfx&source=%3Cscript%3E", "source=", "source=vfx%00"])
async def test_a_source_that_is_not_there_is_not_found_and_not_repeated(query: str) -> None:
    async with asking(example().served()) as client:
        status, body, headers = await get(client, f"/metrics?{query}")
    assert status == 404
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert body == b"not all of the sources asked for exist; the page / lists those that do\n"


async def test_the_page_of_a_source_ends_with_it() -> None:
    made = example()
    async with asking(made.served()) as client:
        before, _, _ = await get(client, "/metrics?source=vfx")
        made.board.drop("vfx")
        after, _, _ = await get(client, "/metrics?source=vfx")
        _, rest, _ = await get(client, "/metrics")
    assert (before, after) == (200, 404)
    assert b"vfx" not in rest


async def test_the_number_of_sources_asked_for_is_bounded() -> None:
    async with asking(example().served()) as client:
        most, _, _ = await get(client, "/metrics?" + "&".join(["source=vfx"] * MOST_SOURCES))
        more, body, _ = await get(client, "/metrics?" + "&".join(["source=vfx"] * (MOST_SOURCES + 1)))
    assert (most, more) == (200, 400)
    assert body == b"at most 256 source parameters\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
async def test_other_methods_are_refused_with_those_that_are_not(method: str) -> None:
    async with asking(example().served()) as client:
        answer = await client.request(method, "/metrics")
    assert answer.status == 405
    assert {allowed.strip() for allowed in answer.headers["Allow"].split(",")} == {"GET", "HEAD"}


def test_pages_of_odd_combinations_are_not_kept() -> None:
    made = example()
    everything, one, both = None, frozenset({"vfx"}), frozenset({"vfx", "music"})
    kept = [
        made.board.page(Format.TEXT, only) is made.board.page(Format.TEXT, only) for only in (everything, one, both)
    ]
    assert kept == [True, True, False]


def large(made: Example) -> None:
    """A page of more than may be compressed on the loop."""
    made.read("vfx", [((f"{i:0100}",), random.random()) for i in range(3000)])
    assert made.board.page(Format.TEXT).cold > INLINE


async def test_a_large_page_is_compressed_aside_and_once() -> None:
    made = example()
    large(made)
    page = made.board.page(Format.TEXT)
    async with asking(made.served()) as client:
        answers = await asyncio.gather(*(get(client, "/metrics", **GZIP) for _ in range(20)))
    assert {body for _, body, _ in answers} == {page.gzip}
    assert gzip.decompress(page.gzip) == page.body
    assert page.cold == 0


async def test_every_scrape_of_a_changing_board_is_one_whole_page() -> None:
    made = example()
    pages: set[bytes] = set()
    bodies: list[bytes] = []

    def change(step: int) -> None:
        made.read("vfx", [((f"{i:0100}",), step * 1000 + i) for i in range(3000 if step % 2 else 2)])
        made.read("music", things(step=step))
        pages.add(made.board.page(Format.TEXT).body)

    async def scrape(client: Client, wish: dict[str, str]) -> None:
        for _ in range(10):
            status, body, headers = await get(client, "/metrics", **wish)
            assert status == 200
            bodies.append(gzip.decompress(body) if "Content-Encoding" in headers else body)

    change(0)
    async with asking(made.served()) as client:
        scrapes = [asyncio.create_task(scrape(client, GZIP if i % 2 else {})) for i in range(10)]
        steps = itertools.count(1)
        while not all(task.done() for task in scrapes):
            await asyncio.wait(scrapes, timeout=0.001)
            change(next(steps))
        await asyncio.gather(*scrapes)
    assert len(bodies) == 100
    assert set(bodies) <= pages
    assert len(set(bodies)) > 1
