"""`copilot docs build`: the pages of a folder, and which of them are out of date."""

from __future__ import annotations

from pathlib import Path

from copilot.reference import PAGES
from tests.unit.cli.conftest import Copilot


def test_pages_are_written_once_and_checked(copilot: Copilot, tmp_path: Path) -> None:
    """All pages the first time, none the second; --check names the one that was changed."""
    folder = tmp_path / "reference"
    first = copilot("docs", "build", "--out", folder)
    assert first.code == 0
    assert {path.name for path in folder.iterdir()} == set(PAGES)
    assert copilot("docs", "build", "--out", folder).err == ""
    assert copilot("docs", "build", "--out", folder, "--check").code == 0
    (folder / "rules.md").write_text("something else")
    changed = copilot("docs", "build", "--out", folder, "--check")
    assert changed.code == 2
    assert "rules.md" in changed.err
