"""How-to pages that lead from a preset to files are followed to the letter, block by block."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from dsql_config.cli.main import main
from dsql_config.cli.terminal import PROGRAM
from tests.docs.pages import ROOT, blocks

PAGES = ("choose-a-preset.md", "override-a-value.md")

_FILE = re.compile(r"# ([\w.-]+)\n")
_EXIT = re.compile(r"# refused with exit code (\d)")


def words(text: str) -> str:
    """A text whose spaces and lines do not matter."""
    return " ".join(text.split())


def run(block: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command lines of a shell block; returns what they print, both streams together.

    A comment before a command says the exit code that it ends with, when that is not 0.
    """
    expected = 0
    for line in block.splitlines():
        if told := _EXIT.fullmatch(line):
            expected = int(told[1])
            continue
        program, *arguments = shlex.split(line)
        assert program == PROGRAM
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert (ended.value.code or 0) == expected, line
        expected = 0
    return "\n".join(capsys.readouterr())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_followed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files are written as the page shows them, commands run in its order, and print what it shows.

    A YAML block that begins with a comment is the file of that name; a text block holds lines, in
    their order, of what the shell block before it prints.
    """
    monkeypatch.chdir(tmp_path)
    printed, ran = "", 0
    on_page = [b for b in blocks("sh", "yaml", "text") if b.page == ROOT / "docs/how-to" / name]
    for block in on_page:
        match block.language:
            case "yaml":
                file = _FILE.match(block.text)
                assert file, f"{block}: no file name"
                (tmp_path / file[1]).write_text(block.text, encoding="utf-8")
            case "sh":
                printed, ran = words(run(block.text, capsys)), ran + 1
            case _:
                place = 0
                for line in block.text.splitlines():
                    place = printed.find(words(line), place)
                    assert place >= 0, f"{block}: {line!r} is not printed there"
    assert ran
