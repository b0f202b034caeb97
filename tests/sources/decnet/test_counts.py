"""DECNET: the recorded counts, rows of every kind and age, and databases that live, lock, vanish and change."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.core.errors import Malformed, Missing, SchemaMismatch, TimedOut
from exporter.core.family import OTHER
from exporter.core.part import Schedule, Taken
from exporter.core.secret import Secret
from exporter.core.source import Context, Limits
from exporter.core.window import Window, window
from exporter.domains.operations import OPERATIONS, Operations
from exporter.sources.decnet import KIND, MOST_WINDOWS, Config
from exporter.sources.decnet.counts import KNOWN, OTHERS, newest, slices
from exporter.sources.decnet.tables import EMAILS, EVENTS, EXACT, WORDS
from tests.services import connected, writing
from tests.sources import configured
from tests.sources.decnet.databases import GOLDEN, NOW, SCHEMA, add, ago, change, dumped, text

COUNTS: Mapping[str, list[dict[str, Any]]] = json.loads((GOLDEN / "counts.json").read_text())
WINDOWS = tuple(map(window, ("5m", "1h", "24h", "7d")))


@asynccontextmanager
async def opened(
    url: str, windows: Sequence[Window] = WINDOWS, within: float = 30.0
) -> AsyncIterator[Callable[..., Any]]:
    """What reads the one part of a source, as of `NOW` or any other moment."""
    schedule = Schedule(timeout=within)
    source = KIND.source(Config(Secret(url), tuple(windows)), Context("decoys", schedule, Limits()))
    (part,) = source.parts

    async def read(at: datetime = NOW) -> Taken[Operations]:
        return await part.read(at.timestamp())

    assert part.name == "database"
    try:
        yield read
    finally:
        await source.close()


async def taken(path: Path, at: datetime = NOW, windows: Sequence[Window] = WINDOWS) -> Taken[Operations]:
    async with opened(f"sqlite:///{path}", windows) as read:
        found: Taken[Operations] = await read(at)
        return found


def moments(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {now: [each for each in records if each["now"] == now] for now in sorted({r["now"] for r in records})}


def answered(facts: Operations, kind: str | None, since: str) -> int:
    """What the endpoint says: all operations, or one."""
    if kind is None:
        return sum(facts.failures.get((operation, since), 0) for operation in OPERATIONS)
    return facts.failures.get((kind, since), 0)


# what was recorded


async def test_every_recorded_count_of_sqlite(recorded: Path) -> None:
    compared = 0
    for now, records in moments(COUNTS["sqlite"]).items():
        windows = [*map(window, {record["since"]: None for record in records})]
        facts = (await taken(recorded, datetime.fromisoformat(now), windows)).value
        for record in records:
            assert answered(facts, record["kind"], record["since"]) == record["count"], record
            compared += 1
    assert compared == len(COUNTS["sqlite"]) == 36


async def test_every_recorded_count_of_mariadb() -> None:
    """But for `Traffic`, which the collation took for `traffic`: it is another word, here as in SQLite."""
    differing = 0
    with dumped() as url:
        for now, records in moments(COUNTS["mariadb"]).items():
            windows = [*map(window, {record["since"]: None for record in records})]
            async with opened(url, windows) as read:
                facts = (await read(datetime.fromisoformat(now))).value
            for record in records:
                collated = capitals(url, record) if record["kind"] == "traffic" else 0
                assert answered(facts, record["kind"], record["since"]) == record["count"] - collated, record
                differing += collated
        assert differing > 0


def capitals(url: str, record: Mapping[str, Any]) -> int:
    """Failures of the word `Traffic` in a window."""
    edge = datetime.fromisoformat(record["now"]) - timedelta(seconds=window(record["since"]).seconds)
    with connected(url) as connection:
        found = connection.exec_driver_sql(
            "select count(*) from orchestrator_events where binary kind = 'Traffic' and success = 0 and ts >= %s",
            (edge.replace(tzinfo=None),),
        ).scalar_one()
    return int(found)


async def test_the_recorded_last_events_and_future_rows(recorded: Path) -> None:
    found = await taken(recorded)
    with closing(sqlite3.connect(recorded)) as connection:
        ask = connection.execute
        statements = {
            "traffic": "select max(ts) from orchestrator_events where kind = 'traffic' and ts <= ?",
            "file": "select max(ts) from orchestrator_events where kind = 'file' and ts <= ?",
            OTHER: "select max(ts) from orchestrator_events where kind not in ('file', 'traffic') and ts <= ?",
            "email": "select max(ts) from orchestrator_emails where ts <= ?",
        }
        for operation, statement in statements.items():
            ((at,),) = ask(statement, (text(NOW),))
            assert found.value.last[operation] == datetime.fromisoformat(f"{at}+00:00").timestamp()
        ((future,),) = ask(
            "select (select count(*) from orchestrator_events where ts > :now)"
            " + (select count(*) from orchestrator_emails where ts > :now)",
            {"now": text(NOW)},
        )
    assert found.value.future == future > 0
    assert found.value.last.keys() == {*OPERATIONS}
    assert +Counter(found.skipped) == Counter()
    assert found.origin == f"sqlite:///{recorded}"


# rows of every kind and age


async def test_an_empty_database_says_that_nothing_happened(path: Path) -> None:
    found = await taken(path)
    assert found.value == Operations(("5m", "1h", "24h", "7d"), {}, {}, {}, 0)
    assert found.records == 0


async def test_a_window_holds_its_edge_and_the_future(path: Path) -> None:
    edge = timedelta(minutes=5)
    tick = timedelta(microseconds=1)
    add(path, [(text(NOW - edge + tick * step), "file", 0) for step in (-1, 0, 1)])
    add(path, [(text(NOW + tick * step), "file", 0) for step in (0, 1, 10**12)])
    found = (await taken(path)).value
    assert found.failures["file", "5m"] == 5
    assert found.failures["file", "1h"] == 6
    assert found.future == 2
    assert found.last == {"file": NOW.timestamp()}


async def test_only_exact_words_are_operations(path: Path) -> None:
    odd = ("Traffic", "traffic ", " file", "email", "probe", "", "ﬁle", "traffic\n", 7, b"file")
    add(path, [(ago(minutes=1), word, 0) for word in odd])
    add(path, [(ago(minutes=2), "traffic", 1)], [(ago(minutes=3), 1)])
    found = (await taken(path)).value
    assert found.failures == {(OTHER, each.text): len(odd) for each in WINDOWS} | {
        (word, each.text): 0 for word in ("traffic", "email") for each in WINDOWS
    }
    assert found.attempts["traffic", "5m"] == found.attempts["email", "5m"] == 1
    assert found.last[OTHER] == NOW.timestamp() - 60


async def test_text_that_is_not_utf8_is_another_word(path: Path) -> None:
    change(
        path,
        f"""insert into orchestrator_events values
        ('u', '{ago(minutes=1)}', cast(x'ff66' as text), 'ssh', 'a', 'b', 'c', 0, '')""",
    )
    assert (await taken(path)).value.failures[OTHER, "5m"] == 1


async def test_an_operation_of_long_ago_has_a_last_event(path: Path) -> None:
    add(path, [(ago(days=30), "file", 1), (ago(days=40), "file", 0), (ago(days=20), "probe", 1)], [(ago(days=50), 0)])
    add(path, [(ago(days=25), "email", 1), (ago(days=26), "zebra", 1)])
    found = (await taken(path)).value
    assert found.attempts == {}
    assert {word: round((NOW.timestamp() - at) / 86400) for word, at in found.last.items()} == {
        "file": 30,
        "email": 50,
        OTHER: 20,
    }


async def test_an_operation_that_is_only_in_the_future_has_no_last_event(path: Path) -> None:
    add(path, [(ago(days=-1), "file", 1), (ago(days=-1), "probe", 1)], [(ago(days=-1), 1)])
    found = (await taken(path)).value
    assert found.last == {}
    assert found.future == 3


async def test_rows_that_make_no_sense_are_left_out_and_counted(path: Path) -> None:
    add(path, [(ago(minutes=1), "file", outcome) for outcome in (0, 1, 2, "no", "", b"0")])
    add(path, [(time, "file", 0) for time in (0, 1781524800, 3.5, "", "yesterday", b"\x00", "\ufffd")], [("soon", 1)])
    found = await taken(path)
    assert found.value.attempts["file", "7d"] == 2
    assert found.value.failures["file", "7d"] == 1
    assert found.value.future == 0
    assert found.skipped == {"invalid": 12}
    assert found.records == 14
    assert found.value.last == {"file": NOW.timestamp() - 60}


async def test_an_operation_of_nothing_but_nonsense_has_no_last_event(path: Path) -> None:
    add(path, [(0, "file", 0), ("soon", "file", 0), (0, "probe", 0)], [(0, 0)])
    found = await taken(path)
    assert found.value.last == {}
    assert found.skipped == {"invalid": 4}


async def test_a_newest_time_that_cannot_be_read_is_left_out_and_counted(path: Path) -> None:
    add(path, [("2026-06-15 11:59:61.000000", "file", 1)])
    found = await taken(path)
    assert found.value.attempts["file", "5m"] == 1
    assert found.value.last == {}
    assert found.skipped == {"invalid": 1}


KINDS = st.sampled_from(["traffic", "file", "Traffic", "email", "probe"])
SECONDS = st.one_of(st.sampled_from([-1, 0, 1, 30, 90, 300, 3600, 86400]), st.integers(-100, 90000))
TIMES = st.builds(lambda seconds, ticks: timedelta(seconds=seconds, microseconds=ticks), SECONDS, st.integers(-1, 1))


@settings(max_examples=60)
@given(
    events=st.lists(st.tuples(TIMES, KINDS, st.booleans()), max_size=40),
    emails=st.lists(st.tuples(TIMES, st.booleans()), max_size=10),
    spans=st.lists(st.sampled_from(["1s", "30s", "90s", "5m", "1h", "24h"]), min_size=1, unique=True),
)
async def test_counts_are_those_of_a_plain_recount(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[tuple[timedelta, str, bool]],
    emails: list[tuple[timedelta, bool]],
    spans: list[str],
) -> None:
    path = change(tmp_path_factory.mktemp("recount") / "a.db", SCHEMA)
    add(path, [(text(NOW - age), kind, ok) for age, kind, ok in events], [(text(NOW - age), ok) for age, ok in emails])
    found = (await taken(path, windows=[*map(window, spans)])).value
    rows = [(age, kind if kind in ("traffic", "file") else OTHER, ok) for age, kind, ok in events]
    rows += [(age, "email", ok) for age, ok in emails]
    for span in spans:
        inside = [row for row in rows if row[0] <= timedelta(seconds=window(span).seconds)]
        for operation in OPERATIONS:
            outcomes = [ok for _, word, ok in inside if word == operation]
            assert found.attempts.get((operation, span), 0) == len(outcomes)
            assert found.failures.get((operation, span), 0) == outcomes.count(False)
    assert found.future == sum(age < timedelta() for age, _, _ in rows)
    youngest: dict[str, timedelta] = {}
    for age, word, _ in rows:
        if age >= timedelta():
            youngest[word] = min(age, youngest.get(word, age))
    assert found.last == {word: (NOW - age).timestamp() for word, age in youngest.items()}


async def test_a_value_is_the_same_object_until_it_says_something_new(path: Path) -> None:
    add(path, [(ago(minutes=1), "file", 1)])
    async with opened(f"sqlite:///{path}") as read:
        before = (await read()).value
        assert (await read()).value is before
        add(path, [(ago(minutes=2), "file", 1)])
        assert (await read()).value is not before


async def test_rows_that_are_pruned_are_gone(path: Path) -> None:
    add(path, [(ago(minutes=1), "file", 0)])
    async with opened(f"sqlite:///{path}") as read:
        assert (await read()).value.failures["file", "5m"] == 1
        change(path, "delete from orchestrator_events")
        assert (await read()).value == Operations(("5m", "1h", "24h", "7d"), {}, {}, {}, 0)


@pytest.mark.parametrize("statistics", [False, True])
def test_no_statement_walks_through_a_whole_table(path: Path, statistics: bool) -> None:
    """SQLite without statistics would like to: through the index of `kind`, to have groups in order."""
    add(path, [(ago(minutes=n), "file", n % 10) for n in range(3000)], [(ago(minutes=n), 0) for n in range(300)])
    statements = (
        slices(EVENTS, EXACT["sqlite"], WORDS, 5),
        slices(EMAILS, EXACT["sqlite"], (), 5),
        newest(EVENTS, f" and {EXACT['sqlite']} = :word"),
        newest(EMAILS, ""),
        OTHERS,
        KNOWN,
    )
    values = {"least": "1", "last": "9", "now": ago(), "word": "file", **{f"edge_{n}": ago(hours=n) for n in range(5)}}
    with closing(sqlite3.connect(path)) as connection:
        if statistics:
            connection.execute("analyze")
        for statement in statements:
            plan = [step for *_, step in connection.execute(f"explain query plan {statement}", values)]
            assert any("SEARCH orchestrator_" in step for step in plan)
            assert [step for step in plan if re.search(r"SCAN orchestrator_|TEMP B-TREE", step)] == []


# databases that live


WRITER = """
import sqlite3, sys, uuid
path, journal, at = sys.argv[1:]
connection = sqlite3.connect(path, timeout=30, isolation_level=None)
connection.execute(f"pragma journal_mode = {journal}")
connection.execute("pragma synchronous = off")
event = "insert into orchestrator_events values (?, ?, 'file', 'ssh', 'a', 'b', 'c', 0, '')"
email = "insert into orchestrator_emails values (?, ?, 'm', 't', 'i', null, 's', 'r', 's', 'en', '/e', 0, '')"
print("writing", flush=True)
while True:
    connection.execute("begin immediate")
    connection.execute(event, (uuid.uuid4().hex, at))
    connection.execute(email, (uuid.uuid4().hex, at))
    connection.execute("commit")
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_both_tables_are_of_one_moment_while_another_process_writes(path: Path, journal: str) -> None:
    seen: list[int] = []
    with writing(WRITER, str(path), journal, ago(minutes=1)):
        async with opened(f"sqlite:///{path}") as read:
            while len(seen) < 50 or seen[-1] == seen[0]:
                failures = (await read()).value.failures
                assert failures.get(("file", "5m")) == failures.get(("email", "5m"))
                seen.append(failures.get(("file", "5m"), 0))
    assert seen == sorted(seen)


async def test_a_database_that_is_locked_is_read_again_when_it_is_not(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        async with opened(f"sqlite:///{path}", within=2.0) as read:
            other.execute("begin exclusive")
            with pytest.raises(TimedOut, match="still locked"):
                await read()
            other.execute("commit")
            assert (await read()).records == 0


def move(here: Path, there: Path) -> None:
    here.rename(there)


def torn(path: Path) -> Path:
    """A file that is not yet a database, but on its way."""
    path.write_bytes(b"SQLite format 3\0" + b"?" * 100)
    return path


async def test_a_database_that_vanishes_and_comes_back_as_another(path: Path, tmp_path: Path) -> None:
    add(path, [(ago(minutes=1), "file", 0)])
    async with opened(f"sqlite:///{path}") as read:
        assert (await read()).records == 1
        move(path, tmp_path / "old.db")
        with pytest.raises(Missing, match=r"decnet\.db: no such file"):
            await read()
        move(torn(tmp_path / "part"), path)
        with pytest.raises(Malformed, match=r"decnet\.db"):
            await read()
        move(change(tmp_path / "new.db", SCHEMA), path)
        assert (await read()).records == 0


async def test_mariadb_that_ends_every_connection_is_read_at_once() -> None:
    with dumped() as url:
        async with opened(url) as read:
            before = (await read()).value
            with connected(url) as other:
                ours = "select id from information_schema.processlist where db = database() and id <> connection_id()"
                for (number,) in other.exec_driver_sql(ours).all():
                    other.exec_driver_sql(f"kill {number}")
            assert (await read()).value is before


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("drop table orchestrator_events", "no such table: orchestrator_events"),
        ("drop table orchestrator_emails", "no such table: orchestrator_emails"),
        ("alter table orchestrator_events rename column kind to sort", "no such column: kind"),
        ("alter table orchestrator_emails rename column success to ok", "no such column: success"),
    ],
)
async def test_what_the_schema_lacks_is_named(path: Path, script: str, message: str) -> None:
    async with opened(f"sqlite:///{path}") as read:
        await read()
        change(path, script)
        with pytest.raises(SchemaMismatch, match=message):
            await read()


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("drop table orchestrator_emails", "orchestrator_emails"),
        ("alter table orchestrator_events change kind sort varchar(16)", "kind"),
    ],
)
async def test_what_the_schema_of_mariadb_lacks_is_named(script: str, name: str) -> None:
    with dumped() as url, connected(url) as connection:
        connection.exec_driver_sql(script)
        async with opened(url) as read:
            with pytest.raises(SchemaMismatch, match=name):
                await read()


# configuration


def problems(*windows: str, url: str = "sqlite:///a.db") -> list[str]:
    return configured.problems("decnet", database=url, windows=[*windows])


def test_a_good_configuration_has_no_problems() -> None:
    assert configured.problems("decnet", database="sqlite:///a.db") == []
    assert [each.text for each in Config(Secret("sqlite:///a.db")).windows] == ["5m", "1h", "24h", "7d"]
    assert problems("7d", "1s") == []


def test_windows_are_some_and_differ() -> None:
    assert problems() == ["windows: expected at least one"]
    assert problems("1h", "5m", "60m", "1h") == [
        "windows: 60m is as long as 1h, which stands before it; 1h is as long as 1h, which stands before it",
    ]
    assert problems(*(f"{n + 1}s" for n in range(MOST_WINDOWS))) == []
    assert problems(*(f"{n + 1}s" for n in range(MOST_WINDOWS + 1))) == ["windows: expected at most 50, found 51"]


async def test_as_many_windows_as_there_may_be_can_be_read(path: Path) -> None:
    windows = [window(f"{number + 1}s") for number in range(MOST_WINDOWS)]
    add(path, [(ago(seconds=10), "file", 0)])
    found = (await taken(path, windows=windows)).value
    assert sum(found.failures.values()) == MOST_WINDOWS - 9


def test_a_url_that_cannot_be_used_is_a_problem() -> None:
    (problem,) = problems("1h", url="oracle://u:hunter2@h/n")
    assert problem == "database: expected a URL of sqlite, postgresql, mysql or mariadb, found 'oracle'"
