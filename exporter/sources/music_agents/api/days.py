"""One report as the history of training shows it."""

from exporter.sources.music_agents.api.answers import AgentReport, DayReport
from exporter.sources.music_agents.reports import Report


def said(number: float | None) -> int | float:
    """What a report says; the integer 0 where it does not say."""
    return 0 if number is None else number


def minutes(report: Report) -> int | float:
    """How long the run took, as the report has it: to a hundredth."""
    return 0 if report.duration is None else round(report.duration / 60, 6)


def day(report: Report) -> DayReport:
    """The report, with its agents in its order."""
    return DayReport(
        agents=tuple(
            AgentReport(
                id=name,
                improvement=0.0 if agent.change is None else agent.change,
                name=report.names.get(name, name),
                processing_time=said(agent.processing),
                quality=said(agent.quality),
            )
            for name, agent in report.agents.items()
        ),
        date=report.day.isoformat(),
        duration_minutes=minutes(report),
        overall_quality=said(report.quality),
        quality_change=said(report.change),
    )
