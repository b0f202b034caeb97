"""Training: the runs that train a system's agents, its sessions and events, and how good the agents are."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from exporter.core.family import OTHER, Family, Point
from exporter.core.finish import Finish
from exporter.domains.table import row

RUN = "run"
SESSION = "session"
"""The lanes of what finishes: each run that the orchestrator records, each session that the dashboard does."""

IDLE = "idle"
AGENT_TRAINING = "agent_training"
PHASES = (AGENT_TRAINING, "cleanup", "harvesting", IDLE, "initializing", "monitoring", "production", "validation")

COMPLETED = "completed"
FAILED = "failed"
RUNNING = "running"
STATUSES = (COMPLETED, FAILED, RUNNING, "stopped")
LEVELS = ("critical", "error", "info", "warning")

TRAINED = "trained"


@dataclass(frozen=True, slots=True)
class Sessions:
    """What a system's database keeps: sessions by status, whether the newest is running and its phase (`idle` where
    none is), when the oldest running one started (epoch seconds; None where none is, or none with a start that is known
    and past), events by level, errors by agent, and the sessions that were completed or failed."""

    sessions: Mapping[str, int]
    running: bool
    phase: str
    oldest_running: float | None
    events: Mapping[str, int]
    errors: Mapping[str, int]
    finishes: tuple[Finish, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """The last run: whether it succeeded, when it ended (epoch seconds), how long it and its phases took (seconds), and
    agents by result; None, or nothing, where the record of it does not tell."""

    succeeded: bool | None = None
    ended: float | None = None
    duration: float | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agent:
    """What the newest report says of an agent: quality and its change in points of 0 to 10, processing in seconds."""

    quality: float | None
    change: float | None
    processing: float | None


@dataclass(frozen=True, slots=True)
class Training:
    """What a system's files tell: the last run, when the next is due (epoch seconds), and of the newest report the
    quality of the whole (0 to 10), which of the agents it should have are in it, and what it says of them; by agent
    also whether it is enabled, and the quality it should have. The finish is that of the last run."""

    last: Run
    next_run: float | None
    quality: float | None
    reported: Mapping[str, bool]
    agents: Mapping[str, Agent]
    enabled: Mapping[str, bool]
    targets: Mapping[str, float]
    finishes: tuple[Finish, ...] = ()


def _phase(facts: Sessions) -> Iterator[Point]:
    return row({facts.phase: 1}, PHASES)


def _phases(facts: Training) -> Iterator[Point]:
    """The phases the run had; unknown ones are summed."""
    durations: dict[str, float] = {}
    for phase, seconds in facts.last.phases.items():
        cell = phase if phase in PHASES else OTHER
        durations[cell] = durations.get(cell, 0.0) + seconds
    return _named(durations)


def _agents(get: Callable[[Agent], float | None]) -> Callable[[Training], Iterator[Point]]:
    return lambda facts: (((name,), get(agent)) for name, agent in sorted(facts.agents.items()))


def _named(values: Mapping[str, float]) -> Iterator[Point]:
    return (((name,), value) for name, value in sorted(values.items()))


def _one(value: float | None) -> tuple[Point, ...]:
    return (((), value),)


SESSIONS: tuple[Family[Sessions], ...] = (
    Family(
        "gauge",
        "studio_training_running",
        "Whether the newest training session on record was running (1) or not (0) at the last background read. Older "
        "sessions that never ended are only in studio_training_sessions. Take the max, never a sum.",
        lambda facts: _one(facts.running),
        merge="max",
    ),
    Family(
        "gauge",
        "studio_training_oldest_running_timestamp_seconds",
        "When the oldest training session that was running at the last background read was started, as seconds since "
        "1970; absent where none is running, and starts in the future are ignored. Take the min, never a sum.",
        lambda facts: _one(facts.oldest_running),
        merge="min",
    ),
    Family(
        "gauge",
        "studio_training_phase",
        "The phase of the newest training session at the last background read: exactly one phase is 1, idle where "
        "the session is not running, and _other where its phase is not recorded. Take the max by phase, never a sum.",
        _phase,
        labels=("phase",),
    ),
    Family(
        "gauge",
        "studio_training_sessions",
        "Training sessions on record when the source was last read in the background, by status. Sum over statuses, "
        "after max by (source, status) where several exporters watch one source.",
        lambda facts: row(facts.sessions, STATUSES),
        labels=("status",),
    ),
    Family(
        "gauge",
        "studio_training_events",
        "Events on record when the source was last read in the background, by level; events without a level are "
        "_other. Sum over levels, after max by (source, level) where several exporters watch one source.",
        lambda facts: row(facts.events, LEVELS),
        labels=("level",),
    ),
    Family(
        "gauge",
        "studio_agent_errors",
        "Errors in the newest record of each agent when the source was last read in the background; the sample "
        "records that a system makes up at its first start do not count. Sum over agents, after max by (source, "
        "agent) where several exporters watch one source.",
        lambda facts: _named(facts.errors),
        labels=("agent",),
        named=("agent",),
    ),
)

REPORTS: tuple[Family[Training], ...] = (
    Family(
        "gauge",
        "studio_training_last_run_success",
        "Whether the last training run on record succeeded (1) or failed (0), as of the last background read. Take "
        "the min, never a sum.",
        lambda facts: _one(facts.last.succeeded),
        merge="min",
    ),
    Family(
        "gauge",
        "studio_training_last_run_timestamp_seconds",
        "When the last training run on record ended, as seconds since 1970; where only a report tells of it, the "
        "beginning of the day of that report. Times in the future are ignored. Take the max, never a sum.",
        lambda facts: _one(facts.last.ended),
        merge="max",
    ),
    Family(
        "gauge",
        "studio_training_last_run_duration_seconds",
        "How long the last training run on record took, as of the last background read.",
        lambda facts: _one(facts.last.duration),
        merge="max",
    ),
    Family(
        "gauge",
        "studio_training_last_run_phase_duration_seconds",
        "How long each phase of the last training run on record took, as of the last background read; 0 for phases "
        "that were skipped. Sum over phases, after max by (source, phase) where several exporters watch one source.",
        _phases,
        labels=("phase",),
    ),
    Family(
        "gauge",
        "studio_training_next_run_timestamp_seconds",
        "When the next training run is due by the configured schedule and time zone, as seconds since 1970; absent "
        "where training is disabled or has no schedule. Take the min, never a sum.",
        lambda facts: _one(facts.next_run),
        merge="min",
    ),
    Family(
        "gauge",
        "studio_training_quality_score",
        "Quality of the whole system, 0 to 10, by the training report with the newest date at the last background "
        "read. Never a sum.",
        lambda facts: _one(facts.quality),
        merge="drop",
    ),
    Family(
        "gauge",
        "studio_training_agents",
        "Agents in the last training run on record, by result, as of the last background read. Sum over results, "
        "after max by (source, result) where several exporters watch one source.",
        lambda facts: _named(facts.last.agents),
        labels=("result",),
    ),
    Family(
        "gauge",
        "studio_agent_reported",
        "Whether the training report with the newest date at the last background read has data of the agent (1) or "
        "not (0); absent where there is no report, or it is cut short before the agent. Sum for the number of agents "
        "reported, after max by (source, agent) where several exporters watch one source.",
        lambda facts: _named(facts.reported),
        labels=("agent",),
        named=("agent",),
    ),
    Family(
        "gauge",
        "studio_agent_enabled",
        "Whether training of the agent is enabled in the configuration (1) or not (0), as of the last background "
        "read. Sum for the number of agents enabled, after max by (source, agent) where several exporters watch one "
        "source.",
        lambda facts: _named(facts.enabled),
        labels=("agent",),
        named=("agent",),
    ),
    Family(
        "gauge",
        "studio_agent_quality_score",
        "Quality of the agent, 0 to 10, by the training report with the newest date at the last background read; "
        "absent for agents without data in it. Never a sum.",
        _agents(lambda agent: agent.quality),
        labels=("agent",),
        named=("agent",),
        merge="drop",
    ),
    Family(
        "gauge",
        "studio_agent_quality_target_score",
        "Quality the agent should have, 0 to 10, by the configuration at the last background read. Never a sum.",
        lambda facts: _named(facts.targets),
        labels=("agent",),
        named=("agent",),
        merge="drop",
    ),
    Family(
        "gauge",
        "studio_agent_quality_change_score",
        "Change of the agent's quality against the day before, in points, by the training report with the newest "
        "date at the last background read; the first value of an agent counts as a change from 0. Never a sum.",
        _agents(lambda agent: agent.change),
        labels=("agent",),
        named=("agent",),
        merge="drop",
    ),
    Family(
        "gauge",
        "studio_agent_processing_seconds",
        "How long the agent took to process, by the training report with the newest date at the last background "
        "read; absent for agents without data in it. Take the mean or the max.",
        _agents(lambda agent: agent.processing),
        labels=("agent",),
        named=("agent",),
        merge="max",
    ),
)

FAMILIES: tuple[Family[Sessions] | Family[Training], ...] = (*SESSIONS, *REPORTS)
