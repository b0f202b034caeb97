"""What counting finished publications costs a database: reads by the cursor against a recount, by indexes.

    python -m benchmarks.bench_finishes [--rows 1000000] [--times 15] [sqlite] [postgresql] [mysql]

Publish logs five seconds apart, in no order of time on disk, nine in ten of them finished. Milliseconds on the
connection, all rows and columns fetched: `nothing` finds no row at all, `overlap` those of the ten minutes that each
read goes over again, `finishes` makes finishes of the thousand rows too (what the ledger adds: `bench_ledger`). `look`
is what SQLite spends a tenth of the overlap apart, as long as it finds no time with a zone: none of 14 hours of rows.
`recount` counts by platform and status, which is what a counter without a ledger needs; `scan/new` compares it as it is
without an index, `/new` as it is with these.
Servers are those of the tests: STUDIO_TEST_POSTGRES and STUDIO_TEST_MARIADB.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from exporter.core.finish import SECOND
from exporter.core.secret import Secret
from exporter.inputs.paging import PAGE, Place, Table, apart, fetched, moment, turned
from exporter.inputs.sql import Database, Query
from exporter.sources.stakazo.columns import columns
from exporter.sources.stakazo.finishes import kept
from tests.services import execute
from tests.sources.stakazo.databases import dialect_of, made

NEWEST = int(datetime(2025, 11, 22, 12, tzinfo=UTC).timestamp())
APART = 5
STRIDE = 7919
"""A prime: its multiples come through all rows in no order of time."""

COLUMNS = """
    id, clip_id, platform, status, external_post_id, requested_at, published_at, retry_count, max_retries,
    extra_metadata, created_at, updated_at
"""
ROWS: Mapping[str, str] = {
    "sqlite": """
        with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < {rows})
        select printf('%08x%024x', (i * 2654435761) % 4294967296, i), printf('%032x', i / 10), {words},
            strftime('%Y-%m-%d %H:%M:%f', {newest} - {age} - 30, 'unixepoch') || '000',
            strftime('%Y-%m-%d %H:%M:%f', {newest} - {age}, 'unixepoch') || '000', 0, 3, '{{}}',
            strftime('%Y-%m-%d %H:%M:%f', {newest} - {age} - 30, 'unixepoch') || '000',
            strftime('%Y-%m-%d %H:%M:%f', {newest} - {age}, 'unixepoch') || '000'
        from n
    """,
    "postgresql": """
        select md5(i::text)::uuid, md5((i / 10)::text)::uuid, {words}, at - interval '30 s', at, 0, 3, '{{}}',
            at - interval '30 s', at
        from (
            select i, to_timestamp({newest} - {age}) at time zone 'UTC' as at from generate_series(0, {rows} - 1) n (i)
        ) logs
    """,
    "mysql": """
        select md5(i), md5(i div 10), {words}, at - interval 30 second, at, 0, 3, '{{}}', at - interval 30 second, at
        from (
            select seq as i, timestamp('1970-01-01') + interval ({newest} - {age}) second as at
            from (select seq, seq as i from seq_0_to_{last}) n
        ) logs
    """,
}
WORDS = """
    case {i} % 4 when 0 then 'instagram' when 1 then 'tiktok' when 2 then 'youtube' else 'other' end,
    case when {i} % 10 < 7 then 'success' when {i} % 10 < 9 then 'failed' else 'pending' end,
    case when {i} % 10 < 7 then {post} end
"""
POSTS = {"sqlite": "'post-' || i", "postgresql": "'post-' || i", "mysql": "concat('post-', i)"}
ANALYZE = {"postgresql": "vacuum analyze publish_logs", "mysql": "analyze table publish_logs"}
INDEXES: Mapping[str, tuple[str, ...]] = {
    "primary key only": (),
    "updated_at": ("create index publish_logs_updated_at on publish_logs (updated_at)",),
    "and platform, status": ("create index publish_logs_platform_status on publish_logs (platform, status)",),
}
RECOUNT = "select platform, status, count(*) from publish_logs group by platform, status"


def fill(url: str, rows: int) -> None:
    dialect = dialect_of(url)
    words = WORDS.format(i="i", post=POSTS[dialect]).replace("%", "%%" if dialect != "sqlite" else "%")
    age = f"{APART} * (({STRIDE} * cast(i as {'bigint' if dialect != 'mysql' else 'signed'})) %% {rows})"
    age = age.replace("%%", "%") if dialect == "sqlite" else age
    chosen = ROWS[dialect].format(words=words, age=age, newest=NEWEST, rows=rows, last=rows - 1)
    execute(url, f"insert into publish_logs ({COLUMNS}) {chosen}")  # constants of this file


def recount(query: Query) -> int:
    return sum(count for *_, count in query(RECOUNT))


async def quickest(database: Database, times: int, work: Callable[[Query], int]) -> tuple[float, int]:
    """Milliseconds on the connection, once it is warm and the least of some times, and what the work came to."""

    def timed(query: Query) -> tuple[float, int]:
        begun = time.perf_counter()
        found = work(query)
        return 1000 * (time.perf_counter() - begun), found

    spent = [await database.read(timed) for _ in range(times + 1)]
    return min(each for each, _ in spent[1:]), spent[0][1]


async def measured(url: str, times: int) -> dict[str, tuple[float, int]]:
    """What each kind of read takes, and the rows, or finishes, that it found."""
    database = Database(Secret(url), 600, 2_000_000)
    try:
        known = await database.read(columns)

        def tables(query: Query) -> Sequence[Table]:
            return apart(query, kept(lambda _: known).tables(query))

        def rows(place: Place, query: Query) -> int:
            return len(fetched(query, tables(query)[0], place, PAGE))

        def finishes(place: Place, query: Query) -> int:
            return len(turned(query, tables(query)[:1], [place]).finishes)

        def look(place: Place, query: Query) -> int:
            return sum(len(fetched(query, table, place, PAGE)) for table in tables(query)[1:])

        def since(seconds: float) -> Place:
            return Place(moment(round((NEWEST - seconds) * SECOND)))

        thousand = since(1000 * APART / 0.9)
        work: dict[str, Callable[[Query], int]] = {
            "nothing": partial(rows, since(-1)),
            "overlap": partial(rows, since(601)),
            "1000 new": partial(rows, thousand),
            "finishes": partial(finishes, thousand),
            "look": partial(look, since(601)),
            "recount": recount,
        }
        return {name: await quickest(database, times, each) for name, each in work.items()}
    finally:
        await database.close()


def run(url: str, rows: int, times: int) -> None:
    fill(url, rows)
    scanned = 0.0
    for name, statements in INDEXES.items():
        for statement in statements:
            execute(url, statement)
        if dialect_of(url) in ANALYZE:
            execute(url, ANALYZE[dialect_of(url)])
        found = asyncio.run(measured(url, times))
        new, count = found["1000 new"][0], found["recount"][0]
        scanned = scanned or count
        numbers = "".join(f"{spent:>11.3f}" for spent, _ in found.values())
        print(f"{dialect_of(url):<12}{name:<22}{numbers}{scanned / new:>8.0f}x{count / new:>6.0f}x", flush=True)
        assert {kind: number for kind, (_, number) in found.items() if kind in ("nothing", "look", "recount")} == {
            "nothing": 0,
            "look": 0,
            "recount": rows,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("dialects", nargs="*", default=["sqlite", "postgresql", "mysql"])
    options = parser.parse_args()
    print(f"{options.rows} publish logs over {timedelta(seconds=APART * options.rows)}; ms, best of {options.times}\n")
    names = "".join(f"{name:>11}" for name in ("nothing", "overlap", "1000 new", "finishes", "look", "recount"))
    print(f"{'':<12}{'indexes':<22}{names}{'scan/new':>9}{'/new':>7}")
    for dialect in options.dialects:
        with tempfile.TemporaryDirectory() as directory, made(dialect, Path(directory)) as make:
            run(make({}), options.rows, options.times)


if __name__ == "__main__":
    main()
