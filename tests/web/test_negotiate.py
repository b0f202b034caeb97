"""Accept and Accept-Encoding: who asks gets what it likes best, and nonsense gets text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.runtime.exposition import Format
from exporter.web.negotiate import format_of, gzip_accepted

TEXT, OPENMETRICS = Format.TEXT, Format.OPENMETRICS

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROTOBUF_FIRST = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7," + PROMETHEUS_3
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", TEXT),
        (PROMETHEUS_2, OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        (PROTOBUF_FIRST, OPENMETRICS),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", OPENMETRICS),
        ('Application/OpenMetrics-Text ; Version="1.0.0" ; CharSet=UTF-8', OPENMETRICS),
        ("application/*", OPENMETRICS),
        ("text/*", TEXT),
    ],
)
def test_what_clients_send(accept: str, expected: Format) -> None:
    assert format_of(accept) is expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/openmetrics-text;q=0.4, text/plain;q=0.5", TEXT),
        ("text/plain;q=0.4, application/openmetrics-text;q=0.5", OPENMETRICS),
        ("text/plain;q=0.999, application/openmetrics-text;q=1.000", OPENMETRICS),
        ("application/openmetrics-text;q=0, */*", TEXT),
        ("application/openmetrics-text;q=0.0, text/plain;q=0.1", TEXT),
        ("text/plain;q=0, application/openmetrics-text;q=0.001", OPENMETRICS),
        ("text/plain;q=0, */*;q=0.3", OPENMETRICS),
        ("*/*;q=0", TEXT),
    ],
)
def test_the_best_weight_wins_and_zero_is_a_refusal(accept: str, expected: Format) -> None:
    assert format_of(accept) is expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*;q=1, application/openmetrics-text;q=0.1, text/plain;q=0.5", TEXT),
        ("application/*;q=0.9, application/openmetrics-text;q=0.1, text/*;q=0.5", TEXT),
        (
            "application/openmetrics-text;q=0.9, application/openmetrics-text;version=1.0.0;q=0.1, text/plain;q=0.5",
            TEXT,
        ),
        ("application/openmetrics-text, */*", OPENMETRICS),
        ("application/openmetrics-text, text/plain", OPENMETRICS),
        ("text/plain, application/openmetrics-text", TEXT),
    ],
)
def test_the_closest_element_decides_and_then_the_order(accept: str, expected: Format) -> None:
    assert format_of(accept) is expected


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text;version=0.0.1",
        "application/openmetrics-text;version=9.9.9, text/plain;q=0.1",
        "application/openmetrics-text;version=abc",
        "application/openmetrics-text;version=",
        "application/openmetrics-text;charset=latin-1",
        "text/plain;version=1.0.0",
        "application/vnd.google.protobuf",
        "application/json",
    ],
)
def test_what_there_is_not_becomes_text(accept: str) -> None:
    assert format_of(accept) is TEXT


@pytest.mark.parametrize("weight", ["2", "-1", "nan", "inf", "abc", "", "1.1", "0x1", "1e0", "0.5.5", "=", '"'])
def test_an_element_with_no_true_weight_is_passed_over(weight: str) -> None:
    assert format_of(f"application/openmetrics-text;q={weight}, text/plain;q=0.1") is TEXT
    assert not gzip_accepted(f"gzip;q={weight}")


def test_commas_and_semicolons_in_quotes_part_nothing() -> None:
    assert format_of('text/plain;note="a, application/openmetrics-text;q=1, b";q=0.5') is TEXT
    assert format_of('application/openmetrics-text;note="a;q=0,\\"b";q=0.5, text/plain;q=0.1') is OPENMETRICS
    assert format_of('text/plain;note="never closed, application/openmetrics-text') is TEXT


PIECES = st.sampled_from(
    ["application/openmetrics-text", "text/plain", "*/*", "gzip", "identity", "version", "1.0.0", "q", "0", "0.5", "1"]
)
MARKS = st.sampled_from([",", ";", "=", '"', "\\", " ", "/", "*", "\0", "\t", "é", "\ud800"])


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, MARKS)).map("".join)))
def test_no_text_is_an_error(header: str) -> None:
    assert format_of(header) in Format
    assert gzip_accepted(header) in (True, False)


def weights() -> st.SearchStrategy[int]:
    return st.integers(0, 1000)


@given(weights(), weights())
def test_two_weights_are_compared(text: int, openmetrics: int) -> None:
    accept = f"text/plain;q={text / 1000:.3f}, application/openmetrics-text;q={openmetrics / 1000:.3f}"
    assert format_of(accept) is (OPENMETRICS if openmetrics > text else TEXT)


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("gzip", True),
        ("GZip", True),
        ("x-gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("*;q=0.1", True),
        ("identity;q=0, gzip", True),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("gzip, *;q=0", True),
        ("", False),
        ("identity", False),
        ("deflate, br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("x-gzip;q=0, *;q=1", False),
        ("*;q=0", False),
        ("gzip;q=0.2, identity;q=0.9", False),
        ("*;q=0.1, identity", False),
        ("gzipped", False),
    ],
)
def test_gzip_where_it_is_welcome(accept_encoding: str, expected: bool) -> None:
    assert gzip_accepted(accept_encoding) is expected
