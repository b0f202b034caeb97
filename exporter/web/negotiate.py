"""What a request may be answered with: its Accept and Accept-Encoding, weighed as RFC 9110 (12.4.2, 12.5) says."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter.runtime.exposition import Format

QUOTED = r'"(?:[^"\\]|\\.)*"?'
ELEMENT = re.compile(rf'(?:[^,"]|{QUOTED})+', re.DOTALL)
PIECE = re.compile(rf'(?:[^;"]|{QUOTED})+', re.DOTALL)
WEIGHT = re.compile(r"0(?:\.[0-9]*)?|1(?:\.0*)?", re.ASCII)

TYPES: Mapping[Format, str] = {
    Format.TEXT: "text/plain",
    Format.OPENMETRICS: "application/openmetrics-text",
}
PARAMETERS: Mapping[Format, Mapping[str, str]] = {
    Format.TEXT: {"version": "0.0.4", "charset": "utf-8"},
    Format.OPENMETRICS: {"version": "1.0.0", "charset": "utf-8"},
}
"""What a media range may ask of a format. Other parameters (as `escaping`, of Prometheus 3) are no reason to differ:
our names need no escaping."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One element of an Accept header: what is named (lower case), its parameters, its weight from 0 to 1."""

    name: str
    parameters: Mapping[str, str]
    weight: float


def wishes(header: str) -> Iterator[Wish]:
    """The elements of an Accept or Accept-Encoding header; those whose weight is no weight are left out."""
    for element in ELEMENT.findall(header):
        name, *rest = PIECE.findall(element) or [""]
        pairs = [piece.partition("=") for piece in rest]
        parameters = {key.strip().lower(): value.strip().strip('"').lower() for key, _, value in pairs}
        weight = parameters.pop("q", "1")
        if name.strip() and WEIGHT.fullmatch(weight):
            yield Wish(name.strip().lower(), parameters, float(weight))


def specificity(wish: Wish, form: Format) -> int | None:
    """How closely an element names a format: 0 as `*/*`, 1 by its first half, 2 and more in full; None if not."""
    if wish.name == "*/*":
        return 0
    if wish.name == TYPES[form].partition("/")[0] + "/*":
        return 1
    if wish.name != TYPES[form]:
        return None
    asked = wish.parameters.keys() & PARAMETERS[form].keys()
    if any(wish.parameters[key] != PARAMETERS[form][key] for key in asked):
        return None
    return 2 + len(asked)


def format_of(accept: str) -> Format:
    """The format an Accept header asks for; text 0.0.4 where it asks for nothing that there is.

    The weight of a format is that of the element naming it most closely. Among formats of one weight the more closely
    named wins, then the one named first. There is no answer 406: a scraper that understands neither would fail anyhow.
    """
    best, best_rank = Format.TEXT, (0.0, 0, 0)
    listed = list(wishes(accept))
    for form in Format:
        named = [(specificity(wish, form), -i, wish.weight) for i, wish in enumerate(listed)]
        close, place, weight = max(((c, i, w) for c, i, w in named if c is not None), default=(0, 0, 0.0))
        if weight > 0 and (weight, close, place) > best_rank:
            best, best_rank = form, (weight, close, place)
    return best


def gzip_accepted(accept_encoding: str) -> bool:
    """Whether a body may come as gzip: named (as `gzip`, `x-gzip` or `*`) and liked no less than `identity`.

    Without the header any coding would do; it is then not used, for who does not ask often cannot unpack.
    """
    weights: dict[str, float] = {}
    for wish in wishes(accept_encoding):
        weights.setdefault("gzip" if wish.name == "x-gzip" else wish.name, wish.weight)
    weight = weights.get("gzip", weights.get("*", 0.0))
    return weight > 0 and weight >= weights.get("identity", 0.0)
