"""A secret: text that never prints."""


class Secret:
    """Text given by `!env`, `!file` or in a secret's place in the configuration; compares by value, prints as `***`.

    A plain class rather than a dataclass, because `dataclasses.asdict` and `dataclasses.fields` would open it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def reveal(self) -> str:
        """The text itself: only for the call that needs it."""
        return self._text


def misread(url: Secret, *shown: str | None) -> str | None:
    """Why what a parser took for the host and path of a URL may hold part of its password, and must not be shown; None
    if it cannot."""
    if url.reveal().count("@") > 1 or any("@" in part for part in shown if part):
        return "expected no @ but the one before the host; in a user's name or password @ is written %40, and / %2F"
    return None
