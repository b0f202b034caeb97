"""The store's tables, as steps from each version to the next one."""

from collections.abc import Mapping, Sequence

Step = tuple[str, ...]

TYPES: Mapping[str, Mapping[str, str]] = {
    "sqlite": {"word": "text", "unit": "text", "text": "text", "rowless": "without rowid", "key": ""},
    "postgresql": {"word": "varchar(64)", "unit": "varchar(160)", "text": "text", "rowless": "", "key": ""},
    "mysql": {  # its usual collations take Run-1 and run-1 for one
        "word": "varchar(64) character set ascii collate ascii_bin",
        "unit": "varchar(160) character set ascii collate ascii_bin",
        "text": "mediumtext character set utf8mb4 collate utf8mb4_bin",
        "rowless": "engine InnoDB",
        "key": ", key ledger_seen_at (account, at)",  # it has no `create index if not exists`
    },
}
"""What the words in braces are in each dialect: names and identities are ASCII, lanes and keys any text."""

FIRST: Step = (
    "create table if not exists ledger_meta (name {word} primary key, value {text} not null) {rowless}",
    "create table if not exists ledger_lease (id integer primary key, owner {word} not null, host {text} not null, "
    "pid integer not null, expires bigint not null) {rowless}",
    "create table if not exists ledger_account (id integer primary key, source {word} not null, "
    "pipeline {word} not null, fingerprint {text} not null, opened bigint not null, mark bigint not null, "
    "floor bigint not null, base bigint not null, is_full smallint not null, under bigint, late bigint not null, "
    "revision bigint not null, unique (source, pipeline)) {rowless}",
    "create table if not exists ledger_lane (account integer not null, number integer not null, name {text} not null, "
    "opened bigint not null, finished bigint not null, failed bigint not null, untimed bigint not null, "
    "duration bigint not null, counts {text} not null, last_success bigint, last_failure bigint, "
    "failing {text} not null, base bigint not null, primary key (account, number)) {rowless}",
    "create table if not exists ledger_seen (account integer not null, unit {unit} not null, at bigint not null, "
    "t bigint not null, ok smallint, lane integer not null, primary key (account, unit){key}) {rowless}",
    "create index if not exists ledger_seen_at on ledger_seen (account, at)",
    "insert into ledger_lease (id, owner, host, pid, expires) values (1, '', '', 0, 0)",
    "insert into ledger_meta (name, value) values ('version', '1')",
)
"""From nothing to version 1."""

STEPS: Sequence[Step] = (FIRST,)
"""Each leads from the version of its number to the next, and says so in `ledger_meta` at its end."""


def written(step: Step, dialect: str) -> list[str]:
    """The statements of a step in a dialect."""
    with_key = TYPES[dialect]["key"] != ""
    return [line.format_map(TYPES[dialect]) for line in step if not (with_key and line.startswith("create index"))]
