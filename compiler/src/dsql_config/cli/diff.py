"""`diff`: what differs between two configurations, in meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsql_config.cli.options import AsJson, ServerVersion
from dsql_config.cli.refusals import refuse_empty
from dsql_config.cli.terminal import INPUT_IS_WRONG, PROGRAM, write_json, write_text

SIDE = "An output folder, a profile.json, or a dynamic-config file."


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=f"Example: {PROGRAM} diff deploy-before/ deploy/")(diff)


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help=SIDE)],
    b: Annotated[Path, typer.Argument(metavar="B", help=SIDE)],
    server_version: ServerVersion = None,
    as_json: AsJson = False,
) -> None:
    """Say what changes from A to B.

    In meaning: which value, why, and whether it takes a restart or a new cluster.
    Exits with 2 when a server would refuse one of the files.
    """
    from dsql_config.diff import compare
    from dsql_config.findings import blocking

    refuse_empty({"--server-version": server_version}, as_json=as_json)
    difference = compare(a, b, server_version=server_version)
    if as_json:
        write_json(difference.to_json())
    else:
        write_text(difference.to_text())
    if blocking(difference.findings):
        raise typer.Exit(INPUT_IS_WRONG)
