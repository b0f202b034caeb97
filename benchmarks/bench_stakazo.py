"""Times the parts of the Stakazo source, and the 30 statements of the five endpoints they replace, on the same rows.

    python -m benchmarks.bench_stakazo [--rows 100000] [--times 3] [sqlite] [postgresql] [mysql]

Servers are those of the tests: STUDIO_TEST_POSTGRES and STUDIO_TEST_MARIADB.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from exporter.core.source import Limits
from tests.sources.stakazo.databases import NOW, Make, Rows, dialect_of, editing, made, opened
from tests.sources.stakazo.tables import ALEMBIC, COLUMNS

CENTRE = datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None)
INDEX = "create index publish_logs_content on publish_logs (platform, status, clip_id)"
STATUSES = ["success"] * 70 + ["failed"] * 20 + ["pending"] * 4 + ["scheduled"] * 3 + ["retry"] * 2 + ["processing"]
PLATFORMS = ["instagram"] * 4 + ["tiktok"] * 3 + ["youtube"] * 2 + ["other"]
WORDS = {
    "clips": ("PENDING", "PROCESSING", "READY", "PUBLISHED", "FAILED"),
    "jobs": ("PENDING", "PROCESSING", "RETRY", "COMPLETED", "FAILED"),
    "campaigns": ("DRAFT", "ACTIVE", "PAUSED", "COMPLETED"),
}


def rows(logs: int) -> Rows:
    """Rows of every table: a tenth as many clips and jobs as logs, in no order of time (contract, measured times)."""
    dice = random.Random(7)

    def key() -> str:
        return uuid.UUID(int=dice.getrandbits(128)).hex

    def moment(days: float) -> datetime:
        return CENTRE - timedelta(seconds=dice.random() * days * 86400)

    def row(table: str, **more: Any) -> dict[str, Any]:
        word = {"status": dice.choice(WORDS[table])} if table in WORDS else {}
        at = {"created_at": shown(moment(90)), "updated_at": shown(moment(90))}
        return {**dict.fromkeys(COLUMNS[table]), "id": key(), **word, **at, **more}

    def log(clips: list[str], accounts: list[str]) -> dict[str, Any]:
        status, asked, took = dice.choice(STATUSES), moment(60), timedelta(seconds=600 * dice.random())
        done = status == "success"
        return row(
            "publish_logs",
            clip_id=dice.choice(clips),
            platform=dice.choice(PLATFORMS),
            social_account_id=dice.choice([*accounts, None]),
            status=status,
            external_post_id=f"post-{dice.random()}" if done else None,
            external_url=f"https://example.test/p/{dice.random()}" if done else None,
            requested_at=shown(asked),
            published_at=shown(asked + took) if done else None,
            retry_count=0,
            max_retries=3,
            scheduled_for=shown(asked + timedelta(days=60 * dice.random())) if status == "scheduled" else None,
            created_at=shown(asked),
            updated_at=shown(asked + took),
        )

    span = {"start_ms": 0, "end_ms": 1000, "duration_ms": 1000}
    clips = [row("clips", video_asset_id=key(), visual_score=dice.random(), **span) for _ in range(logs // 10)]
    ids = [clip["id"] for clip in clips]
    accounts = [key() for _ in range(20)]
    asked = ['{"platform": "%s", "duration": 30}' % platform for platform in PLATFORMS]  # noqa: UP031  # braces
    return {
        "video_assets": [row("video_assets") for _ in range(logs // 100)],
        "clips": clips,
        "jobs": [row("jobs", job_type="cut", params=dice.choice(asked)) for _ in range(logs // 10)],
        "campaigns": [row("campaigns", name="c", clip_id=ids[0], budget_cents=100) for _ in range(logs // 1000 + 1)],
        "publish_logs": [log(ids, accounts) for _ in range(logs)],
    }


def shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


def replaced(dialect: str) -> Iterator[str]:
    """The statements of the five endpoints, as contract a has them: 5, 3, 5, 16 and 1."""
    for table in ("video_assets", "clips"):
        yield f"select count(*) from {table}"
    for table in ("jobs", "campaigns"):
        yield f"select count(*) {_by_status(WORDS[table])} from {table}"
    yield f"select count(*) {_by_status(('success', 'failed', 'pending'))} from publish_logs"
    yield f"select count(*) {_by_status(('pending', 'processing', 'success', 'failed'))} from publish_logs"
    seconds = {
        "sqlite": "cast(strftime('%s', published_at) as integer) - cast(strftime('%s', requested_at) as integer)",
        "postgresql": "extract(epoch from published_at) - extract(epoch from requested_at)",
        "mysql": "timestampdiff(microsecond, requested_at, published_at)",
    }[dialect]
    yield f"select avg(1000 * ({seconds})) from publish_logs where status = 'success' and published_at is not null"
    yield "select min(requested_at) from publish_logs where status = 'pending'"
    yield "select max(created_at) from publish_logs"
    for hours in (1, 24):
        yield f"select count(*) from publish_logs where created_at >= '{shown(CENTRE - timedelta(hours=hours))}'"
    yield f"select count(*) {_by_status(('pending', 'processing'))} from publish_logs"
    yield "select count(distinct social_account_id) from publish_logs where status = 'processing'"
    asked = "params -> 'platform'" if dialect == "postgresql" else "json_extract(params, '$.platform')"
    as_text = f"cast({asked} as {'char' if dialect == 'mysql' else 'varchar'})"
    for platform in ("instagram", "tiktok", "youtube", "other"):
        of = f"from publish_logs where platform = '{platform}' and status"
        yield f"select count(distinct clip_id) {of} in ('pending', 'scheduled')"
        yield f"select count(distinct clip_id) {of} = 'success'"
        yield f"""
            select avg(visual_score) from clips join publish_logs on publish_logs.clip_id = clips.id
            where platform = '{platform}' and visual_score is not null
        """
        yield f"select count(*) {_by_status(('COMPLETED', 'FAILED'))} from jobs where {as_text} = '{platform}'"
    yield f"select count(*) {_by_status(WORDS['campaigns'])} from campaigns"


def _by_status(words: tuple[str, ...]) -> str:
    return "".join(f", sum(case when status = '{word}' then 1 else 0 end)" for word in words)


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    into.append(1000 * (time.perf_counter() - began))


async def measured(url: str, times: int) -> dict[str, float]:
    """Milliseconds, the median of some reads after a first one."""
    found: dict[str, list[float]] = {"30 replaced": []}
    with editing(url) as connection:
        for _ in range(times + 1):
            with timed(found["30 replaced"]):
                ask(connection, replaced(dialect_of(url)))
    async with opened(url, Limits()) as source:
        for part in source.parts:
            spent = found[part.name] = []
            for _ in range(times + 1):
                with timed(spent):
                    await part.read(NOW)
    return {name: statistics.median(spent[1:]) for name, spent in found.items()}


def ask(connection: Connection, statements: Iterator[str]) -> None:
    for statement in statements:
        connection.execute(text(statement)).all()


def show(indexes: str, found: dict[str, float]) -> None:
    parts = [name for name in found if name != "30 replaced"]
    whole = sum(found[name] for name in parts)
    minute = 4 * (found["queue"] + found["campaigns"]) + 0.4 * (found["content"] + found["schema"])
    numbers = "".join(f"{found[name]:>12.1f}" for name in ("30 replaced", *parts))
    ratio, steady = found["30 replaced"] / whole, 4 * found["30 replaced"] / minute
    print(f"{indexes:<24}{numbers}{whole:>12.1f}{ratio:>9.1f}x{steady:>10.1f}x", flush=True)


def run(make: Make, given: Rows, times: int) -> None:
    url = make(given)
    analyze(url)
    header = ("30 replaced", "queue", "campaigns", "content", "schema", "full pass")
    print(f"{dialect_of(url):<24}{''.join(f'{name:>12}' for name in header)}{'ratio':>10}{'a minute':>11}")
    show("primary keys only", asyncio.run(measured(url, times)))
    for name, indexes in (("alembic's indexes", ALEMBIC), ("and the recommended one", (INDEX,))):
        with editing(url) as connection:
            for statement in indexes:
                connection.execute(text(statement))
        analyze(url)
        show(name, asyncio.run(measured(url, times)))


def analyze(url: str) -> None:
    """Statistics as a server has them after a while; on SQLite there are none unless somebody asks."""
    say: dict[str, Callable[[str], str]] = {
        "postgresql": lambda table: f"analyze {table}",
        "mysql": lambda table: f"analyze table {table}",
    }
    with editing(url) as connection:
        for table in COLUMNS if dialect_of(url) in say else ():
            connection.execute(text(say[dialect_of(url)](table)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("dialects", nargs="*", default=["sqlite", "postgresql", "mysql"])
    options = parser.parse_args()
    given = rows(options.rows)
    print(f"{options.rows} publish logs; milliseconds, median of {options.times}; 'a minute' at intervals of 15 s\n")
    for dialect in options.dialects:
        with tempfile.TemporaryDirectory() as directory, made(dialect, Path(directory)) as make:
            run(make, given, options.times)


if __name__ == "__main__":
    main()
