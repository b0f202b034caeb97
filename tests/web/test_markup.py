"""Markup: whatever text goes in comes out as text."""

from hypothesis import given
from hypothesis import strategies as st

from exporter.web.markup import Html, join, tag, text, void
from tests.web.examples import Seen


@given(st.text(), st.text())
def test_text_stays_text(inside: str, attribute: str) -> None:
    seen = Seen(tag("p", inside, title=attribute))
    assert seen.elements == [("p", {"title": attribute})]
    assert seen.text == inside


def test_markup_nests_and_text_does_not() -> None:
    assert tag("p", tag("b", "a<b"), " & ", Html("<i></i>")) == "<p><b>a&lt;b</b> &amp; <i></i></p>"
    assert text("<") == "&lt;"
    assert join("<", None, tag("b")) == "&lt;<b></b>"


def test_attributes_are_named_as_python_can_name_them() -> None:
    assert tag("a", None, class_="x", aria_label='"', href=None) == '<a class="x" aria-label="&quot;"></a>'


def test_void_elements_have_no_end() -> None:
    assert void("input", type="checkbox", checked="", value=None) == '<input type="checkbox" checked="">'
