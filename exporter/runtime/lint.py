"""A second opinion on a page: what is wrong with it, line by line, found without the libraries that wrote it.

`promtool check metrics` passes pages with the same series twice, or with counters below zero. This says what promtool
says and these too, and is stricter than the formats are: a page of ours has its labels sorted, one blank where one is
due, and no timestamps.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from math import isfinite

from exporter.runtime.lines import (
    COMPOSED,
    EXEMPLAR,
    NUMBER,
    SUFFIXES,
    TYPES,
    Found,
    Group,
    Header,
    Sample,
    gathered,
)

BAD_ESCAPE = re.compile(r'\\(?:\\|[n"])|(\\)')
BASE_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("minutes", "hours", "days", "weeks"), "seconds"),
    **dict.fromkeys(("fahrenheit", "kelvins", "rankine"), "celsius"),
    **dict.fromkeys(("inches", "yards", "miles"), "meters"),
    **dict.fromkeys(("pounds", "ounces"), "grams"),
    "bits": "bytes",
    "calories": "joules",
}
UNITS = ("amperes", "bytes", "grams", "joules", "meters", "metres", "moles", "seconds", "volts", *BASE_UNITS)
MULTIPLE = re.compile(
    "(?:pico|nano|micro|milli|centi|deci|deca|hecto|kilo|kibi|mega|mebi|giga|gibi|tera|tebi|peta|pebi)"
    f"({'|'.join(UNITS)})"
)
ABBREVIATED = frozenset(("s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"))
RESERVED = ("_bucket", "_count", "_created", "_sum", "_total")
TYPE_WORDS = frozenset(("counter", "gauge", "histogram", "summary", "untyped"))


def lint(page: str | bytes, openmetrics: bool) -> list[str]:
    """What is wrong with a page of OpenMetrics 1.0.0, or of the text format 0.0.4, as `line 3: …`, in the order of its
    lines; an empty list if nothing is."""
    data = page.encode(errors="surrogatepass") if isinstance(page, str) else page
    lines = data.decode(errors="replace").split("\n")
    groups, problems = gathered(lines, openmetrics)
    problems += [*encoding(data), *ending(lines, openmetrics), *repeated(groups), *clashing(groups, openmetrics)]
    for group in groups:
        for rule in RULES:
            problems += rule(group, openmetrics)
    return [f"line {line}: {problem}" for line, problem in sorted(problems)]


# the page


def encoding(data: bytes) -> Iterator[Found]:
    """UTF-8, and no byte at which Prometheus stops reading."""
    for line, content in enumerate(data.split(b"\n"), 1):
        try:
            content.decode()
        except UnicodeDecodeError as error:
            yield line, f"not UTF-8 at byte {error.start + 1} of the line"
        if b"\0" in content:
            yield line, "a NUL byte"
        if content.endswith(b"\r"):
            yield line, "ends in CR LF, expected LF alone"


def ending(lines: list[str], openmetrics: bool) -> Iterator[Found]:
    """A page ends with a whole line, in OpenMetrics with `# EOF`, which stands nowhere else."""
    if lines[-1]:
        yield len(lines), "does not end with LF"
    if openmetrics and lines[-2:] != ["# EOF", ""]:
        yield len(lines), "the last line is not '# EOF'"


def repeated(groups: Iterable[Group]) -> Iterator[Found]:
    """No series stands twice on a page."""
    seen: dict[tuple[str, frozenset[tuple[str, str]]], int] = {}
    for group in groups:
        for sample in group.samples:
            key = sample.name, frozenset(sample.labels)
            if key in seen:
                yield sample.line, f"the series {sample.name} of line {seen[key]} again"
            seen.setdefault(key, sample.line)


def clashing(groups: Iterable[Group], openmetrics: bool) -> Iterator[Found]:
    """No family has the name of another's samples, as a gauge x_count beside a histogram x."""
    owners: dict[str, Group] = {}
    for group in groups:
        for suffix in TYPES[openmetrics].get(group.type, ()):
            other = owners.setdefault(group.name + suffix, group)
            if other is not group:
                yield group.line, f"{group.name} has samples of the same name as {other.name} of line {other.line}"


# rules of one family


def headers(group: Group, openmetrics: bool) -> Iterator[Found]:
    """HELP and TYPE once each, before the samples; a help text is a sentence, a type one that this exporter writes."""
    first = min((sample.line for sample in group.samples), default=None)
    for word in ("HELP", "TYPE"):
        if not group.said(word):
            yield group.line, f"{group.name} has no {word}"
    for word in ("HELP", "TYPE", "UNIT"):
        for header in group.said(word)[1:]:
            yield header.line, f"{word} of {group.name} a second time"
    for header in group.headers:
        if first is not None and header.line > first:
            yield header.line, f"{header.word} of {group.name} after its samples"
    for header in group.said("HELP"):
        yield from help_text(header, openmetrics)
    for header in group.said("TYPE"):
        if header.text not in TYPES[openmetrics]:
            known = ", ".join(sorted(TYPES[openmetrics]))
            yield header.line, f"the type of {group.name} is {header.text!r}, expected one of {known}"
    for header in group.said("UNIT"):
        if not group.name.endswith(f"_{header.text}"):
            yield header.line, f"the unit of {group.name} is {header.text!r}, but its name does not end with it"


def help_text(header: Header, openmetrics: bool) -> Iterator[Found]:
    """Help ends with a full stop; its escapes are those of the format, which differ in the double quote."""
    if not header.text.endswith("."):
        yield header.line, f"the help of {header.name} does not end with a full stop"
    if any(found[1] or (found[0] == r"\"" and not openmetrics) for found in BAD_ESCAPE.finditer(header.text)):
        yield header.line, f"a wrong escape in the help of {header.name}"
    if openmetrics and '"' in BAD_ESCAPE.sub("", header.text):
        yield header.line, f"a double quote in the help of {header.name} is not escaped"


def spelling(group: Group, openmetrics: bool) -> Iterator[Found]:
    """Names as promtool wants them: snake case, base units written out, nothing that says the type again."""
    words = group.name.split("_")
    if ":" in group.name:
        yield group.line, f"{group.name}: colons are for recording rules"
    if re.search("[a-z][A-Z]", group.name):
        yield group.line, f"{group.name}: expected snake_case"
    for word in words:
        if base := BASE_UNITS.get(word):
            yield group.line, f"{group.name}: the unit is {word}, expected {base}"
        elif found := MULTIPLE.fullmatch(word):
            yield group.line, f"{group.name}: the unit is {word}, expected {BASE_UNITS.get(found[1], found[1])}"
    for word in words[1:]:
        if word in ABBREVIATED:
            yield group.line, f"{group.name}: {word!r} is an abbreviated unit, or looks like one"
        if word in TYPE_WORDS:
            yield group.line, f"{group.name}: the type stands in the name"
    yield from suffix(group, openmetrics)


def suffix(group: Group, openmetrics: bool) -> Iterator[Found]:
    """Counters, and they alone, end in `_total` (in OpenMetrics their samples do); other suffixes have owners too."""
    ends = [end for end in RESERVED if group.name.endswith(end)]
    if group.type == "counter" and not openmetrics:
        if ends != ["_total"]:
            yield group.line, f"{group.name} is a counter, but not named _total"
    elif ends:
        yield group.line, f"{group.name} is a {group.type or 'family'}, but named {ends[0]}"


def membership(group: Group, openmetrics: bool) -> Iterator[Found]:
    """Samples are named as their type wants it."""
    suffixes = TYPES[openmetrics].get(group.type, SUFFIXES)
    allowed = {group.name + end for end in suffixes}
    for sample in group.samples:
        if sample.name not in allowed:
            yield sample.line, f"{sample.name} is no sample of the {group.type} {group.name}"


def labels(group: Group, _: bool) -> Iterator[Found]:
    """Label names sorted, each once, none reserved, the same for every sample of a family; values escaped."""
    usual = {name for name, _ in group.samples[0].apart_from_le} if group.samples else set()
    for sample in group.samples:
        names = [name for name, _ in sample.labels]
        if len(set(names)) < len(names):
            yield sample.line, f"{sample.name} has a label twice"
        if names != sorted(names):
            yield sample.line, f"the labels of {sample.name} are not sorted: {', '.join(names)}"
        if {*names} - {"le"} != usual:
            yield sample.line, f"the labels of {sample.name} are not those of line {group.samples[0].line}"
        if ("le" in names) != (group.type == "histogram" and sample.name.endswith("_bucket")):
            yield sample.line, f"{sample.name}: 'le' belongs to every bucket of a histogram, and to nothing else"
        for name, value in sample.labels:
            if name.startswith("__") or name == "quantile":
                yield sample.line, f"{sample.name}: the label name {name!r} is reserved"
            if re.search("[a-z][A-Z]", name):
                yield sample.line, f"{sample.name}: the label {name!r} is not in snake_case"
            if any(found[1] for found in BAD_ESCAPE.finditer(value)):
                yield sample.line, f"a wrong escape in the label {name!r} of {sample.name}"


def values(group: Group, openmetrics: bool) -> Iterator[Found]:
    """A finite number alone behind each sample: of a counter not negative, of buckets a count, of an info 1.

    In OpenMetrics an exemplar may follow the value of a counter.
    """
    for sample in group.samples:
        exemplary = openmetrics and group.type == "counter" and sample.name.endswith("_total")
        if sample.rest and not (exemplary and EXEMPLAR.fullmatch(sample.rest)):
            what = "a timestamp" if NUMBER.fullmatch(sample.rest.strip()) else f"{sample.rest.strip()[:20]!r}"
            yield sample.line, f"{sample.name} has {what} after its value"
        if not NUMBER.fullmatch(sample.value):
            yield sample.line, f"the value of {sample.name} is {sample.value[:20]!r}, expected a number"
        elif not isfinite(sample.number):
            yield sample.line, f"the value of {sample.name} is {sample.value}: what is not known has no sample"
        elif group.type == "counter" and sample.number < 0:
            yield sample.line, f"the counter {sample.name} is negative"
        elif group.type == "histogram" and sample.name.endswith(("_bucket", "_count")) and not whole(sample.number):
            yield sample.line, f"{sample.name} is {sample.value}, expected a count"
        elif sample.name.endswith("_info") and sample.number != 1:
            yield sample.line, f"{sample.name} is {sample.value}, expected 1"


def whole(value: float) -> bool:
    return value >= 0 and value == int(value)


def grouped(group: Group, _: bool) -> Iterator[Found]:
    """The samples of one metric, as the buckets, count and sum of a histogram, stand together."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    current = None
    for sample in group.samples:
        key = sample.apart_from_le
        if key != current and key in seen and group.type in COMPOSED:
            yield sample.line, f"{sample.name} stands apart from the other samples with its labels"
        seen.add(key)
        current = key


def histograms(group: Group, openmetrics: bool) -> Iterator[Found]:
    """Each histogram has ascending bounds up to +Inf, counts that never fall, a sum, and the last count as its own."""
    if group.type != "histogram":
        return
    metrics: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in group.samples:
        metrics.setdefault(sample.apart_from_le, []).append(sample)
    for samples in metrics.values():
        yield from histogram(group.name, samples, openmetrics)


def histogram(name: str, samples: list[Sample], openmetrics: bool) -> Iterator[Found]:
    """The same for the samples of one."""
    line = samples[0].line
    bounds: list[float] = []
    buckets = [sample for sample in samples if sample.name == f"{name}_bucket"]
    for bucket in buckets:
        text = dict(bucket.labels).get("le", "")
        bounds.append(float(text) if NUMBER.fullmatch(text) else float("nan"))
        if openmetrics and text != "+Inf" and not {*text} & {*".e"}:
            yield bucket.line, f"the bound {text!r} of {name} is not written as a float, as in '1.0'"
    if any(not low < high for low, high in pairwise(bounds)):
        yield line, f"the bounds of {name} do not ascend"
    if any(low.number > high.number for low, high in pairwise(buckets)):
        yield line, f"the buckets of {name} are not cumulative"
    if bounds[-1:] != [float("inf")]:
        yield line, f"{name} has no bucket +Inf at the end"
    counts = [sample.number for sample in samples if sample.name == f"{name}_count"]
    if len(counts) != 1 or [sample.name for sample in samples].count(f"{name}_sum") != 1:
        yield line, f"{name} has not one count and one sum"
    elif buckets and buckets[-1].number != counts[0]:
        yield line, f"the count of {name} is not that of its last bucket"


def counters(group: Group, openmetrics: bool) -> Iterator[Found]:
    """In OpenMetrics the time since which is counted stands beside a count, never alone."""
    if group.type == "counter" and openmetrics:
        counted = {sample.labels for sample in group.samples if sample.name == f"{group.name}_total"}
        for sample in group.samples:
            if sample.labels not in counted:
                yield sample.line, f"{sample.name} has no {group.name}_total beside it"


RULES: tuple[Callable[[Group, bool], Iterator[Found]], ...] = (
    headers,
    spelling,
    membership,
    labels,
    values,
    grouped,
    histograms,
    counters,
)
