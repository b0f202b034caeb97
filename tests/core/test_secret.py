"""A secret compares by value and shows nothing."""

import dataclasses
import json
import logging

import pytest

from exporter.core.secret import Secret, misread

TEXT = "hunter2-s3cr3t"


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    token: Secret


def test_reveal_is_the_one_way_to_the_text() -> None:
    assert Secret(TEXT).reveal() == TEXT


@pytest.mark.parametrize(
    "shown",
    [
        str(Secret(TEXT)),
        repr(Secret(TEXT)),
        f"{Secret(TEXT)}",
        f"{Secret(TEXT)!r:>20}",
        f"{Secret(TEXT):>20}",
        "%s" % Secret(TEXT),  # noqa: UP031  # as loggers do
        repr(Holder(Secret(TEXT))),
        repr(dataclasses.asdict(Holder(Secret(TEXT)))),
        repr(dataclasses.astuple(Holder(Secret(TEXT)))),
        repr([Secret(TEXT)]),
        json.dumps({"token": Secret(TEXT)}, default=str),
    ],
)
def test_it_never_prints(shown: str) -> None:
    assert TEXT not in shown
    assert "***" in shown


def test_it_never_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("%s %r %s", Secret(TEXT), Secret(TEXT), Holder(Secret(TEXT)))
    assert caplog.messages == ["*** *** Holder(token=***)"]


def test_it_compares_and_hashes_by_value() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("another")
    assert Secret(TEXT) != TEXT
    assert len({Secret(TEXT), Secret(TEXT), Secret("another"), TEXT}) == 3


@pytest.mark.parametrize(
    ("url", "shown", "good"),
    [
        ("postgresql://me:pass%40word@host/state", ("host", "state"), True),
        ("postgresql://host/state", ("host", "state"), True),
        ("sqlite:///state", (None, "state"), True),
        ("postgresql://me:pass@word@host/state", ("word@host", "state"), False),
        ("postgresql://m/e:password@host/state", ("m", "e:password@host/state"), False),
    ],
)
def test_a_url_whose_password_may_be_taken_for_a_place_is_told(
    url: str, shown: tuple[str | None, ...], good: bool
) -> None:
    assert (misread(Secret(url), *shown) is None) == good
