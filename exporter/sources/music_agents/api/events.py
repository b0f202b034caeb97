"""What happened between two reads, for those who follow it: sessions of training, and runs that ended."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from exporter.core.event import Event
from exporter.domains.training import RUNNING
from exporter.sources.music_agents.api.papers import Filed
from exporter.sources.music_agents.api.plain import plain
from exporter.sources.music_agents.api.rows import Session
from exporter.sources.music_agents.api.tables import Recorded


def recorded(before: Recorded, after: Recorded) -> Iterator[Event]:
    """`session.started`, `session.phase` and `session.ended`, the oldest session first; a session that came and went
    between the reads has started and ended."""
    known = {session.id: session for session in before.tables.sessions}
    newest = max((number for number in known if isinstance(number, int)), default=0)
    for session in reversed(after.tables.sessions):
        earlier = known.get(session.id)
        if earlier is not None:
            yield from _changed(earlier, session)
        elif isinstance(session.id, int) and session.id > newest:
            yield _told("session.started", session)
            if session.status != RUNNING:
                yield _told("session.ended", session)


def _changed(earlier: Session, session: Session) -> Iterator[Event]:
    was, runs = earlier.status == RUNNING, session.status == RUNNING
    if runs and not was:
        yield _told("session.started", session)
    if runs and was and session.phase != earlier.phase:
        yield _told("session.phase", session)
    if was and not runs:
        yield _told("session.ended", session)


def _told(name: str, session: Session) -> Event:
    return Event(name, {"event": name, "session": msgspec.to_builtins(session)})


def filed(before: Filed, after: Filed) -> Iterator[Event]:
    """`run.finished`, when there is the result of another run than before."""
    known = {(finish.key, finish.at) for finish in before.finishes}
    for finish in after.finishes:
        if (finish.key, finish.at) not in known:
            yield Event("run.finished", {"event": "run.finished", "run": _run(finish.key, after)})


def _run(written: str, value: Filed) -> Mapping[str, Any]:  # Any: whatever JSON has
    last = value.facts.last
    return {
        "timestamp": written,
        "status": "success" if last.succeeded else "failed",
        "total_time_seconds": last.duration,
        "phases": plain(dict(last.phases)),
        "agents": dict(last.agents),
    }
