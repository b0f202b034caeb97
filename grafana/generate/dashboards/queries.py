"""PromQL over the catalogue: selections by a dashboard's variables, and queries of panels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from exporter.catalogue import FAMILIES
from exporter.core.family import Family

Query = Builder[Dataquery]
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")
REFS = "ABCDEFGHIJKL"

CATALOGUE: Mapping[str, Family[Any]] = {family.name: family for family in FAMILIES}


def labels(metric: str) -> tuple[str, ...]:
    """The labels that the samples of a metric have; KeyError where the catalogue has no such metric."""
    family = CATALOGUE[metric if metric in CATALOGUE else metric.removesuffix("_bucket")]
    return (*(() if family.of_exporter else ("source",)), *family.labels)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The series that a dashboard's variables choose; `by` says which variable each label is matched with."""

    by: Mapping[str, str]

    def series(self, metric: str, where: str = "") -> str:
        """A selector of a metric: by the variables whose label it has, and by what else is asked for."""
        known = (*labels(metric), "job", "instance")
        matchers = [f'{label}=~"${variable}"' for label, variable in self.by.items() if label in known]
        return f"{metric}{{{','.join([*matchers, *([where] if where else [])])}}}"

    def best(self, metric: str, *by: str, where: str = "", fold: str = "max") -> str:
        """One series by `source` and the labels given, however many exporters watch the source."""
        return f"{fold} by ({', '.join(('source', *by))}) ({self.series(metric, where)})"

    def grown(self, metric: str, window: str, *by: str, where: str = "") -> str:
        """How much a counter grew in a window, one series by `source` and the labels given."""
        return f"max by ({', '.join(('source', *by))}) (increase({self.series(metric, where)}[{window}]))"

    def age(self, metric: str, *by: str, where: str = "", fold: str = "min") -> str:
        """Seconds since a timestamp: by default since the oldest."""
        return f"time() - {self.best(metric, *by, where=where, fold=fold)}"


def quantile(share: float, by: str, buckets: str) -> str:
    """A quantile of durations by a label (none: of all); nothing, rather than NaN, where there were none."""
    return f"histogram_quantile({share:g}, sum by ({by + ', ' if by else ''}le) ({buckets})) >= 0"


def share(by: str, part: str, whole: str) -> str:
    """The part of a whole by labels; nothing where the whole is 0."""
    return f"sum by ({by}) ({part}) / (sum by ({by}) ({whole}) > 0)"


def lanes_as(label: str, expression: str) -> str:
    """Series by source and lane, with the lane under the name it has in the domain's own series."""
    return f'max by (source, {label}) (label_replace({expression}, "{label}", "$1", "lane", "(.*)"))'


def now(shown: Iterable[tuple[str, str]]) -> list[Query]:
    """The values of expressions at the end of the time range, each with the legend of its series."""
    return [query(ref, *each).instant() for ref, each in zip(REFS, shown, strict=False)]


def over_time(shown: Iterable[tuple[str, str]]) -> list[Query]:
    """The values of expressions through the time range, each with the legend of its series."""
    return [query(ref, *each).range() for ref, each in zip(REFS, shown, strict=False)]


def cells(expressions: Iterable[str]) -> list[Query]:
    """The values of expressions at the end of the time range, as columns of a table."""
    found = (query(ref, each, "") for ref, each in zip(REFS, expressions, strict=False))
    return [each.instant().format(PromQueryFormat.TABLE) for each in found]


def query(ref: str, expression: str, legend: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(ref).expr(expression).legend_format(legend).datasource(PROMETHEUS)
