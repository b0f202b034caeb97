"""What following costs: deliveries a second on one core, each listener with a queue of its own, and bytes a listener.

    python -m benchmarks.bench_streams [--listeners 1000] [--rounds 300]

The first part is the hub alone; then come connections of server-sent events and of WebSockets, whose readers are a
process of their own. Goals: 100 000 deliveries a second, at most 20 KiB a listener.
"""

import argparse
import asyncio
import resource
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

from exporter.core.address import Address
from exporter.core.api import Access
from exporter.core.event import Event
from exporter.core.source import Limits
from exporter.runtime.hub import Hub, Listener
from exporter.web.faces import Face
from exporter.web.server import own, serving
from tests.web.apis import System
from tests.web.examples import Example

READER = """
import asyncio, sys
async def one(port, head):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode())
    while await reader.read(1 << 16):
        pass
async def main(port, count, head):
    await asyncio.gather(*(one(port, head) for _ in range(count)))
asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
"""

UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
KEY = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
KINDS: dict[str, dict[str, str]] = {"/events": {}, "/events/ws": {**UPGRADE, **KEY}}


def event(number: int) -> Event:
    run = {"id": f"run-{number:05}", "started_at": "2026-05-11T08:44:41+00:00", "status": "running", "report": {}}
    return Event("run.updated", {"event": "run.updated", "run": run})


async def alone(listening: int, rounds: int) -> None:
    """The hub, and a task for each listener that takes what comes and looks at its bytes."""
    hub = Hub()
    hub.add(System().source("vfx", ()))
    got = 0

    async def follow(listener: Listener) -> None:
        nonlocal got
        while (entries := await listener.take()) is not None:
            for entry in entries:
                got += bool(entry.frame)

    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    listeners = [found for _ in range(listening) if (found := hub.listen("vfx", "events"))]
    tasks = [asyncio.create_task(follow(listener)) for listener in listeners]
    await asyncio.sleep(0)
    each = (tracemalloc.get_traced_memory()[0] - before) / listening
    tracemalloc.stop()
    begun = time.perf_counter()
    for number in range(rounds):
        hub.publish("vfx", "main", [event(number)])
        while got < (number + 1) * listening:
            await asyncio.sleep(0)
    spent = time.perf_counter() - begun
    print(f"hub alone: {got / spent:,.0f} deliveries/s to {listening} listeners, {each / 1024:.1f} KiB a listener")
    for listener in listeners:
        hub.leave(listener)
    for task in tasks:
        task.cancel()


async def connected(listening: int, path: str) -> None:
    """Real connections; CPU seconds of this process alone, events in bursts of 16 as a read brings them."""
    example, source = Example(), System().source("vfx", ())
    face = Face.of(source, Access(public=True))
    assert face
    example.board.add(source, Limits(), 0)
    hub = example.traffic.hub
    hub.add(source)
    served = example.served(faces=lambda: {"vfx": face})
    channel = next(each for each in hub.channels if each.stream.name == "events")
    async with serving(own(served, "vfx"), [Address("127.0.0.1", 0)]) as [url]:
        before = resident()
        lines = [
            f"GET {path} HTTP/1.1",
            "Host: x",
            *(f"{name}: {value}" for name, value in KINDS[path].items()),
            "",
            "",
        ]
        program = [sys.executable, "-c", READER, url.rsplit(":", 1)[1], str(listening), "\r\n".join(lines)]
        reader = subprocess.Popen(program)
        while len(channel.listeners) < listening:
            await asyncio.sleep(0.05)
        each = (resident() - before) / listening
        for burst in (1, 16):
            begun, number = cpu(), 0
            for _ in range(64 // burst):
                hub.publish("vfx", "main", [event(number := number + 1) for _ in range(burst)])
                await asyncio.sleep(0)
                while not all(listener.waiting for listener in channel.listeners):
                    await asyncio.sleep(0)
            spent = cpu() - begun
            print(f"{path}, bursts of {burst}: {number * listening / spent:,.0f} deliveries per CPU second")
        print(f"{path}: {each / 1024:.1f} KiB a listener; {channel.dropped} dropped")
        reader.kill()
        reader.wait()


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--listeners", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=300)
    options = parser.parse_args()
    asyncio.run(alone(options.listeners, options.rounds))
    for path in KINDS:
        asyncio.run(connected(options.listeners, path))


if __name__ == "__main__":
    main()
