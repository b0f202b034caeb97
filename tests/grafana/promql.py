"""PromQL as a tree: what an expression selects, by which labels, and what is done to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import promql_parser as promql

VALUES: Mapping[str, str] = {
    "$__rate_interval": "5m",
    "$__range": "6h",
    "$__interval": "1m",
}
"""What Grafana puts in the place of its own variables, for a parser that knows none."""


@dataclass(frozen=True)
class Use:
    """A selector and what surrounds it, from the inside outwards."""

    selector: promql.VectorSelector
    window: bool
    around: tuple[promql.Expr, ...]

    @property
    def metric(self) -> str:
        """Its name; of `{__name__=...}`, nothing."""
        return self.selector.name or ""

    @property
    def matchers(self) -> list[promql.Matcher]:
        return [*self.selector.matchers.matchers]

    @property
    def function(self) -> str:
        """The function that is called with it, if any."""
        inner = next((each for each in self.around if not isinstance(each, promql.ParenExpr)), None)
        return inner.func.name if isinstance(inner, promql.Call) else ""

    @property
    def aggregations(self) -> list[promql.AggregateExpr]:
        """Those around it, from the inside outwards."""
        return [each for each in self.around if isinstance(each, promql.AggregateExpr)]


def parsed(expression: str, values: Mapping[str, str] = VALUES) -> promql.Expr:
    """The tree of an expression; ValueError where it is none."""
    for name, value in values.items():
        expression = expression.replace(name, value)
    tree: promql.Expr = promql.parse(expression)
    return tree


def uses(tree: promql.Expr) -> Iterator[Use]:
    """Every selector of a tree."""
    for node, around in nodes(tree):
        if isinstance(node, promql.VectorSelector):
            yield Use(node, False, around)
        elif isinstance(node, promql.MatrixSelector):
            yield Use(node.vector_selector, True, around)


def nodes(
    tree: promql.Expr, around: tuple[promql.Expr, ...] = ()
) -> Iterator[tuple[promql.Expr, tuple[promql.Expr, ...]]]:
    """Every node with those around it, from the inside outwards."""
    yield tree, around
    for child in children(tree):
        yield from nodes(child, (tree, *around))


def children(node: promql.Expr) -> list[promql.Expr]:
    match node:
        case promql.AggregateExpr():
            return [node.expr, *([node.param] if isinstance(node.param, promql.Expr) else [])]
        case promql.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql.Call():
            return [*node.args]
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return [node.expr]
        case _:
            return []


def grouped(node: promql.Expr) -> list[str]:
    """The labels that a node names besides those of its selectors: by, on, group_left and the like."""
    match node:
        case promql.AggregateExpr(modifier=modifier) if modifier:
            return [*modifier.labels]
        case promql.BinaryExpr(modifier=modifier) if modifier:
            return [*(modifier.matching.labels if modifier.matching else []), *(modifier.group_labels or [])]
        case _:
            return []
