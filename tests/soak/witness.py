"""The demo's simulator, watched: it can be told to stand still at the end of a step, and to tell what it knows.

On SIGUSR1 it finishes its step, writes its world as JSON to the path it was given first, in one move, and stands still
until SIGUSR2. The world is what passed through its hands on the way to the disk; no file of the studio is read for it.
"""

import json
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from exporter.demo import decnet, music_agents, simulator, stakazo, trafalgar, world
from exporter.demo.music_reports import Night
from exporter.demo.music_tables import KEPT
from exporter.demo.studio import Studio, System, Write
from tests.soak import work
from tests.soak.work import Ends

ONE_LOOK = 0.02
"""Wall seconds between two looks whether to go on."""

Call = Callable[..., Any]
Record = dict[str, Any]
Row = tuple[Any, ...]  # Any, here and below: whatever the systems write


@dataclass
class Memory:
    """What the systems did so far. `things` are Trafalgar's own, which remember all that they did; `tables` and
    `dashboard` hold records by table and id; `events` and `emails` are rows as DECNET has them, `acts`
    the kind and success of all that there ever were; `runs` and `jobs` are those that ever ended; `report` and `result`
    are what Music Agents last told of a run."""

    things: dict[str, Any] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    emails: list[Row] = field(default_factory=list)
    acts: list[tuple[str, bool]] = field(default_factory=list)
    runs: Ends = field(default_factory=dict)
    jobs: Ends = field(default_factory=dict)
    tables: dict[str, dict[str, Record]] = field(default_factory=lambda: defaultdict(dict))
    dashboard: dict[str, dict[int, Record]] = field(default_factory=lambda: defaultdict(dict))
    report: Record = field(default_factory=dict)
    result: Record = field(default_factory=dict)

    # DECNET

    def take(self, taken: tuple[list[Row], list[Row]]) -> tuple[list[Row], list[Row]]:
        self.events += taken[0]
        self.emails += taken[1]
        self.acts += [(row[2], bool(row[7])) for row in taken[0]] + [("email", bool(row[11])) for row in taken[1]]
        return taken

    def prune(self, _: object) -> None:
        self.events = newest(self.events, decky=6, keep=decnet.EVENTS_KEPT)
        self.emails = newest(self.emails, decky=2, keep=decnet.EMAILS_KEPT)

    # Stakazo

    def publish(self, _: object, taken: Any) -> None:
        """The three kinds of change in the order in which they reach the database, and with what they take along."""
        for table, records in taken.changed.items():
            self.tables[table] |= {name: {**record} for name, record in records.items()}
        for publication in taken.cleared:
            self.tables["publish_logs"].pop(publication, None)
        for video in taken.deleted:
            clips = {name for name, clip in self.tables["clips"].items() if clip["video_asset_id"] == video}
            for table, column in (("publish_logs", "clip_id"), ("campaigns", "clip_id"), ("clips", "id")):
                self._drop(table, column, clips)
            self._drop("jobs", "video_asset_id", {video})
            self._drop("video_assets", "id", {video})

    def _drop(self, table: str, column: str, gone: set[str]) -> None:
        kept = {name: record for name, record in self.tables[table].items() if record[column] not in gone}
        self.tables[table] = kept

    # Music Agents

    def note(self, _: object, changed: Any) -> None:
        for (table, identity), record in changed.items():
            self.dashboard[table][identity] = {**record}
        for table, keep in KEPT.items():
            last = max(self.dashboard[table], default=0)
            for identity in [identity for identity in self.dashboard[table] if identity <= last - keep]:
                del self.dashboard[table][identity]

    def reported(self, day: object, night: Night, before: float) -> None:
        agents = {name: [of.quality, of.change, of.seconds] for name, of in night.agents.items()}
        self.report = {"day": str(day), "quality": night.quality, "agents": agents}

    def succeeded(self, night: Night) -> None:
        counts = {"trained": len(night.agents), "failed": len(music_agents.AGENTS) - len(night.agents)}
        told = {"ended": night.ended.isoformat(), "seconds": night.seconds, "phases": {**night.phases}}
        self.result = {"succeeded": True, "agents": counts, **told}

    def failed(self, ended: Any, seconds: float, _: object) -> None:
        told = {"ended": ended.isoformat(), "seconds": seconds, "phases": {}}
        self.result = {"succeeded": False, "agents": {}, **told}

    def step(self) -> None:
        """Notes what ended in a step, before it is pruned."""
        self.runs |= work.runs(self.things["Ingest"].runs)
        self.jobs |= work.jobs(self.things["Render"].jobs)

    def world(self) -> Record:
        """All of it as JSON has it: of DECNET's rows (time, kind, success), of what is stored (shot, version)."""
        rows = [(row[1], row[2], row[7]) for row in self.events] + [(row[1], "email", row[11]) for row in self.emails]
        stored = {
            place: [(key.shot.name, f"v{key.number:03}") for key in keys]
            for place, keys in self.things["Storage"].collected._asdict().items()
        }
        return {
            "runs": self.things["Ingest"].runs,
            "jobs": self.things["Render"].jobs,
            "site": self.things["Production"].tables(),
            "stored": stored,
            "operations": rows,
            "ended": {
                "ingest": work.totals(self.runs.values()),
                "render": work.totals(self.jobs.values()),
                "operation": work.totals(self.acts),
            },
            "tables": {name: [*records.values()] for name, records in self.tables.items()}
            | {name: [*records.values()] for name, records in self.dashboard.items()},
            "report": self.report,
            "result": self.result,
        }


def newest(rows: list[Row], decky: int, keep: int) -> list[Row]:
    """The newest rows of each decky, so many at most; `decky` is the place of its id in a row."""
    left: dict[str, int] = defaultdict(lambda: keep)
    kept = []
    for row in sorted(rows, key=lambda row: str(row[1]), reverse=True):
        left[row[decky]] -= 1
        if left[row[decky]] >= 0:
            kept.append(row)
    return kept[::-1]


def watched(memory: Memory) -> None:
    """From now on what the systems make, and hand to their files and databases, is noted as well."""

    def kept(kind: Call) -> Call:
        def make(*arguments: Any) -> Any:
            memory.things[kind.__name__] = kind(*arguments)
            return memory.things[kind.__name__]

        return make

    def noted(note: Call) -> Callable[[Call], Call]:
        return lambda real: after(real, note)

    def orchestrator(_: Call) -> Call:
        return lambda *arguments: Watched(memory, *arguments)

    for module, name, wrap in (
        *((trafalgar, kind, kept) for kind in ("Ingest", "Render", "Production", "Storage")),
        (decnet, "Orchestrator", orchestrator),
        (decnet, "prune", noted(memory.prune)),
        (stakazo, "save", noted(memory.publish)),
        (music_agents, "save", noted(memory.note)),
        (music_agents, "report", noted(memory.reported)),
        (music_agents, "result", noted(memory.succeeded)),
        (music_agents, "failure", noted(memory.failed)),
    ):
        setattr(module, name, wrap(getattr(module, name)))


class Watched(decnet.Orchestrator):
    """DECNET's orchestrator, whose rows are noted as they are taken from it."""

    def __init__(self, memory: Memory, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._memory = memory

    def take(self) -> tuple[list[Row], list[Row]]:
        return self._memory.take(super().take())


def after(real: Call, note: Call) -> Call:
    """Does the one thing, and then notes what it was asked to do."""

    def both(*arguments: Any) -> Any:
        given = real(*arguments)
        note(*arguments)
        return given

    return both


def witness(memory: Memory, path: Path) -> System:
    """A system without a life of its own. Its turn to write comes last: by then all of a step is on disk."""
    moving = Event()
    moving.set()

    @contextmanager
    def live(studio: Studio) -> Iterator[Write]:
        signal.signal(signal.SIGUSR1, lambda *_: moving.clear())
        signal.signal(signal.SIGUSR2, lambda *_: moving.set())

        def write() -> None:
            memory.step()
            if not moving.is_set():
                tell(memory.world(), path)
                while not (moving.is_set() or studio.wait(ONE_LOOK)):
                    continue
                rested(studio)

        yield write

    return System(lambda _: "", live, ())


def rested(studio: Studio) -> None:
    """Time in the studio goes on where it stood, as after a sleep that was longer than any step."""
    usual, world.LONGEST_STEP = world.LONGEST_STEP, 0.0
    studio.agenda.advance(time.time())
    world.LONGEST_STEP = usual


def tell(told: Record, path: Path) -> None:
    """Writes a world, and when that was (epoch seconds)."""
    fresh = path.with_suffix(".fresh")
    fresh.write_text(json.dumps({**told, "frozen": time.time()}), encoding="utf-8")
    fresh.replace(path)


def main() -> int:
    """Runs the simulator; its own arguments follow the path of the world."""
    path, *arguments = sys.argv[1:]
    memory = Memory()
    watched(memory)
    simulator.SYSTEMS = (*simulator.SYSTEMS, witness(memory, Path(path)))
    return simulator.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
