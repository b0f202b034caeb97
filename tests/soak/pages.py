"""A page as somebody else's parser reads it, and how it differs from what was counted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text

from exporter.runtime.lint import lint
from tests.soak.count import Labels, Samples

Part = tuple[str, str]
"""A source and a part of it."""

MEANS = ("studio_publish_clip_score_mean", "studio_review_footage_seconds")
"""What is added up in another order than here, so that the last digits may differ."""

ABOUT = ("studio_source_", "studio_host_", "studio_work_", "studio_exporter_")
"""What is said of a source that comes from no system of the studio."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one page says; `at` is when it was asked for."""

    samples: Samples
    at: float

    def told(self, name: str) -> dict[Labels, float]:
        """The samples of one name."""
        return {labels: value for (family, labels), value in self.samples.items() if family == name}

    def by_part(self, name: str) -> dict[Part, float]:
        """The samples of a family that has one for each part."""
        found = {}
        for labels, value in self.told(name).items():
            named = dict(labels)
            found[named["source"], named["part"]] = value
        return found

    def errors(self) -> set[tuple[str, str, str]]:
        """Source, part and reason of what fails."""
        failing = [dict(labels) for labels, value in self.told("studio_source_error").items() if value]
        return {(each["source"], each["part"], each["reason"]) for each in failing}


def parsed(body: str, form: str, at: float) -> Page:
    """The page, which must be one by this project's own rules and by another's parser; ValueError where it is not."""
    if problems := lint(body, form == "openmetrics"):
        raise ValueError(f"a page that is none: {problems[:5]}")
    families = (openmetrics if form == "openmetrics" else text)(body)
    samples = {
        (sample.name, frozenset(sample.labels.items())): float(sample.value)
        for family in families
        for sample in family.samples
    }
    return Page(samples, at)


def differences(page: Page, expected: Samples) -> list[str]:
    """What was counted and is not so on the page."""
    found = []
    for (name, labels), value in expected.items():
        said = page.samples.get((name, labels))
        if said is None or not same(name, said, value):
            shown = ", ".join(f"{key}={word}" for key, word in sorted(labels))
            found.append(f"{name}{{{shown}}}: counted {value!r}, the page says {said!r}")
    return found


def surplus(page: Page, expected: Mapping[Part, Samples]) -> list[str]:
    """What the page says of the counted sources that nobody counted."""
    sources = {source for source, _ in expected}
    known = {key for samples in expected.values() for key in samples}
    return sorted(
        f"{name}{dict(labels)}: not counted"
        for name, labels in page.samples.keys() - known
        if dict(labels).get("source") in sources and not name.startswith(ABOUT)
    )


def same(name: str, one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-12) if name in MEANS else one == other
