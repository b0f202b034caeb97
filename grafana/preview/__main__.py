"""The command `python -m grafana.preview`: lets a studio live for a while, and draws its dashboards.

It needs npm, chromium and Prometheus, and takes some minutes. What it draws are previews: the data, layout, units,
colours and words are those that Grafana shows, since its own components draw them; the frame of the page is ours.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from tests.grafana.documents import DASHBOARDS, GRAFANA, Json, panels
from tests.grafana.live import chosen, filled, studio
from tests.prometheus import Prometheus, prometheus

HERE = Path(__file__).parent
PICTURES = GRAFANA / "dashboards" / "pictures"
DRAWN = {"dark": [*DASHBOARDS], "light": ["studio-overview"]}
CELL, FRAME, WIDTH = 38, 72, 1280
"""Pixels of a row of the grid, of what is above and below it, and of a page."""

PAGE = (
    '<!doctype html><meta charset="utf-8"><body style="margin:0"><div id="root"></div>'
    '<link rel="stylesheet" href="../node_modules/@fontsource/inter/400.css">'
    '<link rel="stylesheet" href="../node_modules/@fontsource/inter/500.css">'
    '<link rel="stylesheet" href="../node_modules/uplot/dist/uPlot.min.css">'
)


async def answers(p: Prometheus, document: Json, seconds: int) -> dict[int, list[Json]]:
    """What Prometheus says to the queries of each panel, by its id."""
    values, found = chosen(document, seconds), {}
    now = (await p.query("time()"))[0][1]
    for panel in panels(document):
        found[panel["id"]] = [
            {
                "ref": target["refId"],
                "legend": target["legendFormat"],
                "result": (await ask(p, filled(target["expr"], values), target, (now - seconds, now)))["result"],
            }
            for target in panel["targets"]
        ]
    return found


async def ask(p: Prometheus, expression: str, target: Json, times: tuple[float, float]) -> Any:
    begin, end = times
    if target["instant"]:
        return await p.get("/api/v1/query", query=expression, time=str(end))
    step = str(max(1, round((end - begin) / 200)))
    return await p.get("/api/v1/query_range", query=expression, start=str(begin), end=str(end), step=step)


def draw(document: Json, given: dict[int, list[Json]], scheme: str, picture: Path) -> None:
    """Writes the picture of a dashboard."""
    preview = json.dumps({"dashboard": document, "answers": given, "scheme": scheme}).replace("</", "<\\/")
    page = HERE / "build" / f"{picture.stem}.html"
    page.write_text(
        f'{PAGE}<script>window.PREVIEW = {preview}</script><script src="preview.js"></script>', encoding="utf-8"
    )
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in document["panels"])
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=8000")
    size = f"--window-size={WIDTH},{rows * CELL + FRAME}"
    subprocess.run(
        ["chromium", *options, size, f"--screenshot={picture}", page.as_uri()], check=True, capture_output=True
    )


async def lived(seconds: int) -> dict[str, dict[int, list[Json]]]:
    """Lets a studio live for so many seconds; the answers for each dashboard, by its uid."""
    rules = f"rule_files: ['{GRAFANA}/rules/*.yaml']\n"
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        async with studio(home) as address, prometheus(home, [address], extra_yaml=rules) as p:
            await asyncio.sleep(seconds)
            return {uid: await answers(p, document, seconds) for uid, document in DASHBOARDS.items()}


def main(arguments: list[str]) -> None:
    parser = ArgumentParser(prog="python -m grafana.preview", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=240, help="how long the studio lives (default: 240)")
    parser.add_argument("--output", type=Path, default=PICTURES, help="default: grafana/dashboards/pictures")
    asked = parser.parse_args(arguments)
    if not (HERE / "node_modules").exists():
        subprocess.run(["npm", "install", "--legacy-peer-deps", "--ignore-scripts"], cwd=HERE, check=True)
    subprocess.run(["npm", "run", "--silent", "build"], cwd=HERE, check=True)
    asked.output.mkdir(parents=True, exist_ok=True)
    found = asyncio.run(lived(asked.seconds))
    pictures = {asked.output / f"{uid}-{scheme}.png": (uid, scheme) for scheme, uids in DRAWN.items() for uid in uids}
    for picture, (uid, scheme) in pictures.items():
        draw(DASHBOARDS[uid], found[uid], scheme, picture)
    subprocess.run(["node", HERE / "shrink.js", *(picture.absolute() for picture in pictures)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
