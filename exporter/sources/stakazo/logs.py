"""How each database is asked for the rows of publish_logs that tell of finished publications.

Columns in braces may be missing, and are null then. Statuses are compared in small letters, whatever their type, and
byte for byte; so are platforms grouped: MariaDB takes `Failed ` for `failed`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from exporter.core.family import OTHER
from exporter.core.finish import Finish
from exporter.inputs.paging import LAST, Table
from exporter.inputs.sql import Query, Row
from exporter.inputs.zones import utc
from exporter.sources.stakazo.columns import Columns

SUCCESS, FAILED = "success", "failed"
WORKER, RECONCILED = "worker_id", "reconciled_at"
"""What metadata say of a row that the worker finished, and of one that hung and was given up."""

NEEDED = ("id", "platform", "status", "updated_at", "external_post_id")
NO_POST = "coalesce(length(external_post_id), 0) = 0"
LANE = f"case when coalesce(length(platform), 0) = 0 then '{OTHER}' else platform end"


@dataclass(frozen=True, slots=True)
class Words:
    """How one database says the key, the metadata and the times of a row; `exact` stands before what is compared byte
    for byte."""

    status: str
    metadata: str
    done: str
    given_up: str
    key: str = "id"
    exact: str = ""


def _words(text: str = "{}", time: Callable[[str], str] = str, key: str = "id", exact: str = "") -> Words:
    def first(*columns: str) -> str:
        return f"coalesce({', '.join(time(f'{{{column}}}') for column in columns)})"

    return Words(
        status=f"lower({text.format('status')})",
        metadata=text.format("{extra_metadata}"),
        done=first("published_at", "updated_at"),
        given_up=first("last_retry_at", "updated_at"),
        key=key,
        exact=exact,
    )


WORDS: Mapping[str, Words] = {
    "sqlite": _words(time=utc),
    "postgresql": _words("cast({} as text)", "{}::timestamp".format, "cast(id as text)"),
    "mysql": _words("cast({} as char)", exact="binary "),
}


def named(name: str) -> str:
    """A name as it stands in metadata, which are JSON."""
    return f'"{name}"'


@dataclass(frozen=True, slots=True)
class Logs:
    """The table as a database has it now. Raises SchemaMismatch where publications cannot be told apart in it."""

    query: Query
    columns: Columns

    def __post_init__(self) -> None:
        self.columns.check("publish_logs", *NEEDED)

    @property
    def words(self) -> Words:
        """How this database says things."""
        return WORDS[self.query.dialect]

    @property
    def told(self) -> bool:
        """Whether there are metadata at all."""
        return self.columns.has("publish_logs", "extra_metadata")

    def table(self, finish: Callable[[Row, bool], Finish | None], only: str | None = None) -> Table:
        """The rows that tell of a finish, or those of a condition.

        Not of the bare `status`: with an index of that SQLite would walk through it, most of the table.
        """
        words, told = self.words, self.told
        # of most rows nobody asks for them, and they are long
        metadata = f"case when {words.status} = '{FAILED}' or {NO_POST} then {words.metadata} end"
        select = f"""
            select
                id, updated_at, {LANE}, {words.status}, external_post_id, {{requested_at}},
                {{published_at}}, {{retry_count}}, {{last_retry_at}}, {metadata}
            from publish_logs
        """  # noqa: S608  # here and below: text of this module
        only = only or f"{words.status} in ('{SUCCESS}', '{FAILED}')"
        return Table(self._filled(select), "id", "updated_at", lambda row: finish(row, told), self._filled(only))

    def successes(self, what: str, **times: object) -> list[Row]:
        """Something about the successes of each lane, `counts` being 1 of one that is no shadow of a failure."""
        alone = f"not {self._says(WORKER)}" if self.told else "1 = 0"
        counts = f"case when {NO_POST} and not ({alone}) then 0 else 1 end as counts"
        return self._by_lane(what, f"{self.words.done} as at, {counts}", self.rows(SUCCESS), times)

    def failures(self, what: str, **times: object) -> list[Row]:
        """Something about the failures of each lane whose time is not within their metadata."""
        plain = f"{self.rows(FAILED)} and not {self._says(RECONCILED)}"
        return self._by_lane(what, f"{self.words.given_up} as at, {self.words.key} as id", plain, times)

    def reconciled(self) -> str:
        """The condition on the other failures."""
        return f"{self.rows(FAILED)} and {self._says(RECONCILED)}"

    def rows(self, status: str) -> str:
        """The condition on a status."""
        return f"{self.words.exact}{self.words.status} = '{status}'"

    def _says(self, name: str) -> str:
        return f"(coalesce({self.words.metadata}, '') like '%{named(name)}%')"

    def _by_lane(self, what: str, columns: str, only: str, times: Mapping[str, object]) -> list[Row]:
        asked = f"""
            select min(lane), {what} from (select {LANE} as lane, {columns} from publish_logs where {only}) finished
            where at <= :last group by {self.words.exact}lane
        """  # noqa: S608
        return self.query(self._filled(asked), last=LAST, **times)

    def _filled(self, text: str) -> str:
        return self.columns.filled("publish_logs", text)
