"""The routes that read: for each its path, what answers it, and what it is told in the description of the Api."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.core.api import Asked, Parameter, Route
from exporter.sources.music_agents.api import agents, answers, storyboard, system, training
from exporter.sources.music_agents.api.asking import Look, Seen
from exporter.sources.music_agents.api.papers import KEPT as REPORTS
from exporter.sources.music_agents.api.picks import KEPT as ROWS
from exporter.sources.music_agents.api.rows import Event

WHOLE = {"type": "integer"}
LIMIT = Parameter("limit", "query", f"How many at most; a negative number for all, of which {ROWS} are kept.", WHOLE)
FILES = Parameter("days", "query", f"How many report files, the last changed first; {REPORTS} are kept.", WHOLE)
DAYS = Parameter("days", "query", f"Of how many days back, 7 where it is not given; {ROWS} events are kept.", WHOLE)
FORMAT = Parameter("format", "query", "json where it is not given.", {"type": "string", "enum": ["json", "csv"]})
TEXT = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Spot:
    """A route that reads: the function that the system had for it, what answers it with which type, and the parts
    without which it cannot."""

    function: str
    path: str
    make: Callable[[Seen, Asked], Any]
    kind: Any
    about: str
    parts: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    example: str = ""
    more: Mapping[int, Any] = field(default_factory=dict)

    def route(self, look: Look) -> Route:
        """The route over what a source's views see."""
        invalid = {400: answers.Failure} if any(each.schema is WHOLE for each in self.parameters) else {}
        unread = {503: answers.Refused} if self.parts else {}
        return Route(
            "GET",
            self.path,
            look.view(self.make, *self.parts),
            self.about,
            parameters=self.parameters,
            answers={200: self.kind, **invalid, **unread, **self.more},
            example=self.example or self.path,
        )


def _named(name: str, about: str) -> Parameter:
    return Parameter(name, "path", about, TEXT, required=True)


SPOTS = (
    Spot(
        "dashboard_overview",
        "/api/dashboard/overview",
        training.overview,
        answers.Overview,
        "The quality of the system, and what the last changed report says of its agents.",
        ("files",),
    ),
    Spot(
        "quick_stats",
        "/api/dashboard/quick-stats",
        training.quick_stats,
        answers.QuickStats,
        "A few numbers; error_rate is the share of agents that failed in the last run, 0 to 1; videos_generated is 0.",
        ("files",),
    ),
    Spot(
        "agents_status",
        "/api/agents/status",
        agents.states,
        list[answers.AgentState],
        "All agents; last_updated is when the report was changed that this is from.",
        ("files",),
    ),
    Spot(
        "agents_health",
        "/api/agents/health",
        agents.health,
        answers.AgentsHealth,
        "How many agents are online, and how many alerts there are (those of /api/system/alerts).",
        ("files", "host"),
    ),
    Spot(
        "agent_detail",
        "/api/agents/{agent_id}",
        agents.detail,
        answers.AgentDetail,
        "One agent, with its newest 10 measurements and what the newest 10 reports say of it.",
        ("files", "database"),
        (_named("agent_id", "As agent_8; one that is unknown has the defaults."),),
        "/api/agents/agent_8",
    ),
    Spot(
        "training_status",
        "/api/training/status",
        training.status,
        answers.TrainingStatus,
        "The newest session; phase_durations are seconds of the last run's phases, null where it does not tell. How "
        "far it is nobody knows: progress_percent and estimated_time_remaining_sec are 0, current_agent is null.",
        ("database",),
    ),
    Spot(
        "training_history",
        "/api/training/history",
        training.history,
        answers.TrainingHistory,
        "What the last changed reports say.",
        ("files",),
        (FILES,),
        "/api/training/history?days=3",
    ),
    Spot(
        "training_schedule",
        "/api/training/schedule",
        training.schedule,
        answers.Schedule,
        "When training runs; next_run is null where it is disabled.",
        ("files",),
    ),
    Spot(
        "metrics_quality",
        "/api/metrics/quality",
        training.qualities,
        answers.Quality,
        "Quality by the last changed 7 reports.",
        ("files",),
    ),
    Spot(
        "metrics_history",
        "/api/metrics/history/{metric_name}",
        system.metrics,
        answers.MetricHistory,
        "The newest rows of one type of metric.",
        ("database",),
        (_named("metric_name", "As quality, speed or errors."), LIMIT),
        "/api/metrics/history/quality?limit=3",
    ),
    Spot(
        "metrics_comparison",
        "/api/metrics/comparison",
        agents.comparison,
        dict[str, answers.Compared],
        "The agents by their quality.",
        ("files",),
    ),
    Spot(
        "metrics_trends",
        "/api/metrics/trends",
        training.trends,
        answers.Trends,
        "The oldest of the last changed 7 reports less the newest, so that better is negative; error_trend is stable.",
        ("files",),
    ),
    Spot(
        "system_health",
        "/api/system/health",
        system.health,
        answers.SystemHealth,
        "The machine that the exporter runs on; null for what it does not tell.",
        ("host",),
    ),
    Spot(
        "system_logs_recent",
        "/api/system/logs/recent",
        system.recent,
        list[answers.LogLine],
        "The newest events, as lines of a log.",
        ("database",),
        (LIMIT,),
        "/api/system/logs/recent?limit=3",
    ),
    Spot(
        "system_errors",
        "/api/system/errors",
        system.severe,
        answers.SevereEvents,
        "The newest 50 events of each severity; the counts are those of the lists.",
        ("database",),
    ),
    Spot(
        "system_alerts",
        "/api/system/alerts",
        system.warned,
        answers.Alerts,
        "What is out of bounds: the machine, and agents with a quality below 6.",
        ("files", "host"),
    ),
    Spot(
        "logs_training",
        "/api/logs/training",
        training.sessions,
        list[answers.TrainingLog],
        "The newest 50 sessions.",
        ("database",),
    ),
    Spot(
        "logs_export",
        "/api/logs/export",
        system.export,
        list[Event],
        "The events of the last days, as JSON or CSV.",
        ("database",),
        (FORMAT, DAYS),
        "/api/logs/export?format=csv&days=1",
    ),
    Spot(
        "api_status",
        "/api/status",
        system.status,
        answers.Status,
        "What there is, and how many rows each table has.",
        ("database",),
    ),
)

DEMONSTRATED = (
    Spot(
        "storyboard_projects",
        "/api/storyboard/projects",
        storyboard.demo,
        list[answers.Listed],
        "The system's one demonstration.",
    ),
    Spot(
        "storyboard_project",
        "/api/storyboard/project/{project_id}",
        storyboard.demo_opened,
        answers.Opened,
        "The same demonstration by any id.",
        (),
        (_named("project_id", "Any text."),),
        "/api/storyboard/project/proj_demo_1",
    ),
)

CREATED = (
    Spot(
        "storyboard_projects",
        "/api/storyboard/projects",
        storyboard.kept,
        list[answers.Listed],
        "The projects that were created, the last first.",
        ("database",),
    ),
    Spot(
        "storyboard_project",
        "/api/storyboard/project/{project_id}",
        storyboard.kept_opened,
        answers.Opened,
        "One project.",
        ("database",),
        (_named("project_id", "As it was given when the project was created."),),
        "/api/storyboard/project/proj_20261121_030032",
        {404: answers.Refused},
    ),
)
"""The storyboard where nothing is written, and where projects are."""
