"""Training runs and sessions that came to their end, as the ledger counts them."""

import json
from pathlib import Path
from typing import Any

import pytest

from exporter.core.finish import SECOND
from exporter.core.secret import Secret
from exporter.sources.music_agents import KIND, Config
from tests.sources.counting import counting
from tests.sources.music_agents.golden import NOW, database, lay
from tests.sources.music_agents.test_database import HEAD, change
from tests.sources.trafalgar.files import written

STORE = "state.sqlite"
RUN, SESSION = "training_run", "training_session"
DAY = 86400


def orchestrator(root: Path, zone: str = "UTC") -> Config:
    return Config(orchestrator=root, timezone=zone, host=False)


def dashboard(path: Path, zone: str = "UTC") -> Config:
    return Config(database=Secret(str(path)), timezone=zone, host=False)


def result(root: Path, at: object, status: object = "success", **more: Any) -> None:
    root.mkdir(exist_ok=True)
    record = {"status": status, "timestamp": at, "total_time_seconds": 276.41} | more
    written(root / "holistic_training_result.json", record)


async def test_each_part_has_a_pipeline_of_its_own(tmp_path: Path) -> None:
    path = database("normal", tmp_path)
    config = Config(orchestrator=lay("normal", tmp_path), database=Secret(str(path)), host=True)
    async with counting(KIND, config, tmp_path / STORE) as found:
        pipelines = {name: part.finishes for name, part in found.parts.items()}
    names = {name: pipeline and (pipeline.name, pipeline.lanes) for name, pipeline in pipelines.items()}
    assert names == {"files": (RUN, ("run",)), "database": (SESSION, ("session",)), "host": None}
    assert all(pipeline is None or str(tmp_path) in pipeline.fingerprint for pipeline in pipelines.values())


@pytest.mark.parametrize(
    ("scenario", "at"),
    [("normal", 1795143852.345678), ("real_pipeline_mock_agents", None), ("real_pipeline_output", None)],
)
async def test_the_run_on_record_opens_the_account_and_counts_as_nothing(
    tmp_path: Path, scenario: str, at: float | None
) -> None:
    async with counting(KIND, orchestrator(lay(scenario, tmp_path)), tmp_path / STORE) as found:
        taken = await found.read("files", NOW + DAY)
        lane = found.account("files").lanes["run"]
    assert found.lanes("files") == {"run": (0, 0, 0)}
    assert lane.last_success == round((taken.value.facts.last.ended if at is None else at) * SECOND)


async def test_each_new_result_is_a_finish(tmp_path: Path) -> None:
    root = tmp_path / "music"
    result(root, "2026-11-20T03:04:12.345678")
    async with counting(KIND, orchestrator(root), tmp_path / STORE) as found:
        await found.read("files", NOW)
        for day in (21, 22):
            result(root, f"2026-11-{day}T03:00:05", "failed", error="no modules")
            for again in (0, 15):
                await found.read("files", NOW + (day - 20) * DAY + again)
        assert found.lanes("files") == {"run": (2, 2, 2)}
        assert found.account("files").lanes["run"].failing == "2026-11-22T03:00:05"
        result(root, "2026-11-23T03:04:00")
        await found.read("files", NOW + 3 * DAY)
        assert found.lanes("files") == {"run": (3, 2, 0)}
        assert found.account("files").lanes["run"].duration == 276_410_000
        result(root, "2026-11-20T03:04:12.345678")  # an old one that was put back
        await found.read("files", NOW + 3 * DAY + 15)
        assert found.lanes("files") == {"run": (3, 2, 0)}


@pytest.mark.parametrize(
    ("at", "status", "flaw"),
    [
        (None, "success", "missing"),
        ("soon", "success", "invalid"),
        (5, "failed", "invalid"),
        ("2026-11-21T03:00:00", None, "missing"),
        ("2026-11-21T03:00:00", "melted", "invalid"),
        ("0001-01-01T00:00:00+23:00", "success", None),
    ],
)
async def test_a_result_that_does_not_say_when_or_how_is_no_finish(
    tmp_path: Path, at: object, status: object, flaw: str | None
) -> None:
    root = tmp_path / "music"
    result(root, "2026-11-20T03:04:12")
    async with counting(KIND, orchestrator(root), tmp_path / STORE) as found:
        await found.read("files", NOW)
        result(root, at, status)
        taken = await found.read("files", NOW + DAY)
        assert found.lanes("files") == {"run": (0, 0, 0)}
        assert flaw is None or taken.skipped == {flaw: 1}
        result(root, "2026-11-21T03:00:00")
        await found.read("files", NOW + DAY + 15)
        assert found.lanes("files") == {"run": (1, 0, 0)}


async def test_a_result_that_is_gone_or_torn_and_comes_back_counts_once(tmp_path: Path) -> None:
    root = lay("normal", tmp_path)
    path = root / "holistic_training_result.json"
    async with counting(KIND, orchestrator(root), tmp_path / STORE) as found:
        await found.read("files", NOW)
        result(root, "2026-11-21T03:00:05", "failed")
        whole = path.read_text()
        for step, text in enumerate((whole, whole[:40], whole, None, whole), start=1):
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
            await found.read("files", NOW + DAY + 15 * step)
            assert found.lanes("files") == {"run": (1, 1, 1)}
        assert found.account("files").late == 0


async def test_a_corrected_time_zone_counts_nothing_again(tmp_path: Path) -> None:
    root, path = tmp_path / "music", change(tmp_path / "head.db", HEAD)
    result(root, "2026-11-20T03:00:05")
    row = (
        "insert into training_sessions (start_time, end_time, status) values ('{0}T03:00:00', '{0}T03:01:00', 'failed')"
    )
    change(path, row.format("2026-11-20"))
    for zone in ("UTC", "America/New_York", "Asia/Tokyo", "Europe/Berlin"):
        config = Config(root, Secret(str(path)), zone, host=False)
        async with counting(KIND, config, tmp_path / STORE, overlap=2 * DAY) as found:
            for part in ("files", "database"):
                await found.read(part, NOW + 2 * DAY)
            if zone == "UTC":
                result(root, "2026-11-21T03:00:05", "failed")
                change(path, row.format("2026-11-21"))
                for part in ("files", "database"):
                    await found.read(part, NOW + 2 * DAY + 15)
            assert found.lanes("files") == {"run": (1, 1, 1)}
            assert found.lanes("database") == {"session": (1, 1, 2)}


async def test_the_recorded_sessions(tmp_path: Path) -> None:
    path = database("normal", tmp_path)
    async with counting(KIND, dashboard(path), tmp_path / STORE) as found:
        taken = await found.read("database", NOW)
        assert found.lanes("database") == {"session": (0, 0, 0)}
        lane = found.account("database").lanes["session"]
        assert (lane.last_success, lane.failing) == (1795057465475000, "4")
        assert [finish.key for finish in taken.value.finishes] == ["1", "2", "3", "4", "5", "6", "8"]
        assert taken.value.finishes[0].duration == 295_112_609
        change(
            path,
            """
            update training_sessions set status = 'Failed', end_time = '2026-11-21T03:05:00' where id = 9;
            update training_sessions set end_time = '2026-11-21T03:05:00' where id = 7;
            """,
        )
        for again in (0, 15):
            await found.read("database", NOW + 300 + again)
            assert found.lanes("database") == {"session": (1, 1, 1)}
        change(path, "delete from training_sessions where id < 9")
        await found.read("database", NOW + 330)
        assert found.lanes("database") == {"session": (1, 1, 1)}
        assert found.account("database").late == 0


async def test_a_session_whose_end_cannot_be_read_is_left_out_and_told(tmp_path: Path) -> None:
    path = change(tmp_path / "head.db", HEAD)
    async with counting(KIND, dashboard(path), tmp_path / STORE) as found:
        await found.read("database", NOW)
        change(
            path,
            """
            insert into training_sessions (start_time, end_time, status) values
                ('2026-11-21T02:00:00', null, 'completed'), ('2026-11-21T02:00:00', 'soon', 'failed'),
                ('2026-11-21T02:00:00', 7, 'failed'), (null, '2026-11-21 03:01:00', 'completed'),
                ('2026-11-21T04:00:00', '2026-11-21T03:01:00', 'completed');
            """,
        )
        taken = await found.read("database", NOW + 60)
        assert taken.skipped == {"missing": 1, "invalid": 1, "type": 1}
        assert found.lanes("database") == {"session": (2, 0, 0)}
        assert found.account("database").lanes["session"].untimed == 2


async def test_a_schema_without_ends_has_no_sessions_that_ended(tmp_path: Path) -> None:
    path = change(tmp_path / "old.db", HEAD.replace("end_time timestamp,", ""))
    change(path, "insert into training_sessions (start_time, status) values ('2026-11-21T02:00:00', 'failed')")
    async with counting(KIND, dashboard(path), tmp_path / STORE) as found:
        taken = await found.read("database", NOW)
        assert taken.skipped == {"missing": 1}
        assert taken.value.facts.oldest_running == 1795143600
        assert found.lanes("database") == {"session": (0, 0, 0)}


async def test_the_first_of_an_hour_that_comes_twice_is_taken(tmp_path: Path) -> None:
    """What ends later in truth may have an earlier time then: the overlap must cover the hour."""
    path = change(tmp_path / "head.db", HEAD)
    first, second = 1792888200, 1792888200 + 3600 - 600  # 02:30 by the first clock, 02:20 by the second
    row = "insert into training_sessions (end_time, status) values ('2026-10-25T{0}:00', 'failed')"
    for overlap, count in ((600, 1), (3600, 2)):
        change(path, "delete from training_sessions")
        store = tmp_path / f"{overlap}.sqlite"
        async with counting(KIND, dashboard(path, "Europe/Berlin"), store, overlap=overlap) as found:
            await found.read("database", first - 3600)
            change(path, row.format("02:30"))
            await found.read("database", first + 15)
            change(path, row.format("02:15"))
            await found.read("database", second + 15)
            assert found.lanes("database") == {"session": (count, count, count)}
            assert found.account("database").lanes["session"].last_failure == first * SECOND


async def test_a_result_as_the_system_writes_it_has_the_time_it_says(tmp_path: Path) -> None:
    root = lay("normal", tmp_path)
    record = json.loads((root / "holistic_training_result.json").read_text())
    async with counting(KIND, orchestrator(root), tmp_path / STORE) as found:
        (finish,) = (await found.read("files", NOW)).value.finishes
    assert (finish.key, finish.ok) == (record["timestamp"], record["status"] == "success")
    assert finish.duration == round(record["total_time_seconds"] * SECOND)
