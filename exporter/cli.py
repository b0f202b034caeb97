"""The command line: serve (the default), check, read, catalogue, demo."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from exporter import __version__, catalogue, logs
from exporter.app import App, made
from exporter.config import Config, load, problems_text
from exporter.core.errors import ConfigError, Problem, StudioError
from exporter.core.source import Source
from exporter.demo.launch import simulator, write_config
from exporter.demo.simulator import speed
from exporter.once import read_once
from exporter.runtime.clock import Clock
from exporter.serve import serve, shown
from exporter.sources import KINDS
from exporter.web.server import Address, address

log = logging.getLogger(__name__)
LISTEN = "127.0.0.1:10210"
GOOD, FAILED, USAGE = 0, 1, 2
LARGEST_TEXT = 4 * 1024 * 1024


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; the exit code is 0 for well done, 1 for a problem, 2 for a wrong call."""
    options = parser().parse_args(argv)
    logs.configure(options.level, options.format)
    try:
        return int(options.command(options))
    except ConfigError as error:
        print(problems_text(error, str(options.config)), file=sys.stderr)
        return FAILED
    except StudioError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


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
        ("demo", demo_command, "serve a small living studio, without any configuration"),
    ):
        command = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        common(command, first=False)
        command.set_defaults(command=run)
        if name == "read":
            command.add_argument("source", metavar="SOURCE", help="the name of a source")
        if name == "demo":
            command.add_argument("--seed", type=int, default=2, help="what happens follows from it (default: 2)")
            command.add_argument("--speed", type=speed, default=1.0, help="studio minutes in a second (default: 1)")
    return top


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
    try:
        text = small_text(path)
    except OSError as error:
        raise ConfigError([Problem("", None, f"cannot be read: {error.strerror}")]) from error
    except UnicodeError as error:
        raise ConfigError([Problem("", None, "cannot be read: it is not UTF-8")]) from error
    return load(text, os.environ, KINDS, small_text)


def small_text(path: Path) -> str:
    """The text of a file, or as much of it as any configuration or secret needs: a device has no end."""
    with path.open("rb") as file:
        return file.read(LARGEST_TEXT).decode()


def sources(config: Config) -> dict[str, Source]:
    """Every configured source by name, made but not touched."""
    return {source.name: made(source, config.limits) for source in config.sources}


def listening(options: argparse.Namespace) -> list[Address]:
    try:
        return [address(text) for text in options.listen or [LISTEN]]
    except ValueError as error:
        raise ConfigError([Problem("--web.listen-address", None, str(error))]) from error


def serve_command(options: argparse.Namespace) -> int:
    asyncio.run(served(options, options.config, lambda url: None))
    return GOOD


async def served(options: argparse.Namespace, config: Path, ready: Callable[[str], None]) -> None:
    """Serves what the configuration says until it is told to stop."""
    clock = Clock()
    app = App(lambda: configured(config), clock)
    await serve(app, shown(app, clock, options.lifecycle), listening(options), ready)


def check_command(options: argparse.Namespace) -> int:
    found = sources(configured(options.config))
    parts = sum(len(source.parts) for source in found.values())
    print(f"{options.config}: good: {len(found)} sources with {parts} parts")
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


def demo_command(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="studio-exporter-demo-") as directory:
        asyncio.run(demo(options, Path(directory)))
    return GOOD


async def demo(options: argparse.Namespace, directory: Path) -> None:
    """Serves a simulated studio that lives in the directory for as long as this runs."""
    config = write_config(directory)

    def ready(url: str) -> None:
        print(f"\nA small studio lives in {directory} until you press Ctrl-C. Open\n")
        print(f"  {url}/          its sources, and how they are")
        print(f"  {url}/metrics   what Prometheus scrapes", flush=True)

    async with simulator(directory, options.seed, options.speed) as studio:
        watching = asyncio.create_task(watch(studio))
        await served(options, config, ready)
        watching.cancel()


async def watch(studio: Process) -> None:
    """Says so when the simulated studio ends before the exporter: from then on its numbers only age."""
    log.error("the simulated studio has ended by itself, with code %d", await studio.wait())
