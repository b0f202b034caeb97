"""The reconcile records: each rule of the comparison, the recorded numbers, and files that are something else."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from exporter.core.errors import Malformed, Missing, ReadError, SchemaMismatch, TooLarge
from exporter.core.source import Limits
from exporter.sources.trafalgar import Config
from exporter.sources.trafalgar.reconcile import Compared, compared
from tests.sources.trafalgar.files import GOLDEN, NOW, given, opened, read, samples, written

NOTHING = {"missing_in_fs": 0, "orphan_in_fs": 0, "version_mismatch": 0}
NOTHING_IN_S3 = {"missing_in_s3": 0, "orphan_in_s3": 0}


def records(*pairs: tuple[Any, Any]) -> list[dict[str, Any]]:
    return [{"shot": shot, "version": version} for shot, version in pairs]


def outcome(shotgrid: Any = (), filesystem: Any = (), s3: Any = None) -> Compared:
    found = compared(json.dumps({"shotgrid": list(shotgrid), "filesystem": list(filesystem), "s3": s3}).encode())
    assert isinstance(found, Compared)
    return found


def counts(shotgrid: Any = (), filesystem: Any = (), s3: Any = None) -> dict[str, int]:
    """The kinds that were found at all."""
    return {kind: count for kind, count in outcome(shotgrid, filesystem, s3).facts.mismatches.items() if count}


async def test_the_golden_records_have_the_mismatches_recorded() -> None:
    exchanges = json.loads((GOLDEN / "responses" / "normal_other_dashboard_routes.json").read_text())["exchanges"]
    (errors,) = (each["response"]["body"] for each in exchanges if each["request"]["path"] == "/errors")
    found = await read(Config(reconcile=given("reconcile.json")))
    assert found.value.mismatches == dict.fromkeys(NOTHING | NOTHING_IN_S3, 0) | Counter(
        each["type"] for each in errors
    )
    assert (sum(found.value.mismatches.values()), found.records, found.skipped) == (6, 9, {})


def test_what_all_know_is_no_mismatch() -> None:
    same = records(("a", "v001"), ("b", "v002"))
    assert outcome(same, same, same).facts.mismatches == NOTHING | NOTHING_IN_S3


def test_a_version_that_only_shotgrid_knows_is_missing_elsewhere() -> None:
    assert counts(records(("a", "v001"))) == {"missing_in_fs": 1}
    assert counts(records(("a", "v001")), s3=[]) == {"missing_in_fs": 1, "missing_in_s3": 1}


def test_a_version_that_shotgrid_does_not_know_is_an_orphan() -> None:
    assert counts(filesystem=records(("a", "v001"))) == {"orphan_in_fs": 1}
    assert counts(s3=records(("a", "v001"))) == {"orphan_in_s3": 1}


def test_without_records_of_s3_nothing_is_said_of_it() -> None:
    assert outcome(s3=None).facts.mismatches == NOTHING
    assert outcome(s3=[]).facts.mismatches == NOTHING | NOTHING_IN_S3


def test_the_greatest_versions_of_a_shot_differ() -> None:
    one, two = records(("a", "v001")), records(("a", "v001"), ("a", "v002"))
    assert counts(two, one) == {"missing_in_fs": 1, "version_mismatch": 1}
    assert counts(one, two) == {"orphan_in_fs": 1, "version_mismatch": 1}


def test_a_gap_below_the_greatest_version_is_no_difference_of_it() -> None:
    assert counts(records(("a", "v001"), ("a", "v002")), records(("a", "v002"))) == {"missing_in_fs": 1}


def test_a_shot_that_only_one_knows_has_no_version_to_differ_from() -> None:
    assert counts(records(("a", "v001")), records(("b", "v009"))) == {"missing_in_fs": 1, "orphan_in_fs": 1}


def test_s3_is_not_asked_for_its_greatest_version() -> None:
    same, older = records(("a", "v001"), ("a", "v002")), records(("a", "v001"))
    assert counts(same, same, older) == {"missing_in_s3": 1}


def test_the_greatest_is_that_of_texts() -> None:
    assert counts(records(("a", "v9"), ("a", "v10")), records(("a", "v9"))) == {"missing_in_fs": 1}


def test_shots_and_versions_are_the_same_in_any_case() -> None:
    assert counts(records(("SH0010", "V001")), records(("sh0010", "v001"))) == {}


@pytest.mark.parametrize(("number", "text"), [(7, "v007"), (1000, "v1000"), (0, "v000"), (-1, "v-01")])
def test_a_number_is_a_version(number: int, text: str) -> None:
    assert counts(records(("a", number)), records(("a", text))) == {}
    assert counts([{"shot": "a", "version_number": number}], records(("a", text))) == {}


def test_the_version_counts_before_its_number() -> None:
    assert counts([{"shot": "a", "version": "v001", "version_number": 2}], records(("a", "v001"))) == {}
    assert counts([{"shot": "a", "version": "", "version_number": 2}], records(("a", "v002"))) == {}


def test_a_version_counts_once_however_many_records_it_has() -> None:
    twice = [{"shot": "a", "version": "v001", "path": "/x"}, {"shot": "A", "version": 1, "path": "/y"}]
    assert counts(filesystem=twice) == {"orphan_in_fs": 1}


def test_records_that_name_no_shot_or_version_are_skipped() -> None:
    bad = [
        {},
        {"shot": "a"},
        {"version": "v001"},
        *records(("", "v1"), (None, "v1"), (5, "v1"), ("a", None), ("a", ""), ("a", 1.5), ("a", True), ("a", [])),
    ]
    found = outcome([*bad, 7, None, ["a"]], records(("a", "v001")))
    assert (found.records, found.skipped) == (1, {"missing": 11, "type": 3})
    assert found.facts.mismatches == NOTHING | {"orphan_in_fs": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "expected an object with the lists shotgrid, filesystem and s3"),
        ("5", "expected an object with the lists shotgrid, filesystem and s3"),
        ("{}", "shotgrid: expected a list of records, found nothing"),
        ('{"shotgrid": []}', "filesystem: expected a list of records, found nothing"),
        ('{"shotgrid": {}, "filesystem": []}', "shotgrid: expected a list of records, found an object"),
        ('{"shotgrid": [], "filesystem": [], "s3": "x"}', "s3: expected a list of records, found text"),
        ('{"shotgrid": [], "filesystem": [], "s3": false}', "s3: expected a list of records, found another value"),
    ],
)
async def test_a_file_of_another_shape(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path / "r.json", text)
    with pytest.raises(SchemaMismatch) as caught:
        await read(Config(reconcile=path))
    assert str(caught.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    "content", [b"", b'{"shotgrid": [', b"\xff\xfe", b'{"shotgrid": [{"shot": "\xff"}]}', b"[" * 100_000]
)
async def test_a_file_that_is_no_json(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(Malformed, match=r"r\.json: not valid JSON: "):
        await read(Config(reconcile=path))


async def test_a_file_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(Missing):
        await read(Config(reconcile=tmp_path / "none.json"))
    path = written(tmp_path / "r.json", {"shotgrid": records(("a", "v" * 2000)), "filesystem": []})
    async with opened(Config(reconcile=path), Limits(document_size=1024)) as source:
        with pytest.raises(TooLarge):
            await source.parts[0].read(NOW)


async def test_a_file_larger_than_small_ones_are_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "r.json", {"shotgrid": records(("a", "v" * (2 << 20))), "filesystem": []})
    assert (await read(Config(reconcile=path))).value.mismatches == NOTHING | {"missing_in_fs": 1}


async def test_the_value_is_the_same_object_until_what_it_says_changes(tmp_path: Path) -> None:
    path = written(tmp_path / "r.json", {"shotgrid": records(("a", "v001")), "filesystem": []})
    async with opened(Config(reconcile=path)) as source:
        (part,) = source.parts
        first = await part.read(NOW)
        written(path, {"shotgrid": records(("a", "v001")), "filesystem": [], "more": 1})
        assert (await part.read(NOW + 15)).value is first.value
        written(path, {"shotgrid": records(("b", "v001")), "filesystem": []})
        other = await part.read(NOW + 20)
        assert other.value == first.value
        assert other.value is not first.value  # another shot is missing, which /errors tells
        written(path, {"shotgrid": [], "filesystem": []})
        again = await part.read(NOW + 30)
        assert samples(part, again.value)["studio_reconcile_errors"] == {
            ("missing_in_fs",): 0,
            ("orphan_in_fs",): 0,
            ("version_mismatch",): 0,
        }


VERSIONS = st.lists(st.tuples(st.sampled_from("abA"), st.sampled_from(["v001", "V002", 1, 3])), max_size=6)


@for_all(VERSIONS, VERSIONS, st.none() | VERSIONS)
def test_it_agrees_with_a_comparison_shot_by_shot(one: Any, two: Any, three: Any) -> None:
    def known(pairs: Any) -> set[tuple[str, str]]:
        return {(shot.lower(), f"v{v:03d}" if isinstance(v, int) else v.lower()) for shot, v in pairs}

    def greatest(pairs: set[tuple[str, str]], shot: str) -> str | None:
        return max((version for name, version in pairs if name == shot), default=None)

    sg, fs = known(one), known(two)
    expected = {"missing_in_fs": len(sg - fs), "orphan_in_fs": len(fs - sg)}
    if three is not None:
        expected |= {"missing_in_s3": len(sg - known(three)), "orphan_in_s3": len(known(three) - sg)}
    tops = [(greatest(sg, shot), greatest(fs, shot)) for shot in "ab"]
    expected["version_mismatch"] = sum(None not in pair and pair[0] != pair[1] for pair in tops)
    s3 = None if three is None else records(*three)
    assert outcome(records(*one), records(*two), s3).facts.mismatches == expected


def test_what_cannot_be_compared_is_a_reason_and_not_raised() -> None:
    assert isinstance(compared(b"nonsense"), ReadError)
