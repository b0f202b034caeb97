"""Agents, training and host: whether the agents are trained, how good they are, and the machine they run on."""

from grafana.generate.dashboards.finished import finished
from grafana.generate.dashboards.limits import Colours
from grafana.generate.dashboards.page import Choice, Page, Row, source
from grafana.generate.dashboards.queries import Chosen
from grafana.generate.dashboards.style import (
    ANY_IS_BAD,
    CRITICAL,
    GOOD,
    MUST_BE,
    MUTED,
    NEUTRAL,
    YES,
    AnyPanel,
    Column,
    bars,
    coloured,
    limited,
    lines,
    listing,
    named,
    sized,
    small,
    stacked,
    tile,
    words,
)

each = Chosen({"source": "source", "agent": "agent"})

AGENT = Choice(
    "agent",
    "Agent",
    'label_values({__name__=~"studio_agent_enabled|studio_agent_reported",source=~"$source"}, agent)',
    "The agents that are configured or reported.",
)
OF_RUNS, OF_SESSIONS, OF_BOTH = (
    f'pipeline{match}"' for match in ('="training_run', '="training_session', '=~"training_.+')
)
RUN = words({0: ("FAILED", CRITICAL), 1: ("succeeded", GOOD)})
TRAINS = words({0: ("idle", MUTED), 1: ("training", NEUTRAL)})


def page(colours: Colours) -> Page:
    return Page(
        "studio-agents",
        "Are the agents trained, how good are they, and does the machine have room?",
        [source("studio_training_running"), AGENT],
        [
            Row("Training now", [*training(colours), *results(colours)]),
            Row("Agents", agents(colours)),
            Row("Training through time", history()),
            Row("Host", host(colours)),
        ],
    )


def training(colours: Colours) -> list[AnyPanel]:
    phase = each.best("studio_training_phase", "phase")
    return [
        tile(
            "Training",
            "Whether the newest session is running.",
            (f"max({each.best('studio_training_running')})", ""),
        ).mappings(TRAINS),
        named(
            tile(
                "Phase",
                "The phase of the newest session; idle where none runs. One that stays for hours hangs: look at "
                "its log.",
                (f"max by (phase) ({phase}) == 1", "{{phase}}"),
            )
        ),
        tile(
            "Oldest session",
            "For how long it has run. A session far older than a run takes has died without an end: close it.",
            (f"max({each.age('studio_training_oldest_running_timestamp_seconds')})", ""),
            unit="s",
            colours=colours("training_running"),
        ).no_value("none runs"),
        tile(
            "Last run",
            "How the last training run ended. If it failed, look at its report and at the phase that took no time.",
            (f"min({each.best('studio_training_last_run_success', fold='min')})", ""),
            colours=MUST_BE,
        ).mappings(RUN),
        tile(
            "Since the last run",
            "Since the last run on record ended. Beyond the schedule's interval: the scheduler is dead.",
            (f"min({each.age('studio_training_last_run_timestamp_seconds', fold='max')})", ""),
            unit="s",
        ),
        tile(
            "Until the next run",
            "By the configured schedule. Below zero: it is due, and has not been seen yet.",
            (f"min({each.best('studio_training_next_run_timestamp_seconds', fold='min')}) - time()", ""),
            unit="s",
        ).no_value("not planned"),
    ]


def results(colours: Colours) -> list[AnyPanel]:
    failed = each.best("studio_training_agents", where='result="failed"')
    reported = each.best("studio_agent_reported", "agent")
    streak = "studio_work_pipeline_failure_streak"
    return [
        tile(
            "Quality of the system",
            "0 to 10, by the newest report. When it falls, the table below tells which agent drew it down.",
            (f"min({each.best('studio_training_quality_score')})", ""),
            unit="none",
        ).decimals(1),
        tile(
            "Agents that failed",
            "Agents that the last run could not train. Their log is in the run's report.",
            (f"sum({failed})", ""),
            colours=ANY_IS_BAD,
        ),
        tile(
            "Agents in the report",
            "The share of the agents that the newest report has data of. What is missing was not measured.",
            (f"avg({reported})", ""),
            unit="percentunit",
            colours=((None, CRITICAL), (0.8, "orange"), (1, GOOD)),
        ),
        tile(
            "Run failure streak",
            "Training runs that failed since one last succeeded.",
            (f"max({each.best(streak, where=OF_RUNS)})", ""),
            colours=colours("pipeline_failure_streak"),
        ),
        tile(
            "Session failure streak",
            "Training sessions that failed since one last succeeded.",
            (f"max({each.best(streak, where=OF_SESSIONS)})", ""),
            colours=colours("pipeline_failure_streak"),
        ),
        tile(
            "Errors of agents",
            "Errors in the newest record of each agent. The table below tells whose they are.",
            (f"sum({each.best('studio_agent_errors', 'agent')})", ""),
        ),
    ]


def agents(colours: Colours) -> list[AnyPanel]:
    def one(metric: str) -> str:
        return each.best(metric, "agent")

    quality, target = one("studio_agent_quality_score"), one("studio_agent_quality_target_score")
    return [
        listing(
            "Agents",
            "Every agent: its quality, how far that is from its target, and what the newest report says "
            "besides. Sorted by errors: begin at the top.",
            {"agent": "Agent", "source": "Source"},
            [
                Column("Quality", quality, "none"),
                Column("Target", target, "none"),
                Column("Above target", f"{quality} - {target}", "none", colours("agent_quality_gap")),
                Column("Change", one("studio_agent_quality_change_score"), "none", colours("agent_quality_change")),
                Column("Processing", one("studio_agent_processing_seconds"), "s"),
                Column("Errors", one("studio_agent_errors")),
                Column("Reported", one("studio_agent_reported"), mappings=YES),
                Column("Enabled", one("studio_agent_enabled"), mappings=words({0: ("no", MUTED), 1: ("yes", GOOD)})),
            ],
            order="Errors",
        )
    ]


def history() -> list[AnyPanel]:
    phases = each.best("studio_training_last_run_phase_duration_seconds", "phase")
    sessions, events = each.best("studio_training_sessions", "status"), each.best("studio_training_events", "level")
    return [
        lines(
            "Quality, by agent",
            "0 to 10, by the newest report; a step at each report. Of the twenty agents that are worst.",
            (f"bottomk(20, min by (agent) ({each.best('studio_agent_quality_score', 'agent')}))", "{{agent}}"),
            unit="none",
        )
        .decimals(1)
        .max(10),
        finished(each, OF_BOTH, "Training runs and sessions"),
        sized(
            bars(
                "Phases of the last run",
                "How long each phase took; 0 where it was skipped. Compare with the run before: look at what grew.",
                (f"max by (phase) ({phases})", "{{phase}}"),
                unit="s",
            ),
            8,
            8,
        ),
        coloured(
            small(
                stacked(
                    lines(
                        "Sessions on record, by status",
                        "Running ones that never end have died.",
                        (f"sum by (status) ({sessions})", "{{status}}"),
                    )
                ),
                8,
                8,
            ),
            *("completed", "failed", "running", "stopped"),
        ),
        coloured(
            small(
                stacked(
                    lines(
                        "Events on record, by level",
                        "A step in red or orange is a time to look at in the log.",
                        (f"sum by (level) ({events})", "{{level}}"),
                    )
                ),
                8,
                8,
            ),
            *("critical", "error", "warning", "info"),
        ),
    ]


def host(colours: Colours) -> list[AnyPanel]:
    available, size = each.best("studio_host_memory_available_bytes"), each.best("studio_host_memory_size_bytes")
    free = each.best("studio_host_filesystem_available_bytes", "mountpoint")
    whole = each.best("studio_host_filesystem_size_bytes", "mountpoint")
    return [
        limited(
            small(
                lines(
                    "Processors",
                    "The share that is in use. Near 1 for long: whatever is trained here takes longer.",
                    (each.best("studio_host_cpu_usage_ratio"), "{{source}}"),
                    unit="percentunit",
                )
                .min(0)
                .max(1),
                8,
                7,
            ),
            colours("cpu_used"),
        ),
        limited(
            small(
                lines(
                    "Memory",
                    "The share that programs cannot take any more. Near 1 something will be killed: look for "
                    "what grows.",
                    (f"1 - {available} / {size}", "{{source}}"),
                    unit="percentunit",
                )
                .min(0)
                .max(1),
                8,
                7,
            ),
            colours("memory_used"),
        ),
        sized(
            bars(
                "File systems",
                "How full each is. Make room before it is full: databases stop first.",
                (f"1 - {free} / {whole}", "{{source}} {{mountpoint}}"),
                unit="percentunit",
                colours=colours("disk_used"),
            ).max(1),
            8,
            7,
        ),
    ]
