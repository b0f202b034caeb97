"""The source as it is configured: its parts, their threads, and what is wrong with a configuration."""

from pathlib import Path
from typing import Any

import pytest

from exporter.config import SourceConfig, load
from exporter.core.errors import ConfigError
from exporter.core.part import Schedule
from exporter.core.source import Context, Limits, Source
from exporter.domains import host, training
from exporter.runtime.board import Board
from exporter.runtime.exposition import Format
from exporter.runtime.guard import Failure
from exporter.runtime.refresh import attempt
from exporter.runtime.standing import FAMILIES as STANDING
from exporter.sources.music_agents import KIND, Config
from tests.fakes import Time
from tests.sources.music_agents.golden import NOW, database, lay

KINDS = {"music_agents": KIND}


def configured(text: str, **env: str) -> SourceConfig:
    def read(path: Path) -> str:
        raise FileNotFoundError(path)

    return load(f"sources: [{{name: music, kind: music_agents{text}}}]", env, KINDS, read).sources[0]


def settings(text: str, **env: str) -> Config:
    found: Config = configured(text, **env).settings
    return found


def made(config: Config) -> Source:
    return KIND.source(config, Context("music", Schedule(), Limits()))


def test_without_anything_configured_only_the_machine_is_measured() -> None:
    config = settings("")
    assert config == Config(None, None, "UTC", host=True)
    assert [part.name for part in made(config).parts] == ["host"]


def test_the_variables_of_the_system_replaced_apply() -> None:
    config = settings(", host: false", ORCHESTRATOR_PATH="/srv/music", DATABASE_PATH="/srv/music/dashboard.db")
    assert config.orchestrator == Path("/srv/music")
    assert [part.name for part in made(config).parts] == ["files", "database"]
    assert "dashboard" not in repr(config)


@pytest.mark.parametrize("text", ["/srv/music/dashboard.db", "sqlite:////srv/music/dashboard.db"])
def test_the_database_is_a_path_or_a_url(text: str) -> None:
    url = settings(f", database: '{text}'").url()
    assert url is not None
    assert url.reveal() == "sqlite:////srv/music/dashboard.db"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (", host: false", "nothing to read: expected orchestrator, database, host or several of them"),
        (", timezone: Europe/Berln", "found 'Europe/Berln': did you mean Europe/Berlin?"),
        (", timezone: ../../etc/passwd", "timezone: expected an IANA name"),
        (", database: 'postgresql://user:hunter2@host/name'", "database: expected the path of an SQLite database"),
        (", database: 'nosql://user:hunter2@host/name'", "database: expected a URL of sqlite"),
    ],
)
def test_what_is_wrong_is_said_without_secrets(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as found:
        configured(text)
    assert any(message in f"{problem.path}: {problem.message}" for problem in found.value.problems)
    assert "hunter2" not in str(found.value)


async def test_all_parts_stand_on_one_page(tmp_path: Path) -> None:
    config = Config(lay("normal", tmp_path), settings(f", database: '{database('normal', tmp_path)}'").database)
    source = made(config)
    board = Board([*training.FAMILIES, *host.FAMILIES, *STANDING])
    board.add(source, Limits(), opened=NOW)
    time = Time(NOW)
    for part in source.parts:
        outcome = await attempt(source, part, board, time.clock)
        assert not isinstance(outcome.found, Failure), outcome.found
        board.post("music", part.name, outcome)
    await source.close()
    page = board.page(Format.TEXT).body.decode()
    for family in (*training.FAMILIES, *host.FAMILIES):
        assert f"# TYPE {family.name} gauge\n" in page or family.name == "studio_host_cpu_usage_ratio"
    assert 'studio_training_quality_score{source="music"} 8.1\n' in page
    assert 'studio_agent_errors{agent="agent_8",source="music"} 0.0\n' in page
    assert board.facts("music").dropped == {}


async def test_a_missing_orchestrator_does_not_hide_the_database(tmp_path: Path) -> None:
    """The system answered with zeros of a full database's agents here."""
    config = Config(tmp_path / "orchestrator", settings(f", database: '{database('normal', tmp_path)}'").database)
    source = made(config)
    board = Board([*training.FAMILIES, *host.FAMILIES, *STANDING])
    board.add(source, Limits(), opened=NOW)
    found: dict[str, Any] = {}
    for part in source.parts:
        outcome = await attempt(source, part, board, Time(NOW).clock)
        found[part.name] = outcome.found.reason if isinstance(outcome.found, Failure) else "read"
    await source.close()
    assert found == {"files": "missing", "database": "read", "host": "read"}


def test_the_agents_of_the_roster_are_named_first() -> None:
    names = made(Config()).names["agent"]
    assert len(names) == 12
    assert names[4:6] == ("agent_5a", "agent_5b")
