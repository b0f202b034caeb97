"""The source: its parts and connections, how many statements they cost, and what becomes of schemas that drift."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from exporter.core.errors import SchemaMismatch
from exporter.core.secret import Secret
from exporter.core.source import Limits
from exporter.sources.stakazo import Config
from tests.services import statements
from tests.sources import configured
from tests.sources.stakazo.databases import NOW, Make, editing, golden, made, opened, page, part, read, rows_of
from tests.sources.stakazo.recount import recount
from tests.sources.stakazo.tables import COLUMNS, Dialect, log

REPLACED = 30
"""Statements of the five endpoints (contract a)."""

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql", "mysql")


STATEMENTS: dict[str, dict[str, int]] = {
    "sqlite": {"queue": 3, "campaigns": 1, "content": 5, "schema": 1},
    "postgresql": {"queue": 2, "campaigns": 1, "content": 6, "schema": 1},
    "mysql": {"queue": 1, "campaigns": 1, "content": 5, "schema": 1},
}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_pass_is_a_few_statements(dialect: Dialect, tmp_path: Path) -> None:
    with made(dialect, tmp_path) as make:
        url = make(rows_of(golden("no_pending", tmp_path)))
        async with opened(url) as source:
            await part(source, "schema").read(NOW)
            for name, number in STATEMENTS[dialect].items():
                with statements(*COLUMNS) as seen:
                    await part(source, name).read(NOW)
                assert len(seen) == number, name
    assert sum(STATEMENTS[dialect].values()) * 2.9 < REPLACED


async def test_the_recommended_index_changes_how_clips_are_counted_and_no_number(make: Make, tmp_path: Path) -> None:
    rows = rows_of(golden("edge", tmp_path))
    url = make(rows)
    with editing(url) as connection:
        connection.execute(text("create index content on publish_logs (platform, status, clip_id)"))
    with statements(*COLUMNS) as seen:
        found = await read(url)
    assert found == {name: pytest.approx(said, rel=1e-9, abs=2e-6) for name, said in recount(rows).items()}
    if url.startswith("sqlite"):
        assert any("count(distinct" in statement for statement in seen)


async def test_the_schema_is_looked_up_once(sqlite: Make) -> None:
    async with opened(sqlite({})) as source:
        with statements(*COLUMNS) as seen:
            for name in ("queue", "queue", "campaigns", "content"):
                await part(source, name).read(NOW)
    assert len([each for each in seen if "pragma_table_info" in each]) == 1


async def test_a_value_is_the_same_object_until_it_says_something_new(make: Make) -> None:
    url = make({"publish_logs": [log()]})
    async with opened(url) as source:
        for each in source.parts:
            assert (await each.read(NOW)).value is (await each.read(NOW)).value
        before = (await part(source, "queue").read(NOW)).value
        with editing(url) as connection:
            connection.execute(text("update publish_logs set status = 'processing'"))
        assert (await part(source, "queue").read(NOW)).value != before


async def test_an_empty_database_says_zero_and_no_times(make: Make) -> None:
    found = await read(make({}))
    assert found == recount(dict.fromkeys(("publish_logs", "clips", "jobs", "campaigns", "video_assets"), ()))
    assert found["studio_publish_items"] == {}
    assert found["studio_publish_created_items"] == {("1h",): 0, ("24h",): 0}
    assert found["studio_campaigns"]["active",] == 0


async def test_parts_that_share_a_connection_take_turns(make: Make) -> None:
    async with opened(make({"publish_logs": [log()]})) as source:
        found = await asyncio.gather(*(each.read(NOW) for each in (*source.parts, *source.parts)))
    assert [taken.records for taken in found[:2]] == [1, 0]


async def test_the_queue_never_waits_for_the_content(tmp_path: Path) -> None:
    with made("postgresql", tmp_path) as make:
        url = make({"publish_logs": [log()]})
        async with opened(url) as source:
            await part(source, "schema").read(NOW)
            with editing(url) as connection:
                connection.execute(text("lock table clips in access exclusive mode"))
                waiting = asyncio.ensure_future(part(source, "content").read(NOW))
                for _ in range(3):
                    assert (await part(source, "queue").read(NOW)).records == 1
                assert not waiting.done()
            assert (await waiting).value.facts.ready == {"tiktok": 1}


async def test_content_is_read_every_tenth_interval(sqlite: Make) -> None:
    async with opened(sqlite({})) as source:
        schedules = {each.name: each.schedule for each in source.parts}
    assert {name: schedule.interval for name, schedule in schedules.items()} == {
        "queue": 15.0,
        "campaigns": 15.0,
        "content": 150.0,
        "schema": 150.0,
    }
    assert schedules["content"].timeout == 90.0
    assert schedules["content"].max_stale == 1500.0


# schemas that drift

DROPPED: list[tuple[str, str, set[str]]] = [
    ("publish_logs", "requested_at", {"oldest_pending_timestamp_seconds", "future_rows"}),
    ("publish_logs", "updated_at", {"oldest_processing_timestamp_seconds", "stuck", "future_rows"}),
    ("publish_logs", "created_at", {"last_created_timestamp_seconds", "created_items", "future_rows"}),
    ("publish_logs", "scheduled_for", {"overdue"}),
    ("publish_logs", "external_post_id", {"without_post_id"}),
    ("publish_logs", "social_account_id", {"active_accounts"}),
    ("publish_logs", "clip_id", {"ready_clips", "published_clips", "clip_score_mean"}),
    ("clips", "visual_score", {"clip_score_mean"}),
    ("clips", "status", {"clips"}),
    ("jobs", "params", {"jobs"}),
]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_missing_column_takes_what_depends_on_it_and_nothing_else(dialect: Dialect, tmp_path: Path) -> None:
    rows = rows_of(golden("edge", tmp_path))
    whole = recount(rows)
    for table, column, absent in DROPPED:
        with made(dialect, tmp_path) as make:
            url = make(rows)
            with editing(url) as connection:
                connection.execute(text(f"alter table {table} drop column {column}"))
            found = await read(url)
            gone = {f"studio_publish_{name}" for name in absent}
            assert {name for name, said in found.items() if not said} == gone, column
            assert {name: said for name, said in found.items() if name not in gone} == {
                name: pytest.approx(said, rel=1e-9, abs=2e-6) for name, said in whole.items() if name not in gone
            }
            async with opened(url) as source:
                with pytest.raises(SchemaMismatch, match=rf"no such column: {table}\.{column}: what depends"):
                    await part(source, "schema").read(NOW)


@pytest.mark.parametrize(
    ("table", "failing", "absent"),
    [
        ("campaigns", "campaigns", set()),
        ("publish_logs", "queue", {"ready_clips", "published_clips", "clip_score_mean"}),
        ("clips", None, {"clip_score_mean", "clips"}),
        ("jobs", None, {"jobs"}),
        ("video_assets", None, {"videos"}),
    ],
)
async def test_a_missing_table_is_named(
    sqlite: Make, tmp_path: Path, table: str, failing: str | None, absent: set[str]
) -> None:
    url = sqlite(rows_of(golden("normal", tmp_path)))
    with editing(url) as connection:
        connection.execute(text(f"drop table {table}"))
    async with opened(url) as source:
        text_of_page, failures = await page(source)
    assert failures == {
        **({failing: ("schema", f"no such table: {table}")} if failing else {}),
        "schema": ("schema", f"no such table: {table}: what depends on it is absent"),
    }
    for name in ("ready_clips", "published_clips", "clip_score_mean", "clips", "jobs", "videos"):
        assert (f"\nstudio_publish_{name}{{" in text_of_page) == (name not in absent)


async def test_a_database_of_something_else_is_named_part_by_part(sqlite: Make) -> None:
    url = sqlite({})
    with editing(url) as connection:
        for table in ("publish_logs", "clips", "jobs", "campaigns", "video_assets"):
            connection.execute(text(f"drop table {table}"))
    async with opened(url) as source:
        for each in source.parts:
            with pytest.raises(SchemaMismatch, match="no such table"):
                await each.read(NOW)


async def test_a_column_that_goes_and_comes_while_it_runs_is_noticed(make: Make) -> None:
    url = make({"publish_logs": [log(scheduled_for="2025-11-22 11:30:00.000000")]})
    async with opened(url) as source:
        queue = part(source, "queue")
        assert (await queue.read(NOW)).value.facts.overdue == {"tiktok": 1}
        with editing(url) as connection:
            connection.execute(text("alter table publish_logs drop column scheduled_for"))
        with pytest.raises(SchemaMismatch, match="scheduled_for"):
            await queue.read(NOW)
        assert (await queue.read(NOW)).value.facts.overdue is None
        with editing(url) as connection:
            connection.execute(text("alter table publish_logs add column scheduled_for timestamp null"))
        assert (await queue.read(NOW)).value.facts.overdue is None  # nobody has looked yet
        await part(source, "schema").read(NOW)
        assert (await queue.read(NOW)).value.facts.overdue == {"tiktok": 0}


async def test_the_true_platforms_have_their_names_before_any_that_rows_bring(sqlite: Make) -> None:
    logs = [log(platform=f"a{number}") for number in range(9)]
    async with opened(sqlite({"publish_logs": [*logs, log(platform="youtube")]})) as source:
        found, failures = await page(source, Limits(label_values=6))
    assert failures == {}
    assert 'studio_publish_items{platform="youtube",source="publishing",status="pending"} 1.0' in found
    assert 'studio_publish_items{platform="_other",source="publishing",status="pending"} 7.0' in found


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql+asyncpg://user:hush@host:5432/stakazo_db", None),
        ("postgres://user:hush@host/db", None),
        ("sqlite+aiosqlite:///./stakazo.db", None),
        ("mysql://root:hush@host/db", None),
        ("oracle://user:hush@host/db", "database: expected a URL of sqlite, postgresql, mysql or mariadb"),
        ("hush", "database: expected a database URL such as"),
    ],
)
def test_the_url_is_checked_and_never_shown(url: str, problem: str | None) -> None:
    problems = configured.problems("stakazo", database=url)
    assert "hush" not in f"{Config(Secret(url))}{problems}"
    assert [problem] == [said[: len(problem or "")] for said in problems] if problem else problems == []
