"""Pages: one gzip member, compressed again only where it changed."""

import gzip
import importlib.util
import sys
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.runtime import exposition
from exporter.runtime.exposition import STRETCH, Format, Page, runs

PIECES = st.lists(st.binary(min_size=1, max_size=200).map(lambda b: b * 997), max_size=12)


@given(PIECES)
def test_the_gzip_of_a_page_is_the_page(pieces: list[bytes]) -> None:
    page = Page(Format.TEXT, tuple(pieces))
    assert page.body == b"".join(pieces)
    assert gzip.decompress(page.gzip) == page.body
    whole = zlib.decompressobj(31)  # a single member: clients that read but one get it all
    assert whole.decompress(page.gzip) == page.body
    assert whole.eof
    assert not whole.unused_data


@given(PIECES)
def test_runs_are_the_pieces_in_order_and_long_enough(pieces: list[bytes]) -> None:
    found = [*runs(pieces)]
    assert [piece for run in found for piece in run] == pieces
    assert all(sum(map(len, before)) >= STRETCH for before, _ in pairwise(found))


def test_what_did_not_change_is_not_compressed_again() -> None:
    big, small, changed = b"a" * STRETCH, b"b" * 10, b"c" * 20
    before = Page(Format.TEXT, (big, small))
    assert before.cold == STRETCH + 10
    assert gzip.decompress(before.gzip) == before.body
    assert before.cold == 0
    after = Page(Format.TEXT, (big, changed), before.kept)
    assert after.cold == 20
    assert gzip.decompress(after.gzip) == after.body
    assert len(after.kept) == 2  # and what is gone is not kept


def test_without_isal_it_is_the_same_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)  # importing it fails
    spec = importlib.util.find_spec(exposition.__name__)
    assert spec
    assert spec.loader
    copy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, copy)
    spec.loader.exec_module(copy)
    assert copy.deflate is zlib
    page = copy.Page(copy.Format.TEXT, (b"a" * STRETCH, b"b" * 10))
    assert gzip.decompress(page.gzip) == page.body
