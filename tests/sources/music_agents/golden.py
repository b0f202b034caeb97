"""The golden data of Music Agents as it lay on the disk, and what the system itself made of it."""

import gzip
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from exporter.core.family import Family, Value

GOLDEN = Path(__file__).parents[2] / "golden" / "music_agents"
INPUTS = GOLDEN / "inputs"
NOW = 1795230031.0
"""Just after the answers were recorded: 2026-11-21 03:00:31 UTC."""

EMPTY = ("first_start", "only_sample_report", "real_pipeline_mock_agents", "real_pipeline_output")


def lay(scenario: str, root: Path) -> Path:
    """The orchestrator of a scenario, with the times its files had; where it is."""
    times = json.loads((INPUTS / "MTIMES.json").read_text())
    for name, time in times.items():
        of, _, path = name.partition("/")
        if of == scenario:
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            own = INPUTS / scenario / path
            shutil.copyfile(own if own.exists() else INPUTS / "normal" / path, place)
            os.utime(place, (time, time))
    return root / "orchestrator"


def database(scenario: str, root: Path) -> Path:
    """The database of a scenario, to be written to; where it is."""
    own = INPUTS / ("empty_database" if scenario in EMPTY else scenario) / "dashboard.db"
    return Path(shutil.copyfile(own if own.exists() else INPUTS / "normal" / "dashboard.db", root / "dashboard.db"))


def answer(scenario: str, name: str) -> Any:  # Any: the body of an answer, of any shape
    """What the system itself answered."""
    return next(found["body"] for found in exchanges() if found["name"] == f"{scenario}/{name}")


@cache
def exchanges() -> tuple[Mapping[str, Any], ...]:  # Any: as JSON has it
    """Everything that the system was asked and answered, in the order of the names."""
    with gzip.open(GOLDEN / "exchanges.jsonl.gz", "rt", encoding="utf-8") as lines:
        return tuple(map(json.loads, lines))


def points(families: Iterable[Family[Any]], facts: object) -> dict[str, dict[tuple[str, ...], Value]]:
    """The values of families by name and labels; a family with nothing to say is left out."""
    said: dict[str, dict[tuple[str, ...], Value]] = {}
    for family in families:
        for labels, value in family.points(facts):
            if value is not None:
                said.setdefault(family.name, {})[labels] = value
    return said


def by_label(points: Mapping[tuple[str, ...], Value]) -> dict[str, Value]:
    """The values of a family with one label."""
    return {labels[0]: value for labels, value in points.items()}
