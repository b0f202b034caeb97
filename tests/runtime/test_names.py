"""Names: first come, first named, for good."""

import pytest

from exporter.runtime.names import Names


def test_values_keep_their_names_and_the_rest_folds() -> None:
    names = Names(2, first=["alpha"])
    assert [names.name(value) for value in ("beta", "gamma", "alpha", "beta")] == ["beta", "_other", "alpha", "beta"]


def test_a_name_that_went_is_still_its_own() -> None:
    names = Names(1)
    assert names.name("gone") == "gone"
    assert names.name("new") == "_other"
    assert names.name("gone") == "gone"


def test_names_of_the_configuration_come_first_even_past_the_limit() -> None:
    names = Names(1, first=["alpha", "beta"])
    assert [names.name(value) for value in ("beta", "alpha", "gamma")] == ["beta", "alpha", "_other"]


def test_the_fold_itself_takes_no_room() -> None:
    names = Names(1)
    assert [names.name(value) for value in ("_other", "alpha")] == ["_other", "alpha"]


def test_the_first_name_that_is_refused_is_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    names = Names(1, place="source vfx, label show")
    for value in ("a", "b", "c"):
        names.name(value)
    assert caplog.messages == [
        "source vfx, label show: has had 1 names (limits.label_values), further ones are counted as _other"
    ]
