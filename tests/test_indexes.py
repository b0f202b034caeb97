"""The indexes that databases should have: which are there, by what plan work is done now, and the command's script."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from exporter.cli import main
from exporter.core.source import Index, Source
from exporter.indexes import looked_up
from tests.sources.decnet.databases import SCHEMA, change
from tests.sources.stakazo.databases import NOW, Make, editing, made, opened

CURSOR = "publish_logs_updated_at"
EVERY_OTHER_KIND = {
    "sqlite": (
        "create index partial on publish_logs (updated_at) where status in ('success', 'failed')",
        "create index second on publish_logs (platform, updated_at)",
        "create index expression on publish_logs (lower(updated_at))",
    ),
    "postgresql": (
        "create index partial on publish_logs (updated_at) where status in ('success', 'failed')",
        "create index second on publish_logs (platform, updated_at)",
        "create index expression on publish_logs (date_trunc('day', updated_at))",
        "create index brin on publish_logs using brin (updated_at)",
        "create index held on publish_logs (platform) include (updated_at)",
    ),
    "mysql": ("create index second on publish_logs (platform, updated_at)",),
}


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    with made(request.param, tmp_path) as make:
        yield make


async def found(url: str) -> dict[tuple[str, ...], Index]:
    async with opened(url) as source:
        return {index.columns: index for index in await source.indexes(NOW)}


def do(url: str, *statements: str) -> None:
    for statement in statements:
        with editing(url) as connection:
            connection.execute(text(statement))


async def test_each_statement_makes_the_index_that_is_missing(make: Make) -> None:
    url = make({})
    before = await found(url)
    assert [*before] == [("updated_at",), ("platform", "status", "clip_id")]
    assert not any(index.there for index in before.values())
    assert [index.vital for index in before.values()] == [True, False]
    concurrently = "concurrently " if url.startswith("postgres") else ""
    assert before["updated_at",].statement == f"create index {concurrently}{CURSOR} on publish_logs (updated_at);"
    do(url, *(index.statement.replace("concurrently", "") for index in before.values()))
    after = await found(url)
    assert all(index.there for index in after.values())
    if url.startswith("sqlite"):
        assert CURSOR not in str(before["updated_at",].plan)
        assert CURSOR in str(after["updated_at",].plan)


async def test_an_index_that_cannot_serve_is_not_taken_for_one_that_can(make: Make) -> None:
    url = make({})
    do(url, *EVERY_OTHER_KIND[url.split(":")[0].replace("mariadb", "mysql").split("+")[0]])
    assert not (await found(url))["updated_at",].there
    do(url, "create index longer on publish_logs (updated_at, id)")
    assert (await found(url))["updated_at",].there


async def test_an_index_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    with made("postgresql", tmp_path) as make:
        url = make({})
        do(url, "create index half on publish_logs (updated_at)")
        do(url, "update pg_index set indisvalid = false where indexrelid = 'half'::regclass")
        assert not (await found(url))["updated_at",].there


async def test_plans_are_the_databases_own(make: Make) -> None:
    url = make({})
    plan = " ".join((await found(url))["updated_at",].plan)
    word = {"sqlite": "SCAN publish_logs", "postgres": "Scan on publish_logs", "mysql": "publish_logs: ALL, key none"}
    assert word[url.split(":")[0].replace("postgresql", "postgres")] in plan


def configured(home: Path, **databases: str) -> list[str]:
    entries = "".join(f"  - {{name: {kind}, kind: {kind}, database: '{url}'}}\n" for kind, url in databases.items())
    (home / "config.yaml").write_text(f"sources:\n{entries}")
    return [f"--config.file={home / 'config.yaml'}", "indexes"]


def test_the_script_makes_what_is_missing_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with made("sqlite", tmp_path) as make:
        url = make({})
    decnet = change(tmp_path / "decnet.db", SCHEMA)
    command = configured(tmp_path, stakazo=url, decnet=f"sqlite:///{decnet}")
    before = decnet.read_bytes()
    assert main(command) == 0
    script = capsys.readouterr().out
    assert "-- orchestrator_events (ts): there" in script
    assert "-- publish_logs (updated_at): MISSING" in script
    assert "    for counting finished publications; without it each time is a pass through the table" in script
    assert script.count("\ncreate index ") == 2
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("select name from sqlite_master where name = ?", (CURSOR,)).fetchall() == []
        connection.executescript(script)
    assert main(command) == 0
    assert "MISSING" not in capsys.readouterr().out
    assert decnet.read_bytes() == before


def test_a_database_that_cannot_be_read_fails_the_command_and_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with made("sqlite", tmp_path) as make:
        url = make({})
    assert main(configured(tmp_path, decnet=f"sqlite:///{tmp_path}/no\\nfile", stakazo=url)) == 1
    script = capsys.readouterr().out
    assert "-- decnet (decnet) cannot be read: " in script
    assert f"create index {CURSOR}" in script
    assert all(line.startswith(("--", "create index ")) or not line for line in script.splitlines())


async def test_a_source_without_a_database_wants_none() -> None:
    assert await looked_up(Source("files", "test", ()), 0.0) == ([], True)
