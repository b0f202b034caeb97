"""Music Agents in the simulated studio: the agents are trained every night, and at times when somebody asks for it.

The orchestrator's files are written in place, and the dashboard's SQLite database has a rollback journal (contract
music-agents 2).
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from exporter.demo.music_reports import (
    DISABLED,
    ROSTER,
    TARGETS,
    Document,
    Night,
    Trained,
    config,
    failure,
    report,
    result,
)
from exporter.demo.music_tables import Dashboard, Record, create, local, save
from exporter.demo.studio import Studio, System, Write
from exporter.demo.world import DAY, HOUR, MINUTE, Agenda, Life, Moment, Trouble, chance, rhythm

ORCHESTRATOR = "orchestrator"
DATABASE = "dashboard.db"
CONFIG = "training/config.json"
RESULT = "holistic_training_result.json"
LOGS = "logs"

NIGHT = 18 * HOUR
"""From the morning, when the demo begins, to the time of the nightly training."""

PHASES = {"harvesting": 4 * MINUTE, "validation": 2 * MINUTE, "agent_training": 14 * MINUTE, "monitoring": 3 * MINUTE}
"""The phases that take time, and how much, in studio seconds, on average."""

ERRORS = {
    "harvesting": "No data source answered",
    "validation": "Not enough records left after validation",
    "agent_training": "Training timed out after 300s",
    "monitoring": "No space left on device",
}
COMPLETED, FAILED, STOPPED = "completed", "failed", "stopped"

AGENTS = tuple(agent for agent in ROSTER if agent != DISABLED)


class Training:
    """Sessions, and what happens between them. Now and then one agent is in trouble, for most of a day: its errors
    come in a row, and training has no data of it. `files` are the texts by path that are yet to be written."""

    def __init__(self, agenda: Agenda, dice: Random) -> None:
        self._agenda, self._dice = agenda, dice
        self._trouble = Trouble(dice, dict.fromkeys(AGENTS, 16 * HOUR))
        self._qualities = {agent: target - dice.uniform(-0.3, 0.9) for agent, (_, target) in TARGETS.items()}
        self._errors: Counter[str] = Counter()
        self._busy = False
        self._before = 7.5
        self._ended = COMPLETED
        self.dashboard = Dashboard()
        self.files = {CONFIG: _text(config())}
        for life in (self._trouble.life(), self._nights(), self._requests(), self._events()):
            agenda.begin(life)

    def _nights(self) -> Life:
        yield NIGHT
        while True:
            self._agenda.begin(self._session())
            yield DAY

    def _requests(self) -> Life:
        while True:
            yield self._dice.uniform(3 * HOUR, 9 * HOUR)
            self._agenda.begin(self._session())

    def _session(self) -> Life:
        moment = yield 0.0
        if self._busy:
            return
        self._busy = True
        session = self._begun(moment)
        status, last = self._fate()
        took: dict[str, float] = {}
        moment = yield self._dice.uniform(20, 60)
        for phase, usual in PHASES.items():
            before = moment.wall
            self.dashboard.change("training_sessions", session, {"phase": phase})
            moment = yield usual * self._dice.uniform(0.7, 1.3)
            took[phase] = moment.wall - before
            if status != COMPLETED and phase == last:
                break
        self._end(session, status, moment, took)
        self._busy = False

    def _begun(self, moment: Moment) -> Record:
        values: Record = {"status": "running", "phase": "initializing", "agents_trained": 0, "overall_improvement": 0.0}
        session = self.dashboard.add("training_sessions", moment, {"start_time": local(moment), **values})
        self.dashboard.event(moment, "training_start", "info", f"Training started (session {session['id']})")
        return session

    def _fate(self) -> tuple[str, str]:
        """How a session will end and, unless it completes, in which phase; a failure is often followed by another."""
        failures = 35 if self._ended == FAILED else 12
        self._ended = self._dice.choices((COMPLETED, FAILED, STOPPED), weights=(90 - failures, failures, 10))[0]
        return self._ended, self._dice.choice(tuple(PHASES))

    def _end(self, session: Record, status: str, moment: Moment, took: dict[str, float]) -> None:
        """How it ended, noted as upstream does: who stops a session notes no end, and a failed one has no report."""
        if status == COMPLETED:
            self._complete(session, moment, took)
        elif status == FAILED:
            error = ERRORS[[*took][-1]]
            ended: Record = {"status": FAILED, "end_time": local(moment), "error_message": error}
            self.dashboard.change("training_sessions", session, ended)
            self.dashboard.event(moment, "training", "error", error)
            self.files[RESULT] = _text(failure(_clock(moment), sum(took.values()), error))
        else:
            self.dashboard.change("training_sessions", session, {"status": STOPPED})

    def _complete(self, session: Record, moment: Moment, took: dict[str, float]) -> None:
        agents = {agent: self._trained(agent) for agent in AGENTS if not self._trouble.strikes(agent)}
        night = Night(_clock(moment), took, agents, _next_night(moment))
        for agent, trained in agents.items():
            self._measure(agent, trained, moment)
        day = moment.utc.date()
        self.files[f"{LOGS}/daily_report_{day}.txt"] = report(day, night, self._before)
        self.files[RESULT] = _text(result(night))
        improved = (night.quality - self._before) / self._before * 100
        self._before = night.quality
        ended: Record = {"status": COMPLETED, "end_time": local(moment), "agents_trained": len(agents)}
        self.dashboard.change("training_sessions", session, {**ended, "overall_improvement": round(improved, 2)})
        self.dashboard.event(moment, "training_complete", "info", f"Training completed (session {session['id']})")

    def _trained(self, agent: str) -> Trained:
        """Quality wanders, and comes back to where it mostly is."""
        before = self._qualities[agent]
        usual = TARGETS[agent][1] - 0.3
        after = min(max(before + 0.2 * (usual - before) + self._dice.gauss(0, 0.2), 0.0), 10.0)
        self._qualities[agent] = after
        return Trained(after, after - before, self._dice.uniform(0.9, 5.5))

    def _measure(self, agent: str, trained: Trained, moment: Moment) -> None:
        values: Record = {
            "timestamp": local(moment),
            "agent_id": agent,
            "quality_score": round(trained.quality, 2),
            "processing_time_ms": int(trained.seconds * 1000),
            "error_count": self._errors.pop(agent, 0),
            "status": "online",
            "improvement": round(trained.change, 2),
        }
        self.dashboard.add("agent_metrics", moment, values)

    def _events(self) -> Life:
        moment = yield 0.0
        while True:
            moment = yield self._dice.expovariate(rhythm(moment.at) / (10 * MINUTE))
            agent = self._trouble.name if self._dice.random() < 0.2 else None
            self._happens(agent or self._dice.choice(AGENTS), moment)

    def _happens(self, agent: str, moment: Moment) -> None:
        number, luck = self._dice.randint(1, 999), self._dice.random()
        if self._trouble.strikes(agent):
            self._errors[agent] += 1
            self.dashboard.event(moment, "error", "error", "Upstream API returned 503", agent)
        elif luck < 0.1:
            self.dashboard.event(moment, "alert", "warning", f"Queue depth high: {number}", agent)
        elif luck < 0.11:
            self.dashboard.event(moment, "alert", "critical", "Disk almost full")
        else:
            self.dashboard.event(moment, "agent", "info", f"Processed batch #{number}", agent)


@contextmanager
def live(studio: Studio) -> Iterator[Write]:
    """Music Agents' life; its writer writes the files that changed, each in place, and the dashboard's records."""
    training = Training(studio.agenda, chance(studio.seed, "music"))
    home = studio.directory / ORCHESTRATOR
    for folder in (home, home / "training", home / LOGS):
        folder.mkdir()

    with closing(create(studio.directory / DATABASE)) as connection:

        def write() -> None:
            for path, text in training.files.items():
                (home / path).write_text(text, encoding="utf-8")
            training.files.clear()
            save(connection, training.dashboard.take())

        yield write


def _clock(moment: Moment) -> datetime:
    return moment.utc.replace(tzinfo=None)


def _next_night(moment: Moment) -> datetime:
    night = _clock(moment).replace(hour=3, minute=0, second=0, microsecond=0)
    return night if night > _clock(moment) else night + timedelta(days=1)


def _text(document: Document) -> str:
    return json.dumps(document, indent=2)


def _source(directory: Path) -> str:
    return f"""\
  - name: music
    kind: music_agents
    api: {{token: demo}}
    orchestrator: {json.dumps(str(directory / ORCHESTRATOR))}
    database: {json.dumps(str(directory / DATABASE))}
    host: true
"""


MUSIC_AGENTS = System(_source, live, (f"{DATABASE}*", ORCHESTRATOR))
