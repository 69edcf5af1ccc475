"""What goes to the terminal: JSON lines for scripts, Rich for eyes, one sentence for a failure.

Standard output carries results and nothing else; notes, progress and failures go to standard error.
Rich leaves colours out by itself when the output is no terminal or NO_COLOR is set.
"""

from __future__ import annotations

import sys
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from copilot_core.errors import CopilotError

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH = 160
"""Width of tables when the output is no terminal: wide enough that a pipe loses nothing."""


def run_async(work: Coroutine[None, None, None]) -> None:
    """Run a command's coroutine; only errors are logged, to standard error."""
    import asyncio

    from copilot_service import LogFormat, LogLevel, configure_logs

    configure_logs("copilot", level=LogLevel.ERROR, format_=LogFormat.CONSOLE)
    asyncio.run(work)


def console(*, stderr: bool = False) -> Console:
    """A Rich console on standard output (or standard error), made when first needed."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr,
        highlight=False,
        width=None if stream.isatty() else PLAIN_WIDTH,
        soft_wrap=False,
    )


def emit(record: Mapping[str, object]) -> None:
    """Write one JSON object on one line, at once: whoever reads the pipe sees it now."""
    import orjson

    print(orjson.dumps(record, option=orjson.OPT_NON_STR_KEYS).decode(), flush=True)


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None
) -> None:
    """Print rows as a table without ornaments; cells are plain text, never markup."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    console().print(table)


def show(records: Iterable[Mapping[str, object]], *, columns: Sequence[str], as_json: bool) -> None:
    """Print records as JSON lines, or the named columns of them as a table."""
    if as_json:
        for record in records:
            emit(record)
    else:
        show_table(columns, ([_cell(record.get(c)) for c in columns] for record in records))


def _cell(value: object) -> object:
    if value is None:
        return "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return value


def note(text: str) -> None:
    """Tell the person something beside the result; on standard error."""
    print(text, file=sys.stderr, flush=True)


def report(error: CopilotError) -> None:
    """Say what failed, where, and what to do next; several findings get a line each."""
    for line in error.lines():
        note(f"copilot: {line}")
