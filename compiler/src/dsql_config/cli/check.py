"""`check`: what a server would make of a dynamic-config file that somebody wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsql_config.cli.options import AsJson, ServerVersion
from dsql_config.cli.refusals import refuse_empty
from dsql_config.cli.terminal import (
    INPUT_IS_WRONG,
    PROGRAM,
    findings_json,
    show_findings,
    write_json,
    write_text,
)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    example = f"{PROGRAM} check dynamicconfig.yaml --server-version 1.32"
    app.command(epilog=f"Example: {example}")(check)


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A dynamic-config file.")],
    server_version: ServerVersion = None,
    as_json: AsJson = False,
) -> None:
    """Judge a file as a server would.

    An error is what the server refuses or ignores with a warning, a warning what it drops without a
    word. Exits with 2 when there is an error.
    """
    from dsql_config.findings import blocking
    from dsql_config.server.check import check_file
    from dsql_config.server.registry import NEWEST, resolve_version

    refuse_empty({"--server-version": server_version}, as_json=as_json)
    version = str(NEWEST if server_version is None else resolve_version(server_version))
    findings = check_file(file, version)
    if as_json:
        write_json({"findings": findings_json(findings)})
    elif findings:
        show_findings(findings)
    else:
        write_text(f"{file}: server {version} takes all of it")
    if blocking(findings):
        raise typer.Exit(INPUT_IS_WRONG)
