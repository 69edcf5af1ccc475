"""The example of the page on explanations is what its command prints, to the letter."""

from __future__ import annotations

import shlex
from itertools import pairwise

import pytest

from copilot.main import main
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs/how-to/read-an-explanation.md"


def test_the_example_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text block behind a command shows all that it prints."""
    monkeypatch.chdir(ROOT)
    shown = [b for b in blocks("sh", "text", "python") if b.page == PAGE]
    shown.sort(key=lambda block: block.line)
    ran = 0
    for command, output in pairwise(shown):
        if (command.language, output.language) != ("sh", "text"):
            continue
        _, *arguments = shlex.split(command.text.replace("\\\n", " "))
        with pytest.raises(SystemExit):
            main(arguments)
        printed = [line.rstrip() for line in capsys.readouterr().out.rstrip("\n").splitlines()]
        assert printed == output.text.splitlines()
        ran += 1
    assert ran == 1
