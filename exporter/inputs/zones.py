"""Times that SQLite keeps as text, which it compares as text: what they mean, and which sort as if it knew.

SQLAlchemy writes them all alike, in UTC and without a zone. Others write a T, a Z, a zone: `2026-05-11 08:59:30-05:00`
is 13:59:30 and stands before all of the five hours that precede it.
"""

STORED = "????-??-?? ??:??:??.???[^-+]??"
"""The 26 characters that SQLAlchemy writes and that binds are; `.123-05` would be as long."""


def utc(column: str) -> str:
    """A time as such 26 characters, in UTC.

    Other shapes (with a T, with a zone, with another fraction) come out to the millisecond; what is no time is null.
    Of zones without a colon, `-05` and `-0500`, SQLite knows nothing.
    """
    hours = f"{column} || ':' || '00'"
    minutes = f"substr({column}, 1, length({column}) - 2) || ':' || substr({column}, -2)"
    read = ", ".join(f"strftime('%Y-%m-%d %H:%M:%f', {text})" for text in (column, hours, minutes))
    return f"""
        case
            when {column} glob '{STORED}' then {column}
            when {column} is not null then coalesce({read}) || '000'
        end
    """


def odd(column: str) -> str:
    """The condition on times that need not sort as what they mean: with a T, or in another zone than UTC.

    What SQLAlchemy writes is told at once; the rest costs four times as much.
    """
    return f"{column} not glob '{STORED}' and substr(replace({column}, '+00:00', ''), 11) glob '*[^ 0-9:.Z]*'"
