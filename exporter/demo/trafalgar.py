"""Trafalgar in the simulated studio: media is ingested, frames are rendered, versions are reviewed and stored.

It is told in JSON files and by a site of ShotGrid. The shapes are those of the real ones (contract trafalgar b), and so
is how the files are written.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from exporter.demo.shotgrid import Production
from exporter.demo.shotgrid_site import KEY, SCRIPT, Site, served
from exporter.demo.shows import SHOWS, Shots, shots
from exporter.demo.storage import Collected, Storage
from exporter.demo.studio import Studio, System, Write
from exporter.demo.world import DAY, HOUR, MINUTE, Agenda, Life, Moment, Trouble, chance, rhythm

Document = dict[str, Any]  # Any: what JSON holds

INGEST_REGISTRY = "ingest_runs.json"
RENDER_JOBS = "render_jobs.json"
RECONCILE = "reconcile.json"
PROJECTS = "dashboard-projects.json"
SHOTGRID = "shotgrid.url"
"""Where the address of the site stands: its port is another one each time."""

FORMER_PROJECTS = ("ashfall", "meridian", "saltmarsh")
"""The names on record when the demo begins; the exporter adds those that it finds, and leaves the one it does not."""

RUNS_KEPT = 360
JOBS_KEPT = 160

DESCRIPTORS = ("plate", "lighting", "comp", "fx", "anim", "scan")
EXTENSIONS = ("exr", "mov", "mxf", "wav")
REASONS = (
    "Checksum mismatch",
    "Unsupported extension '.tmp'",
    "Descriptor must be provided in the filename",
    "Filename does not match SHOW_EP_SC_SH_DESC.ext",
)

SLOTS = {"deadline": 4, "tractor": 3, "opencue": 2, "mock": 1}
"""The farms, and how many jobs each runs at a time; at the height of the day that is not enough, and jobs queue up."""

FARM_TROUBLE = {"deadline": 2 * HOUR, "tractor": 3 * HOUR, "opencue": 5 * HOUR, "mock": 7 * HOUR}
"""How long a farm is in trouble, on average: long enough for half a dozen of its jobs to fail."""

DCCS = ("maya", "nuke", "houdini", "blender")
FAILURES = ("exit code 3", "exit code 137", "licence server did not answer")

TORN = 0.05
"""How often a rewrite of the registry is slow enough to be seen half-done."""

TORN_SECONDS = 0.2


class Ingest:
    """Runs arrive all day, more of them for a show in trouble, as it tries again; the newest `keep` are kept."""

    def __init__(self, agenda: Agenda, dice: Random, shots: Shots, keep: int = RUNS_KEPT) -> None:
        self._agenda, self._dice, self._shots, self._keep = agenda, dice, shots, keep
        self._trouble = Trouble(dice, dict.fromkeys(SHOWS, 3 * HOUR))
        self._numbers = count(1)
        self.runs: list[Document] = []
        self.changes = 0
        agenda.begin(self._trouble.life())
        agenda.begin(self._arrivals())

    def _arrivals(self) -> Life:
        moment = yield 0.0
        while True:
            moment = yield self._dice.expovariate(rhythm(moment.at) / (12 * MINUTE))
            again = self._trouble.name if self._dice.random() < 0.3 else None
            self._agenda.begin(self._run(again or self._dice.choice([*SHOWS])))

    def _run(self, show: str) -> Life:
        moment = yield 0.0
        report: Document = {"processed": [self._file(show)], "invalid": [], "warnings": []}
        number = next(self._numbers)
        run = {"id": f"run-{number:05}", "started_at": _iso(moment), "completed_at": None, "report": report}
        self.runs.append(run)
        _prune(self.runs, self._keep)
        self.changes += 1
        files = self._dice.randint(1, 7)
        stalled = 25 if self._dice.random() < 0.01 else 1
        for _ in range(files):
            yield stalled * self._dice.lognormvariate(0.8, 0.7) * MINUTE
            report["processed"].append(self._file(show))
            self.changes += 1
        moment = yield self._dice.uniform(10, 60)
        if self._trouble.strikes(show):
            report["invalid"] = [self._invalid(show) for _ in range(self._dice.randint(1, 3))]
        elif self._dice.random() < 0.1:
            report["warnings"].append("frame rate differs from show default")
        run["completed_at"] = _iso(moment)
        self.changes += 1

    def _file(self, show: str) -> Document:
        dice, name, shot = self._dice, SHOWS[show], self._dice.choice(self._shots[show])
        info = {
            "show_code": show,
            "episode": shot.episode,
            "scene": shot.scene,
            "shot": shot.number,
            "descriptor": dice.choice(DESCRIPTORS),
            "extension": dice.choice(EXTENSIONS),
        }
        stem = "_".join([*info.values()][:5])
        return {
            "path": f"/mnt/incoming/{name}/{stem}.{info['extension']}",
            "bucket": dice.choice(("client_in", "vendor_in")),
            "key": f"{shot.place}/{stem}.{info['extension']}",
            "media_info": info,
        }

    def _invalid(self, show: str) -> list[str]:
        number = self._dice.randint(1, 9999)
        return [f"/mnt/incoming/{SHOWS[show]}/upload_{number:04}.tmp", self._dice.choice(REASONS)]


class Render:
    """Jobs are submitted, wait for a slot of their farm, run, and end; the newest `keep` are kept."""

    def __init__(self, agenda: Agenda, dice: Random, shots: Shots, keep: int = JOBS_KEPT) -> None:
        self._agenda, self._dice, self._shots, self._keep = agenda, dice, shots, keep
        self._trouble = Trouble(dice, FARM_TROUBLE)
        self._numbers = count(1)
        self._running: Counter[str] = Counter()
        self.jobs: list[Document] = []
        self.changes = 0
        agenda.begin(self._trouble.life())
        agenda.begin(self._submissions())

    def _submissions(self) -> Life:
        moment = yield 0.0
        while True:
            moment = yield self._dice.expovariate(rhythm(moment.at) / (7 * MINUTE))
            farm = self._dice.choices([*SLOTS], weights=(45, 30, 15, 10))[0]
            self._agenda.begin(self._job(farm))

    def _job(self, farm: str) -> Life:
        moment = yield 0.0
        job = self._submitted(farm, moment)
        self._change(job, "queued", (yield self._dice.uniform(10, 90)))
        moment = yield self._dice.uniform(30, 180)
        while self._running[farm] >= SLOTS[farm]:
            moment = yield MINUTE
        if self._dice.random() < 0.03:
            self._change(job, "cancelled", moment)
            return
        self._running[farm] += 1
        self._change(job, "running", moment)
        moment = yield self._dice.lognormvariate(3.5, 0.6) * MINUTE
        self._running[farm] -= 1
        if self._trouble.strikes(farm):
            job["message"] = self._dice.choice(FAILURES)
            self._change(job, "failed", moment)
        else:
            self._change(job, "cancelled" if self._dice.random() < 0.03 else "completed", moment)

    def _submitted(self, farm: str, moment: Moment) -> Document:
        job: Document = {
            "job_id": f"{farm}-{next(self._numbers):05}",
            "farm": farm,
            "farm_type": farm,
            "message": None,
            "request": self._request(farm),
            "created_at": _iso(moment),
            "completed_at": None,
            "status_history": [],
        }
        self._change(job, "submitted", moment)
        self.jobs.append(job)
        _prune(self.jobs, self._keep)
        return job

    def _request(self, farm: str) -> Document:
        dice = self._dice
        dcc, shot, first, number = (
            dice.choice(DCCS),
            dice.choice(self._shots[dice.choice([*SHOWS])]),
            1001,
            dice.randint(1, 99_999),
        )
        return {
            "dcc": dcc,
            "scene": f"/mnt/prod/{shot.place}/{shot.name}.{dcc}",
            "frames": f"{first}-{first + dice.randint(24, 240)}",
            "output": f"/mnt/prod/{shot.place}/renders/{number:05}",
            "farm": farm,
            "priority": dice.choice((40, 50, 50, 60, 80)),
            "chunk_size": dice.choice((None, 4, 8)),
            "user": dice.choice(("amal", "joni", "robin", None)),
        }

    def _change(self, job: Document, status: str, moment: Moment) -> None:
        time = _iso(moment)
        job |= {"status": status, "updated_at": time}
        job["status_history"].append({"status": status, "timestamp": time})
        if status in {"completed", "failed", "cancelled"}:
            job["completed_at"] = time
        self.changes += 1


def rewrite(path: Path, text: str, pause: Callable[[], object] | None = None) -> None:
    """Writes a file in place as a plain `open` and `dump` does; with a `pause`, half of it stands there meanwhile."""
    with path.open("w", encoding="utf-8") as file:
        if pause is not None:
            file.write(text[: len(text) // 2])
            file.flush()
            pause()
            text = text[len(text) // 2 :]
        file.write(text)


def replace(path: Path, text: str) -> None:
    """Writes a file as the render store does (contract b.2): there is an instant in which it is not there."""
    fresh, old = path.with_name(f"{path.name}.tmp"), path.with_name(f"{path.name}.bak")
    fresh.write_text(text, encoding="utf-8")
    if path.exists():
        path.rename(old)
    fresh.rename(path)
    old.unlink(missing_ok=True)


class _Files:
    """Trafalgar's files, each written when what it tells changed."""

    def __init__(self, studio: Studio, ingest: Ingest, render: Render, storage: Storage) -> None:
        self._studio, self._ingest, self._render, self._storage = studio, ingest, render, storage
        self._slips = chance(studio.seed, "torn")
        self._written: tuple[int, int, Collected] | None = None

    def write(self) -> None:
        """Brings to disk what changed, now and then slowly enough to be seen half-done."""
        home, now = self._studio.directory, (self._ingest.changes, self._render.changes, self._storage.collected)
        before = self._written or (0, 0, Collected())
        if now[0] != before[0]:
            rewrite(home / INGEST_REGISTRY, json.dumps(self._ingest.runs), self._torn(TORN))
        if now[1] != before[1]:
            replace(home / RENDER_JOBS, json.dumps(self._render.jobs, indent=2, sort_keys=True))
        if now[2] != before[2]:
            rewrite(home / RECONCILE, now[2].text(), self._torn(TORN / 2))
        self._written = now

    def _torn(self, how_often: float) -> Callable[[], object] | None:
        slow = self._slips.random() < how_often
        return partial(self._studio.wait, TORN_SECONDS) if slow and self._written else None


@contextmanager
def live(studio: Studio) -> Iterator[Write]:
    """Trafalgar's life; its writer rewrites each of the files when something in it changed, and tells the site."""
    every = shots(chance(studio.seed, "shots"))
    storage = Storage(studio.agenda, chance(studio.seed, "storage"))
    production = Production(studio.agenda, chance(studio.seed, "shotgrid"), every, storage.deliver)
    files = _Files(
        studio,
        Ingest(studio.agenda, chance(studio.seed, "ingest"), every),
        Render(studio.agenda, chance(studio.seed, "render"), every),
        storage,
    )
    site, told = Site(time.monotonic), 0
    studio.agenda.begin(_restarts(site))

    def write() -> None:
        nonlocal told
        files.write()
        if production.changes != told:
            site.tables = production.tables()
        told = production.changes

    with served(site) as url:
        (studio.directory / SHOTGRID).write_text(url, encoding="utf-8")
        (studio.directory / PROJECTS).write_text(json.dumps(FORMER_PROJECTS, indent=2), encoding="utf-8")
        yield write


def _restarts(site: Site) -> Life:
    """The site is restarted every night, and then takes no token of the day before."""
    while True:
        yield DAY
        site.forget()


def _iso(moment: Moment) -> str:
    return moment.utc.isoformat()


def _prune(records: list[Document], keep: int) -> None:
    """Takes away the oldest that ended until `keep` are left; what still goes on stays."""
    ended = iter([record for record in records if record["completed_at"]])
    while len(records) > keep and (oldest := next(ended, None)):
        records.remove(oldest)


def _source(directory: Path) -> str:
    return f"""\
  - name: vfx
    kind: trafalgar
    api: {{token: demo}}
    ingest_registry: {json.dumps(str(directory / INGEST_REGISTRY))}
    render_jobs: {json.dumps(str(directory / RENDER_JOBS))}
    shotgrid:
      url: {(directory / SHOTGRID).read_text(encoding="utf-8")}
      script: {SCRIPT}
      key: {KEY}
      interval: 2s
      timeout: 10s
    project_registry: {json.dumps(str(directory / PROJECTS))}
    reconcile: {json.dumps(str(directory / RECONCILE))}
"""


LEAVES = (INGEST_REGISTRY, f"{RENDER_JOBS}*", RECONCILE, SHOTGRID, f"{Path(PROJECTS).stem}.*")

TRAFALGAR = System(_source, live, LEAVES)
