"""How a part stands, as people are told: in one word, in words, and by a mark."""

from exporter.runtime.standing import Standing
from exporter.web.markup import Html, tag

WORDS = {"bad": "failing", "old": "too old to show", "new": "not read yet", "well": "reading well"}
"""Every level, the worst first."""

SIGNS = {"well": "●", "bad": "▲", "old": "◆", "new": "○"}


def level(standing: Standing) -> str:
    """How a part stands, in one word: one of WORDS."""
    if standing.stale:
        return "old"
    if not standing.tried:
        return "new"
    return "well" if standing.up else "bad"


def since(standing: Standing) -> float | None:
    """Since when it has stood so; values that are too old have been ageing since they were read."""
    return standing.last_success if standing.stale else standing.since


def sign(how: str) -> Html:
    """A mark besides the words, never instead of them."""
    return tag("span", SIGNS[how], class_=f"sign {how}", aria_hidden="true")
