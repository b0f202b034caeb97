"""How the Api differs from that of Stakazo."""

from tests.api.table import Difference

WHOLE = r"(status|header content-type|text)$"

ROWS: tuple[Difference, ...] = (
    Difference(
        "stakazo",
        rf"(inf_score\.sqlite|(inf|nan)_score\.postgresql)\.platforms {WHOLE}",
        "`/dashboard/stats/platforms`, `avg_score` with a clip whose score is infinite or no number",
        2,
        "was 500; such scores are left out of the mean",
    ),
    Difference(
        "stakazo",
        rf"(raw_aware\.sqlite|timestamptz\.postgresql)\.queue {WHOLE}",
        "`/dashboard/stats/queue`, `oldest_pending_age_seconds` with times that have a zone",
        2,
        "was 500; is the age",
    ),
    Difference(
        "stakazo",
        rf"varchar_status\.postgresql\.(overview|platforms) {WHOLE}",
        "`/dashboard/stats/overview` and `/platforms` on PostgreSQL, with the schema of the migrations",
        2,
        "was 500, statuses being no enum there; are the counts",
    ),
    Difference(
        "stakazo",
        r"lower_enum\.sqlite\.(overview \$\.(pending|processing|failed)_jobs|campaigns \$\.(active|completed))$",
        "`/dashboard/stats/overview` and `/campaigns`, statuses of jobs and campaigns in small letters",
        2,
        "were not found, and 0 on SQLite; are counted whatever their letters, as the migrations write them small",
    ),
    Difference(
        "stakazo",
        r"auth\.role_(pending|Viewer|None) (status|header www-authenticate|\$\.detail)$",
        "every endpoint, with the token of a user whose role may not read",
        4,
        "was 403; there are no users and roles but one token: any other is 401 `Invalid or expired token`",
    ),
)
