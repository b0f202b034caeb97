"""Log lines as logfmt or JSON on standard error, in the ecosystem's habit."""

import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
NAMES = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warn"}


def fields(record: logging.LogRecord) -> dict[str, str]:
    """What a line says: time (UTC), level, logger, message, and the traceback of a bug."""
    milliseconds = int(record.created % 1 * 1000)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    found = {
        "ts": f"{moment}.{milliseconds:03d}Z",
        "level": NAMES.get(record.levelno, "error"),
        "logger": record.name,
        "msg": record.getMessage(),
    }
    if record.exc_info:
        found["traceback"] = logging.Formatter().formatException(record.exc_info)
    return found


def logfmt(found: Mapping[str, str]) -> str:
    """`key=value` pairs; what holds anything but plain characters is quoted as JSON does."""
    return " ".join(f"{key}={value if plain(value) else json.dumps(value)}" for key, value in found.items())


def plain(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and not set(text) & set(' "=')


FORMATS: Mapping[str, Callable[[Mapping[str, str]], str]] = {"logfmt": logfmt, "json": json.dumps}


class Lines(logging.Formatter):
    """A formatter that writes a record's fields in one of the formats."""

    def __init__(self, written: Callable[[Mapping[str, str]], str]) -> None:
        super().__init__()
        self._written = written

    def format(self, record: logging.LogRecord) -> str:
        return self._written(fields(record))


def configure(level: str, form: str, stream: TextIO = sys.stderr) -> None:
    """Sends every log line to the stream, from this level up."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines(FORMATS[form]))
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)
