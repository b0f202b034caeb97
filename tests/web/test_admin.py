"""/-/healthy, /-/ready and /-/reload."""

import pytest

from tests.fakes import things
from tests.web.examples import Example, asking


async def reload_well() -> str | None:
    return None


async def reload_badly() -> str | None:
    return "sources[0].kind (line 3): unknown\nfile caf\udce9.yaml: odd"


async def test_healthy_says_that_the_process_answers() -> None:
    async with asking(Example().served()) as client:
        answer = await client.get("/-/healthy")
        assert (answer.status, await answer.text()) == (200, "studio-exporter is healthy.\n")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_ready_once_every_part_has_been_tried_even_in_vain() -> None:
    made = Example()
    made.add("vfx", "ingest", "render")
    made.add("music")
    async with asking(made.served()) as client:
        made.read("music", things(a=1))
        answer = await client.get("/-/ready")
        assert (answer.status, await answer.text()) == (503, "not ready: 2 of 3 parts have not been read yet.\n")
        made.read("vfx", things(a=1), part="ingest")
        assert (await client.get("/-/ready")).status == 503
        made.fail("vfx", "unreachable", "nobody", part="render")
        answer = await client.get("/-/ready")
        assert (answer.status, await answer.text()) == (200, "studio-exporter is ready.\n")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_reload_loads(method: str) -> None:
    calls = []

    async def reload() -> str | None:
        calls.append(method)
        return None

    async with asking(Example().served(reloading=reload)) as client:
        answer = await client.request(method, "/-/reload")
        assert (answer.status, await answer.text()) == (200, "The configuration was loaded.\n")
    assert calls == [method]


async def test_reload_says_what_is_wrong() -> None:
    async with asking(Example().served(reloading=reload_badly)) as client:
        answer = await client.post("/-/reload")
        assert answer.status == 500
        text = await answer.text()
    assert "the one before stays in force" in text
    assert "sources[0].kind (line 3): unknown\nfile caf?.yaml: odd\n" in text


async def test_reload_is_off_unless_it_is_enabled() -> None:
    async with asking(Example().served()) as client:
        answer = await client.post("/-/reload")
        assert answer.status == 403
        assert "--web.enable-lifecycle" in await answer.text()


async def test_reload_is_no_page_to_look_at() -> None:
    async with asking(Example().served(reloading=reload_well)) as client:
        answer = await client.get("/-/reload")
    assert answer.status == 405
    assert {allowed.strip() for allowed in answer.headers["Allow"].split(",")} == {"POST", "PUT"}
