"""Numbers and times as people read them, in markup that machines can read too."""

from datetime import UTC, datetime

from exporter.web.markup import Html, tag

SPANS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def number(value: int) -> str:
    return f"{value:,}"


def count(value: int, what: str) -> str:
    """`1 part`, `2 parts`."""
    return f"{number(value)} {what}{'' if value == 1 else 's'}"


def share(part: int, whole: int) -> str:
    """How much of it that is: `3 %`, `0.4 %`, and never 0 or 100 unless it is."""
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "under 0.1 %"
    if 99.9 < percent < 100:
        return "over 99.9 %"
    return f"{percent:.1f}".removesuffix(".0") + " %"


def span(seconds: float) -> str:
    """A length of time, in its two largest units: `850 ms`, `12 s`, `5 min`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 1:
        return "under 1 ms" if seconds < 0.001 else f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.2g} s"
    for size, unit, smaller, small in SPANS:
        if seconds >= size:
            rest = int(seconds % size) // smaller
            return f"{int(seconds) // size} {unit}" + (f" {rest} {small}" if rest and size > 60 else "")
    return f"{int(seconds)} s"


def length(seconds: float) -> str:
    """A length of time in whole seconds or more; one that a clock set back makes negative is none."""
    return span(max(seconds, 0) // 1) if seconds >= 1 else "0 s"


def clock_time(at: float, now: float) -> str:
    """`14:03 UTC`, with its day if that is another than today; both are epoch seconds."""
    then, today = datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(now, UTC)
    return f"{then:%H:%M} UTC" if then.date() == today.date() else f"{then.day} {then:%b %Y, %H:%M} UTC"


def time(at: float, words: str) -> Html:
    """Words for a moment (epoch seconds), which say it exactly when pointed at."""
    then = datetime.fromtimestamp(at, UTC)
    return tag("time", words, datetime=f"{then:%Y-%m-%dT%H:%M:%SZ}", title=f"{then:%Y-%m-%d %H:%M:%S} UTC")


def ago(at: float, now: float) -> Html:
    return time(at, f"{length(now - at)} ago")
