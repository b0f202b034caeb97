"""Every recorded exchange of the five endpoints, over a real connection: on SQLite from the recorded files, on
PostgreSQL from the same rows.

Scores are compared apart: their mean depends, in its last digits, on the order in which a database adds.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exporter.core.secret import Secret
from exporter.core.source import Context, Limits, Source
from exporter.sources.stakazo import KIND, Config
from tests.api.replay import BEARER, Desk, Exchange, Tally, served
from tests.sources.stakazo.databases import GOLDEN, NOW, SCHEDULE, answers, golden, made, rows_of

ANSWERS = answers()
SCENARIOS = sorted({name.partition(".")[0] for name in ANSWERS})
DRIFT: dict[str, tuple[str, dict[str, str]]] = {
    "timestamptz": ("future_pending", {"time": "timestamptz"}),
    "varchar_status": ("no_pending", {"jobstatus": "varchar(50)"}),
}
"""Scenarios of PostgreSQL alone: whose rows they have, and what types are others."""

ENDPOINTS = ("overview", "queue", "orchestrator", "platforms", "campaigns")
JSON = {"Content-Type": "application/json"}
MEAN = "$.*.avg_score"


def source(url: str) -> Source:
    made: Source = KIND.source(Config(Secret(url)), Context("publishing", SCHEDULE, Limits()))
    return made


def target(endpoint: str) -> str:
    return f"/dashboard/stats/{endpoint}"


def recorded(scenario: str, backend: str) -> Iterator[Exchange]:
    """The five answers; those that were errors had that text."""
    for endpoint in ENDPOINTS:
        name, body = f"{scenario}.{backend}.{endpoint}", ANSWERS[f"{scenario}.{backend}"].get(endpoint)
        if body is None:
            text = {"Content-Type": "text/plain; charset=utf-8"}
            yield Exchange(name, "GET", target(endpoint), 500, "Internal Server Error", BEARER, headers=text)
        else:
            ignored = (MEAN,) if endpoint == "platforms" else ()
            yield Exchange(name, "GET", target(endpoint), 200, body, BEARER, headers=JSON, ignore=ignored)


async def replay(url: str, scenario: str, backend: str, tally: Tally) -> None:
    async with served(source(url), NOW) as desk:
        for exchange in recorded(scenario, backend):
            tally.add(exchange, await desk.differences(exchange))
            if exchange.ignore:
                assert await scores(desk, exchange) == pytest.approx(means(exchange.body), rel=1e-12), exchange.name


async def scores(desk: Desk, exchange: Exchange) -> list[float]:
    return means(json.loads((await desk.ask(exchange)).body))


def means(body: Any) -> list[float]:
    return [platform["avg_score"] for platform in body.values()]


async def refusals(url: str, tally: Tally) -> None:
    """Roles and tokens other than ours are wrong ones."""
    wrong = {"Authorization": "Bearer of-somebody-else"}
    sent: dict[str, dict[str, str]] = {
        "no_header": {},
        **dict.fromkeys(("bad_token", "expired", "refresh_token_used"), wrong),
        **dict.fromkeys(("role_pending", "role_Viewer", "role_None"), wrong),
    }
    targets = {
        "unknown_endpoint": target("nothing"),
        "trailing_slash": target("campaigns/"),
        "query_ignored": target("campaigns?limit=5&limit=%FF"),
    }
    methods = {"post": "POST", "head": "HEAD"}
    async with served(source(url), NOW) as desk:
        for name, each in json.loads((GOLDEN / "auth.json").read_text()).items():
            headers = {"WWW-Authenticate": each["www_authenticate"]} if each["www_authenticate"] else {}
            exchange = Exchange(
                f"auth.{name}",
                methods.get(name, "GET"),
                targets.get(name, target("campaigns")),
                each["status"],
                each["body"],
                sent.get(name, BEARER),
                headers=headers,
                matter=("www-authenticate",),
            )
            tally.add(exchange, await desk.differences(exchange))


async def test_every_recorded_exchange_is_answered_as_it_was(tmp_path: Path) -> None:
    tally = Tally("stakazo")
    for scenario in SCENARIOS:
        if scenario not in DRIFT:
            await replay(f"sqlite:///{golden(scenario, tmp_path)}", scenario, "sqlite", tally)
    await refusals(f"sqlite:///{golden('normal', tmp_path)}", tally)
    assert tally.unlisted == []
    for scenario in SCENARIOS:
        if f"{scenario}.postgresql" in ANSWERS:
            rows, types = DRIFT.get(scenario, (scenario, {}))
            with made("postgresql", tmp_path) as make:
                url = make(rows_of(golden(rows, tmp_path)), **types)
                await replay(url, scenario, "postgresql", tally)
    tally.settle()
    assert (tally.replayed, tally.equal, tally.listed) == (121, 109, 12)


@pytest.mark.parametrize("flavour", ["create_all", "alembic"])
@pytest.mark.parametrize("scenario", ["all_active", "edge", "empty", "future_pending", "no_pending", "normal"])
async def test_mariadb_says_the_same(scenario: str, flavour: str, tmp_path: Path) -> None:
    with made("mysql", tmp_path) as make:
        url = make(rows_of(golden(scenario, tmp_path)), flavour)
        async with served(source(url), NOW) as desk:
            for exchange in recorded(scenario, "postgresql"):
                assert await desk.differences(exchange) == [], exchange.name
                if exchange.ignore:
                    assert await scores(desk, exchange) == pytest.approx(means(exchange.body), rel=1e-12)


async def test_the_migrations_statuses_say_the_same(tmp_path: Path) -> None:
    with made("postgresql", tmp_path) as make:
        async with served(source(make(rows_of(golden("edge", tmp_path)), "alembic")), NOW) as desk:
            for exchange in recorded("edge", "postgresql"):
                assert await desk.differences(replace(exchange, name=f"alembic.{exchange.name}")) == []
