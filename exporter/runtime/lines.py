"""A page of metrics taken apart into families, headers and samples, without the libraries that wrote it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Found = tuple[int, str]
"""The number of a line, and what is wrong there."""

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
PAIR = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*"'
PAIRS = re.compile(r'([^=,]+)="((?:[^"\\]|\\.)*)"')
SAMPLE = re.compile(rf"({NAME})(?:\{{({PAIR}(?:,{PAIR})*)\}})? (\S+)(.*)")
HEADER = re.compile(rf"# (HELP|TYPE|UNIT) ({NAME})(?: (.*))?")
NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[Ii]nf|[Nn]a[Nn])")
EXEMPLAR = re.compile(rf" # \{{(?:{PAIR}(?:,{PAIR})*)?\}} {NUMBER.pattern}(?: [0-9]+(?:\.[0-9]+)?)?")

COMPOSED: Mapping[str, tuple[str, ...]] = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "info": ("_info",),
}
"""What the samples of a type add to the name of their family in OpenMetrics; a type that is not here adds nothing."""

TYPES: Mapping[bool, Mapping[str, tuple[str, ...]]] = {
    False: {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")},
    True: {**COMPOSED, "gauge": ("",)},
}
"""The same for the types that this exporter writes, by whether the page is OpenMetrics."""

SUFFIXES = ("", *sorted({suffix for suffixes in COMPOSED.values() for suffix in suffixes}))


@dataclass(frozen=True, slots=True)
class Header:
    """One `# HELP`, `# TYPE` or `# UNIT`."""

    line: int
    word: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample, its labels as they are written; `rest` is what follows its value."""

    line: int
    name: str
    labels: tuple[tuple[str, str], ...]
    value: str
    rest: str

    @property
    def apart_from_le(self) -> tuple[tuple[str, str], ...]:
        return tuple(pair for pair in self.labels if pair[0] != "le")

    @property
    def number(self) -> float:
        """The value; NaN where there is none."""
        return float(self.value) if NUMBER.fullmatch(self.value) else float("nan")


@dataclass(frozen=True, slots=True)
class Group:
    """What a page says of one family, from `line` on."""

    line: int
    name: str
    headers: list[Header] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def said(self, word: str) -> list[Header]:
        return [header for header in self.headers if header.word == word]

    def add(self, item: Header | Sample) -> None:
        if isinstance(item, Header):
            self.headers.append(item)
        else:
            self.samples.append(item)

    @property
    def type(self) -> str:
        return next((header.text for header in self.said("TYPE")), "")


def gathered(lines: list[str], openmetrics: bool) -> tuple[list[Group], list[Found]]:
    """The families of a page in their order, and the lines that are no header or sample, or apart from their family."""
    groups: dict[str, Group] = {}
    problems: list[Found] = []
    current = ""
    content = lines if lines[-1] else lines[:-1]
    for number, line in enumerate(content, 1):
        item = parsed(number, line, openmetrics)
        if item is None:
            problems += misfit(number, line, len(content), openmetrics)
            continue
        name = item.name if isinstance(item, Header) else family_of(item.name, current, groups)
        group = groups.setdefault(name, Group(number, name))
        if name != current and group.line != number:
            problems.append((number, f"{item.name} stands apart from its family, begun on line {group.line}"))
        current = name
        group.add(item)
    return list(groups.values()), problems


def parsed(number: int, line: str, openmetrics: bool) -> Header | Sample | None:
    """A line as a header or a sample; None if it is neither."""
    if found := HEADER.fullmatch(line):
        word, name, text = found.groups()
        return None if word == "UNIT" and not openmetrics else Header(number, word, name, text or "")
    if found := SAMPLE.fullmatch(line):
        name, labels, value, rest = found.groups()
        return Sample(number, name, tuple(PAIRS.findall(labels or "")), value, rest)
    return None


def misfit(number: int, line: str, last: int, openmetrics: bool) -> Iterator[Found]:
    """Why a line is neither a header nor a sample."""
    if line == "# EOF" and openmetrics:
        if number != last:
            yield number, "'# EOF' before the last line"
    elif not line.strip():
        yield number, "an empty line"
    elif line.startswith("#"):
        yield number, f"a comment that is no HELP or TYPE: {line[:60]!r}"
    else:
        yield number, f"not a sample, as in 'name{{label=\"value\"}} 1': {line[:60]!r}"


def family_of(sample: str, current: str, groups: Mapping[str, Group]) -> str:
    """The family a sample belongs to by its name: the open one if it can be, its own name if there is no other."""
    owners = [sample.removesuffix(suffix) for suffix in SUFFIXES if sample.endswith(suffix)]
    if current in owners:
        return current
    return next((name for name in owners if name in groups), sample)
