"""docs/reference/cli.md, from the command trees themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

import typer
from typer.core import TyperCommand, TyperGroup

from copilot.reference.markdown import code, table

PROGRAMS: Final[Mapping[str, str]] = MappingProxyType(
    {"copilot": "copilot.main", "temporal-dsql-config": "dsql_config.cli.main"}
)
"""Program to the module whose `app` it runs."""

EXITS = (
    (0, "done"),
    (2, "the input is wrong: a file, an option, a setting; every finding is told"),
    (3, "somebody else wrote first, or two things that should agree do not"),
    (70, "a defect of this program"),
    (75, "another system does not answer: try again later"),
)

HEAD = """# Commands

Times are RFC 3339 with an offset or Unix seconds; durations are `30s`, `5m`, `1h30m`. Results go to
standard output, notes and failures to standard error. There is no colour when the output is not a
terminal or `NO_COLOR` is set. `copilot --install-completion` sets up completion for your shell.

The config compiler is a program of its own, `temporal-dsql-config`: it needs neither broker nor
database, but for `compile --emit`, which writes to the log.
"""


def render() -> str:
    """The page."""
    parts = [HEAD, "## Exit codes\n\n" + table(("exit", "meaning"), EXITS)]
    for program in PROGRAMS:
        parts += [_section(path, command) for path, command in commands(program)]
    return "\n".join(parts)


def commands(program: str = "copilot") -> Iterator[tuple[str, TyperCommand]]:
    """Every command of a program of `PROGRAMS`, with its full name, in the order of the help."""
    app: typer.Typer = import_module(PROGRAMS[program]).app
    yield from _walk(program, typer.main.get_command(app))


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
