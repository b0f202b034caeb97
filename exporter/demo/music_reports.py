"""The files of the simulated Music Agents: training configuration, result of a run, daily report (contract 2.1 to 2.3).

Reports have the boxes, words and columns of upstream's writer; the records of a result and its phases have its keys.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

Value = str | float | bool | None
Document = dict[str, "Value | list[str] | Document"]

ROSTER = {
    "agent_1": "Trend Detective",
    "agent_2": "Audio Curator",
    "agent_3": "Video Concept",
    "agent_4": "Screenplay Generator",
    "agent_5a": "Veo Generator",
    "agent_5b": "Runway Generator",
    "agent_6": "Influencer Matcher",
    "agent_7": "Distribution Metadata",
    "agent_8": "Prompt Refiner",
    "agent_9": "Sound Designer",
    "agent_10": "Master Distributor",
    "agent_11": "Meta Trainer",
}

TARGETS = {
    "agent_1": ("trend_accuracy", 8.0),
    "agent_2": ("audio_quality", 8.5),
    "agent_3": ("concept_creativity", 8.0),
    "agent_4": ("screenplay_quality", 8.5),
    "agent_5a": ("veo_output_quality", 9.0),
    "agent_5b": ("runway_output_quality", 9.0),
    "agent_6": ("match_accuracy", 7.5),
    "agent_7": ("metadata_quality", 7.0),
    "agent_8": ("prompt_quality", 9.0),
    "agent_9": ("sound_quality", 8.0),
    "agent_10": ("distribution_reach", 8.5),
    "agent_11": ("training_effectiveness", 8.0),
}
"""What of each agent is measured, and what it should be, of 10."""

DISABLED = "agent_7"
RECORDS = {"trend": 50, "audio": 100, "screenplay": 75, "creator": 50, "distribution": 100, "sound": 75}

COLUMNS = 79
TOP, RULE, BOTTOM = (f"{left}{'=' * (COLUMNS - 1)}{right}" for left, right in ("╔╗", "╠╣", "╚╝"))


@dataclass(frozen=True, slots=True)
class Trained:
    """What training made of an agent: its quality (0 to 10), points above the time before, and seconds spent."""

    quality: float
    change: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Night:
    """A run that succeeded: when it ended, on a clock without a zone, the seconds each phase took, and what it made of
    the agents of which there was data; the rest of those that are enabled have failed."""

    ended: datetime
    phases: Mapping[str, float]
    agents: Mapping[str, Trained]
    next_run: datetime

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(self.phases.values())

    @property
    def quality(self) -> float:
        """That of the whole system."""
        return sum(agent.quality for agent in self.agents.values()) / len(self.agents)


def config() -> Document:
    """training/config.json."""
    agents: Document = {
        agent: {"enabled": agent != DISABLED, "priority": "critical" if "5" in agent else "high", "description": name}
        for agent, name in ROSTER.items()
    }
    targets: Document = {f"{agent}_{what}": target for agent, (what, target) in TARGETS.items()}
    return {
        "training": {
            "enabled": True,
            "schedule": "0 3 * * *",
            "description": "Daily training at 3 AM",
            "timeout_per_agent_seconds": 300,
            "timeout_total_seconds": 1800,
            "agent_training": agents,
            "monitoring": {"generate_reports": True, "log_retention_days": 30},
            "quality_targets": {"overall_system": 8.5, **targets, "description": "Target quality scores (0-10 scale)"},
        }
    }


def failure(ended: datetime, seconds: float, error: str) -> Document:
    """The result of a run that failed."""
    return {
        "status": "failed",
        "error": error,
        "timestamp": ended.isoformat(),
        "total_time_seconds": round(seconds, 2),
    }


def result(night: Night) -> Document:
    """The result of a run that succeeded."""
    took = {phase: round(seconds, 2) for phase, seconds in night.phases.items()}
    failed = len(ROSTER) - 1 - len(night.agents)
    total = sum(RECORDS.values())
    results: Document = {agent: _outcome(agent, trained) for agent, trained in night.agents.items()}
    stats: Document = {
        kind: {"original": count, "filtered": count, "removed": 0, "meets_minimum": True}
        for kind, count in RECORDS.items()
    }
    return {
        "status": "success",
        "total_time_seconds": round(night.seconds, 2),
        "total_time_minutes": round(night.seconds / 60, 2),
        "phases": {
            "harvesting": {
                **_phase(took["harvesting"]),
                "sources": 6,
                "total_records": total,
                "records_by_type": {**RECORDS},
            },
            "validation": {
                **_phase(took["validation"]),
                "quality_threshold": 6.5,
                "total_cleaned": total,
                "validation_stats": stats,
            },
            "training": {
                **_phase(took["agent_training"]),
                "agents_trained": len(night.agents),
                "agents_failed": failed,
                "results": results,
            },
            "production": {"status": "skipped", "time_seconds": 0},
            "monitoring": {**_phase(took["monitoring"]), "report_generated": True},
            "cleanup": _phase(0.0),
        },
        "agents_trained": len(night.agents),
        "system_quality_delta": round(sum(trained.change for trained in night.agents.values()), 9),
        "timestamp": night.ended.isoformat(),
        "next_scheduled": night.next_run.isoformat(),
    }


def _phase(seconds: float) -> Document:
    return {"status": "success", "time_seconds": seconds}


def _outcome(agent: str, trained: Trained) -> Document:
    return {
        "status": "success",
        "agent_name": agent.removeprefix("agent_"),
        "data_count": 50,
        "quality_improvement": round(trained.change, 2),
        "model_updated": True,
    }


def report(day: date, night: Night, before: float) -> str:
    """The daily report; `before` is the quality of the system at the time before."""
    change = (night.quality - before) / before * 100
    lines = [
        f"║  DAILY TRAINING REPORT [{day}]",
        f"║  Training Duration: {night.seconds / 60:.2f} minutes",
        f"║  Overall System Quality: {night.quality:.1f}/10 ({change:+.1f}%)",
    ]
    for agent, name in ROSTER.items():
        lines += [RULE, f"║ {name} ({agent})", *_said(night.agents.get(agent))]
    lines += [RULE, RULE, *_recommendations(night, change)]
    return "\n".join((TOP, *(line if line == RULE else f"{line:<{COLUMNS}}║" for line in lines), BOTTOM))


def _said(trained: Trained | None) -> Iterator[str]:
    if trained is None:
        yield "║   Status: No data available"
        return
    yield f"║   Quality: {trained.quality:.1f}/10 ({trained.change:+.1f} vs yesterday)"
    yield f"║   Processing: {trained.seconds:.2f}s"
    yield f"║   Status: {'✅ Improved' if trained.change >= 0 else '⚠️  Declined'}"


def _recommendations(night: Night, change: float) -> Iterator[str]:
    lowest = min(night.agents, key=lambda agent: night.agents[agent].quality)
    yield "║ RECOMMENDATIONS FOR NEXT RUN:"
    yield f"║ - Focus on {lowest} (lowest score)"
    yield f"║ - Current trajectory: {'UP ↑' if change > 0.5 else 'STABLE →'}"
