"""The house and its doors: which room imports what, one place that catches everything, and nothing too long to read.

The rules are functions of sources as text, so that planted ones show that each of them bites.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LONGEST_FILE, LONGEST_FUNCTION, MOST_PARAMETERS = 400, 60, 5

ROOMS = frozenset(("core", "demo", "domains", "inputs", "ledger", "runtime", "sources", "web"))
EVERYTHING = ROOMS | {"app", "catalogue", "config", "files", "indexes", "logs", "notes", "once", "serve", "state"}
DOORS: Mapping[str, frozenset[str]] = {
    "__init__": frozenset(),
    "__main__": frozenset(("cli",)),
    "app": EVERYTHING,
    "catalogue": frozenset(("core", "domains", "ledger", "runtime")),
    "cli": EVERYTHING,
    "config": frozenset(("core", "ledger", "sources")),
    "core": frozenset(("core",)),
    "demo": frozenset(("core", "demo")),
    "domains": frozenset(("core", "domains")),
    "files": frozenset(("core", "web")),
    "indexes": frozenset(("core",)),
    "inputs": frozenset(("core", "inputs")),
    "ledger": frozenset(("core", "ledger")),
    "logs": frozenset(),
    "notes": EVERYTHING,
    "once": EVERYTHING,
    "runtime": frozenset(("core", "ledger", "runtime")),
    "serve": EVERYTHING,
    "state": frozenset(("config", "core", "inputs", "ledger")),
    "sources": frozenset(("core", "domains", "inputs")),  # and the source's own modules
    "web": frozenset(("core", "runtime", "web")),
}
"""What a room, or a module that stands in none, may import of the others. What is not here is no part of the house."""

GUESTS: Mapping[str, tuple[str, ...]] = {
    "aiohttp": ("inputs/", "web/"),
    "aiohttp.web": ("web/",),
    "bcrypt": ("web/basic.py",),
    "cronsim": ("sources/",),
    "isal": ("runtime/",),
    "msgspec": ("inputs/", "runtime/", "sources/", "web/"),
    "prometheus_client": ("runtime/",),
    "psutil": ("inputs/",),
    "psycopg": ("inputs/",),
    "pymysql": ("inputs/",),
    "sqlalchemy": ("inputs/", "ledger/store.py"),
    "yaml": ("core/decode.py", "config.py"),
}
"""Where a library may be imported; the longest name that fits decides. A library that is not here is let in nowhere."""

CLIENT = re.compile(r"aiohttp($|\.(client.*|Client.*|connector|TCPConnector|UnixConnector|request)$)")
"""The half of aiohttp that reaches out, and the bare name, which has both halves."""

SPEAKING = ("cli.py", "demo/")
TIMED = ("cli.py", "runtime/clock.py", "demo/")
GUARD = "runtime/guard.py"
CLOCKS = frozenset(
    [f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")]
    + ["datetime.now", "datetime.utcnow", "datetime.today", "date.today", "os.environ", "os.getenv", "sys.argv"]
)
CHANGING = frozenset(
    (
        "add",
        "append",
        "appendleft",
        "clear",
        "discard",
        "extend",
        "insert",
        "pop",
        "popitem",
        "remove",
        "setdefault",
        "update",
    )
)


@dataclass(frozen=True)
class Module:
    """One file of the package; `path` is relative to it, as `core/family.py`."""

    path: str
    text: str

    @property
    def room(self) -> str:
        return self.path.split("/")[0].removesuffix(".py")

    @property
    def name(self) -> str:
        parts = self.path.removesuffix(".py").removesuffix("/__init__").split("/")
        return ".".join(["exporter", *(part for part in parts if part != "__init__")])

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return [*ast.walk(self.tree)]

    def imported(self) -> Iterator[tuple[int, str]]:
        """Every name that is imported anywhere in it, in full: `from a import b` is `a.b`."""
        for node in self.nodes:
            match node:
                case ast.Import(names=names):
                    yield from ((node.lineno, alias.name) for alias in names)
                case ast.ImportFrom(module=module, names=names, level=level):
                    near = self.name.split(".") if self.path.endswith("__init__.py") else self.name.split(".")[:-1]
                    base = [".".join(near[: len(near) - level + 1])] if level else []
                    whole = ".".join([*base, module] if module else base)
                    yield from ((node.lineno, f"{whole}.{alias.name}") for alias in names)
                case ast.Call(func=func, args=args) if ast.unparse(func).split(".")[-1] in (
                    "import_module",
                    "__import__",
                ):
                    name = args[0].value if args and isinstance(args[0], ast.Constant) else "?"
                    yield node.lineno, str(name)


def modules(package: Path) -> list[Module]:
    return [
        Module(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(package.rglob("*.py"))
    ]


# doors


def inner_doors(module: Module) -> Iterator[str]:
    """Imports within the package go only through the doors."""
    if module.room not in DOORS:
        yield f"{module.path}: no room of the house"
        return
    own = ".".join(module.name.split(".")[:3])
    for line, name in module.imported():
        parts = [*name.split("."), "", ""]
        if parts[0] != "exporter" or parts[1] in ("", "__version__"):
            continue
        if module.room == "sources" and parts[1] == "sources":
            if module.path != "sources/__init__.py" and ".".join(parts[:3]) != own:
                yield f"{module.path}:{line}: {name} is another source"
        elif parts[1] not in DOORS[module.room]:
            yield f"{module.path}:{line}: no door leads to {name}"
        elif (module.room, parts[1]) == ("config", "sources") and parts[2] != "KINDS":
            yield f"{module.path}:{line}: of the sources only KINDS is known here, not {name}"


def guests(module: Module) -> Iterator[str]:
    """Libraries are imported only where they are let in, and the reaching half of aiohttp only among the inputs."""
    for line, name in module.imported():
        first = name.split(".")[0]
        if first == "exporter" or first in sys.stdlib_module_names:
            continue
        fitting = [guest for guest in GUESTS if f"{name}.".startswith(f"{guest}.")]
        places = GUESTS[max(fitting, key=len)] if fitting else ()
        if CLIENT.match(name):
            places = ("inputs/",)
        if not module.path.startswith(places or "?"):
            yield f"{module.path}:{line}: {name} is not let in here"


# what is done


def catches(module: Module) -> Iterator[str]:
    """The one guard catches everything; elsewhere each exception is named."""
    for node in module.nodes:
        match node:
            case ast.ExceptHandler(type=None):
                caught = "everything"
            case ast.ExceptHandler(type=ast.expr() as kind):
                caught = ast.unparse(kind)
            case ast.Call(func=func, args=args) if ast.unparse(func).split(".")[-1] == "suppress":
                caught = ", ".join(map(ast.unparse, args))
            case _:
                continue
        if re.search(r"\b(everything|Exception|BaseException)\b", caught):
            yield f"{module.path}:{node.lineno}: catches {caught}"


def one_guard(package: list[Module]) -> Iterator[str]:
    """It is there, and the only one."""
    found = [problem for module in package for problem in catches(module)]
    yield from (problem for problem in found if not problem.startswith(f"{GUARD}:"))
    guards = [problem for problem in found if problem.startswith(f"{GUARD}:")]
    if len(guards) != 1:
        yield f"{GUARD}: catches everything in {len(guards)} places, expected one"


def quiet(module: Module) -> Iterator[str]:
    """Only commands print."""
    if not module.path.startswith(SPEAKING):
        for node in module.nodes:
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "print",
                "sys.stdout.write",
                "sys.stderr.write",
            ):
                yield f"{module.path}:{node.lineno}: {ast.unparse(node.func)}"


def given(module: Module) -> Iterator[str]:
    """Clock and environment are passed in."""
    if not module.path.startswith(TIMED):
        imported = {name for _, name in module.imported()}
        for node in module.nodes:
            if isinstance(node, ast.Attribute) and ".".join(ast.unparse(node).split(".")[-2:]) in CLOCKS:
                yield f"{module.path}:{node.lineno}: {ast.unparse(node)}"
        yield from (f"{module.path}: imports {name}" for name in sorted(imported & CLOCKS))


def unchanging(module: Module) -> Iterator[str]:
    """Nothing that stands in a module is changed: no `global`, no empty container waiting to be filled, no item set and
    no method called that would change one."""
    there = {name for node in module.tree.body for name in bound(node)}
    for statement in module.tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value and empty(statement.value):
            yield f"{module.path}:{statement.lineno}: an empty container"
    for node in module.nodes:
        match node:
            case ast.Global():
                yield f"{module.path}:{node.lineno}: global {', '.join(node.names)}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in CHANGING:
                if name in there and not shadowed(module, node, name):
                    yield f"{module.path}:{node.lineno}: changes {name}"
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                if name in there and not shadowed(module, node, name):
                    yield f"{module.path}:{node.lineno}: changes {name}"


def bound(node: ast.stmt) -> Iterator[str]:
    """The names a statement of a module gives or imports."""
    match node:
        case ast.Assign(targets=targets):
            yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name for alias in names)


def empty(value: ast.expr) -> bool:
    """Whether an expression is an empty container that could be filled."""
    match value:
        case ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=func, args=[]):
            return ast.unparse(func).split(".")[-1] in ("dict", "list", "set", "deque", "Counter", "OrderedDict")
        case ast.Call(func=func):
            return ast.unparse(func).split(".")[-1] == "defaultdict"
    return False


def shadowed(module: Module, node: ast.AST, name: str) -> bool:
    """Whether the name belongs to a function around the node: a parameter, or given a value there."""
    around = [each for each in functions(module) if each.lineno <= node.lineno <= (each.end_lineno or 0)]  # type: ignore[attr-defined]  # every node asked about has a line
    return any(
        (isinstance(each, ast.arg) and each.arg == name)
        or (isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Store))
        for function in around
        for each in ast.walk(function)
    )


# how it reads


def functions(module: Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in module.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def readable(module: Module) -> Iterator[str]:
    """A module begins with a sentence and is not long; nor is a function, which takes few parameters."""
    first = (ast.get_docstring(module.tree) or "").split("\n")[0]
    if not first.endswith((".", ":")) and not (ast.get_docstring(module.tree) or "").split("\n\n")[0].endswith("."):
        yield f"{module.path}: does not begin with a sentence that says what it is"
    if (lines := module.text.count("\n")) > LONGEST_FILE:
        yield f"{module.path}: {lines} lines"
    for function in functions(module):
        where = f"{module.path}:{function.lineno}: {function.name}"
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION:
            yield f"{where} has {lines} lines"
        if (parameters := len(parameters_of(function.args))) > MOST_PARAMETERS:
            yield f"{where} takes {parameters} parameters"


def parameters_of(arguments: ast.arguments) -> list[str]:
    """The names that a caller fills in."""
    several = [arguments.vararg, arguments.kwarg]
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *(each for each in several if each)]
    return [each.arg for each in every if each.arg not in ("self", "cls")]


RULES: tuple[Callable[[Module], Iterator[str]], ...] = (inner_doors, guests, quiet, given, unchanging, readable)
PACKAGE = modules(ROOT / "exporter")


@pytest.mark.parametrize("module", PACKAGE, ids=[module.path for module in PACKAGE])
def test_a_module_keeps_the_rules_of_the_house(module: Module) -> None:
    assert [problem for rule in RULES for problem in rule(module)] == []


def test_one_place_catches_everything() -> None:
    assert [*one_guard(PACKAGE)] == []


def test_what_is_imported_is_what_is_depended_on() -> None:
    """Drivers and isal aside, which are imported by name where they are there, and tzdata, which is only read."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {Requirement(text).name.lower().replace("-", "_") for text in project["dependencies"]}
    roots = {name.split(".")[0] for module in PACKAGE for _, name in module.imported()} - sys.stdlib_module_names
    assert roots - {"exporter", "psycopg", "pymysql"} == (wanted - {"pyyaml", "tzdata"}) | {"yaml"}


PLANTED: Mapping[str, tuple[str, str, str]] = {
    "core to inputs": ("core/x.py", "from exporter.inputs import sql", "no door leads to exporter.inputs.sql"),
    "core by import": ("core/x.py", "import exporter.runtime.board", "no door leads to exporter.runtime.board"),
    "in a function": ("runtime/x.py", "def f():\n    from exporter import web", "no door leads to exporter.web"),
    "for types only": (
        "runtime/x.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from exporter.sources import KINDS",
        "no door leads to exporter.sources.KINDS",
    ),
    "relatively": ("runtime/x.py", "from ..web import server", "no door leads to exporter.web.server"),
    "relatively from a package": ("runtime/__init__.py", "from ..web import server", "no door leads to exporter.web"),
    "by name": ("web/x.py", "from importlib import import_module\nimport_module('exporter.inputs')", "no door leads"),
    "web to sources": ("web/x.py", "from exporter.sources import KINDS", "no door leads to exporter.sources.KINDS"),
    "runtime to domains": ("runtime/x.py", "from exporter.domains import render", "no door leads to exporter.domains"),
    "demo to runtime": ("demo/x.py", "from exporter.runtime import clock", "no door leads to exporter.runtime.clock"),
    "another source": ("sources/a/x.py", "from exporter.sources.b import y", "exporter.sources.b.y is another source"),
    "another source, one file": (
        "sources/a.py",
        "from exporter.sources import b",
        "exporter.sources.b is another source",
    ),
    "config to one source": (
        "config.py",
        "from exporter.sources.decnet import x",
        "of the sources only KINDS is known here",
    ),
    "a new room": ("utils/x.py", "", "no room of the house"),
    "a new module": ("helpers.py", "", "no room of the house"),
    "sqlalchemy": ("sources/x.py", "import sqlalchemy", "sqlalchemy is not let in here"),
    "sqlalchemy beside the store": ("ledger/account.py", "import sqlalchemy as sa", "sqlalchemy is not let in here"),
    "psutil": ("runtime/x.py", "def f():\n    import psutil", "psutil is not let in here"),
    "aiohttp.web": ("runtime/x.py", "from aiohttp import web", "aiohttp.web is not let in here"),
    "aiohttp.web among inputs": ("inputs/x.py", "import aiohttp.web", "aiohttp.web is not let in here"),
    "aiohttp.web in the app": (
        "app.py",
        "from aiohttp.web import Application",
        "aiohttp.web.Application is not let in",
    ),
    "an HTTP client": ("web/x.py", "from aiohttp import ClientSession", "aiohttp.ClientSession is not let in here"),
    "all of aiohttp": ("web/x.py", "import aiohttp", "aiohttp is not let in here"),
    "prometheus_client": ("web/x.py", "import prometheus_client as p", "prometheus_client is not let in here"),
    "yaml": ("core/x.py", "import yaml", "yaml is not let in here"),
    "a driver": ("sources/x.py", "import psycopg.rows", "psycopg.rows is not let in here"),
    "a library in the demo": ("demo/x.py", "import msgspec", "msgspec is not let in here"),
    "an unknown library": ("inputs/x.py", "import requests", "requests is not let in here"),
    "a library by name": ("core/x.py", "import importlib\nimportlib.import_module('isal')", "isal is not let in here"),
    "a library by a name unknown": ("core/x.py", "def f(n):\n    return __import__(n)", "? is not let in here"),
    "print": ("runtime/x.py", "print(1)", "print"),
    "stdout": ("web/x.py", "import sys\nsys.stdout.write('')", "sys.stdout.write"),
    "the clock": ("runtime/x.py", "import time\nnow = time.time", "time.time"),
    "the clock by name": ("runtime/x.py", "from time import monotonic", "imports time.monotonic"),
    "the calendar": ("sources/x.py", "from datetime import datetime\ndatetime.now()", "datetime.now"),
    "the whole calendar": ("sources/x.py", "import datetime\ndatetime.datetime.now()", "datetime.datetime.now"),
    "the environment": ("config.py", "import os\nos.environ['A']", "os.environ"),
    "a global": ("core/x.py", "A = 1\ndef f():\n    global A\n    A = 2", "global A"),
    "an empty dict": ("core/x.py", "A: dict[str, str] = {}", "an empty container"),
    "an empty set": ("core/x.py", "A = set()", "an empty container"),
    "a defaultdict": ("core/x.py", "A = defaultdict(list)", "an empty container"),
    "a list that grows": ("core/x.py", "A = [1]\ndef f():\n    A.append(2)", "changes A"),
    "a dict that is filled": ("core/x.py", "A = {1: 2}\ndef f():\n    A[3] = 4", "changes A"),
    "a dict that is emptied": ("core/x.py", "from exporter.core.y import A\ndef f():\n    del A[3]", "changes A"),
    "no docstring": ("core/x.py", "", "does not begin with a sentence"),
    "a long file": ("core/x.py", "\n" * 401, "402 lines"),
    "a long function": ("core/x.py", "def f():\n" + "    pass\n" * 60, "f has 61 lines"),
    "a long method": ("core/x.py", "class A:\n    async def f(self):\n" + "        pass\n" * 60, "f has 61 lines"),
    "many parameters": ("core/x.py", "def f(a, /, b, *c, d, e, **f): ...", "f takes 6 parameters"),
}
"""Where, what, and the complaint."""


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_breach_is_found(what: str) -> None:
    path, text, complaint = PLANTED[what]
    docstring = "" if complaint.startswith("does not begin") else '"""A module."""\n'
    found = [problem for rule in RULES for problem in rule(Module(path, docstring + text))]
    assert [complaint in problem for problem in found] == [True]


GOOD: Mapping[str, tuple[str, str]] = {
    "the list of kinds": ("sources/__init__.py", "from exporter.sources import decnet, trafalgar"),
    "its own modules": (
        "sources/a/__init__.py",
        "from exporter.sources.a import x\nfrom exporter.domains import render",
    ),
    "its own modules, near": ("sources/a/x.py", "from . import y\nfrom .y import z\nfrom exporter.inputs import sql"),
    "the version": ("web/x.py", "from exporter import __version__\nfrom aiohttp import web, hdrs"),
    "KINDS": ("config.py", "from exporter.sources import KINDS\nimport yaml"),
    "the store": ("ledger/store.py", "import sqlalchemy as sa\nfrom sqlalchemy.exc import OperationalError"),
    "the client": ("inputs/x.py", "import aiohttp\nfrom aiohttp import ClientSession\nfrom sqlalchemy import text"),
    "printing": ("cli.py", "import os\nfrom exporter import app\nprint(os.environ)"),
    "a name of its own": ("core/x.py", "A = {1: 2}\ndef f(A):\n    A[3] = 4\ndef g():\n    A = []\n    A.append(1)"),
    "five parameters": ("core/x.py", "class A:\n    def f(self, a, b, c, d, e): ..."),
    "sixty lines": ("core/x.py", "def f():\n" + "    pass\n" * 59),
}


@pytest.mark.parametrize("what", GOOD)
def test_what_is_allowed_is_let_pass(what: str) -> None:
    path, text = GOOD[what]
    assert [problem for rule in RULES for problem in rule(Module(path, f'"""A module."""\n{text}'))] == []


@pytest.mark.parametrize(
    "text",
    [
        "try: ...\nexcept Exception: ...",
        "try: ...\nexcept: ...",
        "try: ...\nexcept (OSError, BaseException) as error: ...",
        "try: ...\nexcept* Exception: ...",
        "with contextlib.suppress(Exception): ...",
    ],
)
def test_a_second_guard_is_found(text: str) -> None:
    guard = Module(GUARD, "try: ...\nexcept Exception: ...")
    assert [*one_guard([guard, Module("web/x.py", "try: ...\nexcept (OSError, ValueError): ...")])] == []
    assert len([*one_guard([guard, Module("web/x.py", text)])]) == 1
    assert len([*one_guard([Module(GUARD, f"{guard.text}\n{text}")])]) == 1
    assert len([*one_guard([Module(GUARD, "")])]) == 1
