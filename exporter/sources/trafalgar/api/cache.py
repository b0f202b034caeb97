"""The settings of the dashboard's cache, what they govern here, and their administration (contract d).

The system kept the versions that it had fetched. Here every part is a bucket of its own, read in the background: one
that is older than the TTL, or was flushed, is due at once. Of what only the JSON shows, published versions beyond
`max_records` are dropped, the oldest first, and the pages of projects beyond `max_projects`, the least recently used
first. What is counted is never dropped.
"""

import json
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from exporter.core.api import Answer, Asked, Reading
from exporter.core.units import Unfit, Unit, duration, duration_text
from exporter.sources.trafalgar.api.replies import Refused, Wrong, at_least, detail, encoded, invalid, whole

MOST_TTL, MOST_RECORDS, MOST_PROJECTS = 86_400.0, 1_000_000, 10_000


def clamped(value: float, most: float) -> float:
    """A number between 0 and the most that makes sense; 0 for none."""
    return 0.0 if math.isnan(value) else min(max(value, 0.0), most)


def _ttl(text: str) -> float:
    """A duration, or seconds as the system's variable has them, which are clamped."""
    try:
        return clamped(float(text), MOST_TTL)
    except ValueError:
        pass
    try:
        return clamped(duration(text), MOST_TTL)
    except Unfit:
        raise Unfit("a duration such as 30s, or a number of seconds", text) from None


def _count(most: int) -> Callable[[str], float]:
    def parse(text: str) -> int:
        try:
            return min(max(int(text), 0), most)
        except ValueError:
            raise Unfit(f"a whole number, 0 to {most}", text) from None

    return parse


@dataclass(frozen=True, slots=True)
class Config:
    """How long what was read is good for, and how much only the JSON shows of it; 0 for no limit, and a TTL of 0 has
    every request want the next read. Numbers out of range are clamped."""

    ttl: Annotated[float, Unit(_ttl, duration_text)] = field(
        default=30.0, metadata={"env": "ONEPIECE_DASHBOARD_CACHE_TTL"}
    )
    max_records: Annotated[int, Unit(_count(MOST_RECORDS), str)] = field(
        default=5000, metadata={"env": "ONEPIECE_DASHBOARD_CACHE_MAX_RECORDS"}
    )
    max_projects: Annotated[int, Unit(_count(MOST_PROJECTS), str)] = field(
        default=50, metadata={"env": "ONEPIECE_DASHBOARD_CACHE_MAX_PROJECTS"}
    )


class Settings(msgspec.Struct, frozen=True):
    """The settings as the API shows them."""

    ttl_seconds: float
    max_records: int
    max_projects: int


class Bucket(msgspec.Struct):
    """A part: how many entries it holds, its TTL, when it was last read (ISO 8601, null where it was not), and whether
    its next read is due."""

    name: str
    entries: int
    ttl_seconds: float
    refreshed_at: str | None
    due: bool


class Administration(msgspec.Struct):
    """The settings and the buckets."""

    ttl_seconds: float
    max_records: int
    max_projects: int
    buckets: list[Bucket]


class Update(msgspec.Struct):
    """New settings, each of which may be left out or null to leave it as it is; `flush` has every bucket due."""

    ttl_seconds: float | None = None
    max_records: int | None = None
    max_projects: int | None = None
    flush: bool = False


Values = tuple[object, ...]
Pages = dict[str, tuple[Values, Answer]]


class Cache:
    """The settings as they are now, when the buckets were flushed, and the pages of projects, each with the values that
    it was made of."""

    def __init__(self, config: Config) -> None:
        self.settings = Settings(config.ttl, config.max_records, config.max_projects)
        self._flushed = -math.inf
        self._projects: OrderedDict[str, Pages] = OrderedDict()

    def most_records(self) -> int:
        """How many published versions may be kept, 0 for all."""
        return self.settings.max_records

    def due(self, reading: Reading, now: float, parts: Iterable[str]) -> tuple[str, ...]:
        """Those of some parts whose value has expired or was flushed."""
        return tuple(part for part in parts if self._due(part, reading, now))

    def flush(self, now: float) -> None:
        """Has every bucket due, and forgets every page."""
        self._flushed = now
        self._projects.clear()

    def change(self, settings: Settings) -> None:
        """Takes other settings, clamped."""
        self.settings = Settings(
            clamped(settings.ttl_seconds, MOST_TTL),
            min(settings.max_records, MOST_RECORDS),
            min(settings.max_projects, MOST_PROJECTS),
        )
        self._trim()

    def page(self, place: tuple[str, str], values: Values, make: Callable[[], Answer]) -> Answer:
        """A page of a project, made once of the very same values."""
        project, name = place
        pages = self._projects.setdefault(project, {})
        self._projects.move_to_end(project)
        before = pages.get(name)
        if before is None or [*map(id, before[0])] != [*map(id, values)]:
            before = pages[name] = values, make()
        self._trim()
        return before[1]

    def administration(
        self, reading: Reading, now: float, parts: Iterable[str], entries: Mapping[str, int]
    ) -> Administration:
        """The settings and the buckets, with their entries by part."""
        shown = self.settings
        buckets = [
            Bucket(
                part,
                entries.get(part, 0),
                shown.ttl_seconds,
                datetime.fromtimestamp(reading.at[part], UTC).isoformat() if part in reading.at else None,
                self._due(part, reading, now),
            )
            for part in parts
        ]
        return Administration(shown.ttl_seconds, shown.max_records, shown.max_projects, buckets)

    def _due(self, part: str, reading: Reading, now: float) -> bool:
        at = reading.at.get(part)
        return at is None or at <= self._flushed or at + self.settings.ttl_seconds <= now

    def _trim(self) -> None:
        most = self.settings.max_projects or MOST_PROJECTS  # anyone may ask for a name in any spelling
        while len(self._projects) > most:
            self._projects.popitem(last=False)


def posted(cache: Cache, parts: tuple[str, ...], asked: Asked) -> Answer:
    """What a POST to the administration of some parts does and says.

    Without a body it flushes, as the system's document had it; a body is taken as the system took it.
    """
    if not asked.body:
        cache.flush(asked.now)
        return Answer(encoded(cache.settings).body, due=parts)
    body = _body(asked)
    if isinstance(body, Answer):
        return body
    update = _update(body)
    if isinstance(update, Answer):
        return update
    before = cache.settings
    cache.change(
        Settings(
            before.ttl_seconds if update.ttl_seconds is None else update.ttl_seconds,
            before.max_records if update.max_records is None else update.max_records,
            before.max_projects if update.max_projects is None else update.max_projects,
        )
    )
    if update.flush:
        cache.flush(asked.now)
    return Answer(encoded(cache.settings).body, due=parts if update.flush else ())


def _body(asked: Asked) -> dict[str, Any] | Answer:
    """The object that was sent, or what is said of anything else."""
    kind = asked.media.partition(";")[0].strip().lower()
    value: Any
    if kind and not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        value = asked.body.decode("utf-8", "replace")
    else:
        try:
            value = json.loads(asked.body)
        except json.JSONDecodeError as error:
            wrong = Wrong("json_invalid", ["body", error.pos], "JSON decode error", {}, {"error": error.msg})
            return invalid(wrong)
        except (ValueError, RecursionError):  # no UTF-8, a number of too many digits, nested too deeply
            return detail("There was an error parsing the body", 400)
    if value is None:
        return invalid(Wrong("missing", ["body"], "Field required", None))
    if isinstance(value, dict):
        return value
    said = "Input should be a valid dictionary or object to extract fields from"
    return invalid(Wrong("model_attributes_type", ["body"], said, _plain(value)))


def _update(body: Mapping[str, Any]) -> Update | Answer:
    """The settings in a body, or all that is wrong with them."""
    found: dict[str, Any] = {}
    wrong: list[Wrong] = []
    takes: Mapping[str, Callable[[Any], Any]] = {
        "ttl_seconds": _seconds,
        "max_records": _whole,
        "max_projects": _whole,
        "flush": _flag,
    }
    for name, take in takes.items():
        if name not in body or (body[name] is None and name != "flush"):
            continue
        try:
            found[name] = take(body[name])
        except Refused as refused:
            wrong.append(refused.wrong(["body", name], _plain(body[name])))
    return invalid(*wrong) if wrong else Update(**found)


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            said = "Input should be a valid number, unable to parse string as a number"
            raise Refused("float_parsing", said) from None
    if not isinstance(value, int | float):
        raise Refused("float_type", "Input should be a valid number")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise Refused("finite_number", "Input should be a finite number")
    at_least(seconds, 0.0)
    return seconds


def _whole(value: Any) -> int:
    if isinstance(value, str):
        value = whole(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Refused("finite_number", "Input should be a finite number")
    elif isinstance(value, float) and value != value // 1:
        said = "Input should be a valid integer, got a number with a fractional part"
        raise Refused("int_from_float", said)
    elif not isinstance(value, int | float):
        raise Refused("int_type", "Input should be a valid integer")
    at_least(value, 0)
    return int(value)


def _flag(value: Any) -> bool:
    words = {"0": False, "off": False, "f": False, "false": False, "n": False, "no": False}
    words |= {"1": True, "on": True, "t": True, "true": True, "y": True, "yes": True}
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | float | str):
        raise Refused("bool_type", "Input should be a valid boolean")
    text = value.lower() if isinstance(value, str) else f"{value:g}"
    if text not in words:
        raise Refused("bool_parsing", "Input should be a valid boolean, unable to interpret input")
    return words[text]


def _plain(value: Any) -> Any:
    """What was sent as it can be sent back: no halves of surrogate pairs, and no numbers that JSON has not."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
