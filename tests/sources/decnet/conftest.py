"""The recorded database, and one without rows."""

import gzip
from pathlib import Path

import pytest

from tests.sources.decnet.databases import GOLDEN, SCHEMA, change


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded SQLite database; not to be written to."""
    path = tmp_path_factory.mktemp("decnet") / "decnet.sqlite"
    path.write_bytes(gzip.decompress((GOLDEN / "inputs" / "decnet.sqlite.gz").read_bytes()))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database without rows."""
    return change(tmp_path / "decnet.db", SCHEMA)
