"""How the Api differs from that of DECNET."""

from tests.api.table import Difference

STATS = "`GET /api/v1/orchestrator/events/stats`"

ROWS: tuple[Difference, ...] = (
    Difference(
        "decnet",
        r"since_(10{9}[dms]|9{11}[ds]|9{16}h|430[01]digits) (status|text)$",
        f"{STATS}, `since` with a number over 999999999",
        2,
        "was 500; is 422 `since exceeds maximum window of 7 days, 0:00:00`, as for any other window that long",
    ),
    Difference(
        "decnet",
        r"since_zeros_4301 (status|text)$",
        f"{STATS}, `since` of more than 4300 digits, all but the last few of them 0",
        2,
        "was 500; is the count, as with 4300 digits",
    ),
    Difference(
        "decnet",
        r"auth_(403_bad_params|must_change_403|wrong_role_403) (status|text|header www-authenticate)$",
        f"{STATS} with the token of a user who may not read",
        4,
        "was 403; there are no users and roles but one token: any other is 401 `Could not validate credentials`",
    ),
)
