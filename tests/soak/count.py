"""What the page must say of a world, counted from the simulator's own memory: no code of the exporter's is asked.

Every count takes the moment of the read it is compared with, for some of it depends on that: windows, what is overdue.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from exporter.demo.music_reports import DISABLED, ROSTER, TARGETS

Record = dict[str, Any]
World = dict[str, Any]  # Any: what the witness tells
Labels = frozenset[tuple[str, str]]
Samples = dict[tuple[str, Labels], float]

RENDER = ("cancelled", "completed", "failed", "paused", "queued", "running", "submitted")
WINDOWS = {"5m": 300, "1h": 3600, "24h": 86400, "7d": 7 * 86400}
PHASES = ("agent_training", "cleanup", "harvesting", "idle", "initializing", "monitoring", "production", "validation")


class Expected:
    """Samples of one source as they are counted."""

    def __init__(self, source: str) -> None:
        self.samples: Samples = {}
        self._source = source

    def put(self, family: str, value: float, **labels: str) -> None:
        self.samples[f"studio_{family}", frozenset({"source": self._source, **labels}.items())] = float(value)

    def oldest(self, family: str, times: Iterable[float], **labels: str) -> None:
        """The first of them; no sample where there is none."""
        if found := [*times]:
            self.put(family, min(found), **labels)


def epoch(text: str) -> float:
    """Epoch seconds of any of the systems' times; all of their clocks show UTC."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def ingest(world: World, source: str, at: float) -> Samples:
    """A run's show is that of most of its files, and of the first where two have as many."""
    found = Expected(source)
    runs, files, shows = Counter[tuple[str, str]](), Counter[tuple[str, str]](), set[str]()
    for run in world["runs"]:
        accepted = Counter(file["media_info"]["show_code"] for file in run["report"]["processed"])
        show = accepted.most_common(1)[0][0]
        shows |= {show, *accepted}
        runs[show, state(run)] += 1
        files[show, "invalid"] += len(run["report"]["invalid"])
        for name, number in accepted.items():
            files[name, "processed"] += number
    for show in shows:
        for status in ("failed", "running", "succeeded") if any(name == show for name, _ in runs) else ():
            found.put("ingest_runs", runs[show, status], show=show, status=status)
        for result in ("invalid", "processed"):
            found.put("ingest_files", files[show, result], show=show, result=result)
    recent = Counter(map(state, sorted(world["runs"], key=lambda run: epoch(run["started_at"]))[-10:]))
    for status in ("failed", "running", "succeeded"):
        found.put("ingest_recent_runs", recent[status], status=status)
    going = [epoch(run["started_at"]) for run in world["runs"] if not run["completed_at"]]
    found.oldest("ingest_oldest_running_timestamp_seconds", (time for time in going if time <= at))
    return found.samples


def state(run: Record) -> str:
    """How a run ended, if it did."""
    if not run["completed_at"]:
        return "running"
    return "failed" if run["report"]["invalid"] else "succeeded"


def render(world: World, source: str, at: float) -> Samples:
    """A job that runs has done so since its last change."""
    found = Expected(source)
    farms: dict[str, list[Record]] = defaultdict(list)
    for job in world["jobs"]:
        farms[job["farm"]].append(job)
    for farm, jobs in farms.items():
        for status in RENDER:
            found.put("render_jobs", sum(job["status"] == status for job in jobs), farm=farm, status=status)
        waiting = [epoch(job["created_at"]) for job in jobs if job["status"] in ("submitted", "queued")]
        running = [epoch(job["status_history"][-1]["timestamp"]) for job in jobs if job["status"] == "running"]
        found.oldest("render_oldest_waiting_timestamp_seconds", (time for time in waiting if time <= at), farm=farm)
        found.oldest("render_oldest_running_timestamp_seconds", (time for time in running if time <= at), farm=farm)
    return found.samples


def operations(world: World, source: str, at: float) -> Samples:
    """Windows reach from the read into the past, and hold whatever is dated later."""
    found = Expected(source)
    now = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
    rows = [(datetime.fromisoformat(time), kind, ok) for time, kind, ok in world["operations"]]
    for window, seconds in WINDOWS.items():
        since = now - timedelta(seconds=seconds)
        attempts = Counter(kind for time, kind, _ in rows if time >= since)
        failures = Counter(kind for time, kind, ok in rows if time >= since and not ok)
        for kind in ("_other", "email", "file", "traffic"):
            found.put("operation_attempts", attempts[kind], operation=kind, window=window)
            found.put("operation_failures", failures[kind], operation=kind, window=window)
    for kind in {kind for _, kind, _ in rows}:
        last = max(time for time, of, _ in rows if of == kind and time <= now)
        found.put("operation_last_event_timestamp_seconds", last.replace(tzinfo=UTC).timestamp(), operation=kind)
    found.put("operation_future_rows", sum(time > now for time, _, _ in rows))
    return found.samples


def sessions(world: World, source: str, at: float) -> Samples:
    """What Music Agents' dashboard noted."""
    found = Expected(source)
    all_sessions, events = world["tables"]["training_sessions"], world["tables"]["events"]
    newest = max(all_sessions, key=lambda session: int(session["id"]))
    running = newest["status"] == "running"
    found.put("training_running", running)
    phase = newest["phase"] if running else "idle"
    for name in PHASES:
        found.put("training_phase", name == phase, phase=name)
    for status in ("completed", "failed", "running", "stopped"):
        number = sum(session["status"] == status for session in all_sessions)
        found.put("training_sessions", number, status=status)
    going = [epoch(session["start_time"]) for session in all_sessions if session["status"] == "running"]
    found.oldest("training_oldest_running_timestamp_seconds", (time for time in going if time <= at))
    for level in ("critical", "error", "info", "warning"):
        found.put("training_events", sum(event["severity"] == level for event in events), level=level)
    last = {metric["agent_id"]: metric["error_count"] for metric in world["tables"].get("agent_metrics", ())}
    for agent, errors in last.items():
        found.put("agent_errors", errors, agent=agent)
    return found.samples


def training(world: World, source: str, at: float) -> Samples:
    """What Music Agents' files tell; reports give one place after the point, results two."""
    found = Expected(source)
    run, told = world["result"], world["report"]
    found.put("training_last_run_success", run["succeeded"])
    found.put("training_last_run_timestamp_seconds", epoch(run["ended"]))
    found.put("training_last_run_duration_seconds", round(run["seconds"], 2))
    phases = {**run["phases"], "production": 0.0, "cleanup": 0.0} if run["succeeded"] else {}
    for phase, seconds in phases.items():
        found.put("training_last_run_phase_duration_seconds", round(seconds, 2), phase=phase)
    for result, number in run["agents"].items():
        found.put("training_agents", number, result=result)
    due = datetime.fromtimestamp(at, UTC).replace(hour=3, minute=0, second=0, microsecond=0)
    found.put("training_next_run_timestamp_seconds", (due + timedelta(days=due.timestamp() <= at)).timestamp())
    found.put("training_quality_score", float(f"{told['quality']:.1f}"))
    for agent in ROSTER:
        found.put("agent_reported", agent in told["agents"], agent=agent)
        found.put("agent_enabled", agent != DISABLED, agent=agent)
        found.put("agent_quality_target_score", TARGETS[agent][1], agent=agent)
    for agent, (quality, change, seconds) in told["agents"].items():
        found.put("agent_quality_score", float(f"{quality:.1f}"), agent=agent)
        found.put("agent_quality_change_score", float(f"{change:+.1f}"), agent=agent)
        found.put("agent_processing_seconds", float(f"{seconds:.2f}"), agent=agent)
    return found.samples


Count = Callable[[World, str, float], Samples]
