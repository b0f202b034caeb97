"""The soak's own tools see what is wrong: numbers that differ, are missing or were never counted, and what grows."""

import pytest

from tests.soak.count import Expected
from tests.soak.pages import differences, parsed, surplus
from tests.soak.report import report
from tests.soak.run import Findings, quantile
from tests.soak.vitals import MEGABYTE, Vitals, grown
from tests.soak.witness import newest
from tests.soak.work import jobs, runs, since, totals, work

BODY = """\
# HELP studio_campaigns Campaigns.
# TYPE studio_campaigns gauge
studio_campaigns{source="publishing",status="active"} 3.0
studio_campaigns{source="publishing",status="draft"} 1.0
# HELP studio_source_error Errors.
# TYPE studio_source_error gauge
studio_source_error{part="queue",reason="timeout",source="publishing"} 1.0
studio_source_error{part="queue",reason="missing",source="publishing"} 0.0
"""


def test_a_number_that_differs_is_missing_or_was_never_counted_is_told() -> None:
    page, counted = parsed(BODY, "text", 0.0), Expected("publishing")
    counted.put("campaigns", 3, status="active")
    assert differences(page, counted.samples) == []
    assert surplus(page, {("publishing", "campaigns"): counted.samples}) != []
    counted.put("campaigns", 2, status="draft")
    counted.put("campaigns", 0, status="paused")
    assert differences(page, counted.samples) == [
        "studio_campaigns{source=publishing, status=draft}: counted 2.0, the page says 1.0",
        "studio_campaigns{source=publishing, status=paused}: counted 0.0, the page says None",
    ]
    assert surplus(page, {("publishing", "campaigns"): counted.samples}) == []
    assert page.errors() == {("publishing", "queue", "timeout")}


def test_a_page_that_is_none_is_not_taken() -> None:
    for broken in (BODY.replace("gauge", "gouge"), BODY[:-1], BODY + BODY):
        with pytest.raises(ValueError, match="a page that is none"):
            parsed(broken, "text", 0.0)


@pytest.mark.parametrize("name", ["memory", "threads", "descriptors", "connections"])
def test_what_grows_is_told_and_what_grows_at_first_is_not(name: str) -> None:
    flat = {"memory": 100 * MEGABYTE, "threads": 10, "descriptors": 20, "connections": 5}

    def looks(*factors: float) -> list[Vitals]:
        return [Vitals(**{**flat, name: flat[name] * factor}) for factor in factors]

    assert grown(looks(*[0.1] * 20, *[1.0] * 80)) == []
    (told,) = grown(looks(*[1.0] * 60, *[3.0] * 40))
    assert told.startswith(f"{name} grew from {flat[name]:g} to {3 * flat[name]:g}")


def test_the_newest_rows_of_each_decky_are_kept() -> None:
    rows = [("id", f"2026-01-0{day}", decky) for day, decky in ((1, "a"), (2, "b"), (3, "a"), (4, "a"))]
    assert newest(rows, decky=2, keep=2) == rows[1:]


def test_the_report_tells_the_worst() -> None:
    slow = Findings(["it broke"], [0.001] * 99 + [0.002], [0.001] * 90 + [0.02] * 10, {("vfx", "ingest"): [0.5, 2.25]})
    slow.vitals = [Vitals(MEGABYTE, 1, 2, 3)] * 10
    told = report(slow)
    assert "p99 in the fire is 10.00 times that of calm" in told
    assert "2.25" in told
    assert told.endswith("1 problems\nit broke")
    assert quantile([], 0.99) == 0.0


def test_what_ended_since_the_first_count_is_added_to_what_was_told_then() -> None:
    done, went = {"completed_at": "2026-01-01T00:00:00+00:00"}, {"completed_at": None}
    files = [{"media_info": {"show_code": show}} for show in ("BLK", "ASH", "ASH")]
    good, bad = {"processed": files, "invalid": []}, {"processed": files[:1], "invalid": [["x.tmp", "bad"]]}
    ended = runs([{"id": "1", "report": good, **done}, {"id": "2", "report": bad, **done}, {"id": "3", **went}])
    assert totals(ended.values()) == {"ASH": (1, 0), "BLK": (1, 1)}
    assert jobs([{"job_id": "a", "farm": "mock", "status": word} for word in ("cancelled", "running")]) == {}
    then, now = (
        work({"ended": {"ingest": {"ASH": (7, 2)}}}),
        work({"ended": {"ingest": {"ASH": (9, 3), "BLK": (1, 1)}}}),
    )
    told = dict.fromkeys(then, 1.0)
    assert sorted(since(told, then, now).values()) == [1.0, 1.0, 2.0, 3.0]
