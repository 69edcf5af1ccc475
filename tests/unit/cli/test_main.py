"""The program as a whole: help, examples, exit codes, and what starting it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from copilot.reference.cli import commands, example_of
from copilot_core.errors import Conflict, CopilotError, Defect, Fenced, Rejected, Unavailable
from tests.unit.cli.conftest import Copilot

COMMANDS = dict(commands())

HEAVY = (
    "aiokafka", "asyncpg", "botocore", "copilot_api", "copilot_streams", "fastapi", "faust",
    "httpx", "prometheus_client", "rich", "structlog",
)  # fmt: skip


def test_help_and_completion_import_nothing_heavy() -> None:
    """What a shell asks for at every tab key loads neither a driver nor a framework."""
    script = (
        "import sys, copilot.main\n"
        "try: copilot.main.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print(','.join(m for m in {HEAVY!r} if m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "evaluate" in done.stdout
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_explains_itself_with_an_example(path: str, copilot: Copilot) -> None:
    """Help names what the command does and shows one way to call it."""
    called = copilot(*path.split()[1:], "--help")
    assert called.code == 0
    assert "Example:" in called.out
    example = example_of(COMMANDS[path])
    assert f"{path} " in f"{example} ", "the example is about another command"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_has_a_meaning(path: str) -> None:
    """No option goes without a sentence."""
    for param in COMMANDS[path].params:
        assert getattr(param, "help", None), f"{path} {param.name}"


ERRORS = [
    (Rejected, 2),
    (Conflict, 3),
    (Fenced, 3),
    (Unavailable, 75),
    (Defect, 70),
]


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_an_error_becomes_its_exit_code_and_one_message(
    error: type[CopilotError], code: int, copilot: Copilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened, where and what to do go to standard error; standard output stays clean."""

    def fail(*_: object) -> None:
        raise error("it broke", where="over there", todo="do this")

    monkeypatch.setattr("copilot.rule_files.read_rules", fail)
    called = copilot("rules", "show", "--json")
    assert called.code == code
    assert called.out == ""
    assert called.err.splitlines() == ["copilot: over there: it broke", "copilot: do this"]


def test_what_nobody_expected_is_a_defect(
    copilot: Copilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other exception ends with 70, with its traceback for the report."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("copilot.rule_files.read_rules", fail)
    called = copilot("rules", "show")
    assert called.code == Defect.exit_code
    assert "ZeroDivisionError" in called.err


def test_all_findings_of_a_rule_file_are_told_at_once(copilot: Copilot, tmp_path: Path) -> None:
    """Two mistakes in one file are two lines and one exit, 2."""
    overlay = tmp_path / "overlay.toml"
    overlay.write_text("[gates.waitin]\nall = 5\n[gates.waiting]\nall = -1\n")
    called = copilot("rules", "show", "--rules", overlay)
    assert called.code == 2
    assert f"copilot: {overlay}: [gates.waitin]: unknown gate" in called.err
    assert "[gates.waiting] all = -1" in called.err


@pytest.mark.parametrize("args", [("nonsense",), ("evaluate", "--nonsense"), ("record",)])
def test_a_wrong_command_line_exits_with_2(args: tuple[str, ...], copilot: Copilot) -> None:
    """Unknown commands, unknown options and missing ones are wrong input."""
    assert copilot(*args).code == 2


def test_output_to_a_pipe_has_no_colour(copilot: Copilot) -> None:
    """Tables for a pipe hold text and no escape sequences."""
    for args in (("rules", "show"), ("signals", "show"), ("--help",)):
        called = copilot(*args)
        assert called.code == 0
        assert "\x1b" not in called.out + called.err


def test_a_shell_is_told_how_to_complete(copilot: Copilot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that begins like a command is completed to it."""
    monkeypatch.setenv("_COPILOT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "copilot ev")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert copilot().out.split() == ["evaluate"]
