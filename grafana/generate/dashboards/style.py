"""Panels as all dashboards have them: size, colours, legends, and how nothing differs from zero."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from grafana.generate.dashboards.queries import PROMETHEUS, REFS, cells, now, over_time

GOOD, WARNING, CRITICAL, NEUTRAL, MUTED = "green", "orange", "red", "blue", "text"
NOTHING = "no data"

COLOURS: Mapping[str, str] = {
    "succeeded": GOOD,
    "success": GOOD,
    "completed": GOOD,
    "published": GOOD,
    "approved": GOOD,
    "trained": GOOD,
    "processed": GOOD,
    "active": GOOD,
    "failed": CRITICAL,
    "invalid": CRITICAL,
    "critical": CRITICAL,
    "error": WARNING,
    "warning": "yellow",
    "info": NEUTRAL,
    "running": NEUTRAL,
    "processing": NEUTRAL,
    "ready": "light-green",
    "queued": "yellow",
    "pending": "yellow",
    "submitted": "light-yellow",
    "scheduled": "light-yellow",
    "draft": "light-yellow",
    "retry": WARNING,
    "paused": "purple",
    "stopped": "purple",
    "cancelled": "dark-purple",
    "unknown": MUTED,
    "_other": MUTED,
}
"""The colour that a status word has on every dashboard."""

Steps = Sequence[tuple[float | None, str]]
"""Colours from a value upwards, the first from the least there is (None)."""

PLAIN: Steps = ((None, NEUTRAL),)
ANY_IS_BAD: Steps = ((None, GOOD), (1, CRITICAL))
ANY_IS_NOTED: Steps = ((None, GOOD), (1, WARNING))
MUST_BE: Steps = ((None, CRITICAL), (1, GOOD))

TITLES: Mapping[str, str] = {
    "studio-overview": "Overview",
    "studio-ingest": "Ingest",
    "studio-render": "Render",
    "studio-review": "Review and production",
    "studio-publishing": "Publishing and campaigns",
    "studio-agents": "Agents, training and host",
    "studio-work": "Work",
    "studio-exporter": "Exporter",
}
"""Every dashboard's title, by its uid."""

Shown = tuple[str, str]
"""An expression, and the legend of its series."""

AnyPanel = stat.Panel | bargauge.Panel | timeseries.Panel | statetimeline.Panel | table.Panel
P = TypeVar("P", stat.Panel, bargauge.Panel, timeseries.Panel, statetimeline.Panel, table.Panel)


def steps(wanted: Steps) -> dashboard.ThresholdsConfig:
    """Thresholds in absolute values."""
    found = [Threshold(value=value, color=colour) for value, colour in wanted]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(found)


def words(named: Mapping[int, tuple[str, str]]) -> list[ValueMapping]:
    """Text and colour of whole numbers."""
    results = {
        str(value): ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, (text, colour)) in enumerate(named.items())
    }
    return [ValueMap(options=results)]


UP = words({0: ("DOWN", CRITICAL), 1: ("up", GOOD)})
SEVERITIES = words({1: ("warning", WARNING), 2: ("critical", CRITICAL)})
YES = words({0: ("NO", CRITICAL), 1: ("yes", GOOD)})


def dressed(panel: P, title: str, about: str, size: tuple[int, int]) -> P:
    """What every panel has. `size` is its width of 24 columns and its height."""
    panel.title(title).description(about).datasource(PROMETHEUS).span(size[0]).height(size[1])
    return panel.no_value(NOTHING)


def last() -> common.ReduceDataOptions:
    """Of each series the last value there is."""
    return common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)


def tile(title: str, about: str, *shown: Shown, unit: str = "short", colours: Steps = PLAIN) -> stat.Panel:
    """One number now, or a few beside each other; on a coloured ground where there is something to judge."""
    panel = (
        stat.Panel()
        .color_mode(BigValueColorMode.NONE if colours is PLAIN else BigValueColorMode.BACKGROUND)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(last())
        .orientation(VizOrientation.AUTO)
        .wide_layout(True)
        .targets(now(shown))
    )
    return dressed(panel, title, about, (4, 4)).unit(unit).thresholds(steps(colours))


def named(panel: stat.Panel) -> stat.Panel:
    """A tile that shows the name of its series, not the value."""
    return panel.text_mode(BigValueTextMode.NAME)


def bars(title: str, about: str, *shown: Shown, unit: str = "short", colours: Steps = PLAIN) -> bargauge.Panel:
    """Numbers now as lying bars, one below the other."""
    panel = (
        bargauge.Panel()
        .display_mode(BarGaugeDisplayMode.BASIC)
        .orientation(VizOrientation.HORIZONTAL)
        .reduce_options(last())
        .show_unfilled(True)
        .min_viz_height(16)
        .targets(now(shown))
    )
    return dressed(panel, title, about, (8, 8)).unit(unit).min(0).thresholds(steps(colours))


def lines(title: str, about: str, *shown: Shown, unit: str = "short") -> timeseries.Panel:
    """Numbers through time."""
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE).placement(LegendPlacement.RIGHT)
    panel = (
        timeseries.Panel()
        .line_width(1)
        .show_points(VisibilityMode.NEVER)
        .axis_soft_min(0)
        .legend(legend.show_legend(True).calcs(["lastNotNull", "max"]).sort_by("Last *").sort_desc(True))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .targets(over_time(shown))
    )
    return dressed(panel, title, about, (12, 8)).unit(unit)


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """Parts of a whole on top of each other."""
    return panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A")).fill_opacity(40)


def columns(panel: timeseries.Panel) -> timeseries.Panel:
    """Counts of what happened, as upright bars."""
    return stacked(panel).draw_style(GraphDrawStyle.BARS).fill_opacity(70)


def limited(panel: timeseries.Panel, colours: Steps) -> timeseries.Panel:
    """With dashed lines where an alert begins."""
    style = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(steps(colours)).thresholds_style(style)


def timeline(title: str, about: str, *shown: Shown) -> statetimeline.Panel:
    """States through time, a line for each thing."""
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    panel = (
        statetimeline.Panel()
        .show_value(VisibilityMode.NEVER)
        .merge_values(True)
        .row_height(0.8)
        .legend(legend.show_legend(True))
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .targets(over_time(shown))
    )
    return dressed(panel, title, about, (12, 8)).unit("short")


def sized(panel: P, width: int, height: int) -> P:
    """The panel, as wide as so many of 24 columns, and so high."""
    return panel.span(width).height(height)


def small(panel: timeseries.Panel, width: int, height: int) -> timeseries.Panel:
    """A chart that is not wide enough for a legend beside it."""
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    return sized(panel.legend(legend.show_legend(True)), width, height)


def coloured(panel: P, *statuses: str) -> P:
    """Each status in its colour."""
    for status in statuses:
        fixed = {"mode": "fixed", "fixedColor": COLOURS[status]}
        panel.override_by_name(status, [DynamicConfigValue(id_val="color", value=fixed)])
    return panel


def link(panel: P, uid: str) -> P:
    """A click leads to another dashboard, with the same time range and sources."""
    return panel.data_links(
        [
            dashboard.DashboardLink(TITLES[uid]).url(
                f"/d/{uid}?${{__url_time_range}}&${{datasource:queryparam}}&${{source:queryparam}}"
            )
        ]
    )


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers: its heading, its query, the unit, and colours where it has a limit."""

    heading: str
    expression: str
    unit: str = "short"
    colours: Steps = ()
    mappings: Sequence[ValueMapping] = ()
    decimals: int | None = None


def listing(title: str, about: str, keys: Mapping[str, str], found: Sequence[Column], order: str) -> table.Panel:
    """A table: a line for each set of `keys` (label to heading), sorted by the column `order`, largest first.

    Every query has the keys as its labels, and nothing else.
    """
    panel = dressed(table.Panel(), title, about, (24, 8)).show_header(True).unit("short").no_value("-")
    panel.targets(cells(column.expression for column in found))
    panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    values = [f"Value #{ref}" for ref in REFS[: len(found)]] if len(found) > 1 else ["Value"]
    headings = {**keys, **dict(zip(values, (column.heading for column in found), strict=True))}
    places = {name: place for place, name in enumerate(headings)}
    options = {"excludeByName": {"Time": True}, "indexByName": places, "renameByName": headings}
    panel.with_transformation(DataTransformerConfig(id_val="organize", options=options))
    panel.sort_by([common.TableSortByFieldState().display_name(order).desc(True)])
    for column in found:
        panel.override_by_name(column.heading, [*_column(column)])
    return panel


def _column(column: Column) -> Iterable[DynamicConfigValue]:
    yield DynamicConfigValue(id_val="unit", value=column.unit)
    yield DynamicConfigValue(id_val="custom.align", value="right")
    if column.decimals is not None:
        yield DynamicConfigValue(id_val="decimals", value=column.decimals)
    if column.mappings:
        yield DynamicConfigValue(id_val="mappings", value=[*column.mappings])
    if column.colours:
        found = [{"value": value, "color": colour} for value, colour in column.colours]
        yield DynamicConfigValue(id_val="thresholds", value={"mode": "absolute", "steps": found})
    if column.colours or column.mappings:
        yield DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"})
