"""Alerts about the watching itself: parts that cannot be read, series that are missing, the exporter and its ledger."""

from collections.abc import Iterator
from dataclasses import replace

from grafana.generate.alert import Alert, Place, beyond, graded, newest
from grafana.generate.thresholds import Severity, Thresholds, written

PART = "{{ $labels.source }} {{ $labels.part }}"
BY_PART = "source, part"
SOURCES = Place("sources", "studio-exporter")
SETTLED = 120.0
"""Seconds that a part's own alerts go on after all that derives from it can have ended."""

READS_WITHIN = 3600.0, 6 * 3600.0
"""Seconds over which the reads of a part are looked at, and those for a part that is read too seldom for that."""


def alerts(t: Thresholds) -> Iterator[Alert]:
    """All of them. Those which say that a part is dead outlast it: what derives from it and began meanwhile goes on for
    a gap after the part is back, and nobody is to hear of it then."""
    for subject in (parts, flapping, troubles, omissions, exporters, ledger):
        yield from subject(t)


def about_part(name: str, severity: Severity, expr: str, summary: str, description: str) -> Alert:
    """An alert whose series say which part; Alertmanager mutes by that label what derives from the part."""
    return Alert(name, severity, expr, f"{PART}: {summary}", description, SOURCES, about=("source",))


def parts(t: Thresholds) -> Iterator[Alert]:
    """Parts that cannot be read, by no exporter or by one of several; and parts that are not read any more."""
    down, one = t.lasting["part_down"], t.lasting["part_down_for_one"]
    yield replace(
        about_part(
            "StudioPartDown",
            "critical",
            f"{newest('studio_source_up', BY_PART)} == 0",
            "cannot be read.",
            "Every read has failed for "
            f"{written(down, 'seconds')}. What derives from it is as old as the last good read, and leaves the page "
            "when that is too old.",
        ),
        lasting=down,
        keep=settled(t),
    )
    yield replace(
        about_part(
            "StudioPartDown",
            "warning",
            f"min by ({BY_PART}) (studio_source_up) == 0",
            "cannot be read by one of the exporters.",
            f"For {written(one, 'seconds')} at least one exporter has failed to read it; another may be the only one "
            "left that can.",
        ),
        lasting=one,
    )
    level = t["part_stale"]
    read = "studio_source_last_success_timestamp_seconds"
    age = f"timestamp({read})\n- {read}\n- studio_source_timeout_seconds"  # at its scrape, not at this evaluation
    intervals = f"min by ({BY_PART}) (\n({age})\n/\nstudio_source_interval_seconds\n)"
    failing = f"{newest('studio_source_up', BY_PART)} == 0"
    yield from graded(
        level,
        lambda severity: about_part(
            "StudioPartStale",
            severity,
            f"{beyond(intervals, level, severity)}\nunless on ({BY_PART})\n{failing}",
            "its values are old.",
            "They were last read {{ $value | humanize }} intervals ago, the time a read may take apart.",
        ),
    )


def flapping(t: Thresholds) -> Iterator[Alert]:
    """Parts that fail again and again and are read in between: too seldom for anything else to notice.

    Retries follow each other quickly, so that one outage is many failed reads: `least` is so many, and `lasting` so
    long, that one which is too short for StudioPartDown is not told of, however often the part is read.
    """
    level = t["part_flapping"]
    short, long = (failed_share(t.span(seconds), level.least) for seconds in READS_WITHIN)
    hour, most = (written(t.span(seconds), "seconds") for seconds in READS_WITHIN)
    yield from graded(
        level,
        lambda severity: about_part(
            "StudioPartFlapping",
            severity,
            beyond(f"min by ({BY_PART}) (\n{short}\nor\n{long}\n)", level, severity),
            "is read only now and then.",
            "{{ $value | humanizePercentage }} of its reads fail, and others between them succeed: within "
            f"{hour}, or within {most} where that has fewer than {level.least} reads.",
        ),
    )


def failed_share(seconds: float, least: int) -> str:
    """The share of a part's reads that failed, by exporter; nothing where they were too few, or all failed for so long
    that the part was down."""
    span = written(seconds, "seconds")
    down = f'ALERTS{{alertname="StudioPartDown",severity="critical",alertstate="firing"}}[{span}]'
    return (
        f"sum without (reason) (increase(studio_source_read_failures_total[{span}]))\n/\n"
        f"(increase(studio_source_reads_total[{span}]) >= {least})\n"
        f"unless on ({BY_PART})\nmax_over_time({down})"
    )


def settled(t: Thresholds) -> float:
    """Seconds that alerts which mute others go on after their end."""
    return t.gap + t.span(SETTLED)


def troubles(t: Thresholds) -> Iterator[Alert]:
    """Why a part cannot be read, where the reason says who must act. Only while every exporter has that reason."""
    for name, reason, summary, description in (
        (
            "StudioPartRefused",
            "refused",
            "credentials are refused.",
            "The system answers, and turns the exporter away: a password or key expired or was changed.",
        ),
        (
            "StudioPartSchema",
            "schema",
            "is not as expected.",
            "A table, a column or a key that must be there is not: the system was upgraded, or it is another one.",
        ),
    ):
        yield replace(
            about_part(
                name,
                "critical",
                f'min by ({BY_PART}) (studio_source_error{{reason="{reason}"}}) == 1',
                summary,
                description,
            ),
            lasting=t.lasting[f"part_{reason}"],
            keep=settled(t),
        )


def about_source(name: str, severity: Severity, expr: str, summary: str, description: str) -> Alert:
    summary = f"{{{{ $labels.source }}}}: {summary}"
    return Alert(name, severity, expr, summary, description, SOURCES, about=("source",))


def omissions(t: Thresholds) -> Iterator[Alert]:
    """What is there and not on the page."""
    skipped, dropped, used = t["records_skipped"], t["samples_dropped"], t["series_used"]
    truncated = newest('studio_source_dropped_samples{reason="limit"}', "source")
    yield from graded(
        skipped,
        lambda severity: about_part(
            "StudioRecordsSkipped",
            severity,
            beyond(newest("studio_source_skipped_records", "source, part, reason"), skipped, severity),
            "records are left out ({{ $labels.reason }}).",
            "{{ $value }} records are in no number, since they cannot be understood.",
        ),
    )
    yield from graded(
        dropped,
        lambda severity: about_source(
            "StudioSamplesDropped",
            severity,
            beyond(newest('studio_source_dropped_samples{reason!="limit"}', "source, reason"), dropped, severity),
            "samples are not on the page ({{ $labels.reason }}).",
            "{{ $value }} samples cannot be written: two of the same labels, or a label or value that is impossible.",
        ),
    )
    yield replace(
        about_source(
            "StudioSeriesTruncated",
            "warning",
            f"{truncated} > 0",
            "whole families are not on the page.",
            "{{ $value }} samples are left out by limits.series_per_source. What is made of them is blind, alerts too.",
        ),
        lasting=t.lasting["series_truncated"],
    )
    share = newest("studio_source_series / studio_source_series_limit", "source")
    yield from graded(
        used,
        lambda severity: about_source(
            "StudioSeriesNearLimit",
            severity,
            beyond(share, used, severity),
            "the cap on its series is nearly reached.",
            "{{ $value | humanizePercentage }} of limits.series_per_source is used; past it whole families are left "
            "out.",
        ),
    )


def about_exporter(name: str, severity: Severity | None, expr: str, summary: str, description: str) -> Alert:
    return Alert(name, severity, expr, summary, description, Place("exporter", "studio-exporter"))


def exporters(t: Thresholds) -> Iterator[Alert]:
    """Exporters that do not answer, and the alert that always fires."""
    target = f'up{{job="{t.job}"}}'
    yield replace(
        about_exporter(
            "StudioExporterAbsent",
            "critical",
            f"absent({target} == 1)",
            "No studio-exporter answers.",
            f"Prometheus has no target of the job {t.job}, or cannot scrape any. Every other Studio alert is blind.",
        ),
        lasting=t.lasting["exporter_absent"],
    )
    yield replace(
        about_exporter(
            "StudioExporterDown",
            "warning",
            f"{target} == 0\nand on ()\n{target} == 1",
            "The studio-exporter at {{ $labels.instance }} does not answer.",
            f"Every scrape has failed for {written(t.lasting['exporter_down'], 'seconds')}, and another exporter "
            "answers.",
        ),
        lasting=t.lasting["exporter_down"],
    )
    yield from scrapes(t, target)
    yield about_exporter(
        "StudioWatchdog",
        None,
        "vector(1)",
        "Alerts get through.",
        "It always fires. Whoever receives it must raise the alarm when it stops: then Prometheus or Alertmanager is "
        "down.",
    )


def scrapes(t: Thresholds, target: str) -> Iterator[Alert]:
    """Exporters of which scrapes fail again and again. Each that fails takes all of their series away, so that what
    must last before it is told never does."""
    level, hour = t["exporter_flapping"], written(t.span(3600), "seconds")
    down, absent = (
        f'max_over_time(ALERTS{{alertname="StudioExporter{name}",alertstate="firing"}}[{hour}])'
        for name in ("Down", "Absent")
    )
    failed = f"1 - avg_over_time({target}[{hour}])"
    yield from graded(
        level,
        lambda severity: about_exporter(
            "StudioExporterFlapping",
            severity,
            f"{beyond(failed, level, severity)}\nunless on (job, instance)\n{down}\nunless on ()\n{absent}",
            "The studio-exporter at {{ $labels.instance }} answers only now and then.",
            "{{ $value | humanizePercentage }} of its scrapes within "
            f"{hour} failed. Alerts on what it says may never be told, as each of these begins their time anew.",
        ),
    )


def ledger(t: Thresholds) -> Iterator[Alert]:
    """What the exporter says of itself."""
    yield replace(
        about_exporter(
            "StudioReloadFailed",
            "warning",
            "studio_exporter_config_last_reload_successful == 0",
            "The studio-exporter at {{ $labels.instance }} runs with an old configuration.",
            "The last load of its configuration failed; the one before is in force, until it is restarted.",
        ),
        lasting=t.lasting["reload_failed"],
    )
    yield replace(
        about_exporter(
            "StudioLedgerDown",
            "critical",
            "studio_exporter_ledger_up == 0",
            "The studio-exporter at {{ $labels.instance }} cannot use its ledger.",
            "Finished work is not counted, and streaks stand still, until the store can be used again; then all of it "
            "is counted.",
        ),
        lasting=t.lasting["ledger_down"],
    )
