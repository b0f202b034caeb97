"""A publishing backend in a process of its own: it appends, fails, retries and prunes rows, and knows what it did.

    python -m tests.kills.writer URL SEED

Every line on standard input is the time (epoch seconds) of a read that is known to be counted: what was finished before
may be retried and pruned from then on. At the end of its input it prints what it did as JSON.
"""

import json
import random
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Thread
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from tests.services import connected

PLATFORMS = ("instagram", "tiktok", "youtube")
PAUSE = 0.004
INSERT = text(
    "insert into publish_logs (id, clip_id, platform, status, requested_at, retry_count, max_retries, created_at, "
    "updated_at) values (:id, :clip, :platform, 'pending', :at, 0, 3, :at, :at)"
)
SUCCEED = text(
    "update publish_logs set status = 'success', external_post_id = :post, published_at = :at, updated_at = :at "
    "where id = :id"
)
FAIL = text("update publish_logs set status = 'failed', error_message = 'refused', updated_at = :at where id = :id")
FAIL_AGAIN = text(
    "update publish_logs set status = 'failed', error_message = 'refused', last_retry_at = :at, updated_at = :at "
    "where id = :id"
)
RETRY = text(
    "update publish_logs set status = 'pending', retry_count = retry_count + 1, last_retry_at = :at, updated_at = :at "
    "where id = :id"
)
DELETE = text("delete from publish_logs where id = :id")


@dataclass
class Item:
    """A row: whether it was tried again, and when its end was on disk (epoch seconds)."""

    id: str
    platform: str
    retried: bool = False
    done: float = 0.0


@dataclass
class Tally:
    """What a perfect account says: finishes as (time, failed) by platform."""

    finishes: dict[str, list[tuple[float, bool]]] = field(default_factory=dict)
    retried: int = 0
    pruned: int = 0

    def add(self, platform: str, at: float, *, failed: bool) -> None:
        self.finishes.setdefault(platform, []).append((at, failed))

    def told(self) -> dict[str, Any]:
        """The same as the families tell it: by platform, and the streak of all together."""
        lanes = {platform: numbers(found) for platform, found in self.finishes.items()}
        every = [finish for found in self.finishes.values() for finish in found]
        return {"lanes": lanes, "streak": streak(every), "retried": self.retried, "pruned": self.pruned}


def numbers(found: list[tuple[float, bool]]) -> dict[str, float]:
    """What is said of one lane; a time is left out where there is none."""
    times = {
        "studio_work_last_success_timestamp_seconds": max((at for at, failed in found if not failed), default=None),
        "studio_work_last_failure_timestamp_seconds": max((at for at, failed in found if failed), default=None),
    }
    return {
        "studio_work_finished_total": len(found),
        "studio_work_failed_total": sum(failed for _, failed in found),
        "studio_work_failure_streak": streak(found),
        **{name: at for name, at in times.items() if at is not None},
    }


def streak(found: list[tuple[float, bool]]) -> int:
    """Failures since the last success; those of its very instant are over."""
    last = max((at for at, failed in found if not failed), default=float("-inf"))
    return sum(failed and at > last for at, failed in found)


class Writer:
    """Does one thing after the other, each in a transaction of its own."""

    def __init__(self, connection: Any, seed: int) -> None:
        self.connection = connection
        self.chance = random.Random(seed)  # what happens is to be the same again
        self.safe = 0.0
        self.pending: list[Item] = []
        self.failed: list[Item] = []
        self.succeeded: list[Item] = []
        self.tally = Tally()
        self.last = 0.0

    def now(self) -> float:
        """The time in whole microseconds, never the same twice: as the system's own, but for ties."""
        self.last = max(round(time.time(), 6), round(self.last + 1e-6, 6))
        return self.last

    def execute(self, statement: Any, at: float, item: Item, **more: object) -> None:
        values = {"id": item.id, "at": datetime.fromtimestamp(at, UTC).replace(tzinfo=None), **more}
        found = statement.compile().params  # a statement takes no more than it names
        self.connection.execute(statement, {name: values[name] for name in found})
        item.done = time.time()

    def step(self) -> None:
        """One of the things that happen to rows, as often as they do."""
        chance = self.chance.random()
        if chance < 0.4 or not self.pending:
            self.request()
        elif chance < 0.85:
            self.finish(self.pending.pop(self.chance.randrange(len(self.pending))))
        elif chance < 0.93:
            self.retry()
        else:
            self.prune()

    def request(self) -> None:
        item = Item(uuid4().hex, self.chance.choice(PLATFORMS))
        self.execute(INSERT, self.now(), item, clip=uuid4().hex, platform=item.platform)
        self.pending.append(item)

    def finish(self, item: Item) -> None:
        at = self.now()
        if self.chance.random() < 0.4:
            self.execute(FAIL_AGAIN if item.retried else FAIL, at, item)
            self.tally.add(item.platform, at, failed=True)
            self.failed.append(item)
        else:
            self.execute(SUCCEED, at, item, post=uuid4().hex)
            self.tally.add(item.platform, at, failed=False)
            self.succeeded.append(item)

    def retry(self) -> None:
        counted = [item for item in self.failed if item.done < self.safe]
        if counted:
            item = self.chance.choice(counted)
            item.retried = True
            self.execute(RETRY, self.now(), item)
            self.failed.remove(item)
            self.pending.append(item)
            self.tally.retried += 1

    def prune(self) -> None:
        for kept in (self.succeeded, self.failed):
            counted = [item for item in kept if item.done < self.safe]
            if counted:
                item = self.chance.choice(counted)
                self.execute(DELETE, self.now(), item)
                kept.remove(item)
                self.tally.pruned += 1


def main(url: str, seed: int) -> None:
    """Writes until standard input ends."""
    with connected(url) as connection:
        writer = Writer(connection, seed)

        def listen() -> None:
            for line in sys.stdin:
                writer.safe = float(line)

        listening = Thread(target=listen, daemon=True)
        listening.start()
        while listening.is_alive():
            writer.step()
            listening.join(PAUSE)
        sys.stdout.write(json.dumps(writer.tally.told()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
