"""Documentation that is wrong is a failed test: links, blocks, commands, settings, snippets."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from copilot import reference
from copilot.demo import BUNDLED
from copilot.main import main
from copilot.reference.cli import PROGRAMS
from copilot.reference.cli import commands as leaf_commands
from copilot.reference.settings import READERS, variables
from tests.docs.pages import REFERENCE, ROOT, WRITTEN, Block, blocks, commands

LEAVES: Mapping[str, object] = dict(leaf for program in PROGRAMS for leaf in leaf_commands(program))
VARIABLES = frozenset().union(*(variables(cls) for cls in READERS.values()))

_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^[A-Z_]+=")


@pytest.mark.parametrize("page", reference.PAGES)
def test_reference_pages_say_what_the_code_says(page: str) -> None:
    """Each reference page is exactly what `copilot docs build` writes now."""
    assert (ROOT / "docs/reference" / page).read_text(encoding="utf-8") == reference.render(page)


def test_there_is_no_reference_page_that_nobody_writes() -> None:
    """A page that was renamed does not stay behind."""
    assert {path.name for path in REFERENCE} == set(reference.PAGES)


def test_every_decision_record_is_listed() -> None:
    """The index has a line for each record, with the title that the record has."""
    index = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    for record in (ROOT / "docs/adr").glob("0*.md"):
        title = record.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]
        assert f"- [{record.name[:4]}]({record.name}) {title}\n" in index


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings have."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", [*WRITTEN, *REFERENCE], ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file finds it, and every link to a heading finds that."""
    prose = _FENCED.sub("", page.read_text(encoding="utf-8"))
    for target in _LINK.findall(prose):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(found), f"{target}: no such heading"


@pytest.mark.parametrize("block", list(blocks("python")), ids=str)
def test_python_examples_run_and_print_what_is_shown(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python block runs; the text block behind it is what it prints."""
    printed = io.StringIO()
    module = types.ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)  # dataclasses look their module up
    with contextlib.redirect_stdout(printed):
        exec(compile(block.text, str(block), "exec"), module.__dict__)
    shown = next(
        (b.text for b in blocks("text") if b.page == block.page and b.line > block.line), ""
    )
    assert printed.getvalue() == shown


def words_of(line: str) -> list[str]:
    """A command line without the settings in front of it."""
    words = shlex.split(line)
    while words and _ASSIGNMENT.match(words[0]):
        words.pop(0)
    return words


OWN_LINES = [(b, line) for b, line in commands() if words_of(line)[0] in PROGRAMS]
OTHER_LINES = [(b, line) for b, line in commands() if words_of(line)[0] not in PROGRAMS]


@pytest.mark.parametrize(("block", "line"), OWN_LINES, ids=lambda v: str(v))
def test_documented_commands_are_understood(block: Block, line: str) -> None:
    """Every line with one of our programs names a command that takes these options."""
    program, *words = words_of(line)
    command: object = typer.main.get_command(import_module(PROGRAMS[program]).app)
    while isinstance(command, TyperGroup):
        assert words, f"{line}: names a group, no command"
        assert words[0] in command.commands, f"{line}: no such command"
        command = command.commands[words.pop(0)]
    assert isinstance(command, TyperCommand)
    command.make_context(program, words)


@pytest.mark.parametrize(("block", "line"), OTHER_LINES, ids=lambda v: str(v))
def test_other_documented_commands_exist(block: Block, line: str) -> None:
    """What is none of our programs is a recipe of ./dev, or a tool of the environment."""
    words = words_of(line)
    if words[0] == "./dev":
        recipes = subprocess.run(
            ["just", "--summary"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        assert words[1] in recipes
    else:
        assert words[0] in ("pytest",)
        assert all((ROOT / word).exists() for word in words[1:])


def test_every_command_is_documented_and_run_by_a_test() -> None:
    """Each command stands on a page, and some test calls it by its words."""
    told = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    sources = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "tests").rglob("test_*.py")
        if path != Path(__file__)
    ]
    for path in LEAVES:
        words = path.split()[1:]
        called = re.compile(r"[\"']" + r"[\"'],\s*[\"']".join(words) + r"[\"']")
        assert f"## {path}\n" in told
        assert any(called.search(text) for text in sources), f"no test calls {path}"


def test_documented_settings_exist() -> None:
    """No page names a variable that nobody reads."""
    for page in WRITTEN:
        named = set(re.findall(r"\bCOPILOT_[A-Z_]+\b", page.read_text(encoding="utf-8")))
        assert named <= VARIABLES, f"{page.relative_to(ROOT)}: {sorted(named - VARIABLES)}"


def test_documented_metrics_exist() -> None:
    """No page names a metric that nobody exposes."""
    known = set(re.findall(r"`(copilot_\w+)`", reference.render("metrics.md")))
    packages = {name for name in sys.modules if name.startswith("copilot_")}
    for page in WRITTEN:
        named = set(re.findall(r"`(copilot_[a-z_]+)`", page.read_text(encoding="utf-8")))
        unknown = named - known - packages - {"copilot_recording"}
        assert not unknown, f"{page.relative_to(ROOT)}: {sorted(unknown)}"


def test_the_timeline_in_the_readme_is_what_the_demo_shows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The lines shown to a newcomer are printed for the bundled incident, to the letter."""
    shown = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = [
        line.strip() for line in shown.splitlines() if line.startswith("  2026-") or "fires" in line
    ]
    assert lines
    with pytest.raises(SystemExit):
        main(["evaluate", "--recording", str(BUNDLED)])
    printed = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line not in printed] == []
