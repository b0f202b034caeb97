"""What became of counts between two reads."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from exporter.core.event import Event
from exporter.domains.campaigns import Campaigns
from exporter.sources.stakazo.reading import Backlog, Stock


def queue(before: Backlog, after: Backlog) -> Iterator[Event]:
    """Of each platform whose publications changed, the statuses that have another count, with that."""
    yield from _by_platform("queue.changed", "items", before.facts.items, after.facts.items)


def content(before: Stock, after: Stock) -> Iterator[Event]:
    """The same of jobs, and of clips whatever their platform; nothing of what the schema had no place for."""
    old, new = before.facts, after.facts
    if old.jobs is not None and new.jobs is not None:
        yield from _by_platform("jobs.changed", "jobs", old.jobs, new.jobs)
    if old.clips is not None and new.clips is not None:
        yield from _changed("clips.changed", "clips", old.clips, new.clips)


def campaigns(before: Campaigns, after: Campaigns) -> Iterator[Event]:
    """The statuses of campaigns that have another count."""
    yield from _changed("campaigns.changed", "campaigns", before.count, after.count)


Counts = Mapping[str, int]
ByPlatform = Mapping[tuple[str, str], int]


def _changed(name: str, what: str, before: Counts, after: Counts, **more: str) -> Iterator[Event]:
    counts = {
        word: after.get(word, 0)
        for word in sorted(before.keys() | after.keys())
        if before.get(word, 0) != after.get(word, 0)
    }
    if counts:
        yield Event(name, {"event": name, **more, what: counts})


def _by_platform(name: str, what: str, before: ByPlatform, after: ByPlatform) -> Iterator[Event]:
    old, new = _sorted(before), _sorted(after)
    for platform in sorted(old.keys() | new.keys()):
        yield from _changed(name, what, old.get(platform, {}), new.get(platform, {}), platform=platform)


def _sorted(counts: ByPlatform) -> Mapping[str, Counts]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for (platform, status), count in counts.items():
        found[platform][status] = count
    return found
