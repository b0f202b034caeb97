"""A configuration is a frozen Config, or every problem at once."""

import dataclasses
import logging
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, get_args, get_type_hints

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import Config, LedgerConfig, Refresh, SourceConfig, load, problems_text
from exporter.core.address import Address
from exporter.core.api import Access
from exporter.core.decode import Decoder, document
from exporter.core.errors import ConfigError
from exporter.core.part import Schedule
from exporter.core.secret import Secret
from exporter.core.source import Context, Kind, Limits, Source
from exporter.core.window import Window, window
from exporter.sources import KINDS

HIDDEN = "hunter2"
EXAMPLE = Path(__file__).parent.parent / "config.example.yaml"


@dataclass(frozen=True, slots=True)
class Files:
    runs: Path | None = field(default=None, metadata={"env": "FARM_RUNS"})
    jobs: Path | None = field(default=None, metadata={"env": "FARM_JOBS"})

    def partial_problems(self) -> Iterator[str]:
        if self.runs is None and self.jobs is None:
            yield "nothing to read: expected runs, jobs or both"


@dataclass(frozen=True, slots=True)
class Database:
    database: Secret
    windows: tuple[Window, ...] = (window("5m"), window("1h"))


def no_source(settings: Any, context: Context) -> Source:
    raise AssertionError(f"a configuration makes no source: {settings} {context}")


FAKES: Mapping[str, Kind] = {"farm": Kind(Files, no_source, "files"), "rows": Kind(Database, no_source, "a database")}


def no_file(path: Path) -> NoReturn:
    raise FileNotFoundError(2, "No such file or directory", str(path))


def loaded(text: str, env: Mapping[str, str] | None = None) -> Config:
    return load(text, env or {}, FAKES, no_file)


def problems(text: str, env: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text, env)
    return problems_text(caught.value, "c.yaml").splitlines()


def schedules(text: str) -> list[Schedule]:
    return [source.schedule for source in loaded(text).sources]


def test_a_configuration_of_two_sources() -> None:
    text = """
refresh: {interval: 30s}
limits: {document_size: 1GiB, label_values: 50}
sources:
  - {name: wall, kind: farm, runs: runs.json}
  - name: decoys
    kind: rows
    refresh: {timeout: 5s}
    database: !env DSN
    windows: [7d]
"""
    assert loaded(text, {"DSN": HIDDEN}) == Config(
        sources=(
            SourceConfig("wall", "farm", Schedule(30.0, 10.0, 300.0), Files(runs=Path("runs.json"))),
            SourceConfig("decoys", "rows", Schedule(30.0, 5.0, 300.0), Database(Secret(HIDDEN), (window("7d"),))),
        ),
        limits=Limits(document_size=1 << 30, label_values=50),
    )


def test_the_ledger_is_off_unless_it_is_told_where_its_store_is() -> None:
    source = "sources: [{name: a, kind: rows, database: x}]"
    assert loaded(source).state is None
    told = loaded(f"state: !env STATE\nledger: {{overlap: 1h}}\n{source}", {"STATE": "sqlite:////var/state"})
    assert told.state == Secret("sqlite:////var/state")
    assert told.ledger == LedgerConfig(3600.0)


def test_a_store_that_cannot_be_one_is_a_problem_on_its_line() -> None:
    text = (
        f"ledger: {{overlap: 10ms}}\nstate: redis://:{HIDDEN}@there/0\nsources: [{{name: a, kind: rows, database: x}}]"
    )
    assert problems(text) == [
        "c.yaml:1: ledger.overlap: expected 1s to 7d, found '10ms'",
        "c.yaml:2: state: expected a URL of sqlite, postgresql, mysql or mariadb, found 'redis'",
    ]


def test_configurations_that_say_the_same_are_equal_and_hash_alike() -> None:
    one = loaded("sources: [{name: a, kind: rows, database: x}]")
    same = loaded("sources:\n- kind: rows\n  database: 'x'\n  refresh: {}\n  name: a\nrefresh: {interval: 15s}")
    assert one == same
    assert hash(one) == hash(same)
    assert one != loaded("sources: [{name: a, kind: rows, database: y}]")


def test_every_problem_is_told_in_the_order_of_lines_in_the_form_editors_jump_to() -> None:
    text = """
refresh: {interval: 15, timeout: 0s}
limit: {}
limits:
  label_values: 0
  label_values: 10
sources:
  - name: .hidden
    kind: fram
    runs: x
  - name: twin
    kind: farm
  - kind: rows
    databse: hunter2
    windows: 5m
    refresh: 1m
  - name: twin
    kind: rows
    database: 12345
    refresh: {intervall: 1m}
  - wall
"""
    assert problems(text) == [
        "c.yaml:2: refresh.interval: expected a duration such as 200ms, 15s, 10m, 2h or 7d, found '15': "
        "the unit is missing",
        "c.yaml:2: refresh.timeout: expected 10ms to 1d, found '0s'",
        "c.yaml:3: limit: unknown key: did you mean limits?",
        "c.yaml:5: limits.label_values: expected 1 to 100000, found '0'",
        "c.yaml:6: limits.label_values: the key label_values is given twice, first on line 5",
        "c.yaml:8: sources[0].name: expected at most 63 letters, digits and _ . - that begin with none of . and -, "
        "found '.hidden'",
        "c.yaml:9: sources[0].kind: expected one of farm, rows, found 'fram': did you mean farm?",
        "c.yaml:11: sources[1]: nothing to read: expected runs, jobs or both",
        "c.yaml:13: sources[2]: the key name is missing",
        "c.yaml:13: sources[2]: the key database is missing",
        "c.yaml:14: sources[2].databse: unknown key: did you mean database?",
        "c.yaml:15: sources[2].windows: expected a list, found text",
        "c.yaml:16: sources[2].refresh: expected a mapping of keys, found text",
        "c.yaml:17: sources[3]: sources[1] on line 11 has the same name",
        "c.yaml:19: sources[3].database: expected text, in quotes because YAML 1.1 reads this as a number "
        "(what was found is not shown)",
        "c.yaml:20: sources[3].refresh.intervall: unknown key: did you mean interval?",
        "c.yaml:21: sources[4]: expected a mapping of keys, found text",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "c.yaml: expected a mapping of keys, found an empty document"),
        ("refresh: {}", "c.yaml:1: the key sources is missing"),
        ("sources: []", "c.yaml:1: sources: expected at least one source"),
        ("sources:", "c.yaml:1: sources: expected a list, found nothing"),
        ("sources: {name: a}", "c.yaml:1: sources: expected a list, found a mapping"),
        ("- a", "c.yaml:1: expected a mapping of keys, found a list"),
        (
            "a: [",
            "c.yaml:1: not YAML: expected the node content, but found '<stream end>', "
            "while parsing a flow node that begins on line 1",
        ),
    ],
)
def test_a_configuration_without_sources_is_one_problem(text: str, told: str) -> None:
    assert problems(text) == [told]


HIDING = """
refresh: {interval: 10m, timeout: soon, max_stale: 5m}
sources:
  - {name: a, kind: farm, hours: x, runs: 5}
  - {name: b, kind: farm, refresh: {timeout: 1h, max_stale: 10s}, api: {token: ' x', cors: wide, writes: true}}
  - {name: c, kind: farm, jobs: x, api: {cors: [x], public: true, token: x, listen: ':80'}}
  - {name: d, kind: rows, database: x, api: {writes: true, public: 7, listen: ':80'}}
  - {name: e, kind: fram, api: {writes: true, listen: ':80', tokens: x}}
  - {name: f, kind: farm, jobs: x, api: {listen: {left: ':81', right: here, up: ':82'}}}
  - {name: g, kind: farm, jobs: x, api: {listen: {left: ':81'}, token: 7, public: true}}
  - {name: h, kind: fram, api: {listen: {left: ':81'}}}
"""


def test_no_problem_waits_until_another_is_mended() -> None:
    with pytest.raises(ConfigError) as caught:
        load(HIDING, {}, APPS, no_file)
    found = [f"{problem.line} {problem.path}: {problem.message}" for problem in caught.value.problems]
    told = "(what was found is not shown)"
    assert found == [
        "2 refresh.timeout: expected a duration such as 200ms, 15s, 10m, 2h or 7d, found 'soon'",
        "2 refresh: interval 10m is longer than max_stale 5m",
        "4 sources[0].hours: unknown key: known are name, kind, refresh, api, runs, jobs",
        "4 sources[0].runs: expected text, in quotes because YAML 1.1 reads this as a number, found '5'",
        "5 sources[1].refresh: timeout 1h is longer than max_stale 10s",
        "5 sources[1]: nothing to read: expected runs, jobs or both",
        "5 sources[1].api.cors: expected a list, found text",
        f"5 sources[1].api: token: expected printable text without blanks around it {told}",
        "6 sources[2].api.cors[0]: expected an origin such as https://studio.example, without a path, or * for any, "
        "found 'x'",
        "6 sources[2].api: a token is given and public is true: one of the two is meant",
        "7 sources[3].api.public: expected true or false, without quotes, found '7'",
        "7 sources[3].api: writes needs a token",
        "7 sources[3].api.listen: :80 is listened on for c already",
        "8 sources[4].kind: expected one of farm, rows, found 'fram': did you mean farm?",
        "8 sources[4].api.tokens: unknown key: did you mean token?",
        "8 sources[4].api: writes needs a token",
        "8 sources[4].api.listen: :80 is listened on for c already",
        "9 sources[5].api.listen.up: unknown key: known are left, right",
        "9 sources[5].api.listen.right: expected host:port, [IPv6 address]:port or :port, found 'here'",
        f"10 sources[6].api.token: expected text, in quotes because YAML 1.1 reads this as a number {told}",
        "10 sources[6].api: a token is given and public is true: one of the two is meant",
        "10 sources[6].api.listen: :81 is listened on for f already",
        "11 sources[7].kind: expected one of farm, rows, found 'fram': did you mean farm?",
        "11 sources[7].api.listen: :81 is listened on for f already",
    ]


def test_what_the_kinds_find_wrong_does_not_wait_either() -> None:
    text = """
sources:
  - {name: a, kind: trafalgar, cache: {ttl: soon}}
  - {name: b, kind: trafalgar, shotgrid: {url: here, script: '', key: k, interval: 1, timeout: x}}
  - {name: c, kind: stakazo, database: redis://x, more: 1}
  - {name: d, kind: decnet, database: redis://x, windows: [1h, 60m, 60m]}
  - {name: e, kind: music_agents, host: x, database: redis://x, timezone: Berlin}
  - {name: f, kind: music_agents, host: false, timezone: 7}
"""
    with pytest.raises(ConfigError) as caught:
        load(text, {}, KINDS, no_file)
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (3, "sources[0].cache.ttl"),
        (3, "sources[0]"),
        (4, "sources[1].shotgrid.url"),
        (4, "sources[1].shotgrid.script"),
        (4, "sources[1].shotgrid.interval"),
        (4, "sources[1].shotgrid.timeout"),
        (5, "sources[2].more"),
        (5, "sources[2].database"),
        (6, "sources[3].database"),
        (6, "sources[3].windows"),
        (7, "sources[4].database"),
        (7, "sources[4].timezone"),
        (7, "sources[4].host"),
        (8, "sources[5].timezone"),
        (8, "sources[5]"),
    ]


# Refresh


def source(refresh: str = "{}") -> str:
    return f"sources: [{{name: a, kind: farm, runs: x, refresh: {refresh}}}]"


def test_the_values_last_ten_intervals_unless_told_otherwise() -> None:
    assert schedules(source()) == [Schedule(15.0, 10.0, 150.0)]
    assert schedules(source("{interval: 5m}")) == [Schedule(300.0, 10.0, 3000.0)]
    assert schedules(source("{interval: 5m, max_stale: 10m}")) == [Schedule(300.0, 10.0, 600.0)]


def test_a_source_overrides_key_by_key() -> None:
    top = "refresh: {interval: 1m, timeout: 20s, max_stale: 5m}\n"
    assert schedules(top + source()) == [Schedule(60.0, 20.0, 300.0)]
    assert schedules(top + source("{timeout: 2s}")) == [Schedule(60.0, 2.0, 300.0)]
    assert schedules(top + source("{interval: 2m, max_stale: null}")) == [Schedule(120.0, 20.0, 1200.0)]


def test_a_timeout_may_be_longer_than_the_interval() -> None:
    assert schedules(source("{interval: 5s, timeout: 30s}")) == [Schedule(5.0, 30.0, 50.0)]


@pytest.mark.parametrize(
    ("refresh", "told"),
    [
        ("{timeout: 3m}", "timeout 3m is longer than max_stale 150s"),
        ("{interval: 10m, max_stale: 5m}", "interval 10m is longer than max_stale 5m"),
    ],
)
def test_what_is_dropped_before_the_next_read_can_end_is_a_problem(refresh: str, told: str) -> None:
    assert problems(source(refresh)) == [f"c.yaml:1: sources[0].refresh: {told}"]
    assert problems(f"refresh: {refresh}\n{source()}") == [f"c.yaml:1: refresh: {told}"]


def test_a_problem_of_the_common_refresh_is_told_once_and_not_per_source() -> None:
    silent, speaking = "{name: a, kind: farm, runs: x}", "{name: b, kind: farm, runs: x, refresh: {timeout: 1d}}"
    text = f"refresh: {{interval: soon}}\nsources: [{silent}, {speaking}]"
    assert len(problems(text)) == 1


@given(
    st.builds(
        Refresh,
        interval=st.integers(100, 604_800_000).map(lambda milliseconds: milliseconds / 1000),
        timeout=st.integers(10, 86_400_000).map(lambda milliseconds: milliseconds / 1000),
    )
)
def test_schedules_never_drop_a_value_before_its_successor_can_be_there(refresh: Refresh) -> None:
    told = list(refresh.partial_problems())
    schedule = refresh.schedule()
    assert bool(told) == (schedule.max_stale < max(schedule.interval, schedule.timeout))


# The environment of the systems replaced


def test_variables_of_the_system_replaced_apply_where_the_only_source_of_a_kind_is_silent() -> None:
    env = {"FARM_RUNS": "~/runs.json", "FARM_JOBS": "", "HOME": "/home/td"}
    text = "sources: [{name: a, kind: farm}, {name: b, kind: rows, database: x}]"
    assert loaded(text, env).sources[0].settings == Files(runs=Path("/home/td/runs.json"))
    said = "sources: [{name: a, kind: farm, runs: here.json}]"
    assert loaded(said, env).sources[0].settings == Files(runs=Path("here.json"))


def test_variables_of_the_system_replaced_are_not_for_two_sources_of_a_kind() -> None:
    text = "sources: [{name: a, kind: farm, jobs: x}, {name: b, kind: farm, jobs: y}]"
    assert [source.settings.runs for source in loaded(text, {"FARM_RUNS": "runs.json"}).sources] == [None, None]


# Secrets

SECRET_PLACES = """
refresh: {interval: !env DSN, timeout: !file key}
limits: {document_size: !env DSN, label_values: !env DSN}
sources:
  - {name: !env SPACED, kind: !env DSN, refresh: {max_stale: !env DSN}}
  - {name: a, kind: rows, database: !env DSN, windows: [!env DSN, !file key]}
  - {name: a, kind: rows, database: hunter2, hunter2:x: 1, database:hunter2}
  - {name: b, kind: rows, database: [hunter2]}
  - {name: c, kind: rows, database: {hunter2: hunter2}}
  - {name: d, kind: rows, database: !hunter2 x}
"""


def test_no_problem_shows_a_secret() -> None:
    env = {"DSN": HIDDEN, "SPACED": f"{HIDDEN} {HIDDEN}"}
    with pytest.raises(ConfigError) as caught:
        load(SECRET_PLACES, env, FAKES, lambda path: HIDDEN)
    assert len(caught.value.problems) >= 12
    told = [str(caught.value), repr(caught.value), problems_text(caught.value, "c.yaml")]
    told += ["".join(traceback.format_exception(caught.value)), repr(caught.value.problems)]
    assert HIDDEN not in "\n".join(told)


def test_a_configuration_prints_and_logs_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    text = "sources: [{name: a, kind: rows, database: hunter2}, {name: b, kind: rows, database: !env DSN}]"
    config = loaded(text, {"DSN": HIDDEN})
    logging.getLogger("test").warning("%s %r", config, dataclasses.asdict(config))
    assert HIDDEN not in caplog.text
    assert caplog.text.count("***") == 4
    assert [source.settings.database.reveal() for source in config.sources] == [HIDDEN, HIDDEN]


# Any document

NAMES = st.sampled_from(["name", "kind", "refresh", "limits", "sources", "interval", "runs", "database", "windows"])
VALUES = st.recursive(
    st.sampled_from([None, "a", "farm", "rows", "15s", "5m", 1, True, 1.5]) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=6),
    max_leaves=25,
)


@given(VALUES | st.fixed_dictionaries({"sources": st.lists(st.dictionaries(NAMES, VALUES))}))
def test_any_document_is_a_configuration_or_its_problems(value: Any) -> None:
    try:
        config = loaded(yaml.safe_dump(value))
    except ConfigError as error:
        assert problems_text(error, "c.yaml").startswith("c.yaml")  # noqa: PT017  # either outcome is right
    else:
        assert config.sources


ENTRIES = st.builds(
    lambda runs, refresh: {"kind": "farm", "runs": runs, "refresh": refresh},
    st.from_regex(r"[a-zé/ .'-]{1,20}", fullmatch=True),
    st.dictionaries(st.just("timeout"), st.integers(10, 90_000).map(lambda milliseconds: f"{milliseconds}ms")),
)


@given(
    st.dictionaries(st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,62}", fullmatch=True), ENTRIES, min_size=1, max_size=4)
)
def test_what_is_written_is_read(entries: dict[str, dict[str, Any]]) -> None:
    config = loaded(yaml.safe_dump({"sources": [{"name": name, **entry} for name, entry in entries.items()]}))
    assert [(source.name, source.settings.runs) for source in config.sources] == [
        (name, Path(entry["runs"])) for name, entry in entries.items()
    ]


# config.example.yaml


def keys_of(cls: Any, path: str = "") -> set[str]:
    """The path of every key of a dataclass, those of the dataclasses inside it among them."""
    found: set[str] = set()
    for name, hint in get_type_hints(cls).items():
        inner = [each for each in (hint, *get_args(hint)) if dataclasses.is_dataclass(each) and each is not Window]
        found |= {path + name}.union(*(keys_of(each, f"{path}{name}.") for each in inner))
    return found


def keys_in(value: Mapping[str, Any], path: str = "") -> set[str]:
    """The path of every key of a mapping and of the mappings inside it."""
    inner = (keys_in(each, f"{path}{key}.") for key, each in value.items() if isinstance(each, Mapping))
    return {path + key for key in value}.union(*inner)


def example() -> Any:
    """The example as plain values, its tags as the text they stand before."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: node.value)
    return yaml.load(EXAMPLE.read_text("utf-8"), Loader)  # noqa: S506  # a SafeLoader


def test_the_example_loads_without_an_environment() -> None:
    config = load(EXAMPLE.read_text("utf-8"), {}, KINDS, no_file)
    assert [source.kind for source in config.sources] == list(KINDS)
    assert config.limits == Limits()
    assert config.ledger == LedgerConfig()
    assert {source.schedule for source in config.sources} == {Schedule()}


def test_the_example_names_every_key_once() -> None:
    top = example()  # a key given twice in one mapping is a problem, so it does not load
    assert set(top) == {"refresh", "state", "ledger", "limits", "sources"}
    assert keys_in(top["refresh"]) == keys_of(Refresh)
    assert keys_in(top["ledger"]) == keys_of(LedgerConfig)
    assert keys_in(top["limits"]) == keys_of(Limits)
    assert [entry["kind"] for entry in top["sources"]] == list(KINDS)
    assert sum("refresh" in entry for entry in top["sources"]) == 1
    assert [keys_in(entry["api"]) for entry in top["sources"] if "api" in entry] == [keys_of(Access)]
    for entry in top["sources"]:
        own = {key: entry[key] for key in entry if key not in ("name", "kind", "refresh", "api")}
        assert keys_in(own) == keys_of(KINDS[entry["kind"]].config)


def test_the_example_gives_the_defaults() -> None:
    refresh = document(yaml.safe_dump(example()["refresh"]), [])
    assert Decoder({}, no_file).record(Refresh, refresh) == Refresh()
    for source in load(EXAMPLE.read_text("utf-8"), {}, KINDS, no_file).sources:
        for item in dataclasses.fields(source.settings):
            default = item.default_factory() if item.default_factory is not dataclasses.MISSING else item.default
            if default is not dataclasses.MISSING and default is not None:
                assert getattr(source.settings, item.name) == default, f"{source.kind}.{item.name}"


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_has_a_key_that_every_source_has(kind: str) -> None:
    assert not {"name", "kind", "refresh", "api"} & set(keys_of(KINDS[kind].config))


# who reaches the Api of a source, and where

APPS = {**FAKES, "farm": Kind(Files, no_source, "files", apps=("left", "right"), token="FARM_TOKEN")}


def access(api: str, env: Mapping[str, str] | None = None) -> Access:
    text = f"sources: [{{name: a, kind: farm, runs: r, api: {api}}}]"
    return load(text, env or {}, APPS, no_file).sources[0].api


def refused(api: str, kind: str = "farm, runs: r") -> list[str]:
    with pytest.raises(ConfigError) as error:
        load(f"sources:\n  - {{name: a, kind: {kind},\n     api: {api}}}", {}, APPS, no_file)
    return [f"{problem.line} {problem.path}: {problem.message}" for problem in error.value.problems]


def test_an_api_is_nobody_s_unless_something_is_said() -> None:
    assert access("{}") == Access()
    assert access("{public: true, cors: ['*', 'https://a.example:8443']}") == Access(
        public=True, cors=("*", "https://a.example:8443")
    )
    assert access("{token: x, writes: true}") == Access(Secret("x"), writes=True)


def test_an_api_has_an_address_of_its_own_or_one_for_each_app() -> None:
    assert access("{listen: '127.0.0.1:80'}").listen == (("", Address("127.0.0.1", 80)),)
    assert access("{listen: {right: ':81', left: '[::1]:80'}}").listen == (
        ("right", Address(None, 81)),
        ("left", Address("::1", 80)),
    )


def test_the_variable_of_the_system_gives_the_token_where_nothing_else_is_said() -> None:
    env = {"FARM_TOKEN": "told"}
    assert access("{}", env).token == Secret("told")
    assert access("{token: own}", env).token == Secret("own")
    assert access("{public: true}", env) == Access(public=True)
    assert access("{}", {"FARM_TOKEN": ""}).token is None
    two = "sources: [{name: a, kind: farm, runs: r}, {name: b, kind: farm, runs: r}]"
    assert {source.api for source in load(two, env, APPS, no_file).sources} == {Access()}


@pytest.mark.parametrize(
    ("api", "problem"),
    [
        ("7", "3 sources[0].api: expected a mapping of keys, found text"),
        ("{tokens: x}", "3 sources[0].api.tokens: unknown key: did you mean token?"),
        (
            "{token: ''}",
            "3 sources[0].api.token: expected a secret that is not empty (what was found is not shown)",
        ),
        (
            "{token: ' x'}",
            "3 sources[0].api: token: expected printable text without blanks around it (what was found is not shown)",
        ),
        ("{token: x, public: true}", "3 sources[0].api: a token is given and public is true: one of the two is meant"),
        ("{writes: true}", "3 sources[0].api: writes needs a token"),
        ("{public: true, writes: true}", "3 sources[0].api: writes needs a token"),
        ("{listen: here}", "3 sources[0].api.listen: expected host:port, [IPv6 address]:port or :port, found 'here'"),
        ("{listen: ':99999'}", "3 sources[0].api.listen: expected a port from 0 to 65535, found ':99999'"),
        ("{listen: {middle: ':80'}}", "3 sources[0].api.listen.middle: unknown key: known are left, right"),
        (
            "{listen: {left: here}}",
            "3 sources[0].api.listen.left: expected host:port, [IPv6 address]:port or :port, found 'here'",
        ),
        ("{listen: {left: ':80', right: ':80'}}", "3 sources[0].api.listen: :80 is listened on for a already"),
        (
            "{cors: [example.org]}",
            "3 sources[0].api.cors[0]: expected an origin such as https://studio.example, without a path, or * for any,"
            " found 'example.org'",
        ),
    ],
)
def test_what_an_api_cannot_be(api: str, problem: str) -> None:
    assert refused(api) == [problem]


def test_only_a_system_of_several_programs_has_several_addresses() -> None:
    found = "3 sources[0].api.listen: expected one address such as 127.0.0.1:8000, found a mapping"
    assert refused("{listen: {left: ':80'}}", "rows, database: d") == [found]


def test_two_sources_do_not_share_an_address() -> None:
    text = "sources:\n" + "".join(
        f"  - {{name: {name}, kind: farm, runs: r, api: {{listen: ':80'}}}}\n" for name in "ab"
    )
    with pytest.raises(ConfigError) as error:
        load(text, {}, APPS, no_file)
    [problem] = error.value.problems
    assert (problem.path, problem.line) == ("sources[1].api.listen", 3)
    assert problem.message == ":80 is listened on for a already"
    free = text.replace(":80", ":0")
    assert len(load(free, {}, APPS, no_file).sources) == 2
