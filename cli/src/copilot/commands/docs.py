"""`copilot docs`: the reference pages, written from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from copilot.terminal import note
from copilot_core.errors import Rejected

app = typer.Typer(help="Reference pages, written from the code.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `build` a command of its own: a group of one would swallow the name."""


@app.command(epilog="Example: copilot docs build --check")
def build(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the pages go.")] = Path(
        "docs/reference"
    ),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 2 when a page is out of date.")
    ] = False,
) -> None:
    """Write signals, rules, causes, events, settings, metrics, commands and API into pages."""
    from copilot import reference

    if not check:
        for path in reference.build(out):
            note(f"copilot: {path} written")
    elif stale := reference.stale(out):
        raise Rejected(
            f"out of date: {', '.join(stale)}",
            where=str(out),
            todo="run copilot docs build",
            code="stale_docs",
        )
