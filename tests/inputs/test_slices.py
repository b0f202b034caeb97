"""Slices give what json.loads gives, however the text is cut and written; and nothing that json.loads refuses."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporter.core.errors import Malformed
from exporter.inputs.slices import (
    ABSENT,
    UNDECODABLE,
    NoList,
    NoObject,
    Record,
    Slice,
    Take,
    Undecodable,
    Wanted,
    slices,
)


class Inner(Record, frozen=True):
    name: Any = ABSENT


class Outer(Record, frozen=True):
    id: Any = None
    inner: Inner | NoObject = None
    inners: list[Inner | NoObject] | NoList = None


class Reader:
    """A file in memory that gives at most `most` bytes at a time."""

    def __init__(self, data: bytes, most: int = 1 << 20) -> None:
        self.data = data
        self.most = most

    def __call__(self, count: int) -> bytes:
        taken, self.data = self.data[: min(count, self.most)], self.data[min(count, self.most) :]
        return taken


def read(data: bytes, chunk: int = 64, key: str | None = "runs", take: Take | None = None) -> list[Any]:
    found = slices(take or Reader(data), Wanted(Outer, key), "runs.json", chunk=chunk)
    return [record for one in found if isinstance(one, Slice) for record in one.records]


def expected(value: Any) -> Any:
    """What a record of the list that json.loads gives becomes; NaN as text, so that it equals itself."""
    return (
        Outer(**{k: inner(v, k) for k, v in value.items() if k in Outer.__struct_fields__})
        if is_object(value)
        else value
    )


def inner(value: Any, field: str) -> Any:
    if field == "inners" and isinstance(value, list):
        return [inner(one, "inner") for one in value]
    if field == "id" or not is_object(value):
        return value
    return Inner(**{k: v for k, v in value.items() if k == "name"}) if field == "inner" else value


def is_object(value: Any) -> bool:
    return isinstance(value, dict)


def same(found: list[Any], wanted: list[Any]) -> bool:
    return repr(found) == repr(wanted)  # NaN is no equal of itself, and 1.0 is no 1


# text with what a careless cut would stumble over: braces, quotes, backslashes, all widths of UTF-8
texts = st.text(st.sampled_from('{}[],:"\\/ \n\tidé€😀\x7f') | st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers() | st.floats() | st.integers(2**62, 2**70) | st.integers(-(2**70), -(2**62))
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda some: (
        st.lists(some, max_size=3) | st.dictionaries(texts | st.sampled_from(["id", "name"]), some, max_size=3)
    ),
    max_leaves=8,
)
records = st.fixed_dictionaries(
    {"id": values},
    optional={"inner": values, "inners": values | st.lists(st.fixed_dictionaries({"name": values})), "x": values},
)
lists = st.lists(records, max_size=12) | st.lists(records | values, max_size=12)
styles = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([None, None, 0, 1, 2, "\t", " " * 70]),
        "separators": st.sampled_from([(",", ":"), (", ", ": "), (" ,\r\n ", " : ")]),
        "ensure_ascii": st.booleans(),
        "sort_keys": st.booleans(),
    }
)
chunks = st.integers(1, 400)


@given(lists, styles, chunks, st.integers(1, 100))
def test_a_list_gives_the_records_of_json_loads_whatever_the_slices_and_the_style(
    value: list[Any], style: dict[str, Any], chunk: int, most: int
) -> None:
    text = json.dumps(value, **style)
    data = text.encode()
    assert same(read(data, chunk, None, Reader(data, most)), [expected(one) for one in json.loads(text)])


@given(lists, st.dictionaries(texts.filter(lambda text: text != "runs"), values, max_size=3), styles, chunks, st.data())
def test_a_list_under_its_key_gives_the_same_wherever_the_key_stands(
    value: list[Any], others: dict[str, Any], style: dict[str, Any], chunk: int, data: st.DataObject
) -> None:
    names = data.draw(st.permutations(["runs", *others]))
    text = json.dumps({name: value if name == "runs" else others[name] for name in names}, **style)
    assert same(read(text.encode(), chunk), [expected(one) for one in json.loads(text)["runs"]])


@given(values.filter(lambda value: not isinstance(value, list)), styles, chunks)
@example({}, {}, 64)
@example({"runs": {"id": 1}}, {}, 64)
@example({"runs": "[1]", "more": [{"id": 1}]}, {}, 5)
def test_a_document_of_another_shape_is_one_record_that_is_no_object(
    value: Any, style: dict[str, Any], chunk: int
) -> None:
    assert read(json.dumps(value, **style).encode(), chunk) == [None]


@given(st.dictionaries(texts, values, max_size=3), chunks)
def test_without_a_key_any_object_is_a_document_of_another_shape(value: dict[str, Any], chunk: int) -> None:
    assert read(json.dumps(value).encode(), chunk, key=None) == [None]


def small() -> str:
    runs = [
        {"id": "ä-1", "inner": {"name": "}{"}, "inners": [{"name": 1}, {"id": 2}], "x": [[]]},
        {"id": 2.5e3, "more": '\\"]', "inner": None},
        "[",
        {"id": True, "inners": []},
    ]
    return json.dumps(runs, ensure_ascii=False)


@pytest.mark.parametrize("text", [small(), f'{{"a": [{{}}], "runs": {small()}, "b": -1.5e3}}'], ids=["list", "object"])
@pytest.mark.parametrize("chunk", [1, 7, 33, 1000])
def test_a_text_torn_at_any_byte_is_malformed(text: str, chunk: int) -> None:
    data = text.encode()
    assert len(read(data, chunk)) == 4
    for end in range(len(data)):
        with pytest.raises(Malformed):
            read(data[:end], chunk)


@given(lists, st.data(), chunks)
def test_damage_gives_malformed_or_what_json_loads_gives(value: list[Any], data: st.DataObject, chunk: int) -> None:
    text = bytearray(json.dumps(value, ensure_ascii=False).encode())
    at = data.draw(st.integers(0, len(text) - 1))
    text[at : at + data.draw(st.integers(0, 2))] = data.draw(
        st.binary(max_size=2) | st.sampled_from([b",", b"]", b"}", b'"', b"[", b"{"])
    )
    try:
        wanted = json.loads(bytes(text).decode())
    except ValueError:
        with pytest.raises(Malformed):
            read(bytes(text), chunk)
    else:
        found = read(bytes(text), chunk, None)
        assert same(found, [expected(one) for one in wanted] if isinstance(wanted, list) else [None])


@pytest.mark.parametrize("chunk", [16, 64, 10_000])
@pytest.mark.parametrize(
    "odd", ['{"id": NaN}', '{"id": 1e999}', '{"id": "\\ud800"}', '{"x": [-Infinity]}', '{"id": 1' + "0" * 400 + "}"]
)
def test_what_only_python_decodes_costs_no_record(odd: str, chunk: int) -> None:
    text = f'[{{"id": 1}}, {odd}, {{"id": 3}}, {json.dumps({"id": "x" * 90})}]'
    assert same(read(text.encode(), chunk), [expected(one) for one in json.loads(text)])


def test_a_key_that_is_no_text_costs_its_record_alone() -> None:
    found = read(b'[{"id": 1}, {"\\ud800": 1}, {"id": 3}]')
    assert found == [Outer(id=1), UNDECODABLE, Outer(id=3)]
    assert isinstance(found[1], Undecodable)


def test_records_that_hold_what_begins_like_a_record_are_cut_where_they_end() -> None:
    value = [{"id": n, "x": [{"id": m} for m in range(9)]} for n in range(50)]
    for chunk in range(40, 400, 13):
        assert read(json.dumps(value, separators=(",", ":")).encode(), chunk) == [Outer(id=n) for n in range(50)]


def test_no_step_takes_much_more_than_a_chunk_however_long_the_list() -> None:
    data = json.dumps([{"id": n, "x": "y" * 50} for n in range(5000)]).encode()
    batches = [
        one.records for one in slices(Reader(data), Wanted(Outer), "runs.json", chunk=4096) if isinstance(one, Slice)
    ]
    assert max(map(len, batches)) <= 4096 // 60
    assert sum(map(len, batches)) == 5000


def taken_until_malformed(data: bytes, chunk: int) -> int:
    reader = Reader(data)
    with pytest.raises(Malformed):
        read(data, chunk, take=reader)
    return len(data) - len(reader.data)


def test_a_broken_record_is_known_without_reading_on() -> None:
    data = b'[{"id": 1}, {"id" 2}, ' + b'{"id": 3}, ' * 10_000 + b"{}]"
    assert taken_until_malformed(data, 1024) <= 2 * 1024


@pytest.mark.parametrize(
    ("data", "at", "what"),
    [
        (b"", 0, "the file is empty"),
        (b" \n", 2, "the file is empty"),
        (b'[{"id": 1},]', 11, "Expecting value, in what begins at byte 11"),
        (b"[,]", 1, "Expecting value, in what begins at byte 1"),
        (b'[{"id": 1} {"id": 2}]', 11, "expected ',' or ']'"),
        (b'[{"id": 1}', 10, "expected ',' or ']'"),
        (b'[{"id": 1}, {"id": 2', 20, "Expecting ',' delimiter, in what begins at byte 12"),
        ('[{"id": "é"}, {"id": 2'.encode(), 23, "Expecting ',' delimiter, in what begins at byte 15"),
        (b'[{"id": 1}] []', 12, "expected the end of the file"),
        (b'{"runs": []} 1', 13, "expected the end of the file"),
        (b'{"runs": [], }', 13, "expected a name in double quotes"),
        (b'{"runs" []}', 8, "expected ':'"),
        (b'{"runs": []', 11, "expected ',' or '}'"),
        (b'{"runs": [], "runs": []}', 20, "'runs' is given twice"),
        (b'{"runs": 1, "runs": []}', 19, "'runs' is given twice"),
        (b"\xef\xbb\xbf[]", 0, "Expecting value, in what begins at byte 0"),
        (b'[{"id": "run-\xff\xfe"}]', 13, "not UTF-8: invalid start byte"),
        (b'[{"id": 1, "x": "\xff"}, {"id": 2}]', 17, "not UTF-8: invalid start byte"),
        (b'[{"id": NaN, "x": "\xc3"}]', 19, "not UTF-8: invalid continuation byte"),
        (b"[" * 100_000 + b"]" * 100_000, 1, "nested too deeply"),
        (b"[1" + b"0" * 5000 + b"]", 1, "a number of too many digits"),
    ],
)
def test_the_error_says_which_file_where_and_what(data: bytes, at: int, what: str) -> None:
    with pytest.raises(Malformed, match=f"^{re.escape(f'runs.json: not valid JSON at byte {at}: {what}')}$"):
        read(data, 1 << 16)


def test_a_deeply_nested_record_among_others_is_malformed_in_small_slices_too() -> None:
    with pytest.raises(Malformed, match="nested too deeply"):
        read(b'[{"id": 1}, {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", 64)


def test_the_position_counts_from_the_start_of_the_file_in_bytes() -> None:
    whole = json.dumps([{"id": "é" * 20}] * 50, ensure_ascii=False).encode()
    broken = whole[:-1] + b", nope]"
    with pytest.raises(Malformed, match=f"at byte {len(whole) + 1}:"):
        read(broken, 100)


def test_what_the_system_says_while_bytes_are_taken_passes_through() -> None:
    def take(count: int) -> bytes:
        raise OSError(5, "Input/output error")

    found: Iterator[Any] = slices(take, Wanted(Outer), "runs.json")
    with pytest.raises(OSError, match="Input/output error"):
        next(found)
