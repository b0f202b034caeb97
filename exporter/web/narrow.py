"""The page's filter: words to be found and levels, as they stand in its address, and the form that changes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from exporter.runtime.standing import Standing
from exporter.web.levels import WORDS, level, sign
from exporter.web.markup import Html, join, tag, void
from exporter.web.words import number

CHOICES = {"bad": "failing", "old": "too old", "new": "not read", "well": "well"}
"""What each level is called where it can be chosen."""

LONGEST = 100
"""Characters of the words to be found."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the page is asked for: has all words of `find`, and stands at one of `levels` if there are any."""

    find: str = ""
    levels: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.find or self.levels)

    def finds(self, *said: str) -> bool:
        """Whether all words are in what is said, in upper or lower case."""
        everything = "\n".join(said).casefold()
        return all(word in everything for word in self.find.casefold().split())

    def fits(self, standing: Standing, *names: str) -> bool:
        """Whether it leaves a part, whose source has these names: by them, by how it stands, or by why it fails."""
        how = level(standing)
        why = (standing.failure.reason, standing.failure.message) if standing.failure else ()
        return (not self.levels or how in self.levels) and self.finds(*names, standing.part.name, WORDS[how], *why)


ALL = Filter()


def asked(request: web.Request) -> Filter:
    """What an address asks for (`/?find=vfx&state=bad&state=old`); a state that is none is nothing."""
    states = frozenset(request.query.getall("state", ())) & WORDS.keys()
    return Filter(" ".join(request.query.get("find", "").split())[:LONGEST], states)


def form(wanted: Filter, counts: Mapping[str, int]) -> Html:
    """The form, with how many parts there are at each level; the script acts on what is entered as it is entered."""
    words = void("input", type="search", name="find", value=wanted.find, maxlength=str(LONGEST), spellcheck="false")
    choices = [choice(how, counts.get(how, 0), how in wanted.levels) for how in CHOICES]
    return tag(
        "form",
        tag("label", "Filter ", words, class_="find"),
        tag("fieldset", tag("legend", "State"), *choices),
        role="search",
        aria_label="Sources, parts and work",
        autocomplete="off",
        id="filter",
    )


def choice(how: str, many: int, chosen: bool) -> Html:
    box = void("input", type="checkbox", name="state", value=how, checked="" if chosen else None)
    said = join(sign(how), CHOICES[how], " ", tag("b", number(many)))
    return tag("label", box, said, class_="choice" if many else "choice none")
