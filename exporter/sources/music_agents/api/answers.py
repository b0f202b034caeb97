"""The JSON of the answers: fields in the order of their names, as the system sorted them."""

from typing import Any

import msgspec

from exporter.sources.music_agents.api.rows import Event, Metric, Sample, Session

Number = int | float


class Failure(msgspec.Struct, frozen=True):
    error: str


class Refused(msgspec.Struct, frozen=True):
    error: str
    status: int


class Overview(msgspec.Struct, frozen=True):
    agents_trained: int
    current_phase: str | None
    improvements: dict[str, float]
    last_training: str | None
    next_training: str | None
    overall_quality: Number
    quality_trend: str
    timestamp: str
    training_speed_ms: int


class QuickStats(msgspec.Struct, frozen=True):
    agents_online: int
    agents_total: int
    error_rate: float | None
    system_quality: Number
    uptime_hours: float | None
    videos_generated: int


class AgentState(msgspec.Struct, frozen=True):
    errors: int | None
    id: str
    improvement: float
    last_updated: str | None
    name: str
    processing_time_ms: int
    quality_score: float
    status: str


class Performance(msgspec.Struct, frozen=True):
    error_count: int | None
    improvement: float
    processing_time_ms: int
    quality_score: float


class Trained(msgspec.Struct, frozen=True):
    """What one report says of an agent."""

    date: str
    improvement: Number
    processing_time: Number
    quality: Number


class AgentDetail(msgspec.Struct, frozen=True):
    description: Any  # Any, here and below: as it is written in the configuration
    enabled: Any
    errors: int | None
    id: str
    improvement: float
    last_updated: str | None
    metrics_history: tuple[Sample, ...]
    name: str
    performance_metrics: Performance
    priority: Any
    processing_time_ms: int
    quality_score: float
    status: str
    training_history: tuple[Trained, ...]


class AgentsHealth(msgspec.Struct, frozen=True):
    average_quality: Number
    critical_alerts: int
    offline: int
    online: int
    total_agents: int
    warnings: int


class TrainingStatus(msgspec.Struct, frozen=True):
    current_agent: None
    current_phase: Any
    estimated_time_remaining_sec: int
    is_running: bool
    last_session: Session | None
    phase_durations: dict[str, float | None]
    progress_percent: int


class AgentReport(msgspec.Struct, frozen=True):
    id: str
    improvement: Number
    name: str
    processing_time: Number
    quality: Number


class DayReport(msgspec.Struct, frozen=True):
    agents: tuple[AgentReport, ...]
    date: str
    duration_minutes: Number
    overall_quality: Number
    quality_change: Number


class TrainingHistory(msgspec.Struct, frozen=True):
    daily_duration_ms: list[int]
    daily_improvement: list[Number]
    daily_quality: list[Number]
    dates: list[str]
    history: list[DayReport]


class Schedule(msgspec.Struct, frozen=True):
    description: Any
    enabled: Any
    next_run: str | None
    schedule: Any
    timezone: str


class Quality(msgspec.Struct, frozen=True):
    agent_5a: list[Number]
    agent_8: list[Number]
    system: list[Number]
    timestamps: list[str]


class MetricHistory(msgspec.Struct, frozen=True):
    count: int
    history: tuple[Metric, ...]
    metric_name: str


class Compared(msgspec.Struct, frozen=True):
    name: str
    rank: int
    score: float
    trend: float


class Trends(msgspec.Struct, frozen=True):
    average_processing_time: int
    error_trend: str
    quality_change_percent: Number
    quality_trend: str


class SystemHealth(msgspec.Struct, frozen=True):
    active_connections: int | None
    cpu_percent: float | None
    disk_percent: float | None
    memory_percent: float | None
    timestamp: str
    uptime_hours: float | None
    uptime_seconds: int | None


class LogLine(msgspec.Struct, frozen=True):
    agent: Any
    message: Any
    status: Any
    timestamp: Any
    type: Any


class SevereEvents(msgspec.Struct, frozen=True):
    critical: tuple[Event, ...]
    critical_count: int
    error_count: int
    errors: tuple[Event, ...]
    warning_count: int
    warnings: tuple[Event, ...]


class Alert(msgspec.Struct, frozen=True):
    message: str
    timestamp: str
    type: str


class Alerts(msgspec.Struct, frozen=True):
    alerts: list[Alert]
    count: int
    has_critical: bool


class TrainingLog(msgspec.Struct, frozen=True):
    agent: None
    date: Any
    duration_ms: int
    improvement: Any
    phase: Any
    status: Any


class Status(msgspec.Struct, frozen=True):
    agents: int
    database: dict[str, int | None]
    status: str
    system: str
    timestamp: str
    version: str


class Endpoint(msgspec.Struct, frozen=True):
    endpoint: str
    function: str
    methods: tuple[str, ...]


class Endpoints(msgspec.Struct, frozen=True):
    count: int
    endpoints: tuple[Endpoint, ...]


class Listed(msgspec.Struct, frozen=True):
    """A storyboard project in the list of them."""

    created: Any
    id: Any
    name: Any
    scenes: int
    status: Any


class Opened(msgspec.Struct, frozen=True):
    """A storyboard project of which more is told; `scenes` is a list here."""

    created: Any
    id: Any
    name: Any
    scenes: tuple[()]
    status: Any


class Created(msgspec.Struct, frozen=True):
    name: str | int | float | None
    project_id: str
    status: str


class Started(msgspec.Struct, frozen=True):
    message: str
    status: str
    timestamp: str
    training_id: int


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """The newest of the sessions that were stopped, and when; or a message that there was none."""

    message: str | msgspec.UnsetType = msgspec.UNSET
    status: str
    timestamp: str | msgspec.UnsetType = msgspec.UNSET
    training_id: int | msgspec.UnsetType = msgspec.UNSET
