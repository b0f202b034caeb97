"""How much work came to its end, as the simulator saw it: what the exporter's ledger must have counted, each once."""

from collections import Counter
from collections.abc import Iterable

from tests.soak.count import Expected, Record, Samples, World

SOURCES = {"ingest": "vfx", "render": "vfx", "operation": "decoys"}
"""The pipelines whose ends can be told without the rules of the exporter, and their sources."""

Ends = dict[str, tuple[str, bool]]
"""What ended, by id: its lane, and whether it went well."""


def runs(records: Iterable[Record]) -> Ends:
    """Ingest runs, with the show of most of their files."""
    ended = {}
    for run in records:
        if run["completed_at"]:
            shows = Counter(file["media_info"]["show_code"] for file in run["report"]["processed"])
            ended[run["id"]] = shows.most_common(1)[0][0], not run["report"]["invalid"]
    return ended


def jobs(records: Iterable[Record]) -> Ends:
    """Render jobs; one that was cancelled did not come to its end."""
    words = {"completed": True, "failed": False}
    return {job["job_id"]: (job["farm"], words[job["status"]]) for job in records if job["status"] in words}


def totals(ends: Iterable[tuple[str, bool]]) -> dict[str, tuple[int, int]]:
    """By lane, how many there were and how many of them failed."""
    finished, failed = Counter[str](), Counter[str]()
    for lane, well in ends:
        finished[lane] += 1
        failed[lane] += not well
    return {lane: (number, failed[lane]) for lane, number in finished.items()}


def work(world: World) -> Samples:
    """All that ever ended in the studio, as samples of the ledger's counters would tell it."""
    every: Samples = {}
    for pipeline, lanes in world["ended"].items():
        found = Expected(SOURCES[pipeline])
        for lane, (finished, failed) in lanes.items():
            found.put("work_finished_total", finished, pipeline=pipeline, lane=lane)
            found.put("work_failed_total", failed, pipeline=pipeline, lane=lane)
        every |= found.samples
    return every


def since(before: Samples, counted: Samples, now: Samples) -> Samples:
    """What the counters must be `now`, given what was told `before` of them and of all that had ended by then."""
    return {key: before.get(key, 0.0) + total - counted.get(key, 0.0) for key, total in now.items()}
