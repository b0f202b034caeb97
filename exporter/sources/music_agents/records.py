"""The two JSON files of the orchestrator: the result of its last run, and its training configuration."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from exporter.core.finish import Finish, instant, span
from exporter.domains.training import AGENT_TRAINING, FAILED, RUN, TRAINED, Run
from exporter.inputs.documents import Skip
from exporter.sources.music_agents.times import epoch, moment

STATUSES = {"success": True, "failed": False}
PHASES = {"training": AGENT_TRAINING}
"""The phases whose names in the result are not those of the sessions."""

TARGET = re.compile(r"(agent_[0-9]+[a-z]?)(_.*)?")

Object = Mapping[str, Any]  # Any: whatever JSON has in this place


@dataclass(frozen=True, slots=True)
class Result:
    """The last run; `flaws`: what of the record cannot be read, by reason; `finish`: that of the run, where the record
    says when and how it ended; `after`: the quality of the system after it, which only the JSON of old shows."""

    run: Run
    flaws: Mapping[str, int]
    finish: Finish | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What of the training configuration is measured: its cron expression (None where training is disabled or has
    none), and by agent whether it is enabled, and the quality it should have; and all of `training` as it is written,
    for the JSON of old."""

    schedule: str | None = None
    enabled: Mapping[str, bool] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    flaws: Mapping[str, int] = field(default_factory=dict)
    written: Object = field(default_factory=dict, compare=False)


def result(data: bytes, zone: tzinfo) -> Result | Skip:
    """The run that holistic_training_result.json records (contract 2.2); a Skip says why it is none.

    `system_quality_after` is not measured: nothing in the system writes it, and `system_quality_delta` is random.
    """
    try:
        found = _object(data)
    except Skip as skip:
        return Skip(skip.reason)  # without the traceback, which would keep the file's text
    flaws: Counter[str] = Counter()
    phases = {name: _mapping(phase, flaws) for name, phase in _mapping(found.get("phases"), flaws).items()}
    durations = {PHASES.get(name, name): _number(phase.get("time_seconds"), flaws) for name, phase in phases.items()}
    run = Run(
        succeeded=_known(STATUSES, found.get("status"), flaws),
        ended=_time(found.get("timestamp"), zone, flaws),
        duration=_number(found.get("total_time_seconds"), flaws),
        phases={name: seconds for name, seconds in durations.items() if seconds is not None},
        agents=_agents(found, phases.get("training", {}), flaws),
    )
    finish = _finish(run, found.get("timestamp"), zone)
    return Result(run, flaws, finish, _number(found.get("system_quality_after"), Counter()))


def _finish(run: Run, written: object, zone: tzinfo) -> Finish | None:
    """A run is told from others by its time as it is written, whatever zone that is taken to be in."""
    if not isinstance(written, str) or run.succeeded is None or (at := instant(moment(written, zone))) is None:
        return None
    return Finish(written, at, RUN, run.succeeded, span(run.duration), attempt=written)


def _agents(found: Object, training: Object, flaws: Counter[str]) -> dict[str, int]:
    trained = training.get("agents_trained", found.get("agents_trained"))
    counts = {TRAINED: _number(trained, flaws), FAILED: _number(training.get("agents_failed"), flaws)}
    return {word: int(count) for word, count in counts.items() if count is not None}


def settings(data: bytes) -> Settings | Skip:
    """The measured part of training/config.json (contract 2.1); a Skip says why there is none.

    A configuration without `training`, as later versions of the system have it, says nothing of what is measured.
    """
    try:
        found = _object(data)
    except Skip as skip:
        return Skip(skip.reason)  # without the traceback, which would keep the file's text
    flaws: Counter[str] = Counter()
    training = _mapping(found.get("training"), flaws)
    schedule = training.get("schedule") if _flag(training, flaws) else None
    if not isinstance(schedule, str | None):
        flaws["type"] += 1
        schedule = None
    agents = {name: _mapping(agent, flaws) for name, agent in _mapping(training.get("agent_training"), flaws).items()}
    enabled = {name: flag for name, agent in agents.items() if (flag := _flag(agent, flaws)) is not None}
    targets = _targets(_mapping(training.get("quality_targets"), flaws), flaws)
    return Settings(schedule, enabled, targets, flaws, training)


def _targets(found: Object, flaws: Counter[str]) -> dict[str, float]:
    """The quality each agent should have: keys are an agent's id and what is measured (`agent_8_prompt_quality`). Other
    keys are passed over: one is a description, another the target of the whole."""
    targets: dict[str, float] = {}
    for key, value in found.items():
        if (named := TARGET.fullmatch(key)) and (number := _number(value, flaws)) is not None:
            targets.setdefault(named[1], number)
    return targets


def _object(data: bytes) -> Object:
    try:
        found: object = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Skip("encoding") from None
    except (ValueError, RecursionError):
        raise Skip("invalid") from None
    if not isinstance(found, dict):
        raise Skip("type")
    return found


def _mapping(value: object, flaws: Counter[str]) -> Object:
    """An object; an empty one where there is none, and where something else is in its place, which is a flaw."""
    if isinstance(value, dict):
        return value
    if value is not None:
        flaws["type"] += 1
    return {}


def _flag(found: Object, flaws: Counter[str]) -> bool | None:
    """`enabled`: true where it is not given; None where it is no boolean."""
    value = found.get("enabled", True)
    if isinstance(value, bool):
        return value
    flaws["type"] += 1
    return None


def _known(words: Mapping[str, bool], value: object, flaws: Counter[str]) -> bool | None:
    if isinstance(value, str) and value in words:
        return words[value]
    flaws["missing" if value is None else "invalid"] += 1
    return None


def _time(value: object, zone: tzinfo, flaws: Counter[str]) -> float | None:
    found = epoch(value, zone)
    if found is None:
        flaws["missing" if value is None else "invalid"] += 1
    return found


def _number(value: object, flaws: Counter[str]) -> float | None:
    """A number that is not negative; None where there is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        flaws["type"] += 1
        return None
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if 0 <= number < math.inf:
        return number
    flaws["invalid"] += 1
    return None
