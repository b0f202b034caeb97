"""Dashboards on a living studio, an exporter and a real Prometheus: every panel has numbers, and not too many."""

import math
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.grafana.documents import DASHBOARDS, Asked, Json, label_values, of_panels, variables
from tests.grafana.live import ALL, chosen, filled, studio
from tests.grafana.promql import parsed, uses
from tests.prometheus import Prometheus, needs_command, prometheus

SECONDS, MOST_SERIES = 60, 50
DEADLINE = 120.0
"""Seconds until everything must have happened in the studio that a panel shows."""

TIMEOUT = "1s"
"""Prometheus gives a query up after it."""

MAY_BE_NOTHING = re.compile(r"studio_\w+_oldest_\w+|ALERTS")
"""Where nothing waits or runs there is no oldest; what fires is for the tests of the alerts."""

Answer = list[list[float]]
"""The values of each series that a query gave."""


@dataclass(frozen=True)
class Selection:
    """A dashboard, with all values of its variables chosen, or one of one of them."""

    document: Json
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        one = [f"{name}={value}" for name, value in self.values.items() if not name.startswith("$__") and value != ALL]
        return f"{self.document['uid']} {' '.join(one)}"


def wrong(answer: Answer) -> str:
    """What no answer may be."""
    if len(answer) >= MOST_SERIES:
        return f"{len(answer)} series"
    return "" if all(math.isfinite(value) for values in answer for value in values) else "a value that is not finite"


async def answered(p: Prometheus, asked: Asked, values: Mapping[str, str]) -> Answer:
    """The answer to a panel's query, as Grafana asks."""
    expression = filled(asked.expression, values)
    if asked.instant:
        data = await p.get("/api/v1/query", query=expression, timeout=TIMEOUT)
        return [[float(each["value"][1])] for each in data["result"]]
    [(_, now)] = await p.query("time()")
    times = {"start": str(now - SECONDS), "end": str(now), "step": "1"}
    data = await p.get("/api/v1/query_range", query=expression, timeout=TIMEOUT, **times)
    return [[float(value) for _, value in each["values"]] for each in data["result"]]


def may_be_nothing(asked: Asked) -> bool:
    return all(MAY_BE_NOTHING.fullmatch(use.metric) for use in uses(parsed(asked.expression)))


async def with_numbers(p: Prometheus, selection: Selection, wanted: Iterable[Asked]) -> set[Asked]:
    """Those of some queries of a dashboard that have numbers now; AssertionError where they are wrong ones."""
    found = set()
    for asked in wanted:
        answer = await answered(p, asked, selection.values)
        assert wrong(answer) == "", f"{selection.name}: {asked.where}: {wrong(answer)}"
        if answer:
            found.add(asked)
    return found


async def values_of(p: Prometheus, variable: Json, values: Mapping[str, str]) -> list[str]:
    """What a variable offers."""
    selector, label = label_values(variable)
    found = await p.query(f"group by ({label}) ({filled(selector, values)})")
    return sorted(labels[label] for labels, _ in found)


async def seen(p: Prometheus, document: Json) -> None:
    """Waits until every query of a dashboard has had numbers, with its variables at all values."""
    everything = Selection(document, chosen(document, SECONDS))
    wanted = {asked for asked in of_panels(document) if not may_be_nothing(asked)}
    deadline = time.monotonic() + DEADLINE
    while wanted := wanted - await with_numbers(p, everything, wanted):
        if time.monotonic() > deadline:
            pytest.fail(f"no numbers for {sorted(asked.where for asked in wanted)}; targets: {await p.targets()}")


async def each_value(p: Prometheus, document: Json) -> None:
    """Every variable offers values, and each query has numbers for one of those at least, each chosen alone."""
    everything = chosen(document, SECONDS)
    for variable in variables(document):
        wanted = await with_numbers(p, Selection(document, everything), of_panels(document))
        offered = await values_of(p, variable, everything)
        assert offered != [], f"{document['uid']}: ${variable['name']} offers nothing"
        for value in offered:
            one = chosen(document, SECONDS, **{variable["name"]: re.escape(value).replace("\\", "\\\\")})
            wanted -= await with_numbers(p, Selection(document, one), of_panels(document))
        lost = [asked.where for asked in wanted if not may_be_nothing(asked)]
        assert lost == [], f"no value of ${variable['name']} has numbers"


async def test_every_panel_has_numbers(tmp_path: Path) -> None:
    needs_command("prometheus")
    async with studio(tmp_path) as address, prometheus(tmp_path, [address]) as p:
        for document in DASHBOARDS.values():
            await seen(p, document)
        for document in DASHBOARDS.values():
            await each_value(p, document)
            for mark in document["annotations"]["list"]:
                assert len(await p.query(mark["expr"])) < MOST_SERIES, mark["name"]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [([[1.0]] * 49, ""), ([[1.0]] * 50, "50 series"), ([[1.0, math.nan]], "a value that is not finite"), ([], "")],
)
def test_wrong_answers_are_known(answer: Answer, complaint: str) -> None:
    assert wrong(answer) == complaint
