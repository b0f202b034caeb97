"""Every family there is, in the order of the page, and the table that documents them."""

from collections.abc import Mapping
from typing import Any

from exporter.core.family import Family
from exporter.domains import DOMAINS
from exporter.ledger import families as work
from exporter.runtime import itself, standing

CATALOGUE: Mapping[str, tuple[Family[Any], ...]] = {
    **DOMAINS,
    "work": work.FAMILIES,
    "sources": standing.FAMILIES,
    "exporter": itself.FAMILIES,
}
FAMILIES: tuple[Family[Any], ...] = tuple(family for families in CATALOGUE.values() for family in families)


def table() -> str:
    """The catalogue as a Markdown table: name, type, labels, domain, help."""
    lines = ["| metric | type | labels | domain | help |", "|---|---|---|---|---|"]
    for domain, families in CATALOGUE.items():
        for family in families:
            labels = ", ".join(f"`{label}`" for label in (*(() if family.of_exporter else ("source",)), *family.labels))
            lines.append(f"| `{family.name}` | {family.type} | {labels} | {domain} | {family.help} |")
    return "\n".join(lines) + "\n"
