"""What the legacy JSON costs while a registry of many runs is rewritten every second, beside a constant answer.

    python -m benchmarks.bench_api [--runs 100000] [--seconds 20]

Three processes besides this one: the exporter itself, a bare aiohttp server with constant answers of the same sizes,
and one that replaces the registry every second, in which one run has then ended or begun. Requests are sent one at a
time, to each of them in turn. Goal: the 99th percentile of each path is under 10 ms on a quiet machine.
"""

import argparse
import asyncio
import json
import multiprocessing
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aiohttp import ClientError, ClientSession, web

from benchmarks.bench_registry import registry

PATHS = ("/metrics", "/runs/missing", "/runs/run-00001", "/runs?limit=20")
PAUSE = 0.005
CONFIG = """
refresh: {{interval: 1s, timeout: 30s, max_stale: 10m}}
sources:
  - name: vfx
    kind: trafalgar
    ingest_registry: {registry}
    api: {{public: true, listen: "127.0.0.1:{port}"}}
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def replace(path: Path, text: bytes) -> None:
    """A file as careful programs write it."""
    beside = path.with_suffix(".new")
    beside.write_bytes(text)
    beside.replace(path)


def rewrite(path: Path, texts: list[bytes]) -> None:
    """Replaces the registry every second, until the process is ended."""
    while True:
        for text in texts:
            before = time.monotonic()
            replace(path, text)
            time.sleep(max(1.0 - (time.monotonic() - before), 0.0))


def constant(port: int, bodies: dict[str, tuple[int, bytes]]) -> None:
    """Serves the same bytes again and again."""

    async def answer(request: web.Request) -> web.Response:
        status, body = bodies[request.path_qs]
        return web.Response(body=body, status=status, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, print=lambda _: None)


async def answered(session: ClientSession, url: str) -> tuple[int, bytes]:
    """An answer, as soon as somebody listens and has read what it takes."""
    while True:
        try:
            async with session.get(url) as found:
                body = await found.read()
                if found.status != 503:
                    return found.status, body
        except ClientError:
            pass
        await asyncio.sleep(0.05)


async def timed(session: ClientSession, url: str) -> float:
    """Seconds of one request."""
    before = time.perf_counter()
    async with session.get(url) as found:
        await found.read()
    return time.perf_counter() - before


async def measure(base: str, path: Path, texts: list[bytes], seconds: float) -> None:
    """Prints one line for each path."""
    port = free_port()
    spawn = multiprocessing.get_context("spawn")
    async with ClientSession() as session:
        bodies = {one: await answered(session, base + one) for one in PATHS}
        others = [
            spawn.Process(target=constant, args=(port, bodies), daemon=True),
            spawn.Process(target=rewrite, args=(path, texts), daemon=True),
        ]
        for process in others:
            process.start()
        beside = f"http://127.0.0.1:{port}"
        await answered(session, beside + PATHS[0])
        times: dict[str, list[float]] = {where + one: [] for where in (base, beside) for one in PATHS}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for url, found in times.items():
                found.append(await timed(session, url))
                await asyncio.sleep(PAUSE)
        for process in others:
            process.terminate()
            process.join()
    for one in PATHS:
        ours, theirs = times[base + one], times[beside + one]
        ratio = p99(ours) / p99(theirs)
        print(
            f"{one:18} {len(bodies[one][1]):6} bytes  median {statistics.median(ours) * 1e3:5.2f} ms  "
            f"p99 {p99(ours) * 1e3:6.2f} ms  constant p99 {p99(theirs) * 1e3:6.2f} ms  ratio {ratio:5.2f}  "
            f"longest {max(ours) * 1e3:.1f} ms  of {len(ours)}"
        )


def p99(times: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(times, n=100, method="inclusive")[-1]


def texts(runs: int) -> list[bytes]:
    """The registry, and the same with one run more that has ended."""
    before = registry(runs)
    after = [dict(one) for one in before]
    after[runs // 2] |= {"completed_at": "2026-12-31T00:00:00+00:00"}
    return [json.dumps(one).encode() for one in (after, before)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    contents = texts(given.runs)
    with tempfile.TemporaryDirectory() as folder:
        path, port = Path(folder, "runs.json"), free_port()
        replace(path, contents[0])
        config = Path(folder, "config.yaml")
        config.write_text(CONFIG.format(registry=path, port=port))
        options = ("--config.file", str(config), "--web.listen-address", "127.0.0.1:0")
        with subprocess.Popen([sys.executable, "-m", "exporter", *options], stderr=subprocess.DEVNULL) as exporter:
            try:
                asyncio.run(measure(f"http://127.0.0.1:{port}", path, contents, given.seconds))
                status = Path(f"/proc/{exporter.pid}/status")
                if status.exists():
                    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
                    print(f"peak memory of the exporter: {int(peak.split()[1]) / 1e3:.0f} MB")
            finally:
                exporter.terminate()


if __name__ == "__main__":
    main()
