"""The command line: serve (the default), check, read, catalogue, indexes, demo."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from exporter import __version__, catalogue, logs
from exporter.app import App, made
from exporter.config import Config, load, problems_text
from exporter.core.address import Address, address
from exporter.core.errors import ConfigError, Problem, StudioError
from exporter.core.source import Source
from exporter.core.units import duration_text
from exporter.demo.launch import lasting, place, simulator, welcome, write_config
from exporter.demo.simulator import speed
from exporter.files import WebFile, both, identity, small_text, unchanged, whole
from exporter.indexes import looked_up
from exporter.once import read_once
from exporter.runtime.clock import Clock
from exporter.serve import serve, shown
from exporter.sources import KINDS
from exporter.web.gate import Gate

log = logging.getLogger(__name__)
LISTEN = "127.0.0.1:10210"
GOOD, FAILED, USAGE = 0, 1, 2
SWITCHING = 0.0005
"""Seconds for which a thread that reads may keep the event loop from answering, where Python's default is ten times as
long."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; the exit code is 0 for well done, 1 for a problem, 2 for a wrong call, and that of a signal as
    shells have it."""
    options = parser().parse_args(argv)
    logs.configure(options.level, options.format)
    try:
        code = int(options.command(options))
        sys.stdout.flush()
    except ConfigError as error:
        print(problems_text(error, str(options.config)), file=sys.stderr)
        return FAILED
    except StudioError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:  # who reads what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where the rest goes when Python ends
        return 128 + signal.SIGPIPE
    return code


def parser() -> argparse.ArgumentParser:
    """Flags in the ecosystem's habit; those of `common` stand before or after the command."""
    top = argparse.ArgumentParser("studio-exporter", description=__doc__, allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"studio-exporter {__version__}")
    common(top, first=True)
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    top.set_defaults(command=serve_command)
    for name, run, about in (
        ("serve", serve_command, "serve the metrics of the configured sources (the default)"),
        ("check", check_command, "check the configuration, without touching any source"),
        ("read", read_command, "read one source once, print its exposition and what is wrong with it"),
        ("catalogue", catalogue_command, "print every metric as a Markdown table"),
        ("indexes", indexes_command, "print the indexes that the databases should have, as SQL for you to run"),
        ("demo", demo_command, "serve a small living studio, without any configuration"),
    ):
        command = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        common(command, first=False)
        command.set_defaults(command=run)
        if name == "read":
            command.add_argument("source", metavar="SOURCE", help="the name of a source")
        if name == "demo":
            demo_flags(command)
    return top


def demo_flags(command: argparse.ArgumentParser) -> None:
    flag = command.add_argument
    flag("--seed", type=int, default=7, metavar="NUMBER", help="what happens follows from it (default: 7)")
    flag("--speed", type=speed, default=1.0, metavar="NUMBER", help="studio minutes in a second (default: 1)")
    flag("--for", dest="lasts", type=lasting, metavar="DURATION", help="end by itself after, say, 10m (default: never)")
    flag(
        "--keep",
        type=Path,
        metavar="DIR",
        help="let the studio live in DIR, an empty or a new directory, and leave it there; in one that is left from an "
        "earlier demo it begins anew, in the place of what that wrote (default: a temporary one)",
    )


def common(to: argparse.ArgumentParser, first: bool) -> None:
    """The flags every command takes; a command's own parser leaves alone what was given before it."""

    def default(value: object) -> object:
        return value if first else argparse.SUPPRESS

    flag = partial(to.add_argument, metavar="VALUE")
    flag("--config.file", dest="config", type=Path, default=default(Path("config.yaml")), help="(default: config.yaml)")
    flag(
        "--web.listen-address",
        dest="listen",
        action="append",
        default=default(None),
        help=f"where to listen, may be given several times (default: {LISTEN})",
    )
    flag(
        "--web.config.file",
        dest="web",
        type=lambda text: Path(text) if text else None,
        default=default(None),
        help="TLS, names and passwords, in the format of Prometheus' exporter-toolkit (default: none)",
    )
    to.add_argument(
        "--web.enable-lifecycle",
        dest="lifecycle",
        action="store_true",
        default=default(False),
        help="allow POST /-/reload",
    )
    flag("--log.level", dest="level", choices=logs.LEVELS, default=default("info"), help="(default: info)")
    flag("--log.format", dest="format", choices=logs.FORMATS, default=default("logfmt"), help="(default: logfmt)")


def configured(path: Path) -> Config:
    """The configuration in a file, with the process's environment."""
    return Configured(path).load()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, the text it was made of, and which files gave it secrets."""

    config: Config
    text: str
    secrets: Mapping[Path, object]

    @classmethod
    def of(cls, text: str) -> "Loaded":
        """What a text says with the process's environment and the files of secrets as they are now."""
        secrets: dict[Path, object] = {}

        def secret(path: Path) -> str:
            secrets[path] = identity(path)  # before it is read: what changes meanwhile is seen next time
            return small_text(path)

        return cls(load(text, os.environ, KINDS, secret), text, secrets)


class Configured:
    """The configuration in a file as it is loaded, and loaded again.

    It remembers what it made of which text, the last two of them: the last one may have been refused.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: list[Loaded] = []

    def load(self) -> Config:
        """The configuration as the file has it now."""
        return self._remembered(Loaded.of(whole(self._path, small_text)))

    def again(self, config: Config) -> Config | None:
        """One that was loaded, whatever the file has become, with its secrets as they are now; None where they are the
        same."""
        known = next(each for each in self._known if each.config is config)
        if unchanged(known.secrets):
            return None
        self._known = [known]
        return self._remembered(Loaded.of(known.text))

    def _remembered(self, loaded: Loaded) -> Config:
        self._known = [*self._known[-1:], loaded]
        return loaded.config


def sources(config: Config) -> dict[str, Source]:
    """Every configured source by name, made but not touched."""
    return {source.name: made(source, config.limits) for source in config.sources}


def listening(options: argparse.Namespace) -> list[Address]:
    try:
        return [address(text) for text in options.listen or [LISTEN]]
    except ValueError as error:
        raise ConfigError([Problem("--web.listen-address", None, str(error))]) from error


def serve_command(options: argparse.Namespace) -> int:
    sys.setswitchinterval(SWITCHING)
    asyncio.run(served(options, options.config, lambda url: None))
    return GOOD


async def served(options: argparse.Namespace, config: Path, ready: Callable[[str], None]) -> None:
    """Serves what the configuration says until it is told to stop."""
    clock, file, web = Clock(), Configured(config), web_file(options)
    app, gate = both(
        lambda: App(file.load, clock, made, file.again),
        lambda: Gate(web.load if web else None),
    )
    app.gate = gate
    await serve(app, shown(app, clock, options.lifecycle), listening(options), ready)


def web_file(options: argparse.Namespace) -> WebFile | None:
    return WebFile(options.web, os.environ) if options.web else None


def check_command(options: argparse.Namespace) -> int:
    web = web_file(options)
    found, terms = both(lambda: sources(configured(options.config)), lambda: web.load() if web else None)
    parts = sum(len(source.parts) for source in found.values())
    print(f"{options.config}: good: {len(found)} sources with {parts} parts")
    if terms:
        print(f"{options.web}: good: {terms}")
    return GOOD


def read_command(options: argparse.Namespace) -> int:
    config = configured(options.config)
    chosen = [source for source in config.sources if source.name == options.source]
    if not chosen:
        names = ", ".join(source.name for source in config.sources)
        print(f"there is no source {options.source!r} in {options.config}; it has {names}", file=sys.stderr)
        return USAGE
    report = asyncio.run(read_once(made(chosen[0], config.limits), config.limits, Clock()))
    print(report.page, end="")
    print(*report.lines, *(f"problem: {problem}" for problem in report.problems), sep="\n", file=sys.stderr)
    return FAILED if report.problems else GOOD


def catalogue_command(_: argparse.Namespace) -> int:
    print(catalogue.table(), end="")
    return GOOD


def indexes_command(options: argparse.Namespace) -> int:
    now = Clock().now()

    async def printed() -> bool:
        found = [await looked_up(source, now) for source in sources(configured(options.config)).values()]
        print(*(line for lines, _ in found for line in lines), sep="\n")
        return all(good for _, good in found)

    return GOOD if asyncio.run(printed()) else FAILED


def demo_command(options: argparse.Namespace) -> int:
    with place(options.keep) as directory:
        asyncio.run(demo(options, directory))
    return GOOD


async def demo(options: argparse.Namespace, directory: Path) -> None:
    """Serves a simulated studio that lives in the directory for as long as this runs."""
    loop = asyncio.get_running_loop()
    until = f"{duration_text(options.lasts)} have passed or you press Ctrl-C" if options.lasts else "you press Ctrl-C"
    urls: list[str] = []

    def ready(url: str) -> None:
        if not urls:
            print(welcome(directory, url, until), flush=True)
            if options.lasts:  # it ends as if somebody had ended it
                loop.call_later(options.lasts, signal.raise_signal, signal.SIGTERM)
        urls.append(url)

    async with simulator(directory, options.seed, options.speed) as studio:
        watching = asyncio.create_task(watch(studio))
        try:
            await served(options, write_config(directory), ready)
        finally:
            watching.cancel()


async def watch(studio: Process) -> None:
    """Says so when the simulated studio ends before the exporter: from then on its numbers only age."""
    log.error("the simulated studio has ended by itself, with code %d", await studio.wait())
