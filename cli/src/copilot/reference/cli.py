"""docs/reference/cli.md, from the command tree itself."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from copilot.reference.markdown import code, table

EXITS = (
    (0, "done"),
    (2, "the input is wrong: a file, an option, a setting; every finding is on standard error"),
    (3, "somebody else wrote first, or two things that should agree do not"),
    (70, "a defect of this program"),
    (75, "another system does not answer: try again later"),
)

HEAD = """# Commands

Times are RFC 3339 with an offset or Unix seconds; durations are `30s`, `5m`, `1h30m`. Results go to
standard output, notes and failures to standard error. There is no colour when the output is not a
terminal or `NO_COLOR` is set. `copilot --install-completion` sets up completion for your shell.
"""


def render() -> str:
    """The page."""
    parts = [HEAD, "## Exit codes\n\n" + table(("exit", "meaning"), EXITS)]
    parts += [_section(path, command) for path, command in commands()]
    return "\n".join(parts)


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """Every command that can be run, with its full name, in the order of the help."""
    from copilot.main import app

    yield from _walk("copilot", typer.main.get_command(app))


def _walk(path: str, command: object) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _walk(f"{path} {name}", child)
    elif isinstance(command, TyperCommand):
        yield path, command


def example_of(command: TyperCommand) -> str:
    """The example of a command's help, ready to be run."""
    return (command.epilog or "").removeprefix("Example: ")


def _section(path: str, command: TyperCommand) -> str:
    context = typer.Context(command, info_name=path)
    records = (param.get_help_record(context) for param in command.params)
    options = [(code(names), told) for names, told in filter(None, records)]
    given = "\n" + table(("option", "meaning"), options) if options else ""
    return f"## {path}\n\n{command.help}\n\n```sh\n{example_of(command)}\n```\n{given}"
