"""What the history of the render jobs comes to, as the system's API shows it (recorded)."""

import msgspec

from exporter.sources.trafalgar.api.jobs import Jobs, zulu


class Durations(msgspec.Struct):
    """Seconds in a status: of all jobs, and of one."""

    total_seconds: float
    average_seconds: float | None


class StatusShown(msgspec.Struct):
    """Jobs that ever were in a status, and those that are; the time is ISO 8601 in UTC."""

    count: int
    active: int
    last_updated_at: str | None
    durations: Durations


class AdapterShown(msgspec.Struct):
    """The jobs of a farm; times are ISO 8601 in UTC."""

    total_jobs: int
    statuses: dict[str, int]
    completed_jobs: int
    average_completion_seconds: float | None
    first_submission_at: str | None
    last_submission_at: str | None


class WindowShown(msgspec.Struct):
    """The jobs that were submitted in a window."""

    total_jobs: int
    completed_jobs: int
    average_completion_seconds: float | None


class Analytics(msgspec.Struct):
    """What the history of the jobs comes to."""

    generated_at: str
    total_jobs: int
    statuses: dict[str, StatusShown]
    adapters: dict[str, AdapterShown]
    submission_windows: dict[str, WindowShown]


class StoreShown(msgspec.Struct):
    """The store; nothing here writes or prunes it."""

    retained_records: int
    last_pruned_count: int
    total_pruned: int
    last_pruned_at: str | None
    last_load_at: str | None
    last_save_at: str | None
    last_rotation_at: str | None
    last_rotation_error: str | None
    retention_seconds: float | None


class HistoryShown(msgspec.Struct):
    """The history of jobs, which is that of the store."""

    history_size: int
    history_limit: int | None
    history_pruned_total: int
    last_history_prune_at: str | None
    last_history_pruned: int
    store: StoreShown


class StatusBrief(msgspec.Struct):
    """Jobs that ever were in a status, those that are, and the seconds that one was."""

    count: int
    active: int
    average_duration_seconds: float | None


class SummaryShown(msgspec.Struct):
    """The jobs; `active_jobs` are all of them, as they were."""

    total_jobs: int
    active_jobs: int
    by_status: dict[str, StatusBrief]
    submission_windows: dict[str, int]


class RenderHealth(msgspec.Struct):
    """How render is."""

    status: str
    render_history: HistoryShown
    render_summary: SummaryShown


def analytics(jobs: Jobs, now: int) -> Analytics:
    """The analytics at a time in microseconds."""
    found = jobs.statistics
    return Analytics(
        generated_at=zulu(now),
        total_jobs=len(jobs.records),
        statuses={
            name: StatusShown(
                stay.count,
                stay.active,
                None if stay.updated is None else zulu(stay.updated),
                Durations(stay.total(now), stay.average(now)),
            )
            for name, stay in found.statuses.items()
        },
        adapters={
            name: AdapterShown(
                farm.total,
                dict(farm.statuses),
                farm.ended,
                farm.seconds / farm.ended if farm.ended else None,
                zulu(farm.first),
                zulu(farm.last),
            )
            for name, farm in found.farms.items()
        },
        submission_windows={
            name: WindowShown(came.total, came.ended, came.average) for name, came in found.windows(now)
        },
    )


def health(jobs: Jobs, now: int, loaded: str | None) -> RenderHealth:
    """The health at a time in microseconds; `loaded` is when the store was last read."""
    size, found = len(jobs.records), jobs.statistics
    store = StoreShown(size, 0, 0, None, loaded, None, None, None, None)
    by_status = {name: StatusBrief(stay.count, stay.active, stay.average(now)) for name, stay in found.statuses.items()}
    windows = {name: came.total for name, came in found.windows(now)}
    history = HistoryShown(size, None, 0, None, 0, store)
    return RenderHealth("ok", history, SummaryShown(size, size, by_status, windows))
