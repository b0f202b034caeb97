"""What a request may be answered with: its Accept and Accept-Encoding, weighed as RFC 9110 (12.4.2, 12.5) says."""

import re
from collections.abc import Iterator, Mapping, Sequence
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


Rank = tuple[float, int, int]
"""How much a type is liked: its weight, how closely it is named, and how early."""

UNLIKED: Rank = (0.0, 0, 0)


def specificity(wish: Wish, name: str, parameters: Mapping[str, str]) -> int | None:
    """How closely an element names a type: 0 as `*/*`, 1 by its first half, 2 and more in full; None if not."""
    if wish.name == "*/*":
        return 0
    if wish.name == name.partition("/")[0] + "/*":
        return 1
    if wish.name != name:
        return None
    asked = wish.parameters.keys() & parameters.keys()
    if any(wish.parameters[key] != parameters[key] for key in asked):
        return None
    return 2 + len(asked)


def rank(listed: Sequence[Wish], name: str, parameters: Mapping[str, str]) -> Rank:
    """How much a type is liked: the weight is that of the element naming it most closely."""
    named = [(specificity(wish, name, parameters), -i, wish.weight) for i, wish in enumerate(listed)]
    close, place, weight = max(((c, i, w) for c, i, w in named if c is not None), default=(0, 0, 0.0))
    return (weight, close, place) if weight > 0 else UNLIKED


def format_of(accept: str) -> Format:
    """The format an Accept header asks for; text 0.0.4 where it asks for nothing that there is.

    Among formats of one weight the more closely named wins, then the one named first. There is no answer 406: a scraper
    that understands neither would fail anyhow.
    """
    listed = [*wishes(accept)]
    best, liked = Format.TEXT, UNLIKED
    for form in Format:
        if (found := rank(listed, TYPES[form], PARAMETERS[form])) > liked:
            best, liked = form, found
    return best


def json_preferred(accept: str) -> bool:
    """Whether JSON is liked better than every format of metrics: who takes anything is served metrics."""
    listed = [*wishes(accept)]
    return rank(listed, "application/json", {}) > max(rank(listed, TYPES[form], PARAMETERS[form]) for form in Format)


def metrics_named(accept: str) -> bool:
    """Whether an Accept header names a format of metrics, as every Prometheus does: text with its version, or
    OpenMetrics."""
    return any(
        wish.weight > 0
        and (
            wish.name == TYPES[Format.OPENMETRICS] or (wish.name == TYPES[Format.TEXT] and "version" in wish.parameters)
        )
        for wish in wishes(accept)
    )


def gzip_accepted(accept_encoding: str) -> bool:
    """Whether a body may come as gzip: named (as `gzip`, `x-gzip` or `*`) and liked no less than `identity`.

    Without the header any coding would do; it is then not used, for who does not ask often cannot unpack.
    """
    weights: dict[str, float] = {}
    for wish in wishes(accept_encoding):
        weights.setdefault("gzip" if wish.name == "x-gzip" else wish.name, wish.weight)
    weight = weights.get("gzip", weights.get("*", 0.0))
    return weight > 0 and weight >= weights.get("identity", 0.0)
