"""YAML text becomes a frozen Config, or every problem at once, each with its path and line."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from exporter.core import scalar
from exporter.core.address import Address, address
from exporter.core.api import Access
from exporter.core.decode import NO_KEYS, Decoder, Keys, Node, document
from exporter.core.errors import ConfigError, Problem
from exporter.core.failed import FAILED
from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Kind, Limits
from exporter.core.units import Between, Like, Seconds, duration_text
from exporter.ledger.store import url_problem

DAY = 86_400.0
STALE_INTERVALS = 10

Name = Annotated[
    str,
    Like(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,62}", "at most 63 letters, digits and _ . - that begin with none of . and -"),
]

Origin = Annotated[
    str, Like(r"\*|https?://[^\s/@]{1,255}", "an origin such as https://studio.example, without a path, or * for any")
]


@dataclass(frozen=True, slots=True)
class Refresh:
    """How sources are read: how often, how long a read may take, how long a last good value is served.

    `max_stale` None is ten intervals. A timeout longer than the interval is allowed: reads of a part never overlap.
    """

    interval: Annotated[Seconds, Between(0.1, 7 * DAY)] = 15.0
    timeout: Annotated[Seconds, Between(0.01, DAY)] = 10.0
    max_stale: Annotated[Seconds, Between(0.1, 70 * DAY)] | None = None

    def schedule(self) -> Schedule:
        """The same with `max_stale` in seconds."""
        stale = STALE_INTERVALS * self.interval if self.max_stale is None else self.max_stale
        return Schedule(self.interval, self.timeout, stale)

    def partial_problems(self) -> Iterator[str]:
        """What the three do wrong together: a value dropped before the next can be there makes series flap."""
        stale = self.schedule().max_stale
        for name, seconds in (("interval", self.interval), ("timeout", self.timeout)):
            if seconds > stale:
                yield f"{name} {duration_text(seconds)} is longer than max_stale {duration_text(stale)}"


@dataclass(frozen=True, slots=True)
class LedgerConfig:
    """How much later than the newest a finished unit of work may turn up and still be counted."""

    overlap: Annotated[Seconds, Between(1, 7 * DAY)] = 600.0


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """A source as configured; `settings` is its kind's own dataclass."""

    name: str
    kind: str
    schedule: Schedule
    settings: Any  # Any: each kind has a dataclass of its own
    api: Access = field(default_factory=Access)


@dataclass(frozen=True, slots=True)
class Config:
    """All that can be configured; two that are equal ask for the same. `state` is the URL of the ledger's store; no
    finished work is counted without one."""

    sources: tuple[SourceConfig, ...]
    limits: Limits
    state: Secret | None = None
    ledger: LedgerConfig = LedgerConfig()


@dataclass(frozen=True, slots=True)
class _Document:
    sources: tuple[Node, ...]
    refresh: Refresh = Refresh()
    limits: Limits = field(default_factory=Limits)
    state: Secret | None = None
    ledger: LedgerConfig = LedgerConfig()


@dataclass(frozen=True, slots=True)
class _Entry:
    """What every entry of `sources` has; the other keys are its kind's."""

    name: Name
    kind: Node
    refresh: Node = NO_KEYS
    api: Node = NO_KEYS


@dataclass(frozen=True, slots=True)
class _Api:
    """Who reaches a source's Api; `listen` is one address, or one for each app."""

    token: Secret | None = None
    listen: Node = NO_KEYS
    public: bool = False
    cors: tuple[Origin, ...] = ()
    writes: bool = False


ENTRY_KEYS = tuple(item.name for item in fields(_Entry))


def load(text: str, env: Mapping[str, str], kinds: Mapping[str, Kind], read: Callable[[Path], str]) -> Config:
    """The configuration that a YAML text gives; raises ConfigError with every problem there is, in the order of lines.

    `env` answers `!env`, the variables of the systems replaced, and `~` (HOME); `read` gives the text of a `!file`, or
    raises OSError or UnicodeError. Relative paths stay relative, and so mean the working directory.
    """
    decoder = Decoder(env, read)
    root = document(text, decoder.problems)
    top = decoder.fields(_Document, root)
    sources = () if top["sources"] is FAILED else _sources(decoder, top["sources"], top["refresh"], kinds)
    if top["sources"] == ():
        decoder.problems.append(Problem("sources", root.line, "expected at least one source"))
    if isinstance(root, Keys) and isinstance(top["state"], Secret) and (problem := url_problem(top["state"])):
        decoder.problem(root.nodes["state"], problem)
    if decoder.problems:
        raise ConfigError(sorted(decoder.problems, key=lambda problem: problem.line or 0))
    return Config(sources, top["limits"], top["state"], top["ledger"])


def problems_text(error: ConfigError, filename: str) -> str:
    """One problem a line, `config.yaml:12: sources[0].database: …`, in the form editors can jump to; what is wrong with
    a flag stands in no file."""
    return "\n".join(_problem_text(problem, filename) for problem in error.problems)


def _problem_text(problem: Problem, filename: str) -> str:
    file = problem.file or ("" if problem.path.startswith("--") else filename)
    place = file if problem.line is None else f"{file}:{problem.line}"
    return ": ".join(part for part in (place, problem.path, problem.message) if part)


def _sources(
    decoder: Decoder, nodes: tuple[Node, ...], refresh: Refresh, kinds: Mapping[str, Kind]
) -> tuple[SourceConfig, ...]:
    entries = [decoder.fields(_Entry, node, known=None) for node in nodes]
    for entry in entries:
        if entry["kind"] is not FAILED:
            entry["kind"] = decoder.scalar(entry["kind"], partial(scalar.one_of, kinds))
    _refuse_twins(decoder, nodes, entries)
    many = Counter(entry["kind"] for entry in entries)
    alone = {kind: replace(decoder, fallback=count == 1) for kind, count in many.items()}
    made = tuple(
        SourceConfig(
            name=entry["name"],
            kind=entry["kind"],
            schedule=_schedule(decoder, entry["refresh"], refresh),
            settings=_settings(alone[entry["kind"]], node, kinds.get(entry["kind"])),
            api=_access(alone[entry["kind"]], entry["api"], kinds.get(entry["kind"])),
        )
        for node, entry in zip(nodes, entries, strict=True)
    )
    _refuse_shared(decoder, entries, made)
    return made


def _refuse_twins(decoder: Decoder, nodes: tuple[Node, ...], entries: list[dict[str, Any]]) -> None:
    first: dict[str, Node] = {}
    for node, entry in zip(nodes, entries, strict=True):
        if (name := entry["name"]) is FAILED:
            continue
        if name in first:
            decoder.problem(node, f"{first[name].path} on line {first[name].line} has the same name")
        first.setdefault(name, node)


def _access(decoder: Decoder, node: Node, kind: Kind | None) -> Any:
    """Who reaches the Api, with FAILED in the place of what could not be decoded, or FAILED. Where nothing is said, the
    token is that of the system's own variable. The apps of a kind that is not known may be any."""
    if not isinstance(node, Keys):
        return FAILED if node is FAILED else decoder.record(_Api, node)
    values = decoder.fields(_Api, node)
    values["listen"] = _listen(decoder, values["listen"], kind.apps if kind else None)
    silent = decoder.fallback and not values["public"] and values["token"] is None
    if kind and silent and (told := decoder.env.get(kind.token)):
        values["token"] = Secret(told)
    access = Access(**values)
    for problem in _access_problems(access):
        decoder.problem(node, problem)
    return access


def _access_problems(access: Access) -> Iterator[str]:
    """What a token cannot be, and what cannot be had together."""
    text = access.token.reveal() if isinstance(access.token, Secret) else "?"
    if not (text and text.isprintable() and text.strip() == text):
        yield "token: expected printable text without blanks around it (what was found is not shown)"
    if access.token and access.public is True:
        yield "a token is given and public is true: one of the two is meant"
    if access.writes is True and not access.token:
        yield "writes needs a token"


def _listen(decoder: Decoder, node: Node, apps: tuple[str, ...] | None) -> tuple[tuple[str, Address], ...]:
    """Addresses by app, of all of them under the empty name: those that could be decoded. The apps are None where it is
    not known which there are."""
    if not isinstance(node, Keys):
        found = decoder.scalar(node, lambda given: address(scalar.text(given)))
        return () if found is FAILED else (("", found),)
    if node is not NO_KEYS and apps == ():
        decoder.problem(node, "expected one address such as 127.0.0.1:8000, found a mapping")
        return ()
    if apps is not None:
        decoder.known_keys(node, apps)
    known = {app: each for app, each in node.nodes.items() if apps is None or app in apps}
    return tuple((app, at) for app, each in known.items() for _, at in _listen(decoder, each, ()))


def _refuse_shared(decoder: Decoder, entries: list[dict[str, Any]], sources: tuple[SourceConfig, ...]) -> None:
    first: dict[Address, str] = {}
    for entry, source in zip(entries, sources, strict=True):
        for at in () if source.api is FAILED else dict(source.api.listen).values():
            if at.port and at in first:
                decoder.problem(entry["api"].nodes["listen"], f"{at} is listened on for {first[at]} already")
            first.setdefault(at, source.name)


def _schedule(decoder: Decoder, node: Node, refresh: Refresh) -> Any:
    if node is FAILED:
        return FAILED
    over = refresh if node is NO_KEYS else decoder.record(Refresh, node, refresh)
    return FAILED if over is FAILED else over.schedule()


def _settings(decoder: Decoder, node: Node, kind: Kind | None) -> Any:
    return FAILED if kind is None else decoder.record(kind.config, node, known=ENTRY_KEYS)
