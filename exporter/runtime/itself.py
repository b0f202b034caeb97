"""What the exporter says of itself: its version, reloads, requests and process; read every second like any part."""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import Metric

from exporter import __version__
from exporter.core.family import Family, Histogram, MetricType, Point, Total, over
from exporter.core.source import Limits
from exporter.ledger.families import OWN, LedgerFacts
from exporter.runtime.board import Board
from exporter.runtime.clock import Clock
from exporter.runtime.guard import guarded
from exporter.runtime.hub import Channel, Hub
from exporter.runtime.render import Block, Renderer

REQUEST_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Reload:
    """How the last load of the configuration went, when one last went well (epoch seconds), and what is wrong."""

    good: bool
    at: float
    problem: str = ""


class Traffic:
    """Requests answered since `opened` (epoch seconds): how many by route, method and code; how long by route; and the
    streams that are followed."""

    def __init__(self, opened: float, hub: Hub | None = None) -> None:
        self.opened = opened
        self.hub = hub or Hub()
        self.requests: dict[tuple[str, str, str], int] = {}
        self.durations: dict[str, Histogram] = {}
        self.refused: dict[str, int] = {}
        self.turned: dict[str, int] = {}

    def refusing(self, listener: str) -> None:
        """A listener whose callers may not be let in: they are counted from 0."""
        self.refused.setdefault(listener, 0)

    def refuse(self, listener: str) -> None:
        """One caller that was not let in."""
        self.refused[listener] = self.refused.get(listener, 0) + 1

    def turn(self, listener: str, count: int) -> None:
        """Connections that were closed at once."""
        self.turned[listener] = self.turned.get(listener, 0) + count

    def record(self, route: str, method: str, code: int, seconds: float | None) -> None:
        """One request, and how long it took (None: it was a stream). `route` and `method` must be of a closed set, or
        labels would grow with what callers send."""
        key = route, method, str(code)
        self.requests[key] = self.requests.get(key, 0) + 1
        if seconds is None:
            return
        durations = self.durations.get(route) or Histogram.empty(REQUEST_BOUNDS, self.opened)
        self.durations[route] = durations.observe(seconds)


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """The exporter's own numbers; `process` is what prometheus_client says of the process, by metric name; `ledger` is
    None where there is none; `refused` counts callers who were not let in, by listener, and `turned` connections that
    were closed at once; `channels` are the streams."""

    reload: Reload
    opened: float
    requests: Mapping[tuple[str, str, str], int]
    durations: Mapping[str, Histogram]
    process: Mapping[str, Metric]
    ledger: LedgerFacts | None = None
    refused: Mapping[str, int] = field(default_factory=dict)
    turned: Mapping[str, int] = field(default_factory=dict)
    channels: Sequence[Channel] = ()


def streamed(what: Callable[[Channel], int]) -> Callable[[OwnFacts], Iterator[Point]]:
    """Counters of each stream."""

    def points(facts: OwnFacts) -> Iterator[Point]:
        yield from (((each.source, each.stream.name), Total(what(each), each.opened)) for each in facts.channels)

    return points


def processed(name: str) -> Callable[[OwnFacts], Iterator[Point]]:
    """Points of a family that prometheus_client collects; none where the platform has no such number."""

    def points(facts: OwnFacts) -> Iterator[Point]:
        metric = facts.process.get(name.removesuffix("_total"))
        for sample in metric.samples if metric else ():
            yield tuple(sample.labels.values()), sample.value

    return points


def of_process(kind: MetricType, name: str, about: str, labels: tuple[str, ...] = ()) -> Family[OwnFacts]:
    return Family(kind, name, about, processed(name), labels, of_exporter=True)


FAMILIES: tuple[Family[OwnFacts], ...] = (
    Family(
        "info",
        "studio_exporter_build_info",
        "The version of the exporter and of the Python it runs on.",
        lambda _: [((__version__, platform.python_version()), 1)],
        labels=("version", "python_version"),
        of_exporter=True,
    ),
    Family(
        "gauge",
        "studio_exporter_config_last_reload_successful",
        "Whether the last load of the configuration succeeded (1); if not (0), the one before is still in force.",
        lambda f: [((), int(f.reload.good))],
        of_exporter=True,
    ),
    Family(
        "gauge",
        "studio_exporter_config_last_reload_success_timestamp_seconds",
        "When the configuration was last loaded successfully.",
        lambda f: [((), f.reload.at)],
        of_exporter=True,
    ),
    Family(
        "counter",
        "studio_exporter_http_requests_total",
        "HTTP requests answered.",
        lambda f: ((key, Total(count, f.opened)) for key, count in sorted(f.requests.items())),
        labels=("route", "method", "code"),
        of_exporter=True,
    ),
    Family(
        "histogram",
        "studio_exporter_http_request_duration_seconds",
        "How long HTTP requests took until the answer was made.",
        lambda f: (((route,), durations) for route, durations in sorted(f.durations.items())),
        labels=("route",),
        of_exporter=True,
    ),
    Family(
        "counter",
        "studio_exporter_auth_failures_total",
        "Requests that were not let in, without a source's token or what the web configuration asks for, by where they "
        "came in: the main listener or one of a source.",
        lambda f: (((listener,), Total(count, f.opened)) for listener, count in sorted(f.refused.items())),
        labels=("listener",),
        of_exporter=True,
    ),
    Family(
        "counter",
        "studio_exporter_connections_refused_total",
        "Connections closed at once as their listener had as many as it may, or the process few descriptors left, by "
        "where they came in: the main listener or one of a source.",
        lambda f: (((listener,), Total(count, f.opened)) for listener, count in sorted(f.turned.items())),
        labels=("listener",),
        of_exporter=True,
    ),
    Family(
        "gauge",
        "studio_exporter_stream_listeners",
        "Listeners that follow the stream now.",
        lambda f: (((each.source, each.stream.name), len(each.listeners)) for each in f.channels),
        labels=("source", "stream"),
        of_exporter=True,
    ),
    Family(
        "counter",
        "studio_exporter_stream_events_total",
        "Events of the stream, whether or not anybody listened.",
        streamed(lambda each: each.events),
        labels=("source", "stream"),
        of_exporter=True,
    ),
    Family(
        "counter",
        "studio_exporter_stream_dropped_total",
        "Events that a listener of the stream did not get because it read too slowly, for each listener.",
        streamed(lambda each: each.dropped),
        labels=("source", "stream"),
        of_exporter=True,
    ),
    Family(
        "counter",
        "studio_exporter_stream_stalled_total",
        "Listeners of the stream that were let go because they did not read.",
        streamed(lambda each: each.stalled),
        labels=("source", "stream"),
        of_exporter=True,
    ),
    *over(OWN, lambda facts: facts.ledger),
    of_process("counter", "process_cpu_seconds_total", "Total user and system CPU time spent."),
    of_process("gauge", "process_max_fds", "Maximum number of open file descriptors."),
    of_process("gauge", "process_open_fds", "Number of open file descriptors."),
    of_process("gauge", "process_resident_memory_bytes", "Resident memory size."),
    of_process("gauge", "process_start_time_seconds", "Start time of the process since unix epoch."),
    of_process("gauge", "process_virtual_memory_bytes", "Virtual memory size."),
    of_process(
        "gauge",
        "python_info",
        "The Python the exporter runs on.",
        ("version", "implementation", "major", "minor", "patchlevel"),
    ),
)


class Itself:
    """Reads the exporter's own families and keeps the clockwork of the board and of the streams."""

    def __init__(
        self,
        board: Board,
        clock: Clock,
        traffic: Traffic,
        reload: Callable[[], Reload],
        ledger: Callable[[], LedgerFacts | None] = lambda: None,
    ) -> None:
        self._board = board
        self._clock = clock
        self._traffic = traffic
        self._reload = reload
        self._ledger = ledger
        self._process = ProcessCollector(registry=None)
        self._platform = PlatformCollector(registry=None)
        self._renderers = {family.name: Renderer(family, None, Limits(), {}) for family in FAMILIES}

    def facts(self) -> OwnFacts:
        collected: Iterable[Metric] = (*self._process.collect(), *self._platform.collect())
        process = {metric.name: metric for metric in collected}
        traffic = self._traffic
        requests, durations = dict(traffic.requests), dict(traffic.durations)
        return OwnFacts(
            self._reload(),
            traffic.opened,
            requests,
            durations,
            process,
            self._ledger(),
            dict(traffic.refused),
            dict(traffic.turned),
            traffic.hub.channels,
        )

    async def refresh(self) -> None:
        """One reading of itself: its blocks on the page, what has become too old off it, and listeners looked after."""
        facts = self.facts()
        blocks: dict[str, Block] = {name: renderer.block(facts) for name, renderer in self._renderers.items()}
        self._board.place_own(blocks)
        self._board.expire(self._clock.monotonic())
        self._traffic.hub.sweep()

    async def follow(self) -> None:
        """Reads itself every second, for ever."""
        found = None
        while True:
            found = await guarded("the exporter's own metrics", self.refresh(), before=found)
            await self._clock.sleep(EVERY)
