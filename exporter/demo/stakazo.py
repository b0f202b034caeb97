"""Stakazo in the simulated studio: clips are scheduled, queued, published, tried again and given up, told in SQLite.

Words, the two rows of each publication and what the dashboard's actions do are those of the real one (contract
stakazo b).
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import NamedTuple

from exporter.demo.stakazo_content import NOTHING, PLATFORMS, Content
from exporter.demo.stakazo_tables import TIME, Desk, Record, create, save
from exporter.demo.studio import Studio, System, Write
from exporter.demo.world import DAY, HOUR, MINUTE, Agenda, Life, Moment, Trouble, chance, rhythm

DATABASE = "stakazo.db"

WORKERS = {"instagram": 3, "tiktok": 2, "youtube": 1}
"""How many publications to each platform are worked on at a time; when many fail and are tried again, the rest wait."""

ACCOUNTS = ("main", "shorts", "backstage")
NO_NOTES = "{}"
ERRORS = ("timeout", "rate limited", "auth expired", "upload rejected")
MAX_RETRIES = 3

STALLED = 0.01
"""How often a worker dies over a publication, which then stays in processing until it is reconciled."""

CLEARED = 2 * DAY
"""The age in studio seconds at which failed publications are cleared; upstream's own week would pass but once."""

TRIED_AGAIN = 4 * HOUR
"""The age in studio seconds up to which failed publications are tried again."""


class Failure(NamedTuple):
    """A publication that failed at a studio second, and the clip it was of."""

    at: float
    row: Record
    clip: Record


class Publishing:
    """Publications from request to end. One platform at a time is in trouble now and then, for some hours.

    As upstream's worker and engine do, each that is worked on leaves two rows (contract b, measured).
    """

    def __init__(self, agenda: Agenda, dice: Random, desk: Desk, content: Content) -> None:
        self._agenda, self._dice, self._desk, self._content = agenda, dice, desk, content
        self._trouble = Trouble(dice, dict.fromkeys(PLATFORMS, 3 * HOUR))
        self._busy: Counter[str] = Counter()
        self._accounts: dict[str, list[Record]] = {}
        self._failed: dict[str, Failure] = {}
        agenda.begin(self._trouble.life())
        agenda.begin(self._requests())
        agenda.begin(self._actions())

    def _requests(self) -> Life:
        moment = yield 0.0
        for platform in WORKERS:
            self._accounts[platform] = [self._account(platform, name, moment) for name in ACCOUNTS]
        while True:
            moment = yield self._dice.expovariate(rhythm(moment.at) / (7 * MINUTE))
            if clip := self._content.clip():
                self._agenda.begin(self._publication(clip))

    def _account(self, platform: str, name: str, moment: Moment) -> Record:
        named: Record = {"platform": platform, "handle": f"@{name}_{platform}"}
        flags: Record = {"is_main_account": int(name == "main"), "is_active": int(name != "backstage")}
        return self._desk.add("social_accounts", moment, {**named, **flags})

    def _publication(self, clip: Record) -> Life:
        moment = yield 0.0
        platform = self._dice.choices(PLATFORMS, weights=(45, 35, 20))[0]
        wait = self._dice.uniform(HOUR, 12 * HOUR) if self._dice.random() < 0.4 else None
        by = self._dice.choice(("manual", "rule_engine", "campaign_orchestrator"))
        row = self._row(
            {"clip_id": clip["id"], "platform": platform, "social_account_id": self._active(platform)["id"]},
            moment,
            {
                "extra_metadata": NOTHING,
                "status": "pending" if wait is None else "scheduled",
                "schedule_type": "immediate" if wait is None else "scheduled",
                "scheduled_for": None if wait is None else _text(self._agenda.wall(wait)),
                "scheduled_by": None if wait is None else by,
            },
        )
        if wait is not None:
            moment = yield wait + self._dice.uniform(0, MINUTE)
            self._change(row, moment, {"status": "pending"})
        yield from self._worked(row, clip)

    def _active(self, platform: str) -> Record:
        return self._dice.choice([account for account in self._accounts[platform] if account["is_active"]])

    def _row(self, of: Record, moment: Moment, values: Record) -> Record:
        """A row of a publication; `of` says what, where to and as whom."""
        shared: Record = {column: of[column] for column in ("clip_id", "platform", "social_account_id")}
        fresh: Record = {"requested_at": moment.utc.strftime(TIME), "retry_count": 0, "max_retries": MAX_RETRIES}
        return self._desk.add("publish_logs", moment, {**shared, **fresh, **values})

    def _change(self, row: Record, moment: Moment, values: Record) -> None:
        self._desk.change("publish_logs", row, moment, values)

    def _worked(self, row: Record, clip: Record) -> Life:
        """From pending to an end, which the engine's row tells as well."""
        platform = str(row["platform"])
        moment = yield self._dice.uniform(5, MINUTE)
        while self._busy[platform] >= WORKERS[platform]:
            moment = yield MINUTE
        self._busy[platform] += 1
        self._change(row, moment, {"status": "processing", "error_message": None})
        stalls = self._dice.random() < STALLED
        moment = yield self._dice.lognormvariate(2.9, 0.5) * MINUTE
        self._busy[platform] -= 1
        if stalls:
            self._reconcile(row, clip, (yield self._dice.uniform(11 * HOUR, 15 * HOUR)))
        elif not self._trouble.strikes(platform):
            self._succeed(row, clip, moment)
        elif self._dice.random() < 0.5:
            self._refuse(row, clip, moment)
        else:
            yield from self._raise(row, clip, moment)

    def _succeed(self, row: Record, clip: Record, moment: Moment) -> None:
        post, now = f"{self._dice.getrandbits(48):012x}", moment.utc.strftime(TIME)
        url = f"https://{row['platform']}.example/p/{post}"
        done: Record = {"status": "success", "external_post_id": post, "external_url": url, "published_at": now}
        self._row(row, moment, {**done, "extra_metadata": NO_NOTES})
        self._change(row, moment, {**done, "extra_metadata": _worker_notes(row, moment)})
        if clip["status"] != "PUBLISHED":
            self._desk.change("clips", clip, moment, {"status": "PUBLISHED"})

    def _refuse(self, row: Record, clip: Record, moment: Moment) -> None:
        """The engine says that it failed, which the worker takes for a success."""
        engines = self._row(row, moment, {"status": "failed", "extra_metadata": NO_NOTES})
        self._fail(engines, clip, moment, self._dice.choice(ERRORS))
        done: Record = {"status": "success", "published_at": moment.utc.strftime(TIME)}
        self._change(row, moment, {**done, "extra_metadata": _worker_notes(row, moment)})

    def _raise(self, row: Record, clip: Record, moment: Moment) -> Life:
        """The engine raises: the row it had just made is left pending, and the worker's own is tried again."""
        engines = self._row(row, moment, {"status": "pending", "extra_metadata": NO_NOTES})
        self._agenda.begin(self._worked(engines, clip))
        error, tries = self._dice.choice(ERRORS), min(int(row["retry_count"] or 0) + 1, MAX_RETRIES)
        tried: Record = {"retry_count": tries, "last_retry_at": moment.utc.strftime(TIME)}
        notes = {"extra_metadata": _worker_notes(row, moment, error_type="RuntimeError", retry_attempt=tries)}
        self._change(row, moment, {**tried, **notes})
        if tries == MAX_RETRIES:
            self._fail(row, clip, moment, error)
            return
        self._change(row, moment, {"status": "retry", "error_message": error})
        yield self._dice.uniform(5, 30) * MINUTE
        yield from self._worked(row, clip)

    def _reconcile(self, row: Record, clip: Record, moment: Moment) -> None:
        """What hangs in processing has failed, unless the platform has said that it is published."""
        heard = self._dice.random() < 0.3
        reason = "webhook_confirmed" if heard else "webhook_timeout"
        said: dict[str, bool | str] = {
            "reconciled": True,
            "reconciled_at": _stamp(moment),
            "reconciliation_reason": reason,
        }
        if heard:
            said = {"webhook_received": True, "webhook_status": "published", **said}
            published: Record = {"status": "success", "published_at": moment.utc.strftime(TIME)}
            self._change(row, moment, {**published, "extra_metadata": json.dumps(said)})
        else:
            self._change(row, moment, {"extra_metadata": json.dumps(said)})
            self._fail(row, clip, moment, "No webhook received after 10 minutes")

    def _fail(self, row: Record, clip: Record, moment: Moment, error: str) -> None:
        self._change(row, moment, {"status": "failed", "error_message": error})
        self._failed[str(row["id"])] = Failure(moment.at, row, clip)

    def _actions(self) -> Life:
        """Now and then somebody at the dashboard clears what failed long ago, and tries what failed lately again."""
        while True:
            moment = yield self._dice.uniform(6 * HOUR, 12 * HOUR)
            for identity, failure in [*self._failed.items()]:
                if failure.at < moment.at - CLEARED:
                    del self._failed[identity]
                    self._desk.clear(identity)
                elif failure.at > moment.at - TRIED_AGAIN and failure.row["platform"] != self._trouble.name:
                    del self._failed[identity]
                    self._change(failure.row, moment, {"status": "pending", "requested_at": moment.utc.strftime(TIME)})
                    self._agenda.begin(self._worked(failure.row, failure.clip))


@contextmanager
def live(studio: Studio) -> Iterator[Write]:
    """Stakazo's life; its writer brings what changed to the database in one transaction."""
    dice = chance(studio.seed, "stakazo")
    desk = Desk(dice)
    Publishing(studio.agenda, dice, desk, Content(studio.agenda, dice, desk))
    with closing(create(studio.directory / DATABASE)) as connection:
        yield lambda: save(connection, desk.take())


def _worker_notes(row: Record, moment: Moment, **more: str | int) -> str:
    """What the worker notes of a row that it is done with for now; the engine notes nothing."""
    return json.dumps({"worker_id": f"manual-{str(row['id'])[:8]}", **more, "processed_at": _stamp(moment)})


def _stamp(moment: Moment) -> str:
    return moment.utc.replace(tzinfo=None).isoformat()


def _text(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime(TIME)


def _source(directory: Path) -> str:
    return f"""\
  - name: publishing
    kind: stakazo
    api: {{token: demo}}
    database: {json.dumps(f"sqlite:///{directory / DATABASE}")}
"""


STAKAZO = System(_source, live, (f"{DATABASE}*",))
