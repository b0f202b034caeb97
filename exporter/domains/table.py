"""Counts of a name that comes from the data and a word of a closed list, as points."""

from collections.abc import Iterator, Mapping

from exporter.core.family import OTHER, Point


def table(counts: Mapping[tuple[str, str], int], words: tuple[str, ...]) -> Iterator[Point]:
    """Every word of each name that `counts` has, in sorted order; words of no list are counted together as `_other`."""
    filled: dict[tuple[str, str], int] = dict.fromkeys(((name, word) for name, _ in counts for word in words), 0)
    for (name, word), count in counts.items():
        cell = (name, word if word in words else OTHER)
        filled[cell] = filled.get(cell, 0) + count
    yield from sorted(filled.items())


def row(counts: Mapping[str, int], words: tuple[str, ...]) -> Iterator[Point]:
    """The same of words alone; there is a point for each word, also where `counts` is empty."""
    filled = dict.fromkeys(words, 0)
    for word, count in counts.items():
        cell = word if word in words else OTHER
        filled[cell] = filled.get(cell, 0) + count
    yield from (((word,), count) for word, count in sorted(filled.items()))
