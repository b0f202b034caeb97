"""The harness around a real Prometheus: it scrapes in the format wanted, tells what it found, ends with the test."""

from collections import Counter
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.prometheus import Target, needs_command, prometheus, promtool

TEXT_PAGE = '# HELP studio_things Things.\n# TYPE studio_things gauge\nstudio_things{source="a"} 3.0\n'
OPENMETRICS_PAGE = TEXT_PAGE.replace("3.0", "4.0") + "# EOF\n"


class TinyExporter:
    """Serves one series in both formats, and counts what was asked for."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        app = web.Application()
        app.router.add_get("/metrics", self.metrics)
        self.server = TestServer(app)

    async def metrics(self, request: web.Request) -> web.Response:
        openmetrics = "application/openmetrics-text" in request.headers["Accept"]
        self.asked["openmetrics" if openmetrics else request.headers["Accept"]] += 1
        kind = "application/openmetrics-text; version=1.0.0" if openmetrics else "text/plain; version=0.0.4"
        page = OPENMETRICS_PAGE if openmetrics else TEXT_PAGE
        return web.Response(body=page.encode(), headers={"Content-Type": f"{kind}; charset=utf-8"})


async def test_it_scrapes_each_job_in_its_format(tmp_path: Path) -> None:
    exporter = TinyExporter()
    async with exporter.server:
        address = f"{exporter.server.host}:{exporter.server.port}"
        targets = [Target(address, job="openmetrics"), Target(address, job="text", text=True)]
        async with prometheus(tmp_path, targets) as p:
            assert await p.until('up{job="text"}', lambda found: [value for _, value in found] == [1])
            assert await p.until('up{job="openmetrics"}', lambda found: [value for _, value in found] == [1])
            values = {labels["job"]: value for labels, value in await p.query("studio_things")}
            assert values == {"openmetrics": 4, "text": 3}
            assert {labels["instance"] for labels, _ in await p.query("studio_things")} == {address}
            assert [value for _, value in await p.query("scrape_samples_scraped")] == [1, 1]
            assert {(target["health"], target["lastError"]) for target in await p.targets()} == {("up", "")}
            assert await p.query("1 + 1") == [({}, 2)]
    assert set(exporter.asked) == {"openmetrics", "text/plain;version=0.0.4"}


async def test_a_target_that_is_not_there_is_down_and_says_why(tmp_path: Path) -> None:
    async with prometheus(tmp_path, ["127.0.0.1:1"]) as p:
        assert await p.until("up", lambda found: [value for _, value in found] == [0])
        [target] = await p.targets()
        assert "connection refused" in target["lastError"]


async def test_rules_can_be_added(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{record: studio:two, expr: '2'}]}]")
    async with prometheus(tmp_path, ["127.0.0.1:1"], extra_yaml=f"rule_files: ['{rules}']\n") as p:
        assert await p.until("studio:two") == [({"__name__": "studio:two"}, 2)]


async def test_it_has_ended_when_the_test_fails(tmp_path: Path) -> None:
    def running() -> list[int]:
        return [child.pid for child in psutil.Process().children() if child.name() == "prometheus"]

    async def failing_test() -> None:
        async with prometheus(tmp_path, []) as p:
            assert len(running()) == len(before) + 1
            assert "Server is ready" in p.log()
            raise ZeroDivisionError

    before = running()
    with pytest.raises(ZeroDivisionError):
        await failing_test()
    assert running() == before


async def test_a_configuration_it_refuses_fails_the_test_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"ended before it was ready(.|\n)*nonsense"):
        async with prometheus(tmp_path, [], extra_yaml="nonsense: true\n"):
            raise AssertionError("it started")


def test_promtool_reads_a_page() -> None:
    assert promtool("check", "metrics", stdin=TEXT_PAGE).returncode == 0
    assert promtool("check", "metrics", stdin="studio_things{").returncode == 1


def test_what_is_not_installed_is_skipped_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STUDIO_REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program"):
        needs_command("no-such-program")
    monkeypatch.setenv("STUDIO_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-program"):
        needs_command("no-such-program")
