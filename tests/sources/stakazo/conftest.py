"""The databases that tests of Stakazo ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.stakazo.databases import Make, made


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes databases of each dialect in turn."""
    with made(request.param, tmp_path) as make:
        yield make


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Make]:
    """Makes databases of SQLite alone."""
    with made("sqlite", tmp_path) as make:
        yield make
