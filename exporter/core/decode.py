"""YAML text over frozen dataclasses: the value asked for, or every problem at once, each with its path and line.

A document is composed into a small tree of its own, in which every scalar still is text and knows its line, and then
read field by field by the type hints of the dataclass wanted. A field may be str, int, float, bool, Path, Secret,
Window, a Literal of words, `Annotated` with the marks of `exporter.core.units`, another dataclass, `tuple[T, ...]`,
`Mapping[str, T]`, `T | None`, or `Node`: left as it stands, for a later look.

`!env NAME` and `!file PATH` give the text of any scalar. Such text, and whatever stands in the place of a Secret, is
never part of a message; nor are tags, anchors and keys that are no plain word, since a forgotten space or quote makes
one of a password.
"""

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml

from exporter.core import scalar
from exporter.core.errors import ConfigError, Problem
from exporter.core.failed import FAILED
from exporter.core.hints import opened
from exporter.core.scalar import Given
from exporter.core.secret import Secret
from exporter.core.units import Sound, Unfit, shown

DEEPEST = 32
CORE = "tag:yaml.org,2002:"
ALIAS = "an alias, refused already"
LISTED = "an item of the environment variable "
WORD = r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,63}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as text; `tag` is YAML's, resolved."""

    path: str
    line: int
    text: str
    tag: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    path: str
    line: int
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping: a node by each key, and the line each key is on."""

    path: str
    line: int
    nodes: Mapping[str, "Node"]
    lines: Mapping[str, int]


Node = Scalar | Items | Keys

NO_KEYS = Keys("", 1, {}, {})
"""A mapping that says nothing."""


def document(text: str, problems: list[Problem]) -> Node:
    """The tree of one YAML document; what is wrong with a part of it is added to `problems`.

    Raises ConfigError where there is no tree: broken syntax, nothing in it, more than one document, too deep.
    """
    try:
        loader = yaml.SafeLoader(text)
        return _Composer(loader, problems).document()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        broken = Problem("", line, f"not YAML: the character U+{error.character:04X} is not allowed")
    except yaml.MarkedYAMLError as error:
        broken = _syntax(error)
    except (ValueError, OverflowError):  # PyYAML's own, for "\UFFFFFFFF" or a version of 5000 digits
        broken = Problem("", loader.line + 1, "not YAML: a number in an escape or a directive is out of range")
    raise ConfigError([*problems, broken])


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    """PyYAML's words without its snippet of the text, which may hold a secret, and without the handle of a tag."""
    said = re.sub(r"handle .*", "handle: quote text that begins with '!'", error.problem or "")
    context = f", {error.context}" if error.context else ""
    if error.context_mark:
        context += f" that begins on line {error.context_mark.line + 1}"
    return Problem("", error.problem_mark.line + 1 if error.problem_mark else None, f"not YAML: {said}{context}")


@dataclass(frozen=True, slots=True)
class _Composer:
    """Makes the tree of the events of PyYAML's parser. Its own composer recurses without a limit and drops the lines
    of keys."""

    loader: yaml.SafeLoader
    problems: list[Problem]

    def document(self) -> Node:
        self._next()
        if self.loader.check_event(yaml.StreamEndEvent):
            raise ConfigError([Problem("", None, "expected a mapping of keys, found an empty document")])
        self._next()
        node = self._node("", 1)
        self._next()
        if not self.loader.check_event(yaml.StreamEndEvent):
            self._add("", self._next(), "expected one document, found a second one")
        return node

    def _next(self) -> Any:  # Any: the stubs leave events untyped
        return self.loader.get_event()  # type: ignore[no-untyped-call]

    def _node(self, path: str, depth: int) -> Node:
        event = self._next()
        if event.anchor is not None:
            self._add(path, event, "anchors and aliases (& and *) are refused: write the value out, or quote the text")
        if isinstance(event, yaml.AliasEvent):
            return Scalar(path, _line(event), "", ALIAS, quoted=False)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(path, event)
        if depth > DEEPEST:
            self._add("", event, f"nested deeper than {DEEPEST} levels")
            raise ConfigError(self.problems)
        if event.tag not in (None, f"{CORE}map", f"{CORE}seq"):
            self._add(path, event, "a list or a mapping takes no tag")
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(path, _line(event), tuple(self._items(path, depth + 1)))
        return self._keys(path, event, depth + 1)

    def _scalar(self, path: str, event: yaml.ScalarEvent) -> Scalar:
        tag = event.tag
        if tag is None:
            tag = self.loader.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        if not _is_unicode(event.value):
            self._add(path, event, "half a surrogate pair is no character")
        return Scalar(path, _line(event), event.value, str(tag), quoted=bool(event.style))

    def _items(self, path: str, depth: int) -> Iterator[Node]:
        count = itertools.count()
        while not self.loader.check_event(yaml.SequenceEndEvent):
            yield self._node(f"{path}[{next(count)}]", depth)
        self._next()

    def _keys(self, path: str, start: Any, depth: int) -> Keys:
        nodes: dict[str, Node] = {}
        lines: dict[str, int] = {}
        while not self.loader.check_event(yaml.MappingEndEvent):
            key = self._node(path, depth)
            name = self._name(key)
            node = self._node(_joined(path, name or "?"), depth)
            if name in lines:
                what = f"the key {name}" if re.fullmatch(WORD, name) else "this key"
                message = f"{what} is given twice, first on line {lines[name]}"
                self.problems.append(Problem(_joined(path, name), key.line, message))
            elif name is not None:
                nodes[name], lines[name] = node, key.line
        self._next()
        return Keys(path, _line(start), nodes, lines)

    def _name(self, key: Node) -> str | None:
        if isinstance(key, Scalar) and key.tag == f"{CORE}str":
            return key.text
        if isinstance(key, Scalar) and key.tag == f"{CORE}merge":
            self.problems.append(Problem(key.path, key.line, "merge keys (<<) are refused: write the keys out"))
        elif not isinstance(key, Scalar) or key.tag != ALIAS:
            message = "a key must be text: put numbers, dates, null, true, false, yes, no, on and off in quotes"
            self.problems.append(Problem(key.path, key.line, message))
        return None

    def _add(self, path: str, event: Any, message: str) -> None:
        self.problems.append(Problem(path, _line(event), message))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _joined(path: str, key: str) -> str:
    """The path of a key; a key that is no plain word is not written out, as it may be a secret run into its key."""
    if not re.fullmatch(WORD, key):
        return f"{path}[?]"
    return f"{path}.{key}" if path else key


def _is_unicode(text: str) -> bool:
    return not re.search("[\ud800-\udfff]", text)


@dataclass(frozen=True, slots=True)
class Decoder:
    """Reads a tree by type hints; all that ever changes of it is its list of `problems`.

    `env` and `read` answer `!env` and `!file`; `read` raises OSError or UnicodeError. With `fallback`, a field that
    the document is silent about takes the environment variable its metadata name, `{"env": NAME}`, if that is not
    empty: a tuple its items between commas, a dataclass what the variables of its own fields say. A dataclass that has
    a method `problems() -> Iterable[str]` is asked for what its fields together do wrong, one with `partial_problems()`
    also where FAILED is in the place of some. What a field does wrong alone is for a mark, such as `Sound`.
    """

    env: Mapping[str, str]
    read: Callable[[Path], str]
    fallback: bool = False
    problems: list[Problem] = field(default_factory=list)

    def value(self, hint: Any, node: Node, base: object = None) -> Any:
        """The value of a node by a type hint, or FAILED; TypeError for a hint that no document can answer."""
        inner, marks, optional = opened(hint)
        found = self._value((inner, marks, optional), node, base)
        for mark in marks:
            if isinstance(mark, Sound) and found not in (None, FAILED) and (problem := mark.problem(found)):
                self.problem(node, problem)
                found = FAILED
        return found

    def _value(self, hint: tuple[Any, tuple[object, ...], bool], node: Node, base: object) -> Any:
        inner, marks, optional = hint
        origin, arguments = get_origin(inner), get_args(inner)
        if inner == Node:
            return node
        if optional and isinstance(node, Scalar) and node.tag == f"{CORE}null":
            return None
        if origin is tuple:
            return self._items(arguments[0], node)
        if origin is Mapping:
            return self._mapping(arguments[1], node)
        if dataclasses.is_dataclass(inner) and inner not in scalar.CONVERSIONS:
            return self.record(inner, node, base)
        return self.scalar(node, scalar.marked(self._conversion(inner), marks), secret=inner is Secret)

    def record(self, cls: Any, node: Node, base: object = None, known: Iterable[str] | None = ()) -> Any:
        """A dataclass of a mapping, or FAILED. Where the mapping is silent a field is as in `base`, or its default.

        `known` are keys that are somebody else's; None for all that this dataclass does not have.
        """
        values = self.fields(cls, node, base, known)
        if not isinstance(node, Keys):
            return FAILED
        made, whole = cls(**values), all(value is not FAILED for value in values.values())
        asked = ("problems", "partial_problems") if whole else ("partial_problems",)
        found = [message for name in asked for message in getattr(made, name, tuple)()]
        self.problems.extend(Problem(node.path, node.line, message) for message in found)
        return made if whole and not found else FAILED

    def fields(self, cls: Any, node: Node, base: object = None, known: Iterable[str] | None = ()) -> dict[str, Any]:
        """The values of a dataclass's fields by name, each of them possibly FAILED."""
        hints = get_type_hints(cls, include_extras=True)
        if not isinstance(node, Keys):
            self._shape(node, "a mapping of keys")
            return dict.fromkeys(hints, FAILED)
        if known is not None:
            self.known_keys(node, (*known, *hints))
        return {item.name: self._field(item, hints[item.name], node, base) for item in dataclasses.fields(cls)}

    def scalar(self, node: Node, convert: Callable[[Given], Any], *, secret: bool = False) -> Any:
        """What `convert` makes of a scalar, or FAILED; `convert` raises Unfit."""
        given = self._given(node)
        if given is None:
            return FAILED
        try:
            return convert(given)
        except Unfit as unfit:
            found = f"what {given.origin} holds" if given.origin else "what was found"
            hidden = f"expected {unfit.expected} ({found} is not shown)"
            self.problem(node, hidden if secret or given.origin else str(unfit))
        return FAILED

    def problem(self, node: Node, message: str) -> None:
        """Notes what is wrong with a node."""
        self.problems.append(Problem(node.path, node.line, message))

    def _items(self, hint: Any, node: Node) -> Any:
        if not isinstance(node, Items):
            return self._shape(node, "a list")
        values = tuple(self.value(hint, item) for item in node.nodes)
        return FAILED if any(value is FAILED for value in values) else values

    def _mapping(self, hint: Any, node: Node) -> Any:
        if not isinstance(node, Keys):
            return self._shape(node, "a mapping of keys")
        values = {key: self.value(hint, item) for key, item in node.nodes.items()}
        return FAILED if any(value is FAILED for value in values.values()) else MappingProxyType(values)

    def _field(self, item: dataclasses.Field[Any], hint: Any, node: Keys, base: object) -> Any:
        if item.name in node.nodes:
            return self.value(hint, node.nodes[item.name], getattr(base, item.name, None))
        if self.fallback and (said := self._of_outside(item, hint, node)):
            return self.value(hint, said)
        if base is not None:
            return getattr(base, item.name, FAILED)  # a base that is FAILED itself has none
        if item.default is not dataclasses.MISSING:
            return item.default
        if item.default_factory is not dataclasses.MISSING:
            return item.default_factory()
        self.problem(node, f"the key {item.name} is missing")
        return FAILED

    def _of_outside(self, item: dataclasses.Field[Any], hint: Any, parent: Keys) -> Node | None:
        """What the environment says of a field, as the document would have: a list's items stand between commas, and a
        dataclass is there when any of its own variables is."""
        inner, _, _ = opened(hint)
        path, variable = _joined(parent.path, item.name), item.metadata.get("env", "")
        if dataclasses.is_dataclass(inner):
            own = (each.metadata.get("env", "") for each in dataclasses.fields(inner))
            return Keys(path, parent.line, {}, {}) if any(map(self.env.get, own)) else None
        if not (text := self.env.get(variable)):
            return None
        if get_origin(inner) is not tuple:
            return Scalar(path, parent.line, variable, "!env", quoted=False)
        texts = enumerate(filter(None, map(str.strip, text.split(","))))
        tag = f"{LISTED}{variable}"
        items = (Scalar(f"{path}[{number}]", parent.line, text, tag, quoted=False) for number, text in texts)
        return Items(path, parent.line, tuple(items))

    def known_keys(self, node: Keys, names: tuple[str, ...]) -> None:
        """Notes every key that is none of these."""
        for key, line in node.lines.items():
            if key in names:
                continue
            message = "unknown key, not shown because it is no plain word: is a space missing after its colon?"
            if re.fullmatch(WORD, key):
                message = f"unknown key: {scalar.did_you_mean(key, names) or 'known are ' + ', '.join(names)}"
            self.problems.append(Problem(_joined(node.path, key), line, message))

    def _shape(self, node: Node, expected: str) -> Any:
        found = {Items: "a list", Keys: "a mapping"}.get(type(node), "text")
        if isinstance(node, Scalar) and node.tag == f"{CORE}null":
            found = "nothing"
        if not isinstance(node, Scalar) or node.tag != ALIAS:
            self.problem(node, f"expected {expected}, found {found}")
        return FAILED

    def _conversion(self, hint: Any) -> Callable[[Given], Any]:
        if hint in scalar.CONVERSIONS:
            return scalar.CONVERSIONS[hint]
        if hint is Path:
            return self._path
        if get_origin(hint) is Literal:
            return partial(scalar.one_of, get_args(hint))
        raise TypeError(f"no YAML document can give a {hint}")

    def _path(self, given: Given) -> Path:
        return scalar.path(given, self.env.get("HOME"))

    def _given(self, node: Node) -> Given | None:
        """The text of a scalar and where it came from; None, with its problem noted, where there is none."""
        if not isinstance(node, Scalar):
            self._shape(node, "one value")
        elif node.tag == "!env":
            return self._of_environment(node)
        elif node.tag == "!file":
            return self._of_file(node)
        elif node.tag.startswith(LISTED):
            return self._hidden(node, node.text, node.tag)
        elif (kind := node.tag.removeprefix(CORE)) == "null":
            self.problem(node, "nothing is given: write a value, in quotes if it is the text '~' or 'null'")
        elif kind in ("str", *scalar.READINGS):
            return Given(node.text, kind, node.quoted)
        elif node.tag != ALIAS:
            self.problem(node, "unknown tag: !env and !file are known, and text that begins with '!' must be quoted")
        return None

    def _of_environment(self, node: Scalar) -> Given | None:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", node.text):
            return self._refused(node, "!env takes the name of an environment variable: letters, digits and _")
        if (text := self.env.get(node.text)) is None:
            return self._refused(node, f"the environment variable {node.text} is not set")
        return self._hidden(node, text, f"the environment variable {node.text}")

    def _of_file(self, node: Scalar) -> Given | None:
        path = self.scalar(Scalar(node.path, node.line, node.text, f"{CORE}str", quoted=True), self._path)
        if path is FAILED:
            return None
        try:
            text = self.read(path)
        except OSError as error:
            return self._refused(node, f"cannot read {shown(str(path))}: {error.strerror or type(error).__name__}")
        except UnicodeError:
            return self._refused(node, f"{shown(str(path))} is not UTF-8 text")
        return self._hidden(node, re.sub(r"\r?\n\Z", "", text), f"the file {shown(str(path))}")

    def _hidden(self, node: Scalar, text: str, origin: str) -> Given | None:
        if not _is_unicode(text):
            return self._refused(node, f"{origin} is not UTF-8 text")
        return Given(text, origin=origin)

    def _refused(self, node: Scalar, message: str) -> Given | None:
        self.problem(node, message)
        return None
