"""What the page says of work and of the ledger, over accounts made by hand; and that both formats read it back."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporter.core.family import OTHER, Exemplar, Family, Histogram, Point, Total
from exporter.core.finish import SECOND, Batch, Finish
from exporter.core.source import Limits
from exporter.ledger.account import Account, Terms, apply, opened
from exporter.ledger.families import FAMILIES, OWN, LedgerFacts, Work, Works
from exporter.ledger.lane import BOUNDS
from exporter.ledger.trouble import REASONS
from exporter.runtime.exposition import Format, header
from exporter.runtime.lint import lint
from exporter.runtime.render import Renderer

NOW = 1_700_000_000
TERMS = Terms(600 * SECOND, Limits(label_values=2))


def finish(key: str, at: int, lane: str, ok: bool, duration: int | None = None) -> Finish:
    return Finish(key, (NOW + at) * SECOND, lane, ok, None if duration is None else duration * SECOND)


def account() -> Account:
    old = [finish("old", -99, "unknown", False), finish("older", -999, "atlas", True)]
    begun, _ = opened(Batch(old, under=1), NOW * SECOND, TERMS)
    rows = [
        finish("run-1", 1, "atlas", True, duration=90),
        finish("run-2", 2, "atlas", False, duration=9),
        finish("run-3", 3, "atlas", True),
        finish("run-4", 4, "atlas", False),
        finish("run-5", 5, "folded", False),
        finish("run-6", 99, "unknown", True, duration=100_000),
    ]
    found, _ = apply(begun, Batch([*old, *rows], under=2), (NOW + 10) * SECOND, TERMS)
    return found


WORKS: Works = (Work("ingest", account()), Work("operation", account(), timed=False))


def points(name: str, facts: Any = WORKS, families: tuple[Family[Any], ...] = FAMILIES) -> list[Point]:
    (family,) = [family for family in families if family.name == name]
    return [(labels, value) for labels, value in family.points(facts) if value is not None]


def of(pipeline: str, name: str) -> dict[str, Any]:
    return {labels[1]: value for labels, value in points(name) if labels[0] == pipeline}


def test_counters_begin_when_the_account_was_opened_and_name_the_last_failure() -> None:
    assert of("ingest", "studio_work_finished_total") == {
        OTHER: Total(1, NOW + 10.0),
        "atlas": Total(4, float(NOW)),
        "unknown": Total(1, float(NOW)),
    }
    assert of("ingest", "studio_work_failed_total") == {
        OTHER: Total(1, NOW + 10.0, Exemplar({"unit": "run-5"}, NOW + 5.0)),
        "atlas": Total(2, float(NOW), Exemplar({"unit": "run-4"}, NOW + 4.0)),
        "unknown": Total(0, float(NOW)),
    }


def test_durations_are_those_of_successes_and_the_rest_is_counted_apart() -> None:
    counts = [0] * (len(BOUNDS) + 1)
    counts[BOUNDS.index(120)] = 1
    histogram = of("ingest", "studio_work_duration_seconds")["atlas"]
    assert histogram == Histogram(tuple(map(float, BOUNDS)), tuple(counts), 90.0, float(NOW))
    assert of("ingest", "studio_work_untimed_total")["atlas"] == Total(1, float(NOW))
    assert of("ingest", "studio_work_duration_seconds")["unknown"].counts[-1] == 1


@pytest.mark.parametrize("name", ["studio_work_duration_seconds", "studio_work_untimed_total"])
def test_a_pipeline_without_durations_says_nothing_of_them(name: str) -> None:
    assert of("operation", name) == {}


def test_times_and_streaks() -> None:
    assert of("ingest", "studio_work_last_success_timestamp_seconds") == {"atlas": NOW + 3.0, "unknown": NOW + 10.0}
    assert of("ingest", "studio_work_last_failure_timestamp_seconds") == {
        OTHER: NOW + 5.0,
        "atlas": NOW + 4.0,
        "unknown": NOW - 99.0,
    }
    assert of("ingest", "studio_work_failure_streak") == {"atlas": 1}
    assert points("studio_work_pipeline_failure_streak")[0] == (("ingest",), 0)
    assert points("studio_work_mark_timestamp_seconds")[0] == (("ingest",), NOW + 5.0)
    assert points("studio_work_future_rows")[0] == (("ingest",), 1)


def test_what_came_late_is_said_by_those_that_can_tell() -> None:
    assert points("studio_work_late_total")[0] == (("ingest",), Total(1, float(NOW)))
    silent, _ = opened(Batch(()), NOW, TERMS)
    assert points("studio_work_late_total", (Work("render", silent),)) == []


FACTS = LedgerFacts(up=True, opened=1.0, created=2.0, last_commit=None, size=None, failures={"locked": 3})


def test_the_ledger_says_how_it_stands() -> None:
    said = {family.name: points(family.name, FACTS, OWN) for family in OWN}
    assert said.pop("studio_exporter_ledger_commit_failures_total") == [
        ((reason,), Total(3 if reason == "locked" else 0, 1.0)) for reason in REASONS
    ]
    assert said == {
        "studio_exporter_ledger_up": [((), 1)],
        "studio_exporter_ledger_created_timestamp_seconds": [((), 2.0)],
        "studio_exporter_ledger_last_commit_timestamp_seconds": [],
        "studio_exporter_ledger_size_bytes": [],
    }


@pytest.mark.parametrize("form", Format)
def test_the_page_is_good_in_both_formats(form: Format) -> None:
    page = b""
    for families, facts, source in ((FAMILIES, WORKS, "vfx"), (OWN, FACTS, None)):
        for family in families:
            block = Renderer(family, source, Limits(), {}).block(facts)
            assert not block.dropped
            page += header(family, form) + (block.text if form is Format.TEXT else block.openmetrics)
    page += b"# EOF\n" if form is Format.OPENMETRICS else b""
    assert lint(page, form is Format.OPENMETRICS) == []
    if form is Format.OPENMETRICS:
        read = {family.name: family for family in text_string_to_metric_families(page.decode())}  # type: ignore[no-untyped-call]
        shown = [sample.exemplar for sample in read["studio_work_failed"].samples if sample.exemplar]
        assert {"run-4", "run-5"} == {exemplar.labels["unit"] for exemplar in shown}


def test_help_says_what_may_be_summed(tmp_path: Path) -> None:
    for family in FAMILIES:
        assert "Sum" in family.help or "Take the max" in family.help or family.name == "studio_work_late_total"
