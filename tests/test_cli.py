"""The commands that end by themselves."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from exporter import __version__
from exporter.catalogue import FAMILIES, table
from exporter.cli import main

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
CONFIG = """\
sources:
  - {name: vfx, kind: trafalgar, ingest_registry: ingest_runs.normal.json, render_jobs: render_jobs.some_invalid.json}
"""


@pytest.fixture(autouse=True)
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(GOLDEN / "trafalgar" / "inputs", tmp_path, dirs_exist_ok=True)
    (tmp_path / "config.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_says_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "config.yaml: good: 1 sources with 2 parts\n"


def test_check_lists_every_problem(studio: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (studio / "bad.yaml").write_text("refresh: {interval: 1:30}\nsources:\n  - {name: a, kind: decnet}\n")
    for arguments in (["check", "--config.file=bad.yaml"], ["--config.file=bad.yaml", "check"]):
        assert main(arguments) == 1
        found = capsys.readouterr().err.splitlines()
        assert [line.split(": ")[0] for line in found] == ["bad.yaml:1", "bad.yaml:3"]
        assert "refresh.interval" in found[0]
        assert "database is missing" in found[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file or directory"), (b"sources: \xff", "not UTF-8")],
    ids=["missing", "binary"],
)
def test_a_configuration_that_cannot_be_read_says_why(
    content: bytes | None, said: str, studio: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (studio / "odd.yaml").write_bytes(content)
    assert main(["check", "--config.file=odd.yaml"]) == 1
    found = capsys.readouterr().err
    assert found.startswith("odd.yaml: ")
    assert said in found


def test_read_prints_the_exposition_and_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "vfx"]) == 0
    found = capsys.readouterr()
    assert 'studio_ingest_recent_runs{source="vfx",status="succeeded"} 6.0' in found.out
    assert "studio_exporter_" not in found.out
    ingest, render = found.err.splitlines()
    assert ingest.startswith("part ingest: read ingest_runs.normal.json (485159 bytes")
    assert "420 records, skipped: none" in ingest
    assert "skipped: 2 invalid, 2 type" in render


def test_read_ends_badly_when_a_part_cannot_be_read(studio: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (studio / "ingest_runs.normal.json").unlink()
    assert main(["read", "vfx"]) == 1
    found = capsys.readouterr().err
    assert "part ingest: failed after" in found
    assert "problem: part ingest: missing: ingest_runs.normal.json" in found


def test_read_names_the_sources_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "vxf"]) == 2
    assert capsys.readouterr().err == "there is no source 'vxf' in config.yaml; it has vfx\n"


def test_the_catalogue_has_every_family(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [family.name for family in FAMILIES]
    assert all(row.count(" | ") == 4 for row in rows)


@pytest.mark.parametrize("command", ["catalogue", "check", "indexes"])
def test_who_reads_no_further_gets_no_traceback(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    program = [sys.executable, "-m", "exporter", command]
    ended = subprocess.run(
        program, stdout=writing, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")


def test_the_readme_holds_the_catalogue() -> None:
    readme = Path(__file__).parent.parent / "README.md"
    told = readme.read_text()
    before, rest = told.split("<!-- catalogue -->\n")
    _, after = rest.split("<!-- /catalogue -->")
    right = f"{before}<!-- catalogue -->\n{table()}<!-- /catalogue -->{after}"
    if os.environ.get("STUDIO_UPDATE_GOLDEN"):
        readme.write_text(right)
    assert readme.read_text() == right


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"studio-exporter {__version__}\n"


@pytest.mark.parametrize("arguments", [["--log.level=loud"], ["frobnicate"], ["--conf=x"], ["read"]])
def test_a_wrong_call_says_how_it_is_right(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: studio-exporter" in capsys.readouterr().err


def test_a_wrong_address_says_what_is_expected(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--web.listen-address=nowhere"]) == 1
    assert "expected host:port" in capsys.readouterr().err
