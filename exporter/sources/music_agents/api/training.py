"""The views of training: the overview, the schedule, and what reports and sessions say of the runs."""

from typing import Any

from exporter.core.api import Asked
from exporter.core.sums import added
from exporter.domains.training import FAILED, IDLE, RUNNING, TRAINED, Agent
from exporter.sources.music_agents.api.agents import reported
from exporter.sources.music_agents.api.answers import (
    Overview,
    Quality,
    QuickStats,
    Schedule,
    TrainingHistory,
    TrainingLog,
    TrainingStatus,
    Trends,
)
from exporter.sources.music_agents.api.asking import Seen, whole
from exporter.sources.music_agents.api.days import minutes, said
from exporter.sources.music_agents.api.papers import DAILY
from exporter.sources.music_agents.api.plain import fit
from exporter.sources.music_agents.api.rows import Session
from exporter.sources.music_agents.reports import ROSTER
from exporter.sources.music_agents.times import epoch

WEEK = 7
"""Files that count where nobody says how many (contract 1.4 and 1.5)."""

NOTABLE = 0.5
"""The change of quality, in percent or in points, that is a trend."""

SHOWN = ("agent_training", "harvesting", "monitoring", "production", "validation")
"""The phases whose durations are shown."""


def overview(seen: Seen, asked: Asked) -> Overview:
    found = reported(seen)
    latest = seen.files.papers.latest
    report = latest.report if latest else None
    spent = [agent.processing or 0.0 for agent in found.values()]
    return Overview(
        agents_trained=online(seen),
        current_phase=phase(seen) if "database" in seen.told else None,
        improvements={name: round(_change(found[name]), 1) for name in sorted(found)},
        last_training=report.day.isoformat() if report else seen.local(seen.files.facts.last.ended),
        next_training=seen.local(seen.files.papers.next_run),
        overall_quality=quality(seen),
        quality_trend=trend(report.change or 0.0 if report else 0.0),
        timestamp=seen.timestamp,
        training_speed_ms=fit(added(spent) / len(spent) * 1000) if spent else 0,
    )


def _change(agent: Agent) -> float:
    return 0.0 if agent.change is None else agent.change


def online(seen: Seen) -> int:
    """The agents of which there is a quality."""
    return sum((agent.quality or 0.0) > 0 for agent in reported(seen).values())


def quality(seen: Seen) -> int | float:
    """That of the whole system: after the last run, where its result tells it."""
    if seen.files.papers.after is not None:
        return round(seen.files.papers.after, 1)
    latest = seen.files.papers.latest
    if latest is None or latest.report is None:
        return 0.0
    return 0 if latest.report.quality is None else round(latest.report.quality, 1)


def trend(change: float) -> str:
    return "improving" if change > NOTABLE else "declining" if change < -NOTABLE else "stable"


def phase(seen: Seen) -> Any:  # Any: the cell of a table
    """That of the newest session, where it is running."""
    found = newest(seen)
    return found.phase if found and found.status == RUNNING else IDLE


def newest(seen: Seen) -> Session | None:
    return next(iter(seen.database.tables.sessions), None)


def quick_stats(seen: Seen, asked: Asked) -> QuickStats:
    agents, booted = seen.files.facts.last.agents, seen.host.booted
    total = agents.get(FAILED, 0) + agents.get(TRAINED, 0)
    return QuickStats(
        agents_online=online(seen),
        agents_total=len(ROSTER),
        error_rate=round(agents.get(FAILED, 0) / total, 3) if total else None,
        system_quality=quality(seen),
        uptime_hours=None if booted is None else round(max(0.0, seen.now - booted) / 3600, 1),
        videos_generated=0,
    )


def status(seen: Seen, asked: Asked) -> TrainingStatus:
    found, phases = newest(seen), seen.files.facts.last.phases
    return TrainingStatus(
        current_agent=None,
        current_phase=phase(seen),
        estimated_time_remaining_sec=0,
        is_running=found is not None and found.status == RUNNING,
        last_session=found,
        phase_durations={name: phases.get(name) for name in SHOWN},
        progress_percent=0,
    )


def schedule(seen: Seen, asked: Asked) -> Schedule:
    training = seen.files.papers.training
    return Schedule(
        description=training.get("description", "Daily training"),
        enabled=training.get("enabled", True),
        next_run=seen.local(seen.files.papers.next_run),
        schedule=training.get("schedule", DAILY),
        timezone=seen.timezone,
    )


def history(seen: Seen, asked: Asked) -> TrainingHistory:
    """`days` is a number of files, and the last changed come first, as it always was."""
    made = [paper.day for paper in seen.files.papers.last(whole(asked, "days", WEEK)) if paper.day]
    return TrainingHistory(
        daily_duration_ms=[fit(each.duration_minutes * 60 * 1000) for each in made],
        daily_improvement=[each.quality_change for each in made],
        daily_quality=[each.overall_quality for each in made],
        dates=[each.date for each in made],
        history=made,
    )


def qualities(seen: Seen, asked: Asked) -> Quality:
    """A report without an agent has no place in that agent's list, so that the lists differ in length, as they did."""
    found = seen.files.papers.reports(WEEK)

    def of(agent: str) -> list[int | float]:
        told = [said(report.agents[agent].quality) for report in found if agent in report.agents]
        return told or [0] * len(found)

    return Quality(
        agent_5a=of("agent_5a"),
        agent_8=of("agent_8"),
        system=[said(report.quality) for report in found],
        timestamps=[report.day.isoformat() for report in found],
    )


def trends(seen: Seen, asked: Asked) -> Trends:
    """The oldest less the newest: the sign is the wrong one, as it always was."""
    found = seen.files.papers.reports(WEEK)
    if len(found) < 2:
        return Trends(0, "stable", 0, "stable")
    last = found[0].quality or 0
    lost = (found[-1].quality or 0) - last
    return Trends(
        average_processing_time=fit(added(minutes(report) for report in found) / len(found) * 60000),
        error_trend="stable",
        quality_change_percent=round(lost / last * 100, 1) if last else 0,
        quality_trend=trend(lost),
    )


def sessions(seen: Seen, asked: Asked) -> list[TrainingLog]:
    return [
        TrainingLog(None, each.start_time, duration(seen, each), each.overall_improvement, each.phase, each.status)
        for each in seen.database.tables.sessions
    ]


def duration(seen: Seen, session: Session) -> int:
    """Milliseconds, 0 where there is no end of it."""
    began, ended = epoch(session.start_time, seen.zone), epoch(session.end_time, seen.zone)
    return 0 if began is None or ended is None or ended < began else round((ended - began) * 1000)
