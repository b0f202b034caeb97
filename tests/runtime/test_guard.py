"""The guard: whatever goes wrong becomes a reason."""

import logging

import pytest

from exporter.core.errors import REASONS, Malformed, ReadError, Refused, TimedOut, Unreachable
from exporter.runtime.guard import Failure, guarded


async def raising(error: BaseException) -> int:
    raise error


async def test_what_works_goes_through() -> None:
    async def work() -> int:
        return 3

    assert await guarded("a test", work()) == 3


@pytest.mark.parametrize("error", [Malformed("torn"), Refused("no"), Unreachable("gone")])
async def test_expected_failures_keep_their_reason_and_message(
    error: ReadError, caplog: pytest.LogCaptureFixture
) -> None:
    assert await guarded("a test", raising(error)) == Failure(error.reason, str(error))
    assert not caplog.records


async def test_a_timeout_is_a_timeout() -> None:
    found = await guarded("a test", raising(TimeoutError()))
    assert isinstance(found, Failure)
    assert found.reason == TimedOut.reason


async def test_a_bug_is_logged_with_its_traceback_and_its_text_stays_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = await guarded("a test", raising(KeyError("inner detail")))
    assert isinstance(found, Failure)
    assert found.reason == "bug"
    assert "inner detail" not in found.message
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info


async def test_a_bug_that_lasts_is_logged_once_and_again_when_it_is_another_or_was_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def elsewhere() -> int:
        return await raising(KeyError("of another place"))

    found: object = None
    for work in (
        raising(KeyError("of one row")),
        raising(KeyError("of the next row")),
        raising(ValueError()),
        elsewhere(),
        elsewhere(),
        raising(Malformed("torn")),
        elsewhere(),
    ):
        found = await guarded("a test", work, before=found)
    said = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert [str(error) for error in said] == ["'of one row'", "", "'of another place'", "'of another place'"]


async def test_exceptions_that_are_answers_go_through() -> None:
    with pytest.raises(LookupError):
        await guarded("a test", raising(LookupError()), passing=(LookupError,))


def test_reasons_are_a_closed_vocabulary() -> None:
    assert REASONS == ("unreachable", "timeout", "refused", "malformed", "schema", "too_large", "missing", "bug")
