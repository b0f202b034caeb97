"""How the Api differs from that of Music Agents."""

from typing import Literal

from tests.api.table import Difference


def row(where: str, told: str, reason: Literal[1, 2, 3, 4], about: str) -> Difference:
    return Difference("music_agents", where, told, reason, about)


PROMISED = (
    row(
        r"\S+/logs_export\S* \$ length$",
        "`GET /api/logs/export`, `days`",
        1,
        "was checked and ignored; is the number of days back from now of which events are listed (7 where it is not "
        "given), by their times, or by when they were written down where these are none",
    ),
    row(
        r"bad_params/logs_export_format_csv (status|header content-type|\$$)",
        "`GET /api/logs/export?format=csv`",
        1,
        "was 501; is the events as CSV (RFC 4180)",
    ),
)

FAILED = (
    row(
        r"(report_newest_empty|report_newest_not_utf8)/\S+ \$",
        "every number from reports, where the last changed report is empty or damaged",
        2,
        "was zeros, a `null` date and twelve false alerts; is the last changed report that can be read. One that is "
        "cut short still counts as far as it goes",
    ),
    row(
        r"(result_is_list|result_quality_after_null|config_is_list)/dashboard_\S+ (status|\$)",
        "`GET /api/dashboard/overview`, `/quick-stats`, where the result or the configuration is no object, or the "
        "quality in the result is `null`",
        2,
        "was 500 with a Python exception; is 200, as if that were not there",
    ),
    row(
        r"config_is_list/(training_schedule (status|\$)|\S+ \$\S*(name|message|description|enabled|priority)$)",
        "`GET /api/training/schedule`, and the fields `name`, `description`, `enabled`, `priority` of agents, where "
        "the configuration is no object",
        2,
        "was 500, ids for names, and fields missing; is the same as without a configuration",
    ),
    row(
        r"missing_orchestrator/\S+ (status|\$)",
        "every route that needs files or tables which are configured but cannot be read",
        2,
        "was 200 with zeros, empty lists and twelve false alerts; is 503 `{error, status}`, also while nothing was "
        "read yet. The last good values are served for `max_stale` first",
    ),
    row(
        r"(bad_params|debug_mode)/(training_history|metrics_history|system_logs_recent|logs_export)\S* "
        r"(status|\$\.error)$",
        "`days` and `limit` that are no whole number",
        2,
        "was 500 with the text of a Python exception; is 400, and says which parameter",
    ),
    row(
        r"training_lifecycle/14_start_no_body_no_ct (status|\$)",
        "`POST /api/training/start` without a body",
        2,
        "was 500; starts a session, as `{}` does",
    ),
    row(
        r"(training_lifecycle/(15|16|17|18|21)|storyboard/create)_\S+ (status|\$\.error)$",
        "`POST` with a body that is not JSON, no object, or of another media type",
        2,
        "was 500 with the text of a Python exception; is 400 or 415, and says what is expected",
    ),
)

INVENTED = (
    row(
        r"\S+overview\S* \$\.current_phase$",
        "`GET /api/dashboard/overview`, `current_phase`",
        3,
        "was always `monitoring`; is the phase of the newest session (`idle` where it is not running), as in "
        "`/api/training/status`, and `null` where the database cannot be read",
    ),
    row(
        r"no_reports/dashboard_overview \$\.last_training$",
        "`GET /api/dashboard/overview`, `last_training` without any report",
        3,
        "was the time of the request; is the end of the last run by its result, `null` without one",
    ),
    row(
        r"\S+/dashboard_quick-stats \$\.error_rate$",
        "`GET /api/dashboard/quick-stats`, `error_rate`",
        3,
        "was always 0.0; is the share of agents that failed in the last run (0 to 1), `null` where its result does "
        "not tell",
    ),
    row(
        r"\S+/agents_\S+ \$\S*\.last_updated$",
        "`GET /api/agents/status`, `/api/agents/<agent_id>`, `last_updated`",
        3,
        "was the time of the request; is when the report was changed that the numbers are from, `null` without one",
    ),
    row(
        r"\S+/agents_\S+ \$\S*\.(errors|error_count)$",
        "`GET /api/agents/status`, `/api/agents/<agent_id>`, `errors` and `error_count`",
        3,
        "was always 0; is the number in the newest record of the agent (0 where there is none, `null` where the "
        "database cannot be read)",
    ),
    row(
        r"\S+/agents_agent_\S+ \$\.training_history length$",
        "`GET /api/agents/<agent_id>`, `training_history`",
        3,
        "was always empty; is what the last changed 10 reports say of the agent: `date`, `improvement`, "
        "`processing_time`, `quality`",
    ),
    row(
        r"\S+/agents_health \$\.warnings$",
        "`GET /api/agents/health`, `warnings` and `critical_alerts`",
        3,
        "was always 0; is how many alerts of that type `/api/system/alerts` has",
    ),
    row(
        r"\S+status\S* \$\.phase_durations\.",
        "`GET /api/training/status`, `phase_durations`",
        3,
        "was always 28, 9, 142, 0, 60; is the seconds of the last run's phases by its result, `null` where it does "
        "not tell",
    ),
    row(
        r"measured/schedule \$\.(next_run|timezone)$",
        "`GET /api/training/schedule`, `next_run` and `timezone`; `next_training` in `/api/dashboard/overview`",
        3,
        "was always the next 03:00, and always `UTC`; is when the configured schedule is next due, `null` where "
        "training is disabled, in local time as ever, and the configured time zone",
    ),
    row(
        r"\S+logs_training \$\[\d+\]\.duration_ms$",
        "`GET /api/logs/training`, `duration_ms`",
        3,
        "was always 0; is from the session's start to its end, 0 where it has none",
    ),
    row(r"normal/root text$", "`GET /`", 3, "was a page of 7 agents; names the 12 there are, and where the API is"),
    row(
        r"storyboard/(GET_project_create|projects_after_create|storyboard_project\S*) (status|\$)",
        "`GET /api/storyboard/projects`, `/project/<project_id>`, with `writes: true`",
        3,
        "was one and the same invented project, for any id; is the projects that were created, 404 for others. "
        "Without `writes` the invented one is still there",
    ),
)

GUARDED = (
    row(
        r"read_only/\S+ (status|\$)",
        "`POST /api/training/start`, `/api/training/stop`, `/api/storyboard/project/create`",
        4,
        "wrote to the database for everybody; is 501 `{error, status}` unless the source has `writes: true` and a "
        "token",
    ),
    row(
        r"\S+/status \$\.database\.system_health_count$",
        "`GET /api/system/health`",
        4,
        "added a row to `system_health` each time; writes nothing, so that `system_health_count` in `/api/status` "
        "stays. The numbers are those of the last read in the background",
    ),
    row(
        r"measured/limit \$\.(count|history length)$",
        "`limit` and `days` that ask for very much",
        4,
        "was all there is; is the newest 1000 events, rows of a type of metric, and report files, and 4096 characters "
        "of a cell",
    ),
    row(
        r"training_lifecycle/(07|19|20|22)_start\S* (status|\$)",
        "`POST /api/training/start` while a session is running, with `writes: true`",
        4,
        "started one more; is 409 with `status` `already_running` and the `training_id` of the one that runs",
    ),
    row(
        r"training_lifecycle/\S+ \$(\S*\.(id|training_id|training_sessions_count|improvement|phase|status)$| length$)",
        "the sessions after that, with `writes: true`",
        4,
        "there are fewer of them, and none is left running for ever",
    ),
    row(
        r"training_lifecycle/(\S+status\S* \$\.last_session\.end_time|13_events \$\[\d+\]\.(message|type))$",
        "`POST /api/training/stop`, with `writes: true`",
        4,
        "stopped the newest session only, without an end; stops every one that is running, with its `end_time` and "
        "an event `training_stop` each",
    ),
)

ROWS: tuple[Difference, ...] = (*PROMISED, *FAILED, *INVENTED, *GUARDED)
