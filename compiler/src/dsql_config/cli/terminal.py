"""What goes to the terminal: one JSON document for scripts, tables for eyes, words for a failure.

Standard output carries the result and nothing else; notes, questions and failures go to standard
error. Rich leaves colours out by itself when the output is no terminal or NO_COLOR is set. In a
pipe nothing is wrapped: a line of a table is a line of the output.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from copilot_core.errors import CopilotError, Rejected

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from dsql_config.findings import Finding

PROGRAM: Final = "temporal-dsql-config"

INPUT_IS_WRONG: Final = Rejected.exit_code
"""Exit code after findings that forbid going on."""

_UNWRAPPED: Final = 100_000
"""Columns of an output that is no terminal: more than any line has."""

_COLOURS: Final = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def write_json(body: object) -> None:
    """Print one JSON document on one line; the order of its keys is that of `body`."""
    import orjson

    print(orjson.dumps(body).decode(), flush=True)


def write_document(document: bytes) -> None:
    """Print JSON that is spelled already."""
    write_text(document.decode())


def write_text(text: str) -> None:
    """Print lines as they are."""
    print(text.rstrip("\n"), flush=True)


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None
) -> None:
    """Print rows as a table without ornaments; cells are plain text, never markup."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    _print(table)


def show_findings(findings: Iterable[Finding]) -> None:
    """Print findings as a table, errors first, in the order of discovery otherwise."""
    from rich.text import Text

    weight = {"error": 0, "warning": 1, "info": 2}
    ordered = sorted(findings, key=lambda f: weight[f.severity])
    if ordered:
        show_table(
            ("severity", "code", "about", "what", "what to do"),
            (
                (_severity(Text, f.severity), f.code, f.key, f.message, f.suggestion or "-")
                for f in ordered
            ),
        )


def findings_json(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Findings as `--json` shows them."""
    return [f.model_dump(mode="json") for f in findings]


def _severity(text: type[Text], severity: str) -> Text:
    return text(severity, style=_COLOURS[severity])


def _print(table: object) -> None:
    if sys.stdout.isatty():
        _console(None).print(table)
        return
    console = _console(_UNWRAPPED)
    with console.capture() as printed:
        console.print(table)
    write_text("\n".join(line.rstrip() for line in printed.get().splitlines()).strip("\n"))


def _console(width: int | None) -> Console:
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, width=width)


def note(text: str) -> None:
    """Tell the person something beside the result; on standard error."""
    print(text, file=sys.stderr, flush=True)


def report(error: CopilotError) -> None:
    """Say what failed, where, and what to do next; several findings get a line each."""
    for line in error.lines():
        note(f"{PROGRAM}: {line}")
