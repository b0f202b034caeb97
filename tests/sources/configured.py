"""What is wrong with the configuration of one source, as `check` tells it."""

from typing import Any

import yaml

from exporter.config import load
from exporter.core.errors import ConfigError
from exporter.sources import KINDS


def problems(kind: str, **settings: Any) -> list[str]:
    """Key and message of every problem of a source of this kind."""
    text = yaml.safe_dump({"sources": [{"name": "a", "kind": kind, **settings}]}, sort_keys=False)
    try:
        load(text, {}, KINDS, str)
    except ConfigError as error:
        return [f"{problem.path.removeprefix('sources[0].')}: {problem.message}" for problem in error.problems]
    return []
