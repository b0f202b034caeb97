"""The table of differences: every row is for people, and the README has all of them."""

import os
import re
from pathlib import Path

import pytest

from tests.api.differences import DIFFERENCES
from tests.api.table import REASONS, Difference, markdown

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- differences -->\n", "<!-- /differences -->"


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: f"{row.system}: {row.where}")
def test_a_row_can_be_read(row: Difference) -> None:
    re.compile(row.where)
    assert row.system in ("trafalgar", "stakazo", "music_agents", "decnet")
    assert row.reason in REASONS
    assert row.told
    assert row.about
    assert not {"|", "\n"} & {*row.told, *row.about}, "it would break the table"


def test_the_readme_has_the_table() -> None:
    told = README.read_text()
    before, rest = told.split(BEGIN)
    _, after = rest.split(END)
    right = f"{before}{BEGIN}{markdown(DIFFERENCES)}{END}{after}"
    if os.environ.get("STUDIO_UPDATE_GOLDEN"):
        README.write_text(right)
    assert README.read_text() == right
