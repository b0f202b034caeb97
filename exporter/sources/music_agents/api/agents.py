"""The views of the agents: what the last changed report says of each."""

from collections.abc import Mapping
from typing import Any

from exporter.core.api import Asked
from exporter.core.sums import added
from exporter.domains.training import Agent
from exporter.sources.music_agents.api.answers import (
    AgentDetail,
    AgentsHealth,
    AgentState,
    Alert,
    Compared,
    Performance,
    Trained,
)
from exporter.sources.music_agents.api.asking import Seen
from exporter.sources.music_agents.api.plain import fit
from exporter.sources.music_agents.reports import ROSTER, Report

NAMES: Mapping[str, str] = dict(
    zip(
        ROSTER,
        (
            "Trend Detective",
            "Audio Curator",
            "Video Concept",
            "Screenplay Generator",
            "Veo Generator",
            "Runway Generator",
            "Influencer Matcher",
            "Distribution Metadata",
            "Prompt Refiner",
            "Sound Designer",
            "Master Distributor",
            "Meta Trainer",
        ),
        strict=True,
    )
)
"""What the system called its agents (contract 1.1)."""

SILENT = Agent(None, None, None)
LOW = 6.0
"""The quality below which an agent is warned of."""

BUSY, FULL = 80.0, 90.0
"""Percent of the processors or the memory, and of the disk, above which the machine is warned of."""

TOLD = 10
"""Reports of an agent's training history."""


def reported(seen: Seen) -> Mapping[str, Agent]:
    """What the last changed report says, by agent."""
    latest = seen.files.papers.latest
    return latest.report.agents if latest and latest.report else {}


def configured(seen: Seen, agent: str) -> Mapping[str, Any]:
    """What the configuration says of an agent."""
    agents = seen.files.papers.training.get("agent_training")
    found = agents.get(agent) if isinstance(agents, dict) else None
    return found if isinstance(found, dict) else {}


def errors(seen: Seen, agent: str) -> int | None:
    """Those in the newest record of an agent, 0 where there is none."""
    return seen.database.facts.errors.get(agent, 0) if "database" in seen.told else None


def state(seen: Seen, agent: str) -> AgentState:
    """What no report says is 0, and an agent is online unless its training is disabled, as it was."""
    found = reported(seen).get(agent, SILENT)
    latest = seen.files.papers.latest
    return AgentState(
        errors=errors(seen, agent),
        id=agent,
        improvement=0.0 if found.change is None else found.change,
        last_updated=seen.local(latest.at if latest else None),
        name=NAMES.get(agent, agent),
        processing_time_ms=fit((found.processing or 0.0) * 1000),
        quality_score=found.quality or 0.0,
        status="online" if configured(seen, agent).get("enabled", True) else "offline",
    )


def states(seen: Seen, asked: Asked) -> list[AgentState]:
    return [state(seen, agent) for agent in ROSTER]


def detail(seen: Seen, asked: Asked) -> AgentDetail:
    """Of any name: one that is unknown has the defaults, as it always had."""
    found = state(seen, asked.path["agent_id"])
    settings = configured(seen, found.id)
    return AgentDetail(
        description=settings.get("description", "No description"),
        enabled=settings.get("enabled", True),
        errors=found.errors,
        id=found.id,
        improvement=found.improvement,
        last_updated=found.last_updated,
        metrics_history=seen.database.tables.samples.get(found.id, ()),
        name=found.name,
        performance_metrics=Performance(found.errors, found.improvement, found.processing_time_ms, found.quality_score),
        priority=settings.get("priority", "medium"),
        processing_time_ms=found.processing_time_ms,
        quality_score=found.quality_score,
        status=found.status,
        training_history=tuple(
            trained(report, report.agents[found.id])
            for report in seen.files.papers.reports(TOLD)
            if found.id in report.agents
        ),
    )


def trained(report: Report, agent: Agent) -> Trained:
    return Trained(
        report.day.isoformat(),
        0 if agent.change is None else agent.change,
        agent.processing or 0,
        agent.quality or 0,
    )


def health(seen: Seen, asked: Asked) -> AgentsHealth:
    found = states(seen, asked)
    qualities = [agent.quality_score for agent in found if agent.quality_score > 0]
    online = sum(agent.status == "online" for agent in found)
    types = [alert.type for alert in alerts(seen)]
    return AgentsHealth(
        average_quality=round(added(qualities) / len(qualities), 1) if qualities else 0,
        critical_alerts=types.count("critical"),
        offline=len(found) - online,
        online=online,
        total_agents=len(found),
        warnings=types.count("warning"),
    )


def comparison(seen: Seen, asked: Asked) -> dict[str, Compared]:
    ranked = sorted(states(seen, asked), key=lambda agent: agent.quality_score, reverse=True)
    made = {
        agent.id: Compared(agent.name, rank, round(agent.quality_score, 1), agent.improvement)
        for rank, agent in enumerate(ranked, 1)
    }
    return {name: made[name] for name in sorted(made)}


def alerts(seen: Seen) -> list[Alert]:
    """What is out of bounds: first the machine, then the agents. No data of an agent is a quality of 0, as it was."""
    found = []
    cpu, memory, disk = processors(seen), memory_used(seen), disk_used(seen)
    if cpu is not None and cpu > BUSY:
        found.append(("warning", f"High CPU usage: {cpu}%"))
    if memory is not None and memory > BUSY:
        found.append(("warning", f"High memory usage: {memory}%"))
    if disk is not None and disk > FULL:
        found.append(("critical", f"Critical disk usage: {disk}%"))
    low = [(agent.name, agent.quality_score) for agent in (state(seen, name) for name in ROSTER)]
    found += [("warning", f"Low quality for {name}: {quality}") for name, quality in low if quality < LOW]
    return [Alert(message, seen.timestamp, kind) for kind, message in found]


# the machine, in percent to one decimal, None where it does not tell


def processors(seen: Seen) -> float | None:
    return None if seen.host.cpu is None else round(seen.host.cpu * 100, 1)


def memory_used(seen: Seen) -> float | None:
    size, available = seen.host.memory_size, seen.host.memory_available
    return None if not size or available is None else round((size - available) / size * 100, 1)


def disk_used(seen: Seen) -> float | None:
    """Of the root, as `df` counts."""
    found = seen.host.filesystems.get("/")
    there = found.used + found.available if found else 0
    return round(found.used / there * 100, 1) if found and there else None
