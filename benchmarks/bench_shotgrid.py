"""What one read of a ShotGrid site costs: calls and time, beside the serial way of the system replaced.

    python -m benchmarks.bench_shotgrid [--delay 20] [--rounds 1]

The site is the tests' own, in a process of its own, and answers every call after a delay in milliseconds: once with the
golden rows, and once with 10 projects of 100 playlists of 10 versions, and 20 000 versions listed. The serial way is
that of the recording: for each project a look-up and a list, for each playlist two look-ups and its versions.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import ClientSession

from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits
from exporter.inputs.shotgrid import normal
from exporter.sources.trafalgar import KIND, Config
from exporter.sources.trafalgar.shotgrid import Config as SiteConfig
from tests.shotgrid_server import KEY, SCRIPT, Site, clip, golden, playlist, project, served, version

NOW = 1778490000.0
FIELDS = "code,sg_path_to_movie,sg_uploaded_movie,sg_uploaded_movie_frame_count,sg_uploaded_movie_frame_rate"


def large() -> Site:
    """10 projects with 100 playlists each, 10 versions in each of these, and 20 000 versions listed."""
    projects = [project(number, f"project_{number:02}") for number in range(1, 11)]
    site, start, next_ = Site(projects=projects), datetime.fromtimestamp(NOW, UTC) - timedelta(days=300), 0
    for one in projects:
        for number in range(100):
            ids = range(next_, next_ := next_ + 10)
            site.playlists.append(playlist(one["id"] * 1000 + number, one, f"dailies_{one['id']}_{number}", *ids))
            site.clips.extend(clip(id_, f"SH{id_ % 400:04}") for id_ in ids)
    for id_ in range(20_000):
        updated = (start + timedelta(minutes=21 * id_)).isoformat()
        site.versions.append(version(id_, projects[id_ % 10], f"SH{id_ % 400:04}", "wtg", updated))
    return site


SITES: Mapping[str, Callable[[], Site]] = {"golden": golden, "10 projects of 100 playlists": large}


def serve(name: str, delay: float, pipe: Connection) -> None:
    """A site in this process, until something comes through the pipe."""

    async def run() -> None:
        site = SITES[name]()
        site.delay = delay
        async with served(site) as address:
            pipe.send((address, [row["attributes"]["name"] for row in site.projects]))
            await asyncio.to_thread(pipe.recv)

    asyncio.run(run())


async def serially(address: str, projects: list[str]) -> int:
    """Asks as the system replaced did; the number of calls."""
    calls = 0
    async with ClientSession(f"{address}/api/v1/") as session:

        async def get(entity: str, **params: object) -> list[Any]:
            nonlocal calls
            calls += 1
            query = {key: str(value) for key, value in {"page[size]": 100, **params}.items()}
            async with session.get(f"entities/{entity}", params=query, headers=bearer) as answer:
                body = await answer.json()
            rows = [row for one in body["data"] if not isinstance(row := normal(one), str)]
            if "next" in body["links"]:
                number = int(query.get("page[number]", "1"))
                rows += await get(entity, **{**params, "page[number]": number + 1})
            return rows

        login = {"grant_type": "client_credentials", "client_id": SCRIPT, "client_secret": KEY}
        async with session.post("auth/access_token", json=login) as answer:
            bearer = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
        calls += 1
        for name in projects:
            (found,) = await get("projects", **{"fields": "id,name,code", "filter[0][name]": name})
            for listed in await get("playlists", **{"fields": "id,code,versions", "filter[0][project]": found.id}):
                await get("projects", **{"fields": "id,name,code", "filter[0][name]": name})
                code = {"filter[0][project]": found.id, "filter[1][code]": listed.text("code")}
                (one,) = await get("playlists", **{"fields": "id,code,versions", **code})
                ids = ",".join(str(each["id"]) for each in one.fields["versions"])
                await get("versions", **{"fields": FIELDS, "filter[0][id[$in]]": ids})
    return calls


async def reads(address: str) -> list[tuple[int, float]]:
    """Calls and seconds of a first read and of the next."""
    config = Config(shotgrid=SiteConfig(address, SCRIPT, Secret(KEY), timeout=300.0))
    source = KIND.source(config, Context("benchmark", Schedule(), Limits()))
    found = []
    for now in (NOW, NOW + 60):
        began = time.perf_counter()
        taken = await source.parts[0].read(now)
        found.append((int(taken.origin.split("(")[1].split()[0]), time.perf_counter() - began))
    await source.close()
    return found


async def measure(address: str, projects: list[str], rounds: int) -> None:
    """Prints three lines; the ways take turns, so that all meet the same machine."""
    times: dict[str, list[float]] = {"serially": [], "first read": [], "next read": []}
    calls = {}
    for _ in range(rounds):
        for way, (count, seconds) in zip(("first read", "next read"), await reads(address), strict=True):
            calls[way] = count
            times[way].append(seconds)
        began = time.perf_counter()
        calls["serially"] = await serially(address, projects)
        times["serially"].append(time.perf_counter() - began)
    usual = statistics.median(times["serially"])
    for way, each in times.items():
        middle, spread = statistics.median(each), f"{min(each) * 1e3:.0f}-{max(each) * 1e3:.0f}"
        ratio = f"1/{calls['serially'] / calls[way]:.0f} of the calls, 1/{usual / middle:.1f} of the time"
        print(f"  {way:10}  {calls[way]:5} calls  {middle * 1e3:8.0f} ms ({spread})  {ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--delay", type=float, default=20.0, help="milliseconds until a call is answered")
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    for name in SITES:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(name, given.delay / 1e3, theirs))
        process.start()
        address, projects = ours.recv()
        print(f"{name}, {given.delay:g} ms a call")
        asyncio.run(measure(address, projects, given.rounds))
        ours.send(None)
        process.join()
        assert process.exitcode == 0


if __name__ == "__main__":
    main()
