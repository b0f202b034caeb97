"""Good pages are good to us, to prometheus_client's parsers and to promtool; each planted fault is found, and alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.runtime.lint import lint
from tests.prometheus import promtool

HELP, TYPE = "# HELP studio_x Things.", "# TYPE studio_x gauge"
GAUGE = f"{HELP}\n{TYPE}\n"
OTHER = GAUGE.replace("_x", "_y")
COUNTER = "# HELP studio_x_total Things.\n# TYPE studio_x_total counter\n"
HISTOGRAM = "# HELP studio_x Things.\n# TYPE studio_x histogram\n"
INFO = "# HELP studio_x_info Things.\n# TYPE studio_x_info gauge\n"
REST = "studio_x_count 1\nstudio_x_sum 1\n"
GOOD_TEXT = (
    "# HELP studio_work_total Work \\\\ done,\\nby lane.\n"
    "# TYPE studio_work_total counter\n"
    'studio_work_total{lane="a,b=\\"c\\"",source="x} 1"} 1e+06\n'
    'studio_work_total{lane="b\\\\\\n",source="x} 1"} 0.0\n'
    "# HELP studio_wait_seconds Waits.\n"
    "# TYPE studio_wait_seconds histogram\n"
    'studio_wait_seconds_bucket{le="0.5",part="a"} 1.0\n'
    'studio_wait_seconds_bucket{le="1.0",part="a"} 1.0\n'
    'studio_wait_seconds_bucket{le="+Inf",part="a"} 3.0\n'
    'studio_wait_seconds_count{part="a"} 3.0\n'
    'studio_wait_seconds_sum{part="a"} -4.5\n'
    "# HELP studio_empty A family without samples.\n"
    "# TYPE studio_empty gauge\n"
    "# HELP studio_build_info What is built.\n"
    "# TYPE studio_build_info gauge\n"
    'studio_build_info{version="1"} 1.0\n'
    "# HELP studio_at_timestamp_seconds When.\n"
    "# TYPE studio_at_timestamp_seconds gauge\n"
    "studio_at_timestamp_seconds 1.8e+09\n"
)
GOOD_OPENMETRICS = (
    '# HELP studio_work Work "done".\n'.replace('"', '\\"') + "# TYPE studio_work counter\n"
    'studio_work_total{lane="a"} 1.0\n'
    'studio_work_created{lane="a"} 1.8e+09\n'
    'studio_work_total{lane="b"} 0.0\n'
    'studio_work_created{lane="b"} 1.8e+09\n'
    "# HELP studio_wait_seconds Waits.\n"
    "# TYPE studio_wait_seconds histogram\n"
    "# UNIT studio_wait_seconds seconds\n"
    'studio_wait_seconds_bucket{le="1e-05"} 1.0\n'
    'studio_wait_seconds_bucket{le="+Inf"} 3.0\n'
    "studio_wait_seconds_count 3.0\n"
    "studio_wait_seconds_sum 4.5\n"
    "studio_wait_seconds_created 1.8e+09\n"
    "# HELP studio_build What is built.\n"
    "# TYPE studio_build info\n"
    'studio_build_info{version="1"} 1.0\n'
    "# EOF\n"
)


Fault = tuple[str, str, tuple[str, ...]]


def bucket(bound: str, count: float) -> str:
    return f'studio_x_bucket{{le="{bound}"}} {count}\n'


def fault(what: str, page: str, *problems: str) -> Fault:
    return what, page, problems


IN_TEXT: tuple[Fault, ...] = (
    fault("no HELP", f"{TYPE}\nstudio_x 1\n", "line 1: studio_x has no HELP"),
    fault("no TYPE", f"{HELP}\nstudio_x 1\n", "line 1: studio_x has no TYPE"),
    fault("neither", "studio_x 1\n", "line 1: studio_x has no HELP", "line 1: studio_x has no TYPE"),
    fault("HELP twice", f"{HELP}\n{GAUGE}studio_x 1\n", "line 2: HELP of studio_x a second time"),
    fault("TYPE twice", f"{GAUGE}{TYPE}\nstudio_x 1\n", "line 3: TYPE of studio_x a second time"),
    fault("TYPE late", f"{HELP}\nstudio_x 1\n{TYPE}\n", "line 3: TYPE of studio_x after its samples"),
    fault("HELP late", f"{TYPE}\nstudio_x 1\n{HELP}\n", "line 3: HELP of studio_x after its samples"),
    fault("no help", f"# HELP studio_x\n{TYPE}\n", "line 1: the help of studio_x does not end with a full stop"),
    fault("no end", f"# HELP studio_x A\n{TYPE}\n", "line 1: the help of studio_x does not end with a full stop"),
    fault("help escape", f"# HELP studio_x A\\nb\\t.\n{TYPE}\n", "line 1: a wrong escape in the help of studio_x"),
    fault("help quotes", f'# HELP studio_x A\\".\n{TYPE}\n', "line 1: a wrong escape in the help of studio_x"),
    fault(
        "a type of the other format",
        f"{HELP}\n# TYPE studio_x info\n",
        "line 2: the type of studio_x is 'info', expected one of counter, gauge, histogram",
    ),
    fault(
        "a family twice",
        f"{GAUGE}studio_x 1\n{OTHER}{HELP}\n",
        "line 6: HELP of studio_x a second time",
        "line 6: HELP of studio_x after its samples",
        "line 6: studio_x stands apart from its family, begun on line 1",
    ),
    fault(
        "families interleaved",
        f'{GAUGE}studio_x{{a="1"}} 1\n{OTHER}studio_y 1\nstudio_x{{a="2"}} 1\n',
        "line 7: studio_x stands apart from its family, begun on line 1",
    ),
    fault(
        "a part of a histogram elsewhere",
        f'{HISTOGRAM}studio_x_bucket{{le="+Inf"}} 1\nstudio_x_sum 1\n{OTHER}studio_y 1\nstudio_x_count 1\n',
        "line 8: studio_x_count stands apart from its family, begun on line 1",
    ),
    fault(
        "a series twice",
        f'{GAUGE}studio_x{{a="1",b="2"}} 1\nstudio_x{{a="1",b="2"}} 1\n',
        "line 4: the series studio_x of line 3 again",
    ),
    fault(
        "a series twice in another order",
        f'{GAUGE}studio_x{{a="1",b="2"}} 1\nstudio_x{{b="2",a="1"}} 1\n',
        "line 4: the labels of studio_x are not sorted: b, a",
        "line 4: the series studio_x of line 3 again",
    ),
    fault("a label twice", f'{GAUGE}studio_x{{a="1",a="2"}} 1\n', "line 3: studio_x has a label twice"),
    fault(
        "other labels",
        f'{GAUGE}studio_x{{a="1"}} 1\nstudio_x{{b="1"}} 1\n',
        "line 4: the labels of studio_x are not those of line 3",
    ),
    fault(
        "fewer labels",
        f'{GAUGE}studio_x{{a="1"}} 1\nstudio_x 1\n',
        "line 4: the labels of studio_x are not those of line 3",
    ),
    fault(
        "a label of Prometheus", f'{GAUGE}studio_x{{__a="1"}} 1\n', "line 3: studio_x: the label name '__a' is reserved"
    ),
    fault(
        "a quantile", f'{GAUGE}studio_x{{quantile="1"}} 1\n', "line 3: studio_x: the label name 'quantile' is reserved"
    ),
    fault("a camel's label", f'{GAUGE}studio_x{{aB="1"}} 1\n', "line 3: studio_x: the label 'aB' is not in snake_case"),
    fault("label escape", f'{GAUGE}studio_x{{a="\\t"}} 1\n', "line 3: a wrong escape in the label 'a' of studio_x"),
    fault(
        "le outside of a histogram",
        f'{GAUGE}studio_x{{le="1"}} 1\n',
        "line 3: studio_x: 'le' belongs to every bucket of a histogram, and to nothing else",
    ),
    fault("no number", f"{GAUGE}studio_x 1_000\n", "line 3: the value of studio_x is '1_000', expected a number"),
    fault("a word", f"{GAUGE}studio_x None\n", "line 3: the value of studio_x is 'None', expected a number"),
    fault("NaN", f"{GAUGE}studio_x NaN\n", "line 3: the value of studio_x is NaN: what is not known has no sample"),
    fault("+Inf", f"{GAUGE}studio_x +Inf\n", "line 3: the value of studio_x is +Inf: what is not known has no sample"),
    fault(
        "too large",
        f"{GAUGE}studio_x 1e999\n",
        "line 3: the value of studio_x is 1e999: what is not known has no sample",
    ),
    fault("a timestamp", f"{GAUGE}studio_x 1 1800000000000\n", "line 3: studio_x has a timestamp after its value"),
    fault("an exemplar", f'{GAUGE}studio_x 1 # {{a="b"}} 2\n', "line 3: studio_x has '# {a=\"b\"} 2' after its value"),
    fault("a negative counter", f"{COUNTER}studio_x_total -1\n", "line 3: the counter studio_x_total is negative"),
    fault("an info of 2", f"{INFO}studio_x_info 2\n", "line 3: studio_x_info is 2, expected 1"),
    fault("no sample", f"{GAUGE}studio_x\n", "line 3: not a sample, as in 'name{label=\"value\"} 1': 'studio_x'"),
    fault(
        "two blanks", f"{GAUGE}studio_x  1\n", "line 3: not a sample, as in 'name{label=\"value\"} 1': 'studio_x  1'"
    ),
    fault(
        "bare quotes", f'{GAUGE}s{{a="""}} 1\n', 'line 3: not a sample, as in \'name{label="value"} 1\': \'s{a="""} 1\''
    ),
    fault("an empty line", f"{GAUGE}\nstudio_x 1\n", "line 3: an empty line"),
    fault("a comment", f"{GAUGE}# Hello.\n", "line 3: a comment that is no HELP or TYPE: '# Hello.'"),
    fault("UNIT", f"{GAUGE}# UNIT studio_x x\n", "line 3: a comment that is no HELP or TYPE: '# UNIT studio_x x'"),
    fault("EOF", f"{GAUGE}# EOF\n", "line 3: a comment that is no HELP or TYPE: '# EOF'"),
    fault("no LF at the end", f"{GAUGE}studio_x 1", "line 3: does not end with LF"),
    fault(
        "CR LF",
        f"{GAUGE}studio_x 1\r\n",
        "line 3: ends in CR LF, expected LF alone",
        "line 3: studio_x has '' after its value",
    ),
    fault("NUL", f'{GAUGE}studio_x{{a="\0"}} 1\n', "line 3: a NUL byte"),
    fault("a surrogate", f'{GAUGE}studio_x{{a="\ud800"}} 1\n', "line 3: not UTF-8 at byte 13 of the line"),
    fault("a colon", GAUGE.replace("_x", ":x"), "line 1: studio:x: colons are for recording rules"),
    fault("a camel", GAUGE.replace("_x", "_xY"), "line 1: studio_xY: expected snake_case"),
    fault("hours", GAUGE.replace("_x", "_hours"), "line 1: studio_hours: the unit is hours, expected seconds"),
    fault(
        "kilobytes",
        GAUGE.replace("_x", "_kilobytes"),
        "line 1: studio_kilobytes: the unit is kilobytes, expected bytes",
    ),
    fault(
        "megabits", GAUGE.replace("_x", "_megabits"), "line 1: studio_megabits: the unit is megabits, expected bytes"
    ),
    fault(
        "an abbreviation",
        GAUGE.replace("_x", "_wait_ms"),
        "line 1: studio_wait_ms: 'ms' is an abbreviated unit, or looks like one",
    ),
    fault("the type", GAUGE.replace("_x", "_x_gauge"), "line 1: studio_x_gauge: the type stands in the name"),
    fault("a gauge _total", GAUGE.replace("_x", "_total"), "line 1: studio_total is a gauge, but named _total"),
    fault("a gauge _count", GAUGE.replace("_x", "_count"), "line 1: studio_count is a gauge, but named _count"),
    fault("no _total", GAUGE.replace("gauge", "counter"), "line 1: studio_x is a counter, but not named _total"),
    fault("a stray suffix", f"{GAUGE}studio_x_sum 1\n", "line 3: studio_x_sum is no sample of the gauge studio_x"),
    fault(
        "the name of another's sample",
        f"{HISTOGRAM}{GAUGE.replace('_x', '_x_sum')}",
        "line 3: studio_x_sum has samples of the same name as studio_x of line 1",
        "line 3: studio_x_sum is a gauge, but named _sum",
    ),
    fault(
        "bounds not ascending",
        f"{HISTOGRAM}{bucket('2.0', 1)}{bucket('1.0', 1)}{bucket('+Inf', 1)}{REST}",
        "line 3: the bounds of studio_x do not ascend",
    ),
    fault(
        "a bound that is none",
        f"{HISTOGRAM}{bucket('one', 1)}{bucket('+Inf', 1)}{REST}",
        "line 3: the bounds of studio_x do not ascend",
    ),
    fault(
        "buckets not cumulative",
        f"{HISTOGRAM}{bucket('1.0', 2)}{bucket('+Inf', 1)}{REST}",
        "line 3: the buckets of studio_x are not cumulative",
    ),
    fault("no +Inf", f"{HISTOGRAM}{bucket('1.0', 1)}{REST}", "line 3: studio_x has no bucket +Inf at the end"),
    fault("no bucket", f"{HISTOGRAM}{REST}", "line 3: studio_x has no bucket +Inf at the end"),
    fault(
        "another count",
        f"{HISTOGRAM}{bucket('+Inf', 2)}{REST}",
        "line 3: the count of studio_x is not that of its last bucket",
    ),
    fault(
        "no count",
        f"{HISTOGRAM}{bucket('+Inf', 2)}studio_x_sum 1\n",
        "line 3: studio_x has not one count and one sum",
    ),
    fault(
        "no sum",
        f"{HISTOGRAM}{bucket('+Inf', 2)}studio_x_count 2\n",
        "line 3: studio_x has not one count and one sum",
    ),
    fault(
        "half an observation",
        f"{HISTOGRAM}{bucket('+Inf', 1.5)}studio_x_count 1.5\nstudio_x_sum 1\n",
        "line 3: studio_x_bucket is 1.5, expected a count",
        "line 4: studio_x_count is 1.5, expected a count",
    ),
    fault(
        "a bucket without le",
        f"{HISTOGRAM}studio_x_bucket 1\n{REST}",
        "line 3: studio_x has no bucket +Inf at the end",
        "line 3: studio_x_bucket: 'le' belongs to every bucket of a histogram, and to nothing else",
    ),
    fault(
        "metrics of a histogram interleaved",
        f'{HISTOGRAM}studio_x_bucket{{a="1",le="+Inf"}} 1\nstudio_x_bucket{{a="2",le="+Inf"}} 1\n'
        'studio_x_count{a="1"} 1\nstudio_x_sum{a="1"} 1\nstudio_x_count{a="2"} 1\nstudio_x_sum{a="2"} 1\n',
        "line 5: studio_x_count stands apart from the other samples with its labels",
        "line 7: studio_x_count stands apart from the other samples with its labels",
    ),
)
"""Faults of pages in the text format, and all that is said of each."""

IN_OPENMETRICS: tuple[Fault, ...] = (
    fault("no EOF", f"{GAUGE}studio_x 1\n", "line 4: the last line is not '# EOF'"),
    fault("EOF without LF", f"{GAUGE}# EOF", "line 3: does not end with LF", "line 3: the last line is not '# EOF'"),
    fault("EOF twice", f"{GAUGE}# EOF\n# EOF\n", "line 3: '# EOF' before the last line"),
    fault(
        "more after EOF",
        f"{GAUGE}# EOF\nstudio_x 1\n",
        "line 3: '# EOF' before the last line",
        "line 5: the last line is not '# EOF'",
    ),
    fault(
        "a bare quote in HELP",
        f'# HELP studio_x A "b".\n{TYPE}\n# EOF\n',
        "line 1: a double quote in the help of studio_x is not escaped",
    ),
    fault(
        "another unit",
        f"{GAUGE}# UNIT studio_x seconds\n# EOF\n",
        "line 3: the unit of studio_x is 'seconds', but its name does not end with it",
    ),
    fault("a family _total", f"{COUNTER}# EOF\n", "line 1: studio_x_total is a counter, but named _total"),
    fault(
        "a counter without its suffix",
        f"{GAUGE.replace('gauge', 'counter')}studio_x 1\n# EOF\n",
        "line 3: studio_x has no studio_x_total beside it",
        "line 3: studio_x is no sample of the counter studio_x",
    ),
    fault(
        "created alone",
        f"{GAUGE.replace('gauge', 'counter')}studio_x_created 1\n# EOF\n",
        "line 3: studio_x_created has no studio_x_total beside it",
    ),
    fault(
        "an info without its suffix",
        f"{GAUGE.replace('gauge', 'info')}studio_x 1\n# EOF\n",
        "line 3: studio_x is no sample of the info studio_x",
    ),
    fault(
        "a bound that is no float",
        f"{HISTOGRAM}{bucket('1', 1)}{bucket('+Inf', 1)}{REST}# EOF\n",
        "line 3: the bound '1' of studio_x is not written as a float, as in '1.0'",
    ),
)
"""The same of OpenMetrics."""


@pytest.mark.parametrize(("what", "page", "problems"), IN_TEXT, ids=[what for what, *_ in IN_TEXT])
def test_each_fault_of_a_text_page_is_found_and_nothing_else(what: str, page: str, problems: tuple[str, ...]) -> None:
    assert lint(page, openmetrics=False) == list(problems)


@pytest.mark.parametrize(("what", "page", "problems"), IN_OPENMETRICS, ids=[what for what, *_ in IN_OPENMETRICS])
def test_each_fault_of_openmetrics_is_found_and_nothing_else(what: str, page: str, problems: tuple[str, ...]) -> None:
    assert lint(page, openmetrics=True) == list(problems)


def test_bytes_that_are_no_text_are_found_on_their_line() -> None:
    assert lint(GAUGE.encode() + b'studio_x{a="\xff"} 1\n', openmetrics=False) == [
        "line 3: not UTF-8 at byte 13 of the line"
    ]


def test_problems_come_in_the_order_of_their_lines() -> None:
    page = f"{GAUGE}studio_x NaN\nstudio_x NaN\n\n{GAUGE.replace('_x', '_total')}"
    lines = [int(problem.split()[1].rstrip(":")) for problem in lint(page, openmetrics=False)]
    assert lines == sorted(lines)
    assert lines == [3, 4, 4, 5, 6]


def test_an_empty_page_is_good_text() -> None:
    assert lint("", openmetrics=False) == []
    assert lint("# EOF\n", openmetrics=True) == []


def test_good_pages_have_no_fault_and_are_what_the_reference_parsers_read() -> None:
    assert lint(GOOD_TEXT, openmetrics=False) == []
    assert lint(GOOD_OPENMETRICS, openmetrics=True) == []
    assert len([sample for family in parse_text(GOOD_TEXT) for sample in family.samples]) == 9
    families = parse_openmetrics(GOOD_OPENMETRICS)  # type: ignore[no-untyped-call]  # the library has no types here
    assert len([sample for family in families for sample in family.samples]) == 10


def test_promtool_agrees_on_good_pages() -> None:
    checked = promtool("check", "metrics", stdin=GOOD_TEXT)
    assert (checked.returncode, checked.stderr) == (0, "")


WHAT_PROMTOOL_SEES = (
    *("no help", "HELP twice", "TYPE twice", "TYPE late", "a family twice", "label escape"),
    *("a camel", "a camel's label", "a colon", "hours", "kilobytes", "an abbreviation", "the type"),
    *("a gauge _total", "a gauge _count", "no _total", "a quantile", "le outside of a histogram"),
    *("no number", "no sample", "bare quotes"),
)


@pytest.mark.parametrize("what", WHAT_PROMTOOL_SEES)
def test_what_promtool_finds_is_found(what: str) -> None:
    """Its hints on names need a sample; those of ours that have none get one."""
    [page] = [page for name, page, _ in IN_TEXT if name == what]
    if page.count("\n") == 2:
        page += page.splitlines()[1].split()[2] + " 1\n"
    assert promtool("check", "metrics", stdin=page).returncode != 0
    assert lint(page, openmetrics=False) != []


@pytest.mark.parametrize("what", ["a series twice", "families interleaved", "a negative counter", "other labels"])
def test_what_promtool_does_not_find_is_found(what: str) -> None:
    """Why this is not left to promtool; should it learn to find these, this test says so."""
    [page] = [page for name, page, _ in IN_TEXT if name == what]
    assert promtool("check", "metrics", stdin=page).returncode == 0
    assert lint(page, openmetrics=False) != []


@given(
    values=st.dictionaries(
        st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=20),
        st.floats(allow_nan=False, allow_infinity=False, min_value=0),
        max_size=5,
    )
)
def test_what_prometheus_client_writes_has_no_fault(values: dict[str, float]) -> None:
    """Whatever the labels and values, in both formats."""
    registry = CollectorRegistry()
    gauge = Gauge("studio_things", "Things.", ["source", "name"], registry=registry)
    counter = Counter("studio_work", 'Work \\ "done".', ["name", "lane"], registry=registry)
    waits = Histogram("studio_wait_seconds", "Waits.", ["part"], registry=registry)
    Info("studio_build", "What is built.", registry=registry).info({"version": "1"})
    for name, value in values.items():
        gauge.labels("a", name).set(-value)
        counter.labels(name, "x").inc(value)
        waits.labels(name).observe(value)
    openmetrics = generate_openmetrics(registry)  # type: ignore[no-untyped-call]  # the library has no types here
    assert lint(openmetrics, openmetrics=True) == []
    assert lint(without_created(generate_latest(registry)), openmetrics=False) == []


def without_created(page: bytes) -> bytes:
    """prometheus_client writes times of creation on a page of text too, as gauges of their own; we do not."""
    lines = page.decode().split("\n")
    return "\n".join(line for line in lines if "_created" not in line.replace("# ", "", 1).split("{")[0]).encode()


def test_the_pages_of_the_golden_files_have_no_fault() -> None:
    golden = Path(__file__).parents[1] / "golden"
    for form, openmetrics in (("prom", False), ("openmetrics", True)):
        pages = sorted(golden.rglob(f"*.{form}"))
        assert pages
        faults = {str(page): lint(page.read_bytes(), openmetrics) for page in pages}
        assert {page: problems for page, problems in faults.items() if problems} == {}
