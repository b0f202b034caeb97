"""Names: whatever dashboards, rules, runbooks and the README ask for exists, with these labels and these words."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

import promql_parser as promql
import pytest

from exporter.catalogue import FAMILIES
from exporter.core.errors import REASONS
from exporter.core.family import OTHER, Family
from exporter.core.part import SKIPS
from exporter.domains import campaigns, ingest, operations, production, publishing, render, training
from exporter.ledger import trouble
from exporter.runtime.render import DROPS
from exporter.sources import KINDS
from tests.grafana.documents import DASHBOARDS, Asked, everything, label_values, rules, variables
from tests.grafana.promql import Use, grouped, nodes, parsed, uses

Labels = frozenset[str]
TARGET: Labels = frozenset(("job", "instance"))
"""What Prometheus adds to every series."""

PIPELINES = ("ingest", "operation", "publish", "render", "training_run", "training_session")
"""What finishes: the ledger's accounts, by name."""

FOREIGN = re.compile(r"up|scrape_\w+|process_\w+")
"""What Prometheus itself says of a target, or a client library of its process."""

VOCABULARY: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("studio_ingest_", "status"): ingest.STATUSES,
    ("studio_ingest_", "result"): ingest.RESULTS,
    ("studio_render_", "status"): render.STATUSES,
    ("studio_versions", "status"): production.STATUSES,
    ("studio_publish_items", "status"): publishing.STATUSES,
    ("studio_publish_clips", "status"): publishing.CLIP_STATUSES,
    ("studio_publish_jobs", "status"): publishing.JOB_STATUSES,
    ("studio_publish_created_items", "window"): (*publishing.WINDOWS,),
    ("studio_campaign", "status"): campaigns.STATUSES,
    ("studio_operation_", "operation"): operations.OPERATIONS,
    ("studio_operation_", "window"): ("5m", "1h", "24h", "7d"),
    ("studio_training_sessions", "status"): training.STATUSES,
    ("studio_training_events", "level"): training.LEVELS,
    ("studio_training_agents", "result"): (training.FAILED, training.TRAINED),
    ("studio_training_", "phase"): training.PHASES,
    ("studio_work_", "pipeline"): PIPELINES,
    ("studio_source_skipped_records", "reason"): SKIPS,
    ("studio_source_dropped_samples", "reason"): DROPS,
    ("studio_source_", "reason"): REASONS,
    ("studio_source_info", "kind"): (*KINDS,),
    ("studio_exporter_ledger_", "reason"): trouble.REASONS,
    ("ALERTS", "severity"): ("critical", "warning", "none"),
    ("ALERTS", "alertstate"): ("firing", "pending"),
}
"""The words that a label may have, by how the metric's name begins; the first that fits decides."""

CATALOGUE: Mapping[str, Family[object]] = {family.name: family for family in FAMILIES}
RULES = [*rules()]
RECORDED = {rule["record"]: rule["expr"] for _, rule in RULES if "record" in rule}
ALERTS = {rule["alert"] for _, rule in RULES if "alert" in rule}
EVERYTHING = [*everything()]


def family_of(metric: str) -> Family[object] | None:
    """The family that has a series of this name."""
    if family := CATALOGUE.get(metric):
        return None if family.type == "histogram" else family
    base, _, suffix = metric.rpartition("_")
    for name in (base, f"{base}_total"):
        family = CATALOGUE.get(name)
        if family and suffix == "created" and family.type in ("counter", "histogram"):
            return family
        if family and suffix in ("bucket", "count", "sum") and family.type == "histogram":
            return family
    return None


@cache
def labels_of(metric: str) -> Labels | None:
    """The labels of a metric's series; None where they are open. LookupError where nothing has that name."""
    if family := family_of(metric):
        extra = {"le"} if metric.endswith("_bucket") else set()
        return TARGET | {*family.labels, *extra, *(() if family.of_exporter else ("source",))}
    if metric in RECORDED:
        return given(parsed(RECORDED[metric]))
    if metric == "ALERTS":
        return None
    if FOREIGN.fullmatch(metric):
        return TARGET
    raise LookupError(f"no metric has the name {metric}")


def names(use: Use) -> list[str]:
    """The metrics that a selector means: `{__name__=~"a|b"}` has several."""
    if use.metric:
        return [use.metric]
    [name] = [matcher.value for matcher in use.matchers if matcher.name == "__name__"]
    return alternatives(name)


def alternatives(pattern: str) -> list[str]:
    """The words of a regular expression that lists some, perhaps with a common beginning and end."""
    found = re.fullmatch(r"([\w:]*)\(([\w|]+)\)([\w:]*)", pattern)
    return [f"{found[1]}{each}{found[3]}" for each in found[2].split("|")] if found else pattern.split("|")


def given(tree: promql.Expr) -> Labels | None:
    """The labels that the series of an expression have; None where they are open."""
    match tree:
        case promql.VectorSelector() | promql.MatrixSelector():
            [use] = uses(tree)
            return common([labels_of(name) for name in names(use)])
        case promql.AggregateExpr(modifier=modifier):
            inner = given(tree.expr)
            if modifier is None:
                return inner if ranking(tree) else frozenset()
            if modifier.type == promql.AggModifierType.By:
                return frozenset(modifier.labels)
            return None if inner is None else inner - {*modifier.labels}
        case promql.BinaryExpr(modifier=modifier):
            sides = [side for side in (tree.lhs, tree.rhs) if is_vector(side)]
            found = given(sides[0]) if sides else frozenset()
            return None if found is None else found | {*((modifier and modifier.group_labels) or ())}
        case promql.Call(args=args):
            vectors = [each for each in args if is_vector(each)]
            found = given(vectors[0]) if vectors else frozenset()
            made = {args[1].val} if tree.func.name == "label_replace" else set()
            gone = {"le"} if tree.func.name == "histogram_quantile" else set()
            return None if found is None else found - gone | made
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return given(tree.expr)
        case _:
            return frozenset()


def common(found: list[Labels | None]) -> Labels | None:
    known = [each for each in found if each is not None]
    return frozenset.intersection(*known) if known else None


def ranking(tree: promql.AggregateExpr) -> bool:
    """Whether the aggregation keeps the series that it chooses."""
    return bool(re.match(r"(topk|bottomk|limitk)\b", tree.prettify().lstrip()))


def is_vector(tree: promql.Expr) -> bool:
    return any(True for _ in uses(tree)) or "vector(" in tree.prettify()


def wrong(asked: str) -> Iterator[str]:
    """What is wrong with the names of an expression."""
    tree = parsed(asked)
    for use in uses(tree):
        yield from wrong_selector(use)
    for node, _ in nodes(tree):
        for part in joined(node):
            known = given(part)
            yield from (
                f"{label} is no label of {part.prettify()}"
                for label in grouped(node)
                if known is not None and label not in known
            )


def joined(node: promql.Expr) -> list[promql.Expr]:
    """What must have the labels that a node groups or matches by."""
    match node:
        case promql.AggregateExpr():
            return [node.expr]
        case promql.BinaryExpr(modifier=modifier) if modifier and modifier.matching and not modifier.group_labels:
            return [side for side in (node.lhs, node.rhs) if is_vector(side)]
        case _:
            return []


def wrong_selector(use: Use) -> Iterator[str]:
    for metric in names(use):
        try:
            known = labels_of(metric)
        except LookupError as error:
            yield str(error)
            continue
        for matcher in use.matchers:
            if matcher.name != "__name__" and known is not None and matcher.name not in known:
                yield f"{metric} has no label {matcher.name}"
            yield from wrong_words(metric, matcher)


def wrong_words(metric: str, matcher: promql.Matcher) -> Iterator[str]:
    """Words that the label of this metric never has."""
    vocabulary = words_of(metric, matcher.name)
    if not vocabulary or "$" in matcher.value:
        return
    plain = re.fullmatch(r"[\w|]*", matcher.value)
    for word in matcher.value.split("|") if plain else [matcher.value]:
        if not any(re.fullmatch(word, known) for known in vocabulary):
            yield f"{matcher.name} of {metric} is never {word}"


def words_of(metric: str, label: str) -> tuple[str, ...]:
    if (metric, label) == ("ALERTS", "alertname"):
        return (*ALERTS,)
    base = metric.split(":")[1] if ":" in metric else metric
    for (beginning, of), words in VOCABULARY.items():
        if base.startswith(beginning) and of == label:
            return (*words, OTHER)
    return ()


@pytest.mark.parametrize("asked", EVERYTHING, ids=lambda asked: asked.where)
def test_what_is_asked_for_exists(asked: Asked) -> None:
    assert [*wrong(asked.expression)] == []


def test_there_is_something_to_check() -> None:
    assert {asked.where.split(":")[0] for asked in EVERYTHING} >= {*DASHBOARDS, "README.md"}


@pytest.mark.parametrize("document", DASHBOARDS.values(), ids=DASHBOARDS)
def test_variables_ask_for_labels_that_exist(document: dict[str, object]) -> None:
    for variable in variables(document):
        selector, label = label_values(variable)
        for use in uses(parsed(selector)):
            assert all(label in (labels_of(name) or ()) for name in names(use)), variable["query"]


def test_texts_of_alerts_name_labels_that_the_alerts_have() -> None:
    found = []
    for file, rule in RULES:
        known = given(parsed(rule["expr"]))
        texts = " ".join(map(str, rule.get("annotations", {}).values()))
        named = set(re.findall(r"\$labels\.(\w+)", texts)) - {*rule.get("labels", {})}
        if known is not None and named - known:
            found.append(f"{file}: {rule['alert']}: {sorted(named - known)}")
    assert found == []


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("studio_ingest_run", "no metric has the name studio_ingest_run"),
        ("studio_work_duration_seconds", "no metric has the name studio_work_duration_seconds"),
        ("studio_work_finished_bucket", "no metric has the name studio_work_finished_bucket"),
        ('studio_ingest_runs{farm="a"}', "studio_ingest_runs has no label farm"),
        ('studio_ingest_runs{status="completed"}', "status of studio_ingest_runs is never completed"),
        ('studio_render_jobs{status=~"queued|waiting"}', "status of studio_render_jobs is never waiting"),
        ('studio_work_failed_total{pipeline=~"train_.+"}', "pipeline of studio_work_failed_total is never train_.+"),
        ("sum by (farm) (studio_ingest_runs)", "farm is no label of studio_ingest_runs"),
        ("sum by (show) (max by (source) (studio_ingest_runs))", "show is no label of max by"),
        ("studio_projects / on (project) studio_shots", "project is no label of studio_projects"),
        ('sum by (window) ({__name__=~"studio_projects|studio_shots"})', "window is no label of"),
        ('ALERTS{alertname="StudioNothing"}', "alertname of ALERTS is never StudioNothing"),
    ],
)
def test_what_does_not_exist_is_found(expression: str, complaint: str) -> None:
    assert [complaint in found for found in wrong(expression)] == [True]


@pytest.mark.parametrize(
    "expression",
    [
        "up == 0",
        "studio_work_finished_created",
        "studio_work_duration_seconds_bucket",
        "studio_source_reads_created",
        'max by (source, show) (label_replace(studio_work_failure_streak, "show", "$1", "lane", "(.*)"))',
        "studio_source_series * on (source) group_left (kind) max by (source, kind) (studio_source_info)",
        'studio_ingest_runs{status!="_other",status=~"$status"}',
        "topk(3, sum by (show) (studio_ingest_runs))",
        "sum by (source) (topk(3, studio_projects))",
    ],
)
def test_what_exists_is_let_pass(expression: str) -> None:
    assert [*wrong(expression)] == []
