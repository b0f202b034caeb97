"""Dashboards: they are what the generator makes, of the shape that Grafana reads, and of one hand."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.generate import dashboards, thresholds
from grafana.generate.dashboards.limits import coloured
from grafana.generate.dashboards.style import COLOURS, CRITICAL, GOOD, WARNING, Steps
from grafana.generate.thresholds import Level
from tests.grafana.documents import DASHBOARDS, GRAFANA, Json, panels, rules

UIDS = [
    "studio-agents",
    "studio-exporter",
    "studio-ingest",
    "studio-overview",
    "studio-publishing",
    "studio-render",
    "studio-review",
    "studio-work",
]
TILE, COLUMNS = 4, 24

of_each = pytest.mark.parametrize("document", DASHBOARDS.values(), ids=DASHBOARDS)


def test_they_are_what_the_generator_makes() -> None:
    made = dashboards.outputs(thresholds.read())
    there = {f"dashboards/{path.name}": path.read_text(encoding="utf-8") for path in GRAFANA.glob("dashboards/*.json")}
    assert sorted(made) == sorted(there)
    different = [path for path, text in made.items() if there[path] != text]
    assert different == [], "run `python -m grafana.generate`"


def test_their_uids_are_those_that_others_link_to() -> None:
    assert [*DASHBOARDS] == UIDS
    assert [document["uid"] for document in DASHBOARDS.values()] == UIDS
    assert len({document["title"] for document in DASHBOARDS.values()}) == len(UIDS)


@of_each
def test_the_schema_knows_every_key(document: Json) -> None:
    """What the library's schema drops when it reads the document is misspelt, or of another version of Grafana."""
    read = Dashboard.from_json(json.loads(json.dumps(document)))
    again = json.loads(json.dumps(read, cls=JSONEncoder))
    assert sorted(set(keys(document)) - set(keys(again))) == [
        "annotations.list.tagKeys",  # of the Prometheus data source, which the schema of dashboards does not know
        "annotations.list.textFormat",
        "annotations.list.titleFormat",
    ]


def keys(value: Any, path: str = "") -> list[str]:
    """The paths of all keys, without the places in lists."""
    if isinstance(value, dict):
        return [each for key, inner in value.items() for each in (f"{path}{key}", *keys(inner, f"{path}{key}."))]
    if isinstance(value, list):
        return [each for inner in value for each in keys(inner, path)]
    return []


@of_each
def test_it_states_its_schema_and_belongs_to_no_grafana(document: Json) -> None:
    assert document["schemaVersion"] == 41
    assert document["tags"] == ["studio-exporter"]
    assert not document.keys() & {"id", "__inputs", "__requires", "version"}
    assert (document["refresh"], document["time"]) == ("30s", {"from": "now-6h", "to": "now"})
    assert document["graphTooltip"] == 1
    assert document["description"]


@of_each
def test_ids_are_unique(document: Json) -> None:
    ids = [panel["id"] for panel in document["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels(document):
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)


@of_each
def test_panels_fill_the_grid_and_lie_beside_each_other(document: Json) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in document["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= COLUMNS, panel["title"]
        for cell in [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]:
            assert cell not in taken, f"{panel['title']} lies on {taken[cell]}"
            taken[cell] = panel["title"]
    height = 1 + max(y for _, y in taken)
    assert len(taken) == COLUMNS * height, "there are holes"


@of_each
def test_tiles_can_be_read_at_1280_pixels(document: Json) -> None:
    """A column is 53 pixels there; the title of a tile is cut after about 5.5 letters for each of its columns."""
    for panel in panels(document):
        assert panel["gridPos"]["w"] >= TILE, panel["title"]
        assert len(panel["title"]) <= 5.5 * panel["gridPos"]["w"], panel["title"]


@of_each
def test_rows_hold_panels(document: Json) -> None:
    kinds = [panel["type"] for panel in document["panels"]]
    assert kinds[0] == "row"
    assert kinds[-1] != "row"
    assert ("row", "row") not in pairwise(kinds)
    assert all(panel["title"] and not panel["collapsed"] for panel in document["panels"] if panel["type"] == "row")


@of_each
def test_no_data_differs_from_zero(document: Json) -> None:
    for panel in panels(document):
        assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]
        for target in panel["targets"]:
            if "vector(" in target["expr"]:
                assert target["expr"].startswith("count(ALERTS{"), panel["title"]


@of_each
def test_links_lead_to_dashboards_and_keep_variables_and_time(document: Json) -> None:
    [others] = document["links"]
    assert others["type"] == "dashboards"
    assert others["tags"] == document["tags"]
    assert others["includeVars"]
    assert others["keepTime"]
    for panel in panels(document):
        for link in panel["fieldConfig"]["defaults"].get("links", []):
            uid, _, query = link["url"].removeprefix("/d/").partition("?")
            assert DASHBOARDS[uid]["title"] == f"Studio / {link['title']}"
            assert query == "${__url_time_range}&${datasource:queryparam}&${source:queryparam}"


def test_every_tile_of_the_overview_leads_somewhere() -> None:
    tiles = [panel for panel in panels(DASHBOARDS["studio-overview"]) if panel["type"] == "stat"]
    led = [panel["fieldConfig"]["defaults"]["links"][0]["url"].split("?")[0] for panel in tiles]
    assert {link.removeprefix("/d/") for link in led} == {*UIDS} - {"studio-overview"}


@of_each
def test_alerts_and_restarts_are_marked(document: Json) -> None:
    marks = {mark["name"]: mark for mark in document["annotations"]["list"]}
    assert [*marks] == ["Firing alerts", "Exporter restarts"]
    assert all(mark["enable"] and mark["datasource"]["uid"] == "${datasource}" for mark in marks.values())


def test_alerts_lead_to_dashboards_that_there_are() -> None:
    urls = {rule["annotations"]["dashboard_url"] for _, rule in rules() if "alert" in rule}
    led = {re.sub(r".*/d/([\w-]+).*", r"\1", url) for url in urls}
    assert led <= {*UIDS}, led


@of_each
def test_a_status_has_one_colour_everywhere(document: Json) -> None:
    for panel in panels(document):
        for override in panel["fieldConfig"]["overrides"]:
            for each in override["properties"]:
                if each["id"] == "color":
                    assert each["value"]["fixedColor"] == COLOURS[override["matcher"]["options"]]


@pytest.mark.parametrize(
    ("level", "steps"),
    [
        (Level("", "seconds", 60, 300), ((None, GOOD), (60, WARNING), (300, CRITICAL))),
        (Level("", "ratio", critical=0.9), ((None, GOOD), (0.9, CRITICAL))),
        (Level("", "count", 0, 20), ((None, GOOD), (1, WARNING), (20, CRITICAL))),
        (Level("", "count", 3, 5, at_least=True), ((None, GOOD), (3, WARNING), (5, CRITICAL))),
        (Level("", "ratio", 0.5, 0.1, below=True), ((None, CRITICAL), (0.1, WARNING), (0.5, GOOD))),
        (Level("", "ratio", 0.5, below=True), ((None, WARNING), (0.5, GOOD))),
        (
            Level("", "score", -1, -2, below=True, at_least=True),
            ((None, CRITICAL), (-1.999, WARNING), (-0.999, GOOD)),
        ),
    ],
)
def test_colours_turn_where_alerts_begin(level: Level, steps: Steps) -> None:
    assert coloured(level) == steps


def test_limits_in_the_panels_are_those_of_the_file() -> None:
    [pending] = [panel for panel in panels(DASHBOARDS["studio-publishing"]) if panel["title"] == "Oldest pending"]
    found = [(step["value"], step["color"]) for step in pending["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    level = thresholds.read()["publish_pending"]
    assert found == [(None, GOOD), (level.warning, WARNING), (level.critical, CRITICAL)]
