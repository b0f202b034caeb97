"""HTML written so that nothing gets in unescaped: text is escaped unless it was made here."""

from html import escape


class Html(str):
    """Markup: what `tag` and `join` make."""

    __slots__ = ()


def text(child: str) -> Html:
    """Text as markup; markup as it is."""
    return child if isinstance(child, Html) else Html(escape(child))


def join(*children: str | None) -> Html:
    """Children one after the other; None is nothing."""
    return Html("".join(text(child) for child in children if child is not None))


def tag(name: str, /, *children: str | None, **attributes: str | None) -> Html:
    """An element that is not void. A `_` in an attribute's name stands for `-`, one at its end for nothing (`class_`);
    an attribute that is None is left out."""
    return Html(f"{void(name, **attributes)}{join(*children)}</{name}>")


def void(name: str, /, **attributes: str | None) -> Html:
    """An element that never has content, such as `input`, with attributes as `tag` takes them."""
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    written = "".join(f' {key}="{escape(value)}"' for key, value in pairs)
    return Html(f"<{name}{written}>")
