"""Publications as finishes, from rows that the system rewrites (contract stakazo b, and its recorded life cycles).

Each item that the worker takes leaves two rows, its own and one of the publishing engine. A post is one finish,
whichever of its rows tells of it first. A failure is a row; the worker's own row of a failure that the engine has noted
says `success` and has no post. A row that failed may be tried again: then when it was asked for, or its number of
retries, is another. Whatever else touches a row moves `updated_at` and finishes nothing.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from exporter.core.finish import Ask, Batch, Finish, instant
from exporter.inputs.history import Ends, history, joined
from exporter.inputs.indexes import Wanted
from exporter.inputs.paging import LAST, Kept, Place, everything, key_text, moment, statement
from exporter.inputs.sql import Query, Row, naive
from exporter.sources.stakazo.columns import Columns
from exporter.sources.stakazo.logs import FAILED, RECONCILED, SUCCESS, WORKER, Logs, named
from exporter.sources.stakazo.statements import CLIPS


def finish(row: Row, told: bool) -> Finish | None:
    """The finish that a row tells of; None without a time, or where the status only looks like one of ours to MariaDB.

    `told` says whether there are metadata at all: without, a success that has no post cannot be told from the other
    row of a failure.
    """
    key, updated, platform, status, post, asked, published, retries, retried, metadata = row
    attempt = f"{asked} {retries}"
    if status == FAILED:
        at = max(filter(None, (instant(retried), _reconciled(metadata))), default=instant(updated))
        return None if at is None else Finish(key_text(key), at, platform, ok=False, attempt=attempt)
    at = instant(updated) if (done := instant(published)) is None else done
    if status != SUCCESS or at is None:
        return None
    begun = instant(asked)
    duration = None if begun is None else at - begun
    if post:
        return Finish(f"{platform} {post}", at, platform, ok=True, duration=duration, attempt="post")
    ok = True if told and named(WORKER) not in (metadata or "") else None
    return Finish(key_text(key), at, platform, ok, duration, f"{SUCCESS} {attempt}")


def _reconciled(metadata: str | None) -> int | None:
    """When a row that hung was given up."""
    if metadata is not None and named(RECONCILED) in metadata:
        with suppress(ValueError, RecursionError):
            found = json.loads(metadata)
            return instant(found.get(RECONCILED)) if isinstance(found, dict) else None
    return None


def kept(known: Callable[[Query], Columns]) -> Kept:
    """How publications are kept in a database of which the columns are known."""
    return Kept(
        tables=lambda query: [Logs(query, known(query)).table(finish)],
        opening=lambda query, ask: _opening(Logs(query, known(query)), ask),
    )


def _opening(logs: Logs, ask: Ask) -> Batch:
    """What the table amounts to, as of one snapshot, and what could still come late.

    The times of failures that were reconciled are within JSON: those are gone through one by one.
    """
    reconciled = everything(logs.query, [logs.table(finish, logs.reconciled())], 0)
    found = history(
        joined(_ends(logs, reconciled, ask.now)),
        lambda since: _failures(logs, reconciled, since),
        lambda at: _failing(logs, reconciled, at),
        ask.now,
    )
    return Batch(everything(logs.query, [logs.table(finish)], ask.opening(found.newest)), history=found)


def _ends(logs: Logs, reconciled: Sequence[Finish], now: int) -> Iterator[tuple[str, Ends]]:
    """The newest success and the newest failure of each lane."""
    past = "max(case when at <= :now then at end)"
    for lane, at, newest in logs.successes(f"max(case when counts = 1 then at end), {past}", now=moment(now)):
        yield lane, Ends(success=instant(at), newest=instant(newest))
    for lane, at, newest in logs.failures(f"max(at), {past}", now=moment(now)):
        yield lane, Ends(failure=instant(at), newest=instant(newest))
    for each in reconciled:
        yield each.lane, Ends(failure=each.at, newest=each.at if each.at <= now else None)


def _failures(logs: Logs, reconciled: Sequence[Finish], since: int | None) -> Mapping[str, int]:
    """By lane, how many are later than a time, or all."""
    late = Counter(each.lane for each in reconciled if since is None or each.at > since)
    after = {} if since is None else {"since": moment(since)}
    counted = "count(*)" if since is None else "count(case when at > :since then 1 end)"
    return late + Counter({row[0]: row[1] for row in logs.failures(counted, **after)})


def _failing(logs: Logs, reconciled: Sequence[Finish], at: int) -> Mapping[str, str]:
    """By lane, the greatest key of those at a time or later."""
    keys = {
        lane: key_text(key)
        for lane, key in logs.failures("max(case when at >= :since then id end)", since=moment(at))
        if key
    }
    for each in reconciled:
        if each.at >= at:
            keys[each.lane] = max(each.key, keys.get(each.lane, ""))
    return keys


def wanted(logs: Logs, now: float) -> Iterator[Wanted]:
    """What makes reads cost what is new, and what spares the other parts most of their work."""
    values = {"at": naive(now), "last": LAST}
    cursor = statement(logs.table(finish), Place(naive(now)))
    yield Wanted("publish_logs", ("updated_at",), "counting finished publications", cursor, values, vital=True)
    clips = CLIPS[logs.query.dialect][0]
    yield Wanted("publish_logs", ("platform", "status", "clip_id"), "counting items and distinct clips", clips)
