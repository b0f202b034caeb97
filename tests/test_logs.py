"""Log lines: one a record, in logfmt or JSON, whatever is in them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from exporter import logs


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def said(form: str, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level, form, stream)
    return stream


def test_logfmt_quotes_what_needs_it() -> None:
    stream = said("logfmt")
    logging.getLogger("a.b").warning('it is "odd"\nand long')
    logging.getLogger("a.b").info("plain")
    first, second = stream.getvalue().splitlines()
    assert first.endswith(r'level=warn logger=a.b msg="it is \"odd\"\nand long"')
    assert second.endswith("level=info logger=a.b msg=plain")
    assert first.startswith("ts=2")


def test_json_lines_hold_the_same() -> None:
    stream = said("json")
    try:
        int("x")
    except ValueError:
        logging.getLogger("a").exception("a bug")
    found = json.loads(stream.getvalue())
    assert (found["level"], found["logger"], found["msg"]) == ("error", "a", "a bug")
    assert found["traceback"].endswith("invalid literal for int() with base 10: 'x'")


def test_the_level_is_the_least_that_is_said() -> None:
    stream = said("logfmt", "error")
    logging.getLogger("a").warning("not this")
    logging.getLogger("a").error("this")
    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["msg=this"]
