"""Ingest: runs that take delivered files in, and what became of the files."""

from collections.abc import Mapping
from dataclasses import dataclass

from exporter.core.family import Family
from exporter.domains.finished import NONE, Finished
from exporter.domains.table import row, table

SUCCEEDED = "succeeded"
FAILED = "failed"
RUNNING = "running"
STATUSES = (FAILED, RUNNING, SUCCEEDED)

INVALID = "invalid"
PROCESSED = "processed"
RESULTS = (INVALID, PROCESSED)


@dataclass(frozen=True, slots=True)
class Ingest:
    """`runs` by show and status, `files` by show and result, `recent` the newest runs by status, when the oldest run
    that is still going started (epoch seconds; None where none is, or none with a start that is known and past), and
    the runs that were completed, with the show as their lane."""

    runs: Mapping[tuple[str, str], int]
    files: Mapping[tuple[str, str], int]
    recent: Mapping[str, int]
    oldest_running: float | None
    finishes: Finished = NONE


FAMILIES: tuple[Family[Ingest], ...] = (
    Family(
        "gauge",
        "studio_ingest_runs",
        "Ingest runs on record at the last background read, by show and status; a run with at least one invalid file "
        "has failed. Sum over shows and statuses; where several exporters watch one source, after max by (source, "
        "show, status).",
        lambda facts: table(facts.runs, STATUSES),
        labels=("show", "status"),
        named=("show",),
    ),
    Family(
        "gauge",
        "studio_ingest_recent_runs",
        "The ten newest ingest runs on record at the last background read, by status. Sum over statuses only: the size "
        "of the window; where several exporters watch one source, after max by (source, status).",
        lambda facts: row(facts.recent, STATUSES),
        labels=("status",),
    ),
    Family(
        "gauge",
        "studio_ingest_files",
        "Files in the reports of the ingest runs on record at the last background read, by show and result; invalid "
        "files count for the show of their run. Sum over shows and results; where several exporters watch one source, "
        "after max by (source, show, result).",
        lambda facts: table(facts.files, RESULTS),
        labels=("show", "result"),
        named=("show",),
    ),
    Family(
        "gauge",
        "studio_ingest_oldest_running_timestamp_seconds",
        "When the oldest of the ingest runs not completed at the last background read was started, as seconds since "
        "1970; absent where none is running, and starts in the future are ignored. Take the min, never a sum.",
        lambda facts: (((), facts.oldest_running),),
        merge="min",
    ),
)
