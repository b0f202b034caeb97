"""Rows of the dashboard's tables as the JSON of old shows them: the fields of each, in the order of their names."""

from typing import Any

import msgspec

Cell = Any  # SQLite's columns hold values of any type


class Event(msgspec.Struct, frozen=True):
    agent_id: Cell
    created_at: Cell
    event_type: Cell
    id: Cell
    message: Cell
    metadata: Cell
    severity: Cell
    timestamp: Cell


class Metric(msgspec.Struct, frozen=True):
    agent_id: Cell
    created_at: Cell
    id: Cell
    metric_type: Cell
    notes: Cell
    timestamp: Cell
    value: Cell


class Sample(msgspec.Struct, frozen=True):
    """What was once measured of an agent."""

    agent_id: Cell
    created_at: Cell
    error_count: Cell
    id: Cell
    improvement: Cell
    metadata: Cell
    processing_time_ms: Cell
    quality_score: Cell
    status: Cell
    timestamp: Cell


class Session(msgspec.Struct, frozen=True):
    agents_trained: Cell
    created_at: Cell
    end_time: Cell
    error_message: Cell
    id: Cell
    metadata: Cell
    overall_improvement: Cell
    phase: Cell
    start_time: Cell
    status: Cell


class Project(msgspec.Struct, frozen=True):
    """A storyboard project, which is kept in a table of ours."""

    artist: Cell
    created: Cell
    id: Cell
    music: Cell
    name: Cell
    status: Cell
