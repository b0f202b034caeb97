"""A real Prometheus for one test, and promtool: on a free port, with an empty store, stopped whatever happens."""

import asyncio
import os
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.test_utils import RawTestServer

TEXT = "text/plain;version=0.0.4"
DEADLINE = 90.0
BETWEEN = 0.05
"""Seconds that anything may take, and between two looks whether it has come."""

Vector = list[tuple[dict[str, str], float]]


def needs_command(name: str) -> str:
    """The path of a program; the test is skipped where it is not installed, and fails where everything must be."""
    if path := shutil.which(name):
        return path
    message = f"the program {name} is not installed"
    if os.environ.get("STUDIO_REQUIRE_SERVICES") == "1":
        pytest.fail(message)
    pytest.skip(message)


def promtool(*args: str | Path, stdin: str | bytes = b"") -> subprocess.CompletedProcess[str]:
    """What promtool says; `check metrics` reads the page from `stdin`. The return code is left to the caller."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([needs_command("promtool"), *args], input=data, capture_output=True, timeout=60, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass(frozen=True, slots=True)
class Target:
    """What is scraped: `host:port`, under which job; `more` are further keys of its configuration, as `scheme`. With
    `text`, Prometheus gets the text format.

    Prometheus 2.42 always asks for OpenMetrics first and has no setting against it, so the text format is had through
    a proxy that asks for nothing else; labels are those of the target all the same.
    """

    address: str
    job: str = "studio"
    path: str = "/metrics"
    params: Mapping[str, Sequence[str]] = field(default_factory=dict)
    text: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    def scrape_config(self, proxy: str) -> dict[str, Any]:
        return {
            "job_name": self.job,
            "metrics_path": self.path,
            "params": {name: [*values] for name, values in self.params.items()},
            "static_configs": [{"targets": [self.address]}],
            **({"proxy_url": proxy} if self.text else {}),
            **self.more,
        }


class Prometheus:
    """A running Prometheus; `url` is its root without a slash."""

    def __init__(self, url: str, session: ClientSession, lines: list[str]) -> None:
        self.url = url
        self._session = session
        self._lines = lines

    async def get(self, path: str, **params: str) -> Any:  # Any: JSON of many shapes
        """The `data` of an answer of its HTTP API, as of `/api/v1/rules`."""
        async with self._session.get(f"{self.url}{path}", params=params) as response:
            answer = await response.json()
        assert answer["status"] == "success", answer
        return answer["data"]

    async def query(self, expression: str) -> Vector:
        """The value of an expression now: labels and value of each series; a scalar has no labels."""
        data = await self.get("/api/v1/query", query=expression)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(each["metric"], float(each["value"][1])) for each in data["result"]]

    async def until(self, expression: str, holds: Callable[[Vector], object] = bool) -> Vector:
        """The value of an expression as soon as something holds of it; by default, that there is any."""
        deadline = time.monotonic() + DEADLINE
        while not holds(found := await self.query(expression)):
            if time.monotonic() > deadline:
                pytest.fail(f"{expression} is still {found}; targets: {await self.targets()}\n{self.log()}")
            await asyncio.sleep(BETWEEN)
        return found

    async def targets(self) -> list[dict[str, Any]]:
        """The active targets as its API has them: `health`, `lastError`, `labels`, `scrapeUrl` and more."""
        active: list[dict[str, Any]] = (await self.get("/api/v1/targets", state="active"))["activeTargets"]
        return active

    def log(self) -> str:
        """What it has logged so far."""
        return "".join(self._lines)


@asynccontextmanager
async def prometheus(
    directory: Path, targets: Sequence[str | Target], scrape_interval: str = "1s", extra_yaml: str = ""
) -> AsyncIterator[Prometheus]:
    """A Prometheus that scrapes these targets; `extra_yaml` adds keys to its configuration, as `rule_files:` does.

    Its files are written under `directory`. It is ready when this gives it, but has not necessarily scraped yet.
    """
    program = needs_command("prometheus")
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=DEADLINE)))
        proxy = await stack.enter_async_context(RawTestServer(text_proxy(session)))
        wanted = [target if isinstance(target, Target) else Target(target) for target in targets]
        config = directory / "prometheus.yml"
        every = {"scrape_interval": scrape_interval, "scrape_timeout": scrape_interval}
        content = {
            "global": {**every, "evaluation_interval": scrape_interval},
            "scrape_configs": [target.scrape_config(str(proxy.make_url("/"))) for target in wanted],
        }
        config.write_text(yaml.safe_dump(content, sort_keys=False) + extra_yaml, encoding="utf-8")
        arguments = [f"--config.file={config}", f"--storage.tsdb.path={directory / 'tsdb'}"]
        yield await stack.enter_async_context(started(program, arguments, session))


@asynccontextmanager
async def started(program: str, arguments: Sequence[str], session: ClientSession) -> AsyncIterator[Prometheus]:
    """The process, from the moment it says that it is ready until it has ended."""
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        "--web.listen-address=127.0.0.1:0",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    lines: list[str] = []
    try:
        url = await ready(process.stderr, lines)
        reader = asyncio.create_task(drain(process.stderr, lines))
        try:
            yield Prometheus(url, session, lines)
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
    finally:
        await stop(process)


async def ready(log: asyncio.StreamReader, lines: list[str]) -> str:
    """Its address, once its log says where it listens and that it serves."""
    url, serves = "", False
    async with asyncio.timeout(DEADLINE):
        while line := (await log.readline()).decode():
            lines.append(line)
            if found := re.search(r'[Ll]istening on"? .*?address=(127\.0\.0\.1:[1-9][0-9]*)', line):
                url = f"http://{found[1]}"
            serves = serves or "Server is ready to receive web requests" in line
            if url and serves:  # in either order
                return url
    pytest.fail(f"prometheus ended before it was ready:\n{''.join(lines)}")


async def drain(log: asyncio.StreamReader, lines: list[str]) -> None:
    while line := await log.readline():
        lines.append(line.decode())


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ends a process, by force if it will not."""
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(10):
                await process.communicate()
        except TimeoutError:
            process.kill()
    await process.communicate()


def text_proxy(session: ClientSession) -> Callable[[web.BaseRequest], Any]:
    """A forward proxy that passes requests on as they come, but asks for the text format whatever was asked for."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        passed = {"User-Agent", "X-Prometheus-Scrape-Timeout-Seconds"}
        headers = {name: value for name, value in request.headers.items() if name in passed}
        async with session.get(request.raw_path, headers={**headers, "Accept": TEXT}) as response:
            body = await response.read()
            kind = response.headers.get("Content-Type", "")
            return web.Response(body=body, status=response.status, headers={"Content-Type": kind})

    return handle
