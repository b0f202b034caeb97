"""The two tables of DECNET, and how their words and times are compared."""

from collections.abc import Mapping
from datetime import datetime

EVENTS, EMAILS = "orchestrator_events", "orchestrator_emails"
WORDS = ("file", "traffic")
"""The words of the events table that are operations; any other, `email` among them, is `_other`."""

EXACT: Mapping[str, str] = {"mysql": "cast(kind as binary)", "sqlite": "+kind"}
"""`kind` compared byte for byte (MariaDB's collation takes `Traffic` for `traffic`) and by no index: SQLite, which has
no statistics here, would walk that of `kind` through the whole table, whatever the window."""

LEAST, MOST = datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001  # as the tables have them
"""What sorts before or after is no time: in SQLite a number or other text, in MariaDB the zero date."""
