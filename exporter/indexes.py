"""The indexes that the databases of the configured sources should have, as a script of SQL that nobody runs for you."""

from collections.abc import Iterator, Sequence

from exporter.core.errors import ReadError
from exporter.core.source import Index, Source


async def looked_up(source: Source, now: float) -> tuple[list[str], bool]:
    """The lines about one source, all comments but what creates an index that is missing, and whether it could be read;
    no lines for one that wants no index. `now` is epoch seconds."""
    try:
        found = await source.indexes(now)
    except ReadError as error:
        return [*_comment(f"{source.name} ({source.kind}) cannot be read: {error}"), ""], False
    finally:
        await source.close()
    return [*_lines(source, found)], True


def _lines(source: Source, found: Sequence[Index]) -> Iterator[str]:
    for place in dict.fromkeys(index.place for index in found):
        yield from _comment(f"{source.name} ({source.kind}): {place}")
    for index in found:
        yield "--"
        yield from _comment(f"{index.table} ({', '.join(index.columns)}): {'there' if index.there else 'MISSING'}")
        passes = "; without it each time is a pass through the table" if index.vital and not index.there else ""
        yield from _comment(f"    for {index.spares}{passes}; how that is done now:")
        yield from (line for step in index.plan for line in _comment(step, "        "))
        if not index.there:
            yield index.statement
    if found:
        yield ""


def _comment(text: str, indent: str = "") -> Iterator[str]:
    """Whatever lines a text has, none of them is SQL."""
    return (f"-- {indent}{line}" for line in text.splitlines())
