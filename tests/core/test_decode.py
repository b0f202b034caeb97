"""Documents over dataclasses: values by their type hints, and every problem with its path and line."""

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exporter.core.decode import NO_KEYS, Decoder, Items, Keys, Node, Scalar, document
from exporter.core.errors import ConfigError, Problem
from exporter.core.failed import FAILED
from exporter.core.secret import Secret
from exporter.core.units import Between, Bytes, Like, Seconds
from exporter.core.window import Window

HIDDEN = "hunter2"


@dataclass(frozen=True, slots=True)
class Cache:
    ttl: Annotated[Seconds, Between(0, 86400)] = 30.0
    records: Annotated[int, Between(0, 1_000_000)] = 5000


@dataclass(frozen=True, slots=True)
class Everything:
    text: str = ""
    code: Annotated[str, Like("[a-z]{3}", "three letters")] = "abc"
    number: int = 0
    ratio: Annotated[float, Between(0, 1)] = 0.0
    flag: bool = False
    path: Path | None = None
    wait: Seconds = 1.0
    room: Annotated[Bytes | None, Between(1024, 1 << 30)] = None
    window: Window = Window("1h", 3600)  # noqa: RUF009  # frozen
    token: Secret | None = None
    mode: Literal["fast", "slow"] = "fast"
    names: tuple[str, ...] = ()
    hosts: Mapping[str, int] = field(default_factory=dict)
    cache: Cache = field(default_factory=Cache)
    rest: Node = NO_KEYS


@dataclass(frozen=True, slots=True)
class Needy:
    database: Secret
    low: int = 0
    high: int = 10

    def problems(self) -> Iterator[str]:
        if self.low > self.high:
            yield f"low {self.low} is above high {self.high}"


FILES: Mapping[str, str | Exception] = {
    "secret": f"{HIDDEN}\n",
    "windows": f"{HIDDEN}\r\n",
    "two": f"{HIDDEN}\n\n",
    "surrogate": "a\udc80",
    "gone": FileNotFoundError(2, "No such file or directory"),
    "odd": OSError(),
    "latin": UnicodeDecodeError("utf-8", HIDDEN.encode(), 0, 1, "invalid start byte"),
}
ENV = {"TOKEN": HIDDEN, "NUMBER": "15", "EMPTY": "", "BAD": "a\udc80", "HOME": "/home/td", "OCTAL": "010", "YES": "no"}


def read(path: Path) -> str:
    if isinstance(found := FILES[str(path)], Exception):
        raise found
    return found


def decode(text: str, cls: type[Any] = Everything, *, fallback: bool = False) -> Any:
    decoder = Decoder(ENV, read, fallback)
    value = decoder.value(cls, document(text, decoder.problems))
    if decoder.problems:
        raise ConfigError(decoder.problems)
    return value


def problems(text: str, cls: type[Any] = Everything) -> list[tuple[str, int | None, str]]:
    with pytest.raises(ConfigError) as caught:
        decode(text, cls)
    return [(problem.path, problem.line, problem.message) for problem in caught.value.problems]


def messages(text: str, cls: type[Any] = Everything) -> list[str]:
    return [message for _, _, message in problems(text, cls)]


def test_a_value_of_every_kind() -> None:
    text = """
text: 'no'
code: xyz
number: -15
ratio: 0.25
flag: true
path: ~/runs.json
wait: 200ms
room: 64MiB
window: 7d
token: hunter2
mode: slow
names: [alpha, "101"]
hosts: {"127.0.0.1": 80, farm: 8080}
cache: {ttl: 0s}
rest: anything
"""
    assert decode(text) == Everything(
        text="no",
        code="xyz",
        number=-15,
        ratio=0.25,
        flag=True,
        path=Path("/home/td/runs.json"),
        wait=0.2,
        room=64 << 20,
        window=Window("7d", 604800),
        token=Secret(HIDDEN),
        mode="slow",
        names=("alpha", "101"),
        hosts={"127.0.0.1": 80, "farm": 8080},
        cache=Cache(ttl=0.0),
        rest=Scalar("rest", 16, "anything", "tag:yaml.org,2002:str", quoted=False),
    )


def test_what_is_left_out_is_the_default() -> None:
    assert decode("{}") == Everything()


def test_null_is_none_where_none_may_be_and_a_problem_elsewhere() -> None:
    assert decode("{path: null, room: ~, token: }") == Everything()
    text = "{text: null, number: , names: ~, cache: null, hosts: [], rest: null}"
    assert problems(text) == [
        ("text", 1, "nothing is given: write a value, in quotes if it is the text '~' or 'null'"),
        ("number", 1, "nothing is given: write a value, in quotes if it is the text '~' or 'null'"),
        ("names", 1, "expected a list, found nothing"),
        ("hosts", 1, "expected a mapping of keys, found a list"),
        ("cache", 1, "expected a mapping of keys, found nothing"),
    ]


def test_every_problem_is_found_at_once_each_with_its_path_and_line() -> None:
    text = """
number: fifteen
ratio: 1.5
code: ABC
wait: 15
room: 1B
window: 8d
mode: fats
names: alpha
hosts:
  farm: many
  wall: [1]
cache:
  tll: 30s
  records: 010
nmae: x
"""
    assert problems(text) == [
        ("nmae", 16, "unknown key: did you mean names?"),
        ("code", 4, "expected three letters, found 'ABC'"),
        ("number", 2, "expected a whole number such as 15, found 'fifteen'"),
        ("ratio", 3, "expected 0 to 1, found '1.5'"),
        ("wait", 5, "expected a duration such as 200ms, 15s, 10m, 2h or 7d, found '15': the unit is missing"),
        ("room", 6, "expected 1KiB to 1GiB, found '1B'"),
        ("window", 7, "expected a window of 1s to 7d, found '8d'"),
        ("mode", 8, "expected one of fast, slow, found 'fats': did you mean fast?"),
        ("names", 9, "expected a list, found text"),
        ("hosts.farm", 11, "expected a whole number such as 15, found 'many'"),
        ("hosts.wall", 12, "expected one value, found a list"),
        ("cache.tll", 14, "unknown key: did you mean ttl?"),
        (
            "cache.records",
            15,
            "expected a whole number such as 15, found '010': YAML 1.1 reads this as an octal number; "
            "write it in decimal",
        ),
    ]


def test_paths_of_items_count_from_nought() -> None:
    assert problems("names: [a, no, {b: c}]") == [
        ("names[1]", 1, "expected text, in quotes because YAML 1.1 reads this as true or false, found 'no'"),
        ("names[2]", 1, "expected one value, found a mapping"),
    ]


def test_a_missing_key_and_a_check_of_the_dataclass_are_told_at_its_own_place() -> None:
    assert problems("low: 1", Needy) == [("", 1, "the key database is missing")]
    assert problems("\n\nlow: 11\ndatabase: x", Needy) == [("", 3, "low 11 is above high 10")]
    assert decode("{low: 3, database: x}", Needy) == Needy(Secret("x"), low=3)


def test_a_check_is_not_asked_about_values_that_could_not_be_decoded() -> None:
    assert messages("{low: 11, high: x, database: x}", Needy) == ["expected a whole number such as 15, found 'x'"]


def test_an_unknown_key_with_nothing_near_it_is_told_what_is_known() -> None:
    assert messages("{zzz: 1}", Cache) == ["unknown key: known are ttl, records"]


def test_duplicate_keys_name_both_lines() -> None:
    assert problems("number: 1\ntext: a\n'number': 2\n'a b': 1\n'a b': 2") == [
        ("number", 3, "the key number is given twice, first on line 1"),
        ("[?]", 5, "this key is given twice, first on line 4"),
        ("[?]", 4, "unknown key, not shown because it is no plain word: is a space missing after its colon?"),
    ]


KEY = "a key must be text: put numbers, dates, null, true, false, yes, no, on and off in quotes"


@pytest.mark.parametrize("key", ["no", "1", "1:30", "2026-01-02", "~", "? [a]\n", "? {a: b}\n", "!env TOKEN"])
def test_keys_are_text(key: str) -> None:
    assert messages(f"{key}: x\nnumber: 1") == [KEY]


def test_anchors_aliases_and_merge_keys_are_refused_each_once() -> None:
    text = "cache: &hunter2 {ttl: 1s}\nrest: *hunter2\nnames: *hunter2\ntext: *hunter2\n*hunter2 : 1\n<<: {number: 1}"
    refused = "anchors and aliases (& and *) are refused: write the value out, or quote the text"
    assert problems(text) == [
        ("cache", 1, refused),
        ("rest", 2, refused),
        ("names", 3, refused),
        ("text", 4, refused),
        ("", 5, refused),
        ("", 6, "merge keys (<<) are refused: write the keys out"),
    ]


@pytest.mark.parametrize(
    "text",
    ["text: !hunter2 x", "text: !!python/name:os.system x", "text: !<hunter2> x", "text: !!binary aGk=", "text: ! x"],
)
def test_other_tags_are_refused_and_not_shown(text: str) -> None:
    assert messages(text) == [
        "unknown tag: !env and !file are known, and text that begins with '!' must be quoted",
    ]


@pytest.mark.parametrize("text", ["!x {number: 1}", "names: !env [a]", "cache: !!set {}"])
def test_lists_and_mappings_take_no_tag(text: str) -> None:
    assert messages(text) == ["a list or a mapping takes no tag"]


def test_tags_of_yaml_itself_say_what_it_would_read_anyway() -> None:
    assert decode("!!map {names: !!seq [!!str 5], number: !!int 7}") == Everything(names=("5",), number=7)


# !env and !file


def test_environment_and_files_give_the_text_of_any_scalar() -> None:
    found = decode("{token: !env TOKEN, number: !env NUMBER, ratio: !env NUMBER, text: !file secret}", LooseEverything)
    assert (found.token, found.number, found.ratio, found.text) == (Secret(HIDDEN), 15, 15.0, HIDDEN)


@dataclass(frozen=True, slots=True)
class LooseEverything:
    token: Secret
    number: int
    ratio: float
    text: str


def test_given_text_is_text_whatever_yaml_would_read() -> None:
    assert decode("{text: !env YES}").text == "no"
    assert decode("{text: !env EMPTY}").text == ""


@pytest.mark.parametrize(("name", "text"), [("secret", HIDDEN), ("windows", HIDDEN), ("two", f"{HIDDEN}\n")])
def test_one_line_break_at_the_end_of_a_file_is_dropped(name: str, text: str) -> None:
    assert decode(f"token: !file {name}").token == Secret(text)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("!env NOPE", "the environment variable NOPE is not set"),
        ("!env", "!env takes the name of an environment variable: letters, digits and _"),
        ("!env s3cr3t-hunter2", "!env takes the name of an environment variable: letters, digits and _"),
        ("!env BAD", "the environment variable BAD is not UTF-8 text"),
        ("!env EMPTY", "expected a secret that is not empty (what the environment variable EMPTY holds is not shown)"),
        ("!file gone", "cannot read 'gone': No such file or directory"),
        ("!file odd", "cannot read 'odd': OSError"),
        ("!file latin", "'latin' is not UTF-8 text"),
        ("!file surrogate", "the file 'surrogate' is not UTF-8 text"),
        (
            "!file ~other/key",
            "expected a path; only ~/ is expanded, to the directory that HOME names, found '~other/key'",
        ),
        ("!file ''", "expected a path, found ''"),
    ],
)
def test_what_cannot_be_given_is_named_and_its_content_is_not(given: str, message: str) -> None:
    assert problems(f"\ntoken: {given}") == [("token", 2, message)]
    assert HIDDEN not in message


@pytest.mark.parametrize("name", ["number", "ratio", "flag", "wait", "room", "window", "mode", "code"])
@pytest.mark.parametrize(
    ("tag", "origin"), [("!env TOKEN", "the environment variable TOKEN"), ("!file secret", "the file 'secret'")]
)
def test_a_given_value_that_does_not_fit_is_not_shown(name: str, tag: str, origin: str) -> None:
    (message,) = messages(f"{name}: {tag}")
    assert message.startswith("expected ")
    assert message.endswith(f"(what {origin} holds is not shown)")
    assert HIDDEN not in message


@pytest.mark.parametrize(
    "given",
    [
        "!hunter2",
        "!hunter2!x",
        "!!hunter2 x",
        "!<hunter2> x",
        "&hunter2",
        "*hunter2",
        "%hunter2",
        "@hunter2",
        "`hunter2",
        "|hunter2",
        ">hunter2",
        "{hunter2}",
        "{{ hunter2 }}",
        "{hunter2: x}",
        "[hunter2]",
        "hunter2: x",
        '"hunter2',
        '"hunter2\\q"',
        "'hunter2' hunter2",
        "!env hunter2-",
        "? hunter2",
        "- hunter2",
        "0x112233 # hunter2",
        '"\\UFFFFFFFF hunter2"',
        "hunter2\n  - hunter2: x\n hunter2",
        "hunter2\x07",
    ],
)
@pytest.mark.parametrize("cls", [Everything, Needy])
@pytest.mark.parametrize("key", ["token: ", "database: ", "token:", "{database:", "!env\ndatabase:"])
def test_no_slip_of_the_pen_makes_a_secret_part_of_a_message(given: str, cls: type[Any], key: str) -> None:
    try:
        shown = repr(decode(key + given, cls))
    except ConfigError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error.problems)
    assert HIDDEN not in shown


@pytest.mark.parametrize("given", ["12345", "1:30", "no", "2026-01-02", "0x1f"])
def test_a_secret_that_yaml_reads_as_something_else_is_to_be_quoted_and_not_shown(given: str) -> None:
    (message,) = messages(f"token: {given}")
    assert message.startswith("expected text, in quotes because YAML 1.1 reads this as ")
    assert message.endswith("(what was found is not shown)")
    assert repr(given) not in message


# Documents that are no tree


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "expected a mapping of keys, found an empty document"),
        ("# nothing\n", None, "expected a mapping of keys, found an empty document"),
        ("a: b: c", 1, "not YAML: mapping values are not allowed here"),
        (
            "\na: [",
            2,
            "not YAML: expected the node content, but found '<stream end>', "
            "while parsing a flow node that begins on line 2",
        ),
        (
            "a: !x!y z",
            1,
            "not YAML: found undefined tag handle: quote text that begins with '!', "
            "while parsing a node that begins on line 1",
        ),
        ("\n\nb: \x07", 3, "not YAML: the character U+0007 is not allowed"),
        ('\na: "\\UFFFFFFFF"', 2, "not YAML: a number in an escape or a directive is out of range"),
        ("%YAML 1." + "9" * 5000 + "\n---\na", 1, "not YAML: a number in an escape or a directive is out of range"),
        ("\n" + "[" * 5000, 2, "nested deeper than 32 levels"),
        ("{a: " * 5000, 1, "nested deeper than 32 levels"),
        ("- " * 5000, 1, "nested deeper than 32 levels"),
        ("? " * 5000, 1, "nested deeper than 32 levels"),
    ],
)
def test_a_document_that_gives_no_tree_is_one_problem(text: str, line: int | None, message: str) -> None:
    assert problems(text) == [("", line, message)]


def test_what_was_found_before_the_syntax_broke_is_told_too() -> None:
    assert messages("a: 1\na: &x 2\nb: [") == [
        "anchors and aliases (& and *) are refused: write the value out, or quote the text",
        "the key a is given twice, first on line 1",
        "not YAML: expected the node content, but found '<stream end>', "
        "while parsing a flow node that begins on line 3",
    ]


def test_one_document_only() -> None:
    assert problems("number: 1\n---\nnumber: 2") == [("", 2, "expected one document, found a second one")]


def test_a_root_that_is_no_mapping() -> None:
    assert problems("---") == [("", 1, "expected a mapping of keys, found nothing")]
    assert problems("hunter2") == [("", 1, "expected a mapping of keys, found text")]


def test_half_a_surrogate_pair_is_no_character() -> None:
    assert problems('text: "\\uD800"') == [("text", 1, "half a surrogate pair is no character")]


def test_an_alias_bomb_stays_small() -> None:
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert len(messages(text)) == 30 + 29 * 9 + 30


# The decoder's own doors


def test_a_base_speaks_where_the_document_is_silent() -> None:
    decoder = Decoder(ENV, read)
    base = Cache(ttl=1.0, records=7)
    assert decoder.record(Cache, document("ttl: 2s", []), base) == Cache(ttl=2.0, records=7)
    assert decoder.record(Cache, NO_KEYS, FAILED) is FAILED
    assert decoder.problems == []


def test_known_keys_belong_to_others() -> None:
    decoder = Decoder(ENV, read)
    node = document("{ttl: 1s, name: x, other: y}", [])
    assert decoder.fields(Cache, node, known=None) == {"ttl": 1.0, "records": 5000}
    assert decoder.problems == []
    decoder.fields(Cache, node, known=("name",))
    assert decoder.problems == [Problem("other", 1, "unknown key: known are name, ttl, records")]


@dataclass(frozen=True, slots=True)
class FromOutside:
    registry: Path | None = field(default=None, metadata={"env": "REGISTRY"})
    number: int = field(default=1, metadata={"env": "NUMBER"})
    empty: int = field(default=2, metadata={"env": "EMPTY"})
    wait: Seconds = field(default=3.0, metadata={"env": "TOKEN"})


def test_variables_of_the_systems_replaced_speak_where_the_document_is_silent_and_they_are_not_empty() -> None:
    assert decode("wait: 1s", FromOutside, fallback=True) == FromOutside(number=15, wait=1.0)
    assert decode("{wait: 1s, number: 3}", FromOutside, fallback=True) == FromOutside(number=3, wait=1.0)
    assert decode("wait: 1s", FromOutside) == FromOutside(wait=1.0)


def test_a_variable_that_does_not_fit_is_a_problem_that_names_it_and_not_its_content() -> None:
    with pytest.raises(
        ConfigError, match=r"^wait \(line 1\): expected a duration .*\(what the environment variable TOKEN"
    ):
        decode("{}", FromOutside, fallback=True)


@dataclass(frozen=True, slots=True)
class Inner:
    host: str = field(metadata={"env": "INNER_HOST"})
    key: Secret = field(metadata={"env": "INNER_KEY"})
    port: int = 80


@dataclass(frozen=True, slots=True)
class Outer:
    inner: Inner | None = None
    names: tuple[str, ...] = field(default=(), metadata={"env": "NAMES"})
    counts: tuple[int, ...] = field(default=(), metadata={"env": "COUNTS"})


def outer(text: str, env: Mapping[str, str], *, fallback: bool = True) -> Any:
    decoder = Decoder(env, read, fallback)
    found = decoder.record(Outer, document(text, []))
    return [str(problem) for problem in decoder.problems] or found


def test_variables_speak_for_a_dataclass_within_as_well() -> None:
    both = {"INNER_HOST": "h", "INNER_KEY": "k"}
    assert outer("{}", both) == Outer(Inner("h", Secret("k")))
    assert outer("inner: {port: 81, host: here}", both) == Outer(Inner("here", Secret("k"), 81))
    assert outer("{}", both, fallback=False) == Outer()
    assert outer("inner: null", both) == Outer()
    assert outer("{}", {}) == outer("{}", {"INNER_HOST": "", "INNER_KEY": ""}) == Outer()


def test_a_dataclass_within_that_variables_tell_half_of_is_a_problem() -> None:
    assert outer("{}", {"INNER_HOST": "h"}) == ["inner (line 1): the key key is missing"]


def test_a_variable_gives_a_list_its_items_between_commas() -> None:
    assert outer("{}", {"NAMES": " a, b c ,,010,"}).names == ("a", "b c", "010")
    assert outer("names: [x]", {"NAMES": "a"}).names == ("x",)
    assert outer("{}", {"NAMES": " , "}).names == ()
    assert outer("{}", {"NAMES": "a"}, fallback=False).names == ()


def test_an_item_of_a_variable_that_does_not_fit_is_not_shown() -> None:
    (found,) = outer("{}", {"COUNTS": "1,hunter2"})
    assert found.startswith("counts[1] (line 1): expected a whole number")
    assert "(what an item of the environment variable COUNTS holds is not shown)" in found
    assert "hunter2" not in found


def test_a_hint_that_no_document_can_answer_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="no YAML document can give a <class 'bytes'>"):
        Decoder(ENV, read).value(bytes, document("x", []))


def test_a_tree_knows_paths_and_lines() -> None:
    assert document("a:\n- b: c\n", []) == Keys(
        "",
        1,
        {
            "a": Items(
                "a", 2, (Keys("a[0]", 2, {"b": Scalar("a[0].b", 2, "c", "tag:yaml.org,2002:str", False)}, {"b": 2}),)
            )
        },
        {"a": 1},
    )


# Properties

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(sorted(Everything.__slots__)) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=20,
)


def outcome(text: str, cls: type[Any] = Everything) -> Any:
    """A value, or None with at least one problem; any other exception is a defect."""
    try:
        return decode(text, cls)
    except ConfigError as error:
        assert error.problems  # noqa: PT017  # either outcome is right
        return None


@given(VALUES)
def test_any_document_is_a_value_or_its_problems(value: Any) -> None:
    found = outcome(yaml.safe_dump(value))
    assert found is None or isinstance(found, Everything)


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            [*"abn01:-_,.{}[]&*!|>'\"%@`#?=<~\\ \t\n\r", "\n  ", "number", "!env ", "---\n", "\ud800", "\\U"]
        )
    ).map("".join)
)
@example("%TAG ! !\n---\n!a b")
@example("%")
@example("- !\n  ? -")
def test_any_text_is_a_value_or_its_problems(text: str) -> None:
    found = outcome(text)
    assert found is None or isinstance(found, Everything)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXTS, st.integers(-(10**17), 10**17), st.booleans(), st.lists(TEXTS), st.dictionaries(TEXTS, st.integers(0, 9)))
def test_what_is_written_is_read(text: str, number: int, flag: bool, names: list[str], hosts: dict[str, int]) -> None:
    given = {"text": text, "number": number, "flag": flag, "names": names, "hosts": hosts}
    expected = Everything(text=text, number=number, flag=flag, names=tuple(names), hosts=hosts)
    assert decode(yaml.safe_dump(given)) == expected
    assert decode(yaml.safe_dump(given, default_flow_style=True)) == expected
