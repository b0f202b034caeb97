"""What holds for every test: no setting of the machine's reaches it, and properties are tried without a stopwatch."""

import os

import pytest
from hypothesis import HealthCheck, settings

SETTINGS = ("DATABASE_", "DECNET_", "MUSIC_", "ONEPIECE_", "ORCHESTRATOR_", "STAKAZO_", "TRAFALGAR_")
"""How the environment variables begin that a configuration may fall back on."""

settings.register_profile("studio", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("studio"), derandomize=True, print_blob=True)
settings.load_profile("ci" if "CI" in os.environ else "studio")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(SETTINGS):
            monkeypatch.delenv(name)
