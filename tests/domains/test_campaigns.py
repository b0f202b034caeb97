"""Campaigns: what their families say of facts."""

from exporter.core.family import Point
from exporter.domains.campaigns import FAMILIES, Campaigns


def said(facts: Campaigns) -> dict[str, list[Point]]:
    return {family.name: list(family.points(facts)) for family in FAMILIES}


def test_every_status_has_a_sample_and_unknown_words_are_one() -> None:
    found = said(Campaigns({"active": 2, "archived": 1, "": 4}, {"active": 12.5, "archived": 1.25, "": 1.0}))
    assert found == {
        "studio_campaigns": [
            (("_other",), 5),
            (("active",), 2),
            (("completed",), 0),
            (("draft",), 0),
            (("paused",), 0),
        ],
        "studio_campaign_budget": [
            (("_other",), 2.25),
            (("active",), 12.5),
            (("completed",), 0.0),
            (("draft",), 0.0),
            (("paused",), 0.0),
        ],
    }


def test_no_campaigns_are_zero_campaigns() -> None:
    found = said(Campaigns({}, {}))
    assert {value for points in found.values() for _, value in points} == {0}
    assert [len(points) for points in found.values()] == [4, 4]


def test_budgets_that_are_not_known_are_absent() -> None:
    found = said(Campaigns({"draft": 1}, None))
    assert found["studio_campaign_budget"] == []
    assert (("draft",), 1) in found["studio_campaigns"]
