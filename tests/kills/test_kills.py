"""A few kills on each database; many more by `python -m tests.kills`."""

from pathlib import Path

import pytest

from tests.kills.run import run
from tests.kills.writer import streak
from tests.sources.stakazo.databases import made
from tests.sources.stakazo.tables import Dialect


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
async def test_an_exporter_that_is_killed_counts_each_finish_once(dialect: Dialect, tmp_path: Path) -> None:
    with made(dialect, tmp_path) as make:
        report = await run(make({}), tmp_path, kills=3)
    assert report.wrong == {}
    assert report.told["retried"]
    assert report.told["pruned"]


def test_the_backend_knows_a_streak() -> None:
    assert streak([(1, True), (2, False), (3, True), (2, True), (4, True)]) == 2
