"""What holds for every test: nothing of the machine's settings reaches it, and it leaves logging as it was."""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

SETTINGS = ("DATABASE_", "DECNET_", "MUSIC_", "ONEPIECE_", "ORCHESTRATOR_", "STAKAZO_", "TRAFALGAR_")
"""How the environment variables begin that a configuration may fall back on."""

settings.register_profile("studio", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("studio"), derandomize=True, print_blob=True)
settings.register_profile("quick", settings.get_profile("ci"), max_examples=10)
settings.load_profile("ci" if "CI" in os.environ else "studio")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(SETTINGS):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def same_logging() -> Iterator[None]:
    """Commands that are run in this process set up the logging of the process."""
    root = logging.getLogger()
    level, handlers = root.level, [*root.handlers]
    yield
    root.setLevel(level)
    for handler in {*root.handlers} - {*handlers}:
        root.removeHandler(handler)
