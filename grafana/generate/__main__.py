"""The command `python -m grafana.generate`: writes everything that is made of the thresholds, or says what differs."""

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

from exporter.core.errors import ConfigError
from grafana.generate import dashboards, rules, runbooks, tables
from grafana.generate.thresholds import FILE, GRAFANA, Thresholds, read


def outputs(thresholds: Thresholds) -> dict[str, str]:
    """The text of every file, by its path under `grafana/`."""
    return {
        **rules.outputs(thresholds),
        **tables.outputs(thresholds),
        **runbooks.outputs(thresholds),
        **dashboards.outputs(thresholds),
    }


def differing(files: Mapping[str, str], directory: Path) -> list[str]:
    """The paths of files that are not there, or not with that text; and of those that nothing makes any more."""
    made = {directory / path for path in files}
    there = {path for pattern in ("rules/*.yaml", "dashboards/*.json") for path in directory.glob(pattern)}
    wrong = [path for path, text in files.items() if not _is(directory / path, text)]
    return sorted([*wrong, *(path.relative_to(directory).as_posix() for path in there - made)])


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def write(files: Mapping[str, str], directory: Path) -> None:
    """Writes each file under a directory."""
    for path, text in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """0 when all is well, 1 where `--check` finds a difference, 2 where the thresholds cannot be used."""
    parser = ArgumentParser(prog="python -m grafana.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the files that differ")
    parser.add_argument("--thresholds", type=Path, default=FILE, help="default: grafana/thresholds.yaml")
    parser.add_argument("--output", type=Path, default=GRAFANA, help="the directory to write to; default: grafana")
    parser.add_argument("--divide", type=float, default=1, help="divide every duration, for a test that cannot wait")
    asked = parser.parse_args(arguments)
    if asked.divide < 1:
        parser.error("--divide: expected 1 or more")
    if asked.divide > 1 and asked.output == GRAFANA:
        parser.error("--divide: expected --output too, since these are not rules to run with")
    try:
        thresholds = read(asked.thresholds)
    except ConfigError as error:
        print(f"{asked.thresholds}: {error}", file=sys.stderr)
        return 2
    files = outputs(thresholds.divided(asked.divide) if asked.divide > 1 else thresholds)
    if not asked.check:
        write(files, asked.output)
        return 0
    wrong = differing(files, asked.output)
    for path in wrong:
        print(f"{path} differs from what the thresholds make of it")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
