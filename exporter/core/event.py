"""An event is what changed between two values of a part, for those who follow it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """`name` is what happened, as `run.created`; `payload` is what clients are told besides, as JSON has it."""

    name: str
    payload: Mapping[str, Any]  # Any: whatever JSON has
