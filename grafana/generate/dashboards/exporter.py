"""The exporter itself: whether it reads its sources, what it leaves out, and what it costs."""

from grafana.generate.dashboards.limits import Colours
from grafana.generate.dashboards.page import Choice, Page, Row, source
from grafana.generate.dashboards.queries import Chosen
from grafana.generate.dashboards.style import (
    ANY_IS_NOTED,
    GOOD,
    MUST_BE,
    UP,
    WARNING,
    AnyPanel,
    Column,
    bars,
    limited,
    lines,
    listing,
    named,
    sized,
    small,
    tile,
    timeline,
    words,
)

each = Chosen({"job": "job", "instance": "instance", "source": "source"})
HERE = 'job=~"$job",instance=~"$instance"'

JOB = Choice("job", "Job", "label_values(studio_exporter_build_info, job)", "The scrape jobs that exporters are in.")
INSTANCE = Choice(
    "instance",
    "Exporter",
    'label_values(studio_exporter_build_info{job=~"$job"}, instance)',
    "The exporters, by the address they are scraped at.",
)
RELOAD = words({0: ("FAILED", WARNING), 1: ("in force", GOOD)})


def page(colours: Colours) -> Page:
    return Page(
        "studio-exporter",
        "Does the exporter read its sources, what does it leave out, and what does it cost?",
        [JOB, INSTANCE, source("studio_source_up")],
        [
            Row("The exporter", itself(colours)),
            Row("Its sources", [*parts(colours), *reading(colours)]),
            Row("What is left out", left_out(colours)),
            Row("Its ledger", ledger()),
            Row("What it costs", [*requests(), *process()]),
        ],
    )


def itself(colours: Colours) -> list[AnyPanel]:
    ratio = f"{each.best('studio_source_series')} / {each.best('studio_source_series_limit')}"
    return [
        tile(
            "Exporters",
            "Whether Prometheus reaches every exporter. If not, look whether the process runs and at the "
            "scrape's error under Status, Targets.",
            (f"min(up{{{HERE}}})", ""),
            colours=MUST_BE,
        ).mappings(UP),
        named(
            tile(
                "Version",
                "The versions that run. More than one: an exporter was not updated.",
                (f"max by (version) ({each.series('studio_exporter_build_info')})", "{{version}}"),
            )
        ),
        tile(
            "Configuration",
            "Whether the last load of the configuration succeeded; if not, the one before is in force. The log "
            "says what is wrong with it, with its line; `studio-exporter check` does, too.",
            (f"min({each.series('studio_exporter_config_last_reload_successful')})", ""),
            colours=((None, WARNING), (1, GOOD)),
        ).mappings(RELOAD),
        tile(
            "Ledger",
            "Whether the account of finished work can be written. The row below says why not; look at its disk "
            "and permissions.",
            (f"min({each.series('studio_exporter_ledger_up')})", ""),
            colours=MUST_BE,
        ).mappings(UP),
        tile(
            "Series, of the limit",
            "For the source that is nearest to limits.series_per_source. Above it whole families are missing: "
            "raise the limit, or find the label that grew.",
            (f"max({ratio})", ""),
            unit="percentunit",
            colours=colours("series_used"),
        ),
        tile(
            "Up since",
            "For how long the youngest exporter has been running.",
            (f"time() - max({each.series('process_start_time_seconds')})", ""),
            unit="s",
        ),
    ]


def behind() -> str:
    """How many intervals the values of a part are behind."""
    begun = each.best("studio_source_last_success_timestamp_seconds", "part")
    timeout = each.best("studio_source_timeout_seconds", "part")
    interval = each.best("studio_source_interval_seconds", "part")
    return f"clamp_min(time() - {begun} - {timeout}, 0) / {interval}"


def slow() -> str:
    """The share of its timeout that all but one in twenty reads of a part stay within."""
    reads = each.series("studio_source_read_duration_seconds_bucket")
    buckets = f"max by (source, part, le) (rate({reads}[$__rate_interval]))"
    timeout = each.best("studio_source_timeout_seconds", "part")
    return f"histogram_quantile(0.95, {buckets}) / on (source, part) {timeout} >= 0"


def parts(colours: Colours) -> list[AnyPanel]:
    failures = f"max by (source, part, reason) (increase({each.series('studio_source_read_failures_total')}[$__range]))"
    skipped = each.best("studio_source_skipped_records", "part", "reason")
    return [
        listing(
            "Parts",
            "Every part of every source: whether its last read succeeded, how old its values are, and what it "
            "left out. Sorted by the failed reads: begin at the top.",
            {"source": "Source", "part": "Part"},
            [
                Column("State", each.best("studio_source_up", "part", fold="min"), "none", mappings=UP),
                Column("Failed reads", f"round(sum by (source, part) ({failures}))"),
                Column("Age", each.age("studio_source_last_success_timestamp_seconds", "part", fold="max"), "s"),
                Column("Intervals behind", behind(), "none", colours("part_stale"), decimals=1),
                Column("Interval", each.best("studio_source_interval_seconds", "part"), "s"),
                Column("Read / timeout", slow(), "percentunit", colours("read_time")),
                Column("Left out", f"sum by (source, part) ({skipped})", colours=colours("records_skipped")),
            ],
            order="Failed reads",
        )
    ]


def reading(colours: Colours) -> list[AnyPanel]:
    up = each.best("studio_source_up", "part", fold="min")
    failures = f"max by (source, part, reason) (increase({each.series('studio_source_read_failures_total')}[$__range]))"
    return [
        sized(
            timeline(
                "Parts through time",
                "Red where a part could not be read by at least one of the exporters.",
                (up, "{{source}} {{part}}"),
            ).mappings(UP),
            16,
            8,
        ),
        bars(
            "Why reads failed, in the time range",
            "unreachable and timeout: network or load. refused: credentials. schema: the system was updated. "
            "malformed, too_large, missing: its files. bug: ours, please report the traceback.",
            (f"sum by (reason) ({failures})", "{{reason}}"),
            colours=ANY_IS_NOTED,
        ).decimals(0),
        limited(
            lines(
                "Intervals behind",
                "How many of its intervals the values of a part are behind, after the time that a read may take.",
                (behind(), "{{source}} {{part}}"),
                unit="none",
            ),
            colours("part_stale"),
        ),
        limited(
            lines(
                "Time of a read, of its timeout",
                "19 of 20 reads take at most this share of their timeout. Near 1 they begin to fail: look at "
                "the database, or allow more time.",
                (slow(), "{{source}} {{part}}"),
                unit="percentunit",
            ),
            colours("read_time"),
        ),
    ]


def left_out(colours: Colours) -> list[AnyPanel]:
    series, most = each.best("studio_source_series"), each.best("studio_source_series_limit")
    skipped = each.best("studio_source_skipped_records", "part", "reason")
    dropped = each.best("studio_source_dropped_samples", "reason")
    return [
        bars(
            "Series, of the most allowed",
            "By source. Above 1 whole families are left out, from the end of the catalogue.",
            (f"{series} / {most}", "{{source}}"),
            unit="percentunit",
            colours=colours("series_used"),
        ).max(1),
        small(
            lines(
                "Records left out of the last reading",
                "By source and reason. They are malformed at their source: `studio-exporter read SOURCE` names them.",
                (f"sum by (source, reason) ({skipped}) > 0 or sum by (source) ({skipped})", "{{source}} {{reason}}"),
            ),
            8,
            8,
        ),
        small(
            lines(
                "Samples left out of the page",
                "By source and reason: a label or a value that cannot be written, a duplicate, or the cap on series.",
                (f"sum by (source, reason) ({dropped}) > 0 or sum by (source) ({dropped})", "{{source}} {{reason}}"),
            ),
            8,
            8,
        ),
    ]


def ledger() -> list[AnyPanel]:
    failures = each.series("studio_exporter_ledger_commit_failures_total")
    return [
        sized(
            tile(
                "Kept since",
                "Since when the store counts. A time shorter than you know it to run: it was lost or replaced, "
                "and all counters began anew.",
                (f"time() - max({each.series('studio_exporter_ledger_created_timestamp_seconds')})", ""),
                unit="s",
            ),
            4,
            7,
        ),
        sized(
            tile(
                "Last written",
                "Since when nothing new has finished, or could be written.",
                (f"time() - max({each.series('studio_exporter_ledger_last_commit_timestamp_seconds')})", ""),
                unit="s",
            ).no_value("never"),
            4,
            7,
        ),
        small(
            lines(
                "Size",
                "Of the ledger's file, with what belongs to it; none where a server keeps it.",
                (f"max by (instance) ({each.series('studio_exporter_ledger_size_bytes')})", "{{instance}}"),
                unit="bytes",
            ),
            8,
            7,
        ),
        small(
            lines(
                "Failed writes in the hour before",
                "By reason. locked and leased: another process uses the store. full, read_only, gone: its disk. "
                "corrupt: restore it from a backup.",
                (f"sum by (reason) (increase({failures}[1h]))", "{{reason}}"),
            ),
            8,
            7,
        ),
    ]


def requests() -> list[AnyPanel]:
    answered = each.series("studio_exporter_http_requests_total")
    buckets = each.series("studio_exporter_http_request_duration_seconds_bucket")
    return [
        lines(
            "Requests",
            "By route and answer. Many 401: somebody has the wrong password.",
            (f"sum by (route, code) (rate({answered}[$__rate_interval]))", "{{route}} {{code}}"),
            unit="reqps",
        ),
        lines(
            "Time of an answer",
            "19 of 20 requests are answered within this time, by route. A scrape takes milliseconds: the page "
            "is made beforehand.",
            (
                f"histogram_quantile(0.95, sum by (route, le) (rate({buckets}[$__rate_interval]))) >= 0",
                "{{route}}",
            ),
            unit="s",
        ),
    ]


def process() -> list[AnyPanel]:
    opened, most = each.series("process_open_fds"), each.series("process_max_fds")
    return [
        small(panel, 6, 7)
        for panel in (
            lines(
                "Memory",
                "Of the process. It grows with the series and the size of the documents read, not with time.",
                (f"max by (instance) ({each.series('process_resident_memory_bytes')})", "{{instance}}"),
                unit="bytes",
            ),
            lines(
                "Processor",
                "How many processors it keeps busy.",
                (
                    f"max by (instance) (rate({each.series('process_cpu_seconds_total')}[$__rate_interval]))",
                    "{{instance}}",
                ),
                unit="none",
            ).decimals(3),
            lines(
                "Open files, of the most allowed",
                "Near 1 it can open no connection any more: raise LimitNOFILE.",
                (f"max by (instance) ({opened} / {most})", "{{instance}}"),
                unit="percentunit",
            ),
            lines(
                "Samples of a scrape",
                "How many samples Prometheus gets.",
                (f"max by (instance) (scrape_samples_scraped{{{HERE}}})", "{{instance}}"),
            ),
        )
    ]
