"""Documents on a real file system: read when changed, never half, never twice at once."""

# ruff: noqa: ASYNC240  # a test's small files keep no one waiting

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from exporter.core.errors import Malformed, Missing, ReadError, Refused, TimedOut, TooLarge, Unreachable
from exporter.inputs.documents import Content, Document, Layout, Record, Skip
from exporter.inputs.slices import CHUNK
from exporter.inputs.worker import Worker
from tests.fakes import until

LONG_AGO = 1_700_000_000 * 10**9
NOW = 1_800_000_000.0
NOBODY = 65534


class Item(Record, frozen=True):
    id: Any = None


Read = Content[list[Any]]
Open = Callable[..., Document[Item, Any, list[Any], list[Any]]]


def identity(item: Item) -> Any:
    if item.id is None:
        raise Skip("missing")
    return item.id


def everything(pieces: Iterable[list[Any]]) -> list[Any]:
    return [row for piece in pieces for row in piece]


@pytest.fixture
async def workers() -> AsyncIterator[list[Worker]]:
    opened: list[Worker] = []
    yield opened
    for worker in opened:
        worker.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "items.json", [{"id": 1}, {"id": 2}])


@pytest.fixture
def document(workers: list[Worker]) -> Open:
    def document(
        path: Path, row: Callable[[Item], Any] = identity, limit: int = 1 << 20
    ) -> Document[Item, Any, list[Any], list[Any]]:
        workers.append(Worker("a test"))
        return Document(path, Layout(Item, row, list, everything, key="items"), limit, workers[-1])

    return document


def write(path: Path, value: Any, modified: int = LONG_AGO) -> Path:
    """The file in place, written to at a time in nanoseconds."""
    path.write_text(json.dumps(value))
    os.utime(path, ns=(modified, modified))
    return path


async def test_it_says_what_was_read_what_was_left_out_and_where_it_came_from(file: Path, document: Open) -> None:
    write(file, {"items": [{"id": 1}, 5, {}, {"id": 2}, None]})
    found = await document(file).read(NOW)
    assert found == Content([1, 2], f"{file} (46 bytes, modified 2023-11-14T22:13:20Z)", 2, {"type": 2, "missing": 1})


async def test_a_record_whose_keys_are_no_text_is_left_out_as_such(file: Path, document: Open) -> None:
    file.write_text('[{"id": 1}, {"\\ud800": 2, "id": 2}]')
    found = await document(file).read(NOW)
    assert (found.value, found.records, found.skipped) == ([1], 1, {"encoding": 1})


async def test_a_file_that_stays_as_it_is_is_not_read_again(file: Path, document: Open) -> None:
    items = document(file)
    first = await items.read(NOW)
    write(file, [{"id": 3}, {"id": 4}])  # the same size, the same time and the same inode: to us the same file
    assert await items.read(NOW + 15) is first


async def test_a_file_written_to_in_place_is_read_again_also_where_its_size_stays(file: Path, document: Open) -> None:
    items = document(file)
    await items.read(NOW)
    write(file, [{"id": 3}, {"id": 4}], LONG_AGO + 1)
    assert (await items.read(NOW + 15)).value == [3, 4]


async def test_a_file_of_another_size_is_read_again_whatever_its_time(file: Path, document: Open) -> None:
    items = document(file)
    await items.read(NOW)
    write(file, [{"id": 30}, {"id": 4}])
    assert (await items.read(NOW + 15)).value == [30, 4]


async def test_a_file_put_in_its_place_is_read_also_where_size_and_time_agree(file: Path, document: Open) -> None:
    items = document(file)
    await items.read(NOW)
    write(file.with_suffix(".tmp"), [{"id": 3}, {"id": 4}]).replace(file)
    assert (await items.read(NOW + 15)).value == [3, 4]


@pytest.mark.parametrize("age", [0.0, 1.5, -1.5])
async def test_a_file_that_has_just_changed_is_read_once_more(file: Path, document: Open, age: float) -> None:
    items = document(file)
    just_now = int((NOW - age) * 10**9)
    write(file, [{"id": 1}, {"id": 2}], just_now)
    assert (await items.read(NOW)).value == [1, 2]
    write(file, [{"id": 3}, {"id": 4}], just_now)
    settled = await items.read(NOW + 15)
    assert settled.value == [3, 4]
    assert await items.read(NOW + 30) is settled


async def test_of_a_file_that_is_rewritten_only_what_changed_is_judged(file: Path, document: Open) -> None:
    judged: list[Any] = []

    def row(item: Item) -> Any:
        judged.append(item.id)
        return identity(item)

    many = [{"id": n, "text": "y" * 100} for n in range(5000)] + [{}]
    items = document(write(file, {"items": many}), row)
    first = await items.read(NOW)
    assert len(judged) == len(many)
    judged.clear()
    assert (await items.read(NOW)) is first
    assert (await document(write(file, {"items": many, "by": "me"}, LONG_AGO + 1), row).read(NOW)).value == first.value
    judged.clear()
    again = await items.read(NOW)
    assert again.value is first.value
    assert (again.records, again.skipped, judged) == (5000, {"missing": 1}, [])
    write(file, {"items": [*many[:2000], {"id": "x"}, *many[2001:], {"id": 5000}]}, LONG_AGO + 2)
    found = await items.read(NOW)
    assert found.value == [*range(2000), "x", *range(2001, 5001)]
    assert (found.records, found.skipped) == (5001, {"missing": 1})
    assert {"x", 5000} <= {*judged}
    assert len(judged) < 2000


async def test_a_file_from_the_future_is_not_read_for_ever(file: Path, document: Open) -> None:
    items = document(write(file, [], int((NOW + 3600) * 10**9)))
    assert await items.read(NOW) is await items.read(NOW + 15)


async def test_a_file_may_vanish_and_return(file: Path, document: Open) -> None:
    items = document(file)
    first = await items.read(NOW)
    away = file.rename(file.with_suffix(".bak"))
    with pytest.raises(Missing, match=r"items\.json: No such file"):
        await items.read(NOW + 15)
    away.rename(file)
    assert await items.read(NOW + 30) is first
    file.unlink()
    write(file, [{"id": 5}], LONG_AGO + 1)
    assert (await items.read(NOW + 45)).value == [5]


async def test_a_failed_read_forgets_nothing(file: Path, document: Open) -> None:
    items = document(file)
    first = await items.read(NOW)
    good = file.read_text()
    file.write_text(good[:-3])
    with pytest.raises(Malformed, match=r"items\.json: not valid JSON at byte "):
        await items.read(NOW + 15)
    file.write_text(good)
    os.utime(file, ns=(LONG_AGO, LONG_AGO))
    assert await items.read(NOW + 30) is first


async def test_a_malformed_file_is_tried_again_each_time(file: Path, document: Open) -> None:
    items = document(write(file, []))
    file.write_bytes(b"\xff")
    for now in (NOW, NOW + 15):
        with pytest.raises(Malformed, match="not UTF-8"):
            await items.read(now)


async def test_what_is_no_file_is_unreachable(tmp_path: Path, document: Open) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path, said in (
        (tmp_path, "found a directory"),
        (tmp_path / "pipe", "found a device"),
        (tmp_path / "loop", "symbolic"),
    ):
        with pytest.raises(Unreachable, match=said):
            await document(path).read(NOW)


async def test_a_path_through_a_file_leads_to_nothing(file: Path, document: Open) -> None:
    with pytest.raises(Missing, match="Not a directory"):
        await document(file / "items.json").read(NOW)


@contextmanager
def unprivileged() -> Iterator[None]:
    """As somebody else than root, whom permissions do not stop."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


async def test_a_file_we_may_not_read_is_refused(file: Path, document: Open) -> None:
    file.chmod(0)
    with unprivileged(), pytest.raises(Refused, match="Permission denied"):
        await document(file).read(NOW)


async def test_a_file_larger_than_the_limit_is_not_read(file: Path, document: Open) -> None:
    size = file.stat().st_size
    assert (await document(file, limit=size).read(NOW)).value == [1, 2]
    with pytest.raises(
        TooLarge, match=rf"is {size} bytes, more than limits\.document_size allows \({size - 1} bytes\)"
    ):
        await document(file, limit=size - 1).read(NOW)


def meanwhile(act: Callable[[], object]) -> Callable[[Item], Any]:
    """A rule that acts when it meets the first record, when most of the file is still to be read."""

    def row(item: Item) -> Any:
        if item.id == 0:
            act()
        return item.id

    return row


def large(path: Path) -> Path:
    return write(path, [{"id": number, "text": "x" * 1000} for number in range(4 * CHUNK // 1000)])


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda path: os.truncate(path, path.stat().st_size + 9), TooLarge),
        (lambda path: os.truncate(path, path.stat().st_size // 2), Malformed),
        (lambda path: os.utime(path), Malformed),
    ],
    ids=["grows", "shrinks", "is written to"],
)
async def test_a_file_that_changes_while_it_is_read_is_not_believed(
    file: Path, document: Open, act: Callable[[Path], object], error: type[ReadError]
) -> None:
    limit = large(file).stat().st_size
    items = document(file, meanwhile(lambda: act(file)), limit)
    with pytest.raises(error, match=r"while it was read|not valid JSON"):
        await items.read(NOW)
    large(file)
    again = document(file, limit=limit)
    assert (await again.read(NOW)).records == 4 * CHUNK // 1000


async def test_a_file_replaced_while_it_is_read_is_read_to_its_end_and_then_anew(file: Path, document: Open) -> None:
    new = write(file.with_suffix(".tmp"), [{"id": 7}])
    items = document(large(file), meanwhile(lambda: new.replace(file)))
    assert (await items.read(NOW)).records == 4 * CHUNK // 1000
    assert (await items.read(NOW + 15)).value == [7]


async def test_it_reads_off_the_event_loop(file: Path, document: Open) -> None:
    threads = await document(file, lambda item: threading.current_thread()).read(NOW)
    assert threading.main_thread() not in threads.value


async def test_a_read_given_up_is_not_repeated_but_finished_and_kept(file: Path, document: Open) -> None:
    release, rows = threading.Event(), []

    def slow(item: Item) -> Any:
        rows.append(item.id)
        assert release.wait(10)
        return item.id

    items = document(file, slow)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await items.read(NOW)
    with pytest.raises(TimedOut):
        await items.read(NOW + 15)
    release.set()
    await until(lambda: rows == [1, 2])
    assert (await again(items)).value == [1, 2]
    assert rows == [1, 2]


async def again(items: Document[Item, Any, list[Any], list[Any]]) -> Read:
    """The next read that is not turned away because the one before has not quite returned."""
    while True:
        try:
            return await items.read(NOW + 30)
        except TimedOut:
            await asyncio.sleep(0)
