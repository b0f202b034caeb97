"""What is shipped: the wheel holds the package and nothing else, and the lock file pins all of it, from anywhere."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hatchling.build import build_wheel
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from exporter import __version__
from exporter.cli import LISTEN

ROOT = Path(__file__).parents[1]
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
COMPILED_BY = (
    "uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras"
    " --output-file requirements.lock pyproject.toml"
)


def pins() -> dict[str, str]:
    """The locked version of each package."""
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", LOCK, re.MULTILINE))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)  # the interface of build backends builds what is here
        directory = tmp_path_factory.mktemp("wheel")
        return ZipFile(directory / build_wheel(str(directory)))


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: ZipFile) -> None:
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = [path for path in (ROOT / "exporter").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert shipped == {path.relative_to(ROOT).as_posix() for path in files}


def test_the_wheel_brings_its_command_version_and_licence(wheel: ZipFile) -> None:
    texts = {name.split("/", 1)[1]: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name}
    assert "studio-exporter = exporter.cli:main" in texts["entry_points.txt"]
    assert f"Version: {__version__}\n" in texts["METADATA"]
    assert "License-Expression: Apache-2.0\n" in texts["METADATA"]
    assert "Apache License" in texts["licenses/LICENSE"]


def test_the_lock_names_no_address_and_no_path() -> None:
    code = [line for line in LOCK.splitlines() if not line.lstrip().startswith("#")]
    comments = {line.strip("# ") for line in LOCK.splitlines()[:2]}
    assert not re.search(r"https?:|file:|index-url|find-links|@ ", LOCK)
    assert not [line for line in code if "/" in line]
    assert COMPILED_BY in comments


def test_every_pin_has_hashes() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", LOCK)[1:]
    assert len(entries) == len(pins())
    assert [entry.split()[0] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)] == []


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_the_lock_satisfies_what_the_project_asks_for(python: str) -> None:
    extras = [text for texts in PROJECT["optional-dependencies"].values() for text in texts]
    asked = [Requirement(text) for text in (*PROJECT["dependencies"], *extras)]
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    here = [each for each in asked if not each.marker or each.marker.evaluate(environment)]
    names = {str(canonicalize_name(each.name)): each for each in here if each.name != PROJECT["name"]}
    locked = pins()
    assert {name: locked.get(name) for name, each in names.items() if locked.get(name, "") not in each.specifier} == {}


def test_the_readme_marks_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for marker, wanted in (("run", "studio-exporter"), ("tests", "pytest")):
        found = re.findall(rf"^<!-- {marker} -->\n+```\w*\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
        assert len(found) == 1, f"expected one block of code right after <!-- {marker} -->"
        assert wanted in found[0]


def test_the_image_serves_where_the_exporter_does() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    port = LISTEN.rsplit(":", 1)[1]
    assert f"EXPOSE {port}\n" in dockerfile
    assert f'"--web.listen-address=0.0.0.0:{port}"' in dockerfile
    assert f"'127.0.0.1', {port}" in dockerfile
