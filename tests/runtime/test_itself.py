"""The exporter's own numbers."""

import asyncio

import pytest

from exporter import __version__
from exporter.core.part import Schedule, Taken
from exporter.core.source import Limits
from exporter.runtime import itself, standing
from exporter.runtime.board import Board
from exporter.runtime.exposition import Format
from exporter.runtime.itself import Itself, Reload, Traffic
from tests.fakes import START, Time, gauge, giving, part, source, things, until


def page(board: Board) -> str:
    return board.page(Format.OPENMETRICS).body.decode()


async def test_it_says_what_it_is_and_how_it_was_asked() -> None:
    board, time, traffic = Board(itself.FAMILIES), Time(), Traffic(START)
    traffic.record("/metrics", "GET", 200, 0.004)
    traffic.record("/metrics", "GET", 200, 0.2)
    traffic.record("/", "GET", 500, 20)
    reload = Reload(good=False, at=START)
    await Itself(board, time.clock, traffic, lambda: reload).refresh()
    found = page(board)
    assert f'version="{__version__}"' in found
    assert "studio_exporter_config_last_reload_successful 0.0" in found
    assert "studio_exporter_config_last_reload_success_timestamp_seconds 1.8e+09" in found
    assert 'studio_exporter_http_requests_total{code="200",method="GET",route="/metrics"} 2.0' in found
    assert 'studio_exporter_http_requests_created{code="200",method="GET",route="/metrics"} 1.8e+09' in found
    assert 'studio_exporter_http_request_duration_seconds_bucket{le="0.005",route="/metrics"} 1.0' in found
    assert 'studio_exporter_http_request_duration_seconds_bucket{le="10.0",route="/"} 0.0' in found
    assert 'studio_exporter_http_request_duration_seconds_count{route="/"} 1.0' in found
    for name in ("process_cpu_seconds_total", "process_open_fds", "process_resident_memory_bytes", "python_info{"):
        assert f"\n{name}" in found


async def test_it_is_read_every_second_whatever_happens(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[float] = []
    time = Time()

    def reload() -> Reload:
        seen.append(time.passed)
        if len(seen) == 2:
            raise LookupError("a bug of a test")
        return Reload(good=True, at=START)

    task = asyncio.create_task(Itself(Board(itself.FAMILIES), time.clock, Traffic(START), reload).follow())
    for second in range(1, 5):
        await until(lambda: time.sleeping and len(seen) == second)  # noqa: B023  # asked at once
        time.advance(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert seen[:4] == [0, 1, 2, 3]
    assert len([record for record in caplog.records if record.exc_info]) == 1


async def test_its_tick_takes_what_is_too_old_off_the_page() -> None:
    board, time = Board([gauge(), *standing.FAMILIES, *itself.FAMILIES]), Time()
    each = part(giving(), schedule=Schedule(max_stale=5))
    board.add(source("a", each), Limits(), START)
    facts = things(x=1)
    board.post("a", "main", standing.Outcome(START, 0, 0, Taken(facts, "a test"), board.render("a", each, facts)))
    own = Itself(board, time.clock, Traffic(START), lambda: Reload(good=True, at=START))
    time.advance(4)
    await own.refresh()
    assert "studio_test_things{" in page(board)
    time.advance(2)
    await own.refresh()
    assert "studio_test_things{" not in page(board)


async def test_a_lasting_bug_in_its_own_numbers_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Reload:
        raise KeyError("a bug")

    time = Time()
    task = asyncio.create_task(Itself(Board(itself.FAMILIES), time.clock, Traffic(START), broken).follow())
    for _ in range(5):
        await until(lambda: time.sleeping)
        time.advance(itself.EVERY)
    await until(lambda: time.sleeping)
    task.cancel()
    assert caplog.messages == ["the exporter's own metrics: a bug, please report it"]
