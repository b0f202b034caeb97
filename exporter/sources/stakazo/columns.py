"""Which of the tables and columns that are read a database has: its two generations of schemas differ (contract b)."""

from collections.abc import Mapping
from dataclasses import dataclass

from exporter.core.errors import SchemaMismatch
from exporter.inputs.sql import Query

NEEDED: Mapping[str, tuple[str, ...]] = {
    "publish_logs": (
        "id",
        "platform",
        "status",
        "clip_id",
        "requested_at",
        "updated_at",
        "created_at",
        "scheduled_for",
        "social_account_id",
        "external_post_id",
    ),
    "clips": ("id", "status", "visual_score"),
    "jobs": ("status", "params"),
    "video_assets": ("id",),
    "campaigns": ("status", "budget_cents"),
}

OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "publish_logs": ("published_at", "retry_count", "last_retry_at", "extra_metadata"),
}
"""Columns that no migration adds, or that only tell finished publications apart: nobody has to have them."""

_NAMES = ", ".join(f"'{table}'" for table in NEEDED)
LISTS: Mapping[str, str] = {
    "sqlite": f"""
        select t.name, c.name from sqlite_master t, pragma_table_info(t.name) c
        where t.type in ('table', 'view') and t.name in ({_NAMES})
    """,  # noqa: S608  # here and below: names from above
    # what the connection would find under the bare name, whatever its search_path
    "postgresql": f"""
        select t.relname, c.attname from pg_class t join pg_attribute c on c.attrelid = t.oid
        where t.relname in ({_NAMES}) and pg_table_is_visible(t.oid) and c.attnum > 0 and not c.attisdropped
    """,  # noqa: S608
    "mysql": f"""
        select table_name, column_name from information_schema.columns
        where table_schema = database() and table_name in ({_NAMES})
    """,  # noqa: S608
}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns found, by table; a table that is not there has none."""

    found: Mapping[str, frozenset[str]]

    def has(self, table: str, *columns: str) -> bool:
        """Whether a table has all these columns."""
        return self.found[table].issuperset(columns)

    def check(self, table: str, *columns: str) -> None:
        """Raises SchemaMismatch, which names what is missing, unless the table has all these columns."""
        if lacking := [name for name in _lacking(table, self.found[table]) if name in (table, *columns)]:
            raise SchemaMismatch(_said(table, lacking))

    def missing(self) -> list[str]:
        """What is missing, in words."""
        return [_said(table, lacking) for table in NEEDED if (lacking := _lacking(table, self.found[table]))]

    def filled(self, table: str, statement: str) -> str:
        """The statement with each `{column}` of the table, or null in the place of one that is missing."""
        names = (*NEEDED[table], *OPTIONAL.get(table, ()))
        return statement.format_map({name: name if name in self.found[table] else "null" for name in names})


def _lacking(table: str, found: frozenset[str]) -> list[str]:
    return [name for name in NEEDED[table] if name not in found] if found else [table]


def _said(table: str, lacking: list[str]) -> str:
    return f"no such table: {table}" if lacking == [table] else f"no such column: {table}.{f', {table}.'.join(lacking)}"


def columns(query: Query) -> Columns:
    """What the database has now; one statement."""
    rows = query(LISTS[query.dialect])
    return Columns({table: frozenset(column for name, column in rows if name == table) for table in NEEDED})
