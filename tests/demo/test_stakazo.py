"""Stakazo in the simulated studio: its story, and the database that tells it."""

import json
import lzma
import re
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest

from exporter.demo import stakazo
from exporter.demo.stakazo import CLEARED, DATABASE, ERRORS, MAX_RETRIES, WORKERS, Publishing
from exporter.demo.stakazo_content import PLATFORMS, VIDEOS_KEPT, Content
from exporter.demo.stakazo_tables import TABLES, Desk, Record, Taken, create, save
from exporter.demo.studio import Studio
from exporter.demo.world import DAY, HOUR, PACE, Agenda, Clock, chance

GOLDEN = Path(__file__).parents[1] / "golden" / "stakazo" / "stakazo_empty.sqlite.xz"
BEGAN = 1_800_000_000.0
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
STAMP = re.compile(r"[0-9-]{10}T[0-9:.]{8,15}")
TIMES = {"requested_at", "published_at", "last_retry_at", "scheduled_for", "created_at", "updated_at"}


class Live:
    """Stakazo under a clock that is told the time; `records` are those of each table as they now are."""

    def __init__(self, seed: int = 1, began: float = BEGAN) -> None:
        self.agenda, dice = Agenda(Clock(began, PACE)), chance(seed, "stakazo")
        self.desk = Desk(dice)
        Publishing(self.agenda, dice, self.desk, Content(self.agenda, dice, self.desk))
        self.records: dict[str, dict[str, Record]] = {table: {} for table in TABLES}
        self.now = began
        self.go_on(0)

    def go_on(self, seconds: float) -> Taken:
        self.now += seconds
        self.agenda.advance(self.now)
        taken = self.desk.take()
        for table, changed in taken.changed.items():
            self.records[table] |= {identity: dict(record) for identity, record in changed.items()}
        for identity in taken.cleared:
            self.records["publish_logs"].pop(identity, None)
        return taken

    @property
    def logs(self) -> list[Record]:
        return [*self.records["publish_logs"].values()]


def timeless(live: Live) -> list[Record]:
    rows = [row for records in live.records.values() for row in records.values()]
    return [{column: STAMP.sub("", str(value)) for column, value in row.items() if column not in TIMES} for row in rows]


def described(connection: sqlite3.Connection) -> dict[str, Any]:
    """Columns, indexes and foreign keys of the tables of the story."""
    pragmas = {
        "table_info": 'name, type, "notnull", pk, dflt_value',
        "index_list": 'name, "unique", origin',
        "foreign_key_list": '"table", "from", "to", on_delete',
    }
    return {
        table: [
            sorted(connection.execute(f"SELECT {columns} FROM pragma_{pragma}('{table}')"), key=repr)
            for pragma, columns in pragmas.items()
        ]
        for table in TABLES
    }


def test_the_schema_is_upstreams_but_for_the_index_that_reads_want(tmp_path: Path) -> None:
    golden = tmp_path / "golden.db"
    golden.write_bytes(lzma.decompress(GOLDEN.read_bytes()))
    with closing(sqlite3.connect(golden)) as real, closing(create(tmp_path / DATABASE)) as ours:
        ours.execute("DROP INDEX ix_publish_logs_updated_at")
        assert described(ours) == described(real)
        assert ours.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_the_same_seed_tells_the_same_story_at_any_time() -> None:
    assert timeless(Live(3)) == timeless(Live(3, BEGAN + 12_345_678))
    assert timeless(Live(3)) != timeless(Live(4))


@pytest.mark.parametrize("seed", range(3))
def test_the_past_is_a_week_of_publications(seed: int) -> None:
    live = Live(seed)
    assert {row["platform"] for row in live.logs} == set(PLATFORMS) == set(WORKERS)
    statuses = Counter(row["status"] for row in live.logs)
    assert 2000 < statuses["success"] < 5000
    assert statuses["failed"] > 10
    assert statuses["scheduled"] > 0
    oldest = min(str(row["created_at"]) for row in live.logs)
    assert oldest < stakazo._text(BEGAN - 6.5 * DAY)
    for table, words in (
        ("clips", {"READY", "PUBLISHED"}),
        ("jobs", {"COMPLETED"}),
        ("campaigns", {"ACTIVE", "COMPLETED"}),
    ):
        assert words <= {row["status"] for row in live.records[table].values()}
    assert len(live.records["social_accounts"]) == 9
    assert 60 < len(live.records["video_assets"]) < VIDEOS_KEPT


def test_records_are_as_upstream_writes_them() -> None:
    live = Live()
    for records in live.records.values():
        for identity, row in records.items():
            assert re.fullmatch(r"[0-9a-f]{32}", identity)
            assert all(TIME.fullmatch(str(row[column])) for column in TIMES & row.keys() if row[column])
            assert str(row["created_at"]) <= str(row["updated_at"]) <= stakazo._text(BEGAN)
    platforms = {json.loads(str(job["params"]))["platform"] for job in live.records["jobs"].values()}
    assert platforms == set(PLATFORMS)
    for row in live.logs:
        assert row["clip_id"] in live.records["clips"]
        assert live.records["social_accounts"][str(row["social_account_id"])]["platform"] == row["platform"]
        assert (row.get("published_at") is not None) == (row["status"] == "success")
        assert (row.get("error_message") is not None) == (row["status"] in {"retry", "failed"})
        assert row["status"] != "retry" or row["error_message"] in ERRORS


def test_what_is_published_leaves_two_rows() -> None:
    posts = Counter(row["external_post_id"] for row in Live().logs if row.get("external_post_id"))
    assert len(posts) > 1000
    assert set(posts.values()) == {2}


def test_what_the_engine_refuses_looks_like_a_success_without_a_post() -> None:
    live = Live()
    odd = [row for row in live.logs if row["status"] == "success" and not row.get("external_post_id")]
    assert len(odd) > 20
    lately = stakazo._text(BEGAN - CLEARED)  # the engine's row of an older one may have been cleared
    refused = {(row["clip_id"], row["published_at"]) for row in odd if "worker_id" in str(row["extra_metadata"])}
    fresh = {pair for pair in refused if str(pair[1]) > lately}
    assert fresh
    assert fresh <= {(row["clip_id"], row["created_at"]) for row in live.logs}


def test_the_notes_of_a_row_say_who_wrote_it_last_as_upstream_does() -> None:
    live = Live()
    seen = {
        (str(row["status"]), bool(row.get("external_post_id")), *(json.loads(str(row["extra_metadata"])) or ()))
        for row in live.logs
    }
    worker, reconciled = ("worker_id", "processed_at"), ("reconciled", "reconciled_at", "reconciliation_reason")
    assert seen >= {
        ("success", True),
        ("success", True, *worker),
        ("success", False, *worker),
        ("failed", False),
        ("failed", False, "worker_id", "error_type", "retry_attempt", "processed_at"),
        ("failed", False, *reconciled),
        ("success", False, "webhook_received", "webhook_status", *reconciled),
    }
    assert ("success", False) not in seen


def test_publications_go_through_their_statuses_in_order() -> None:
    live, seen = Live(), defaultdict[str, list[object]](list)
    for _ in range(3000):
        for identity, row in live.go_on(0.5).changed["publish_logs"].items():
            assert 0 <= int(row["retry_count"] or 0) <= MAX_RETRIES
            if row["status"] == "scheduled":
                assert str(row["scheduled_for"]) > stakazo._text(live.now)
            if seen[identity][-1:] != [row["status"]]:
                seen[identity].append(row["status"])
    steps = {step for statuses in seen.values() for step in pairwise(statuses)}
    assert steps >= {
        ("scheduled", "pending"),
        ("pending", "processing"),
        ("processing", "success"),
        ("processing", "retry"),
        ("processing", "failed"),
        ("retry", "processing"),
        ("failed", "pending"),
    }
    assert not any(before == "success" for before, _ in steps)
    assert not any(after == "scheduled" for _, after in steps)


def test_scheduled_ones_are_due_in_the_present_of_the_wall() -> None:
    live = Live()
    ahead = [str(row["scheduled_for"]) for row in live.logs if row["status"] == "scheduled"]
    assert ahead
    assert max(ahead) < stakazo._text(BEGAN + 13 * HOUR / PACE)
    live.go_on(60)
    assert max(ahead) > min(ahead) > stakazo._text(BEGAN - 60)


def test_no_more_are_worked_on_than_there_are_workers_and_some_wait() -> None:
    live, waited = Live(), 0
    for _ in range(1440):
        live.go_on(1)
        edge = stakazo._text(live.now - 4 * HOUR / PACE)
        busy = Counter(r["platform"] for r in live.logs if r["status"] == "processing" and str(r["updated_at"]) > edge)
        assert all(busy[platform] <= workers + 2 for platform, workers in WORKERS.items())  # the dead leave theirs
        waited += sum(row["status"] == "pending" for row in live.logs) > 3
    assert waited > 100


def test_a_platform_fails_many_times_in_a_row_now_and_then_and_recovers() -> None:
    live, outcomes = Live(), defaultdict[object, list[bool]](list)
    for row in sorted(live.logs, key=lambda row: str(row["updated_at"])):
        if row["status"] in ("success", "failed"):
            outcomes[row["platform"]].append(row.get("external_post_id") is None)
    streaks = [len(list(streak)) for ended in outcomes.values() for failed, streak in groupby(ended) if failed]
    assert 10 < max(streaks) < 200
    assert all(sum(ended) < 0.4 * len(ended) for ended in outcomes.values())


def test_one_hangs_in_processing_now_and_then_until_it_is_reconciled() -> None:
    live, since, ended = Live(), dict[str, float](), list[object]()
    for _ in range(4000):
        for identity, row in live.go_on(2).changed["publish_logs"].items():
            if row["status"] == "processing":
                since[identity] = live.now
            elif live.now - since.pop(identity, live.now) > 600:
                ended.append(row["status"])
    assert 3 <= len(ended) < 30
    assert set(ended) == {"failed", "success"}


def test_failed_ones_are_cleared_after_a_while() -> None:
    live, cleared = Live(), 0
    for _ in range(300):
        before = dict(live.records["publish_logs"])
        gone = live.go_on(20).cleared
        assert all(before[identity]["status"] == "failed" for identity in gone)
        cleared += len(gone)
    assert cleared > 20
    assert (live.now - BEGAN) * PACE > CLEARED + DAY
    assert all(str(row["updated_at"]) > stakazo._text(BEGAN) for row in live.logs if row["status"] == "failed")


def test_it_stays_bounded_as_old_videos_go(tmp_path: Path) -> None:
    agenda, now, sizes = Agenda(Clock(BEGAN, PACE)), BEGAN, []
    with (
        stakazo.live(Studio(agenda, 1, tmp_path, lambda _: False)) as write,
        closing(sqlite3.connect(tmp_path.joinpath(DATABASE).as_uri() + "?mode=ro", uri=True)) as reader,
    ):
        for _ in range(150):
            agenda.advance(now)
            write()
            sizes.append(reader.execute("SELECT count(*) FROM publish_logs").fetchone()[0])
            now += 60
        videos = reader.execute("SELECT count(*) FROM video_assets").fetchone()
        assert videos == (VIDEOS_KEPT,)
        assert reader.execute("PRAGMA foreign_key_check").fetchall() == []
    assert max(sizes) < 12_000
    assert any(later < sooner for sooner, later in pairwise(sizes))


def test_nothing_is_written_when_nothing_happened(tmp_path: Path) -> None:
    agenda = Agenda(Clock(BEGAN, PACE))
    with stakazo.live(Studio(agenda, 1, tmp_path, lambda _: False)) as write:
        with closing(sqlite3.connect(tmp_path / DATABASE)) as reader:
            before = reader.execute("PRAGMA data_version").fetchone()
            write()
            assert reader.execute("PRAGMA data_version").fetchone() == before
            agenda.advance(BEGAN)
            write()
            after = reader.execute("PRAGMA data_version").fetchone()
            assert after != before
            write()
            assert reader.execute("PRAGMA data_version").fetchone() == after
        assert [path.name for path in tmp_path.iterdir()] == [DATABASE]


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    taken = Live().desk.take()
    taken.changed["campaigns"]["x"] = {"id": "x", "name": "without a clip"}
    taken.changed["video_assets"]["y"] = {"id": "y"}
    with closing(create(tmp_path / DATABASE)) as connection:
        with pytest.raises(sqlite3.IntegrityError):
            save(connection, taken)
        assert connection.execute("SELECT count(*) FROM video_assets").fetchone() == (0,)
