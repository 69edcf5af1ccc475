"""`decompile`: which preset, modifier and overrides would give the files of a running cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsql_config.cli.options import AsJson, ServerVersion
from dsql_config.cli.refusals import refuse_empty
from dsql_config.cli.terminal import INPUT_IS_WRONG, PROGRAM, write_json, write_text


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=f"Example: {PROGRAM} decompile dynamicconfig.yaml dsql.env")(decompile)


def decompile(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Dynamic config, variables (.env), or output folders."
        ),
    ],
    server_version: ServerVersion = None,
    as_json: AsJson = False,
) -> None:
    """Turn files into preset and overrides.

    What no parameter accounts for is listed with its reason. Exits with 2 when the server would
    refuse one of the files.
    """
    from dsql_config.decompile import decompile as decompiled_of
    from dsql_config.findings import blocking
    from dsql_config.written import load

    refuse_empty({"--server-version": server_version}, as_json=as_json)
    decompiled = decompiled_of(load(files), server_version=server_version)
    if as_json:
        write_json(decompiled.to_json())
    else:
        write_text(decompiled.to_text())
    if blocking(decompiled.findings):
        raise typer.Exit(INPUT_IS_WRONG)
