"""How the Api differs from that of Trafalgar."""

from tests.api.table import Difference

CACHE = "`GET /admin/cache`"
CHANGE = "`POST /admin/cache`"
METRICS = "dashboard `GET /metrics`"

ROWS: tuple[Difference, ...] = (
    Difference(
        "trafalgar",
        r"(default_admin_cache|shotgrid_connection_refused_admin_cache|admin_cache|admin_cache_raw_bodies|cache_env_variants)"
        r"/\d+ \$\.buckets$",
        CACHE,
        1,
        "had the three settings alone; has `buckets` besides: the entries of each part, its TTL, when it was last "
        "read, and whether its next read is due",
    ),
    Difference(
        "trafalgar",
        r"(admin_cache/1|admin_cache_raw_bodies/2) (status|\$\.\w+)$",
        f"{CHANGE} without a body",
        1,
        "was 422; is 200 with the settings, and every part is read at once, as the document had promised",
    ),
    Difference(
        "trafalgar",
        r"(admin_cache/16|cache_env_variants/4) \$\.(ttl_seconds|max_records|max_projects)$",
        f"{CHANGE}, and `ONEPIECE_DASHBOARD_CACHE_*`",
        1,
        "took any number from 0 on; clamps to 86400 s, 1000000 records and 10000 projects",
    ),
    Difference(
        "trafalgar",
        r"(admin_cache/(18|19)|admin_cache_raw_bodies/(6|8)) (status|header content-type|text)$",
        f"{CHANGE} with a TTL of `NaN` or `1e999`",
        2,
        "was 500, and the second was taken; is 422, and neither is",
    ),
    Difference(
        "trafalgar",
        r"(admin_cache/20|admin_cache_raw_bodies/9|cache_env_variants/6) (status|header content-type|text)$",
        f"{CACHE} after a TTL that was infinite",
        2,
        "was 500 for ever; is 200: `inf` in the environment is clamped",
    ),
    Difference(
        "trafalgar",
        r"(normal|empty)_status/0 (status|\$\.\w+)$",
        "`GET /status` without a token",
        4,
        "was open to everybody; is 401. With the token it is equal",
    ),
    Difference(
        "trafalgar",
        r"normal_other_dashboard_routes/[0-7] (status|\$(\.\w+)?)$",
        "`GET /projects/{name}`, `/projects/{name}/episodes`, `/errors`, `/errors/summary` without a token",
        4,
        "were open to everybody; are 401. With the token they are equal",
    ),
    Difference(
        "trafalgar",
        r"normal_other_dashboard_routes/(8|9|1[0-4]) (status|\$(\.\w+)?)$",
        "`GET /deliveries/{project}`, `/deliveries/{project}/{id}`",
        4,
        "were made by a plug-in of the program and read nothing that an exporter could read; are 404, as unknown paths",
    ),
    Difference(
        "trafalgar",
        r"landing_page/0 text$",
        "dashboard `GET /`",
        4,
        "was a page with scripts that told the names of the projects to everybody; is a page of links without any data",
    ),
    Difference(
        "trafalgar",
        r"auth_matrix/(28|29) (status|header content-type|text)$",
        "a token that is not ASCII",
        2,
        "was 500; is 401, as any wrong token",
    ),
    Difference(
        "trafalgar",
        r"normal_metrics/0 \$\.status\.projects$",
        f"{METRICS}, `status.projects`",
        2,
        "left out the projects of the registry in the first answer of a process, and counted them from the second on; "
        "always counts them",
    ),
    Difference(
        "trafalgar",
        r"default_wiring_metrics/\d \$\.(status\.\w+|review\.(totals\.projects|projects length|projects\[4\]\.\w+))$",
        f"{METRICS}, `status` as the system was delivered",
        2,
        "was 0 shots, versions and errors, as nothing was connected to it; is what the site and `reconcile` say, and "
        "projects known from versions alone are counted and have a row",
    ),
    Difference(
        "trafalgar",
        r"(project_registry_is_a_number|unconfigured_shotgrid_metrics|review_unconfigured_shotgrid)/0 "
        r"(status|header content-type|text)$",
        "`/metrics` and the playlists, with a `dashboard-projects.json` that holds a number, or without ShotGrid",
        2,
        "was 500; is 200: what is not configured, or is no list, has nothing",
    ),
    Difference(
        "trafalgar",
        r"(metrics_ingest_null_started_at_mixed|registry_numeric_started_at|ingest_runs_null_started_at_mixed)/0 "
        r"(status|header content-type|text)$",
        "`/metrics` and `/runs`, with a start that is null, naive among others that are not, or a number",
        2,
        "was 500; is 200, and such a run counts as the oldest",
    ),
    Difference(
        "trafalgar",
        r"(metrics_ingest_not_utf8/0|shotgrid_connection_refused_metrics/0|shotgrid_partial_failures/3|review_api/9) "
        r"(status|header content-type|text)$",
        "any path, while a part that it shows was never read (no UTF-8, a site that cannot be reached)",
        2,
        "was 500 as plain text; is 503 with a JSON body that names the part. Once it was read, its last good value is "
        "shown until `refresh.max_stale`",
    ),
    Difference(
        "trafalgar",
        r"review_api/8 (status|\$\.\w+)$",
        "`GET /projects/{project}/playlists`, while no list of playlists can be read",
        2,
        "was 200 with an empty list; is 503 where the site was never read, and 502 where other projects could be",
    ),
    Difference(
        "trafalgar",
        r"(malformed_registry_after_good_read/[13] \$\.ingest\.[\w.]+"
        r"|ingest_malformed_after_good/[12] (status|\$[\w. ]*))$",
        "`/metrics`, `/runs`, `/runs/{id}`, after the registry was torn or deleted",
        1,
        "showed zeros, an empty list and 404; show what was last read whole",
    ),
    Difference(
        "trafalgar",
        r"(ingest_auth/(0|1|4|6|7|9|10|12)|review_api/5) \$\.detail$",
        "401 of ingest, render and review",
        4,
        "said what was wrong with the credentials; says `Invalid authentication token.`, as the dashboard",
    ),
    Difference(
        "trafalgar",
        r"ingest_auth/(5|8|11) (status|\$\.\w+)$",
        "`X-API-Key` and `X-API-Secret`",
        4,
        "let a caller in, and three pairs that everybody knows did; is 401: there is one bearer token, `api.token`",
    ),
    Difference(
        "trafalgar",
        r"(ingest_auth/3|review_api/6) (status|\$\.\w+)$",
        "roles of ingest, render and review",
        4,
        "was 403 for a caller without the role; there are no roles: the token opens every path of the source",
    ),
    Difference(
        "trafalgar",
        r"render_submit_and_cancel/\d+ (status|header allow|\$\.\w+)$",
        "`POST /jobs`, `DELETE /jobs/{id}`",
        4,
        "submitted and cancelled jobs; is 405: the exporter reads and does nothing",
    ),
    Difference(
        "trafalgar",
        r"render_history_limit_25/0 \$\.render\.(jobs|by_status|by_farm)",
        "`TRAFALGAR_RENDER_JOBS_HISTORY_LIMIT`, `_RETENTION_HOURS`",
        4,
        "a GET cut the store down, on the disk too; shows every job of the file, which is left alone",
    ),
    Difference(
        "trafalgar",
        r"render_misc/2 \$\.farms\[3\]\.capabilities\.",
        "`GET /farms`, a farm that a plug-in of the program added",
        3,
        "had what the plug-in said; its name is known from the jobs, and the rest is null or false",
    ),
    Difference(
        "trafalgar",
        r"(render_misc/1 \$\.render_summary\.by_status|render_jobs_metrics/0 \$\.(statuses|adapters\.studiofarm))\.",
        "`GET /jobs/metrics` and render `GET /health`, jobs of a farm that a plug-in asked for their status",
        4,
        "a GET asked the farm and wrote the answer into the store; shows what the store says",
    ),
    Difference(
        "trafalgar",
        r"render_misc/1 \$\.render_history\.store\.last_\w+$",
        "render `GET /health`, `last_load_at`, `last_save_at`, `last_rotation_at`",
        4,
        "when the program had loaded, saved and rotated its store; the last read of the exporter, null and null",
    ),
    Difference(
        "trafalgar",
        r"shotgrid_partial_failures/1 \$\.review\.",
        f"{METRICS}, `review`, while one lookup of a playlist fails",
        2,
        "left that playlist out; playlists are not looked up one by one any more, and there is nothing to fail",
    ),
)
