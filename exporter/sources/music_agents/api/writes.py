"""What changes the system, where that is allowed: training sessions are started and stopped, storyboard projects made.

As the system did it (contract 1.4, 1.7), but for its races: a change is one transaction, with the events it is worth.
"""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

from exporter.core.api import Answer, Asked, Live, Reading
from exporter.core.errors import ReadError
from exporter.inputs.writing import Change, Writing
from exporter.sources.music_agents.api.answers import Created, Started, Stopped
from exporter.sources.music_agents.api.asking import Unfit, answer, failure, local, unavailable
from exporter.sources.music_agents.api.picks import KEPT, LONGEST
from exporter.sources.music_agents.api.plain import plain

T = TypeVar("T")

JSON = re.compile(r"application/([\w.-]+\+)?json", re.IGNORECASE)
DUE = ("database",)
"""What shows a change is read at once."""

ACTIVE = "select id from training_sessions where lower(status) = 'running' order by id"
BEGUN = """
    insert into training_sessions (start_time, status, phase, created_at)
    values (:at, 'running', 'initializing', :created)
"""
ENDED = "update training_sessions set status = 'stopped', end_time = :at where lower(status) = 'running'"
EVENT = """
    insert into events (timestamp, event_type, message, severity, created_at)
    values (:at, :type, :message, 'info', :created)
"""
TABLE = """
    create table if not exists storyboard_projects (
        id text primary key, created text not null, name, music, artist, status text not null
    )
"""
TAKEN = "select id from storyboard_projects"
MADE = """
    insert into storyboard_projects (id, created, name, music, artist, status)
    values (:id, :created, :name, :music, :artist, 'created')
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Project:
    """A project as it was asked for; each may be text, a number, or nothing."""

    name: str | int | float | None
    music: str | int | float | None
    artist: str | int | float | None


@dataclass(frozen=True, slots=True)
class Writes:
    """The changes of one source; its name and time zone are needed to tell of them."""

    source: str
    writing: Writing
    zone: tzinfo

    def view(self, make: "Callable[[Writes, Asked], tuple[Callable[[Change], T], Callable[[T], Answer]]]") -> Live:
        """A view that changes something: `make` gives the change, and what its outcome is answered with."""

        async def changed(reading: Reading, asked: Asked) -> Answer:
            try:
                work, told = make(self, asked)
                return told(await self.writing.change(work))
            except Unfit as unfit:
                return unfit.answer
            except ReadError as error:
                log.warning("source %s: nothing was changed: %s", self.source, error)
                return unavailable(f"The database could not be changed: {error.reason}")

        return changed

    def at(self, asked: Asked) -> str:
        """Now, as the system wrote times."""
        return local(asked.now, self.zone)


def created(asked: Asked) -> str:
    """Now, as SQLite's CURRENT_TIMESTAMP has it: in UTC, to the second."""
    return f"{datetime.fromtimestamp(asked.now, UTC):%Y-%m-%d %H:%M:%S}"


def start(writes: Writes, asked: Asked) -> tuple[Callable[[Change], tuple[bool, int]], Callable[[Any], Answer]]:
    """Where a session is running, whoever asks is told which, and nothing is changed."""
    force = _started_with(asked)
    at, when = writes.at(asked), created(asked)

    def work(change: Change) -> tuple[bool, int]:
        if running := change.rows(ACTIVE):
            return False, running[-1][0]
        number = change.run(BEGUN, at=at, created=when)
        change.run(EVENT, at=at, type="training_start", message=f"Training started (session {number})", created=when)
        return True, number

    def told(found: tuple[bool, int]) -> Answer:
        begun, number = found
        if not begun:
            log.info("source %s: no training session was started: session %d is running", writes.source, number)
            return answer(Started("A training session is already running", "already_running", at, number), 409)
        log.info("source %s: training session %d was started%s", writes.source, number, " (force)" if force else "")
        return _shown(answer(Started("Training session initiated", "started", at, number)))

    return work, told


def stop(writes: Writes, asked: Asked) -> tuple[Callable[[Change], list[int]], Callable[[Any], Answer]]:
    """Every session that is running is stopped, those that an old race has left among them."""
    at, when = writes.at(asked), created(asked)

    def work(change: Change) -> list[int]:
        running = [number for (number,) in change.rows(ACTIVE)]
        if running:
            change.run(ENDED, at=at)
        for number in running:
            change.run(EVENT, at=at, type="training_stop", message=f"Training stopped (session {number})", created=when)
        return running

    def told(running: list[int]) -> Answer:
        if not running:
            log.info("source %s: no training session was stopped: none is running", writes.source)
            return answer(Stopped(message="No training session is currently running", status="no_running_session"))
        log.info("source %s: training stopped: %d sessions up to %d", writes.source, len(running), running[-1])
        return _shown(answer(Stopped(status="stopped", timestamp=at, training_id=running[-1])))

    return work, told


def create(writes: Writes, asked: Asked) -> tuple[Callable[[Change], str], Callable[[Any], Answer]]:
    """The id says when the project was made; the second one of the same second has a number too."""
    project = _described(asked)
    at = writes.at(asked)
    first = f"proj_{at[:10].replace('-', '')}_{at[11:19].replace(':', '')}"

    def work(change: Change) -> str:
        change.run(TABLE)
        taken = {number for (number,) in change.rows(TAKEN)}
        if len(taken) >= KEPT:
            raise Unfit(failure(f"{KEPT} projects are kept, which is all there is room for", 409))
        name = next(each for n in range(1, KEPT + 2) if (each := first if n == 1 else f"{first}_{n}") not in taken)
        values = {"name": project.name, "music": project.music, "artist": project.artist}
        change.run(MADE, id=name, created=at[:10], **values)
        return name

    def told(name: str) -> Answer:
        log.info("source %s: storyboard project %s was created", writes.source, name)
        return _shown(answer(Created(project.name, name, "created")))

    return work, told


def _shown(made: Answer) -> Answer:
    return Answer(made.body, made.status, made.media, made.headers, DUE)


# bodies


def _started_with(asked: Asked) -> bool:
    """Whether `force` was sent, which nothing depends on. A request without a body is one without wishes."""
    found = _body(asked) if asked.body or asked.media else {}
    if not isinstance(found or {}, dict):
        raise Unfit(failure('expected a JSON object such as {"force": false}, or no body', 400))
    return bool(found and found.get("force"))


def _described(asked: Asked) -> Project:
    found = _body(asked)
    if not isinstance(found, dict):
        raise Unfit(failure('expected a JSON object such as {"name": "...", "music": "...", "artist": "..."}', 400))
    return Project(*(_scalar(found, name) for name in ("name", "music", "artist")))


def _scalar(found: dict[str, Any], name: str) -> str | int | float | None:
    sent = found.get(name)
    if isinstance(sent, bool) or not isinstance(sent, str | int | float | None):
        raise Unfit(failure(f"{name}: expected text, a number or null", 400))
    value: str | int | float | None = plain(sent)
    if isinstance(value, str) and len(value) > LONGEST:
        raise Unfit(failure(f"{name}: expected at most {LONGEST} characters, found {len(value)}", 400))
    return value


def _body(asked: Asked) -> Any:
    """What was sent as JSON."""
    if not JSON.fullmatch(asked.media.split(";")[0].strip()):
        raise Unfit(failure("expected a body of the media type application/json", 415))
    try:
        return json.loads(asked.body)
    except (ValueError, RecursionError):
        raise Unfit(failure("the body is not valid JSON", 400)) from None
