"""`migrate`: which variables of an installation are redundant, conflicting or still needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsql_config.cli.options import AsJson, Modifier
from dsql_config.cli.refusals import refuse_empty
from dsql_config.cli.request import environment
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
    app.command(epilog=f"Example: {PROGRAM} migrate --env prod.env")(migrate)


def migrate(
    env: Annotated[
        list[Path],
        typer.Option(
            "--env",
            default_factory=list,
            show_default=False,
            metavar="FILE",
            help="File of variables; can be repeated.  [default: the environment of this process]",
        ),
    ],
    preset: Annotated[
        str, typer.Option("--preset", metavar="NAME", help="Beside which preset they are judged.")
    ] = "starter",
    modifier: Modifier = None,
    as_json: AsJson = False,
) -> None:
    """Sort the variables of an installation.

    Some are redundant beside a compiled configuration, some contradict it, some are still needed.
    Exits with 2 when they cannot be compiled as they are.
    """  # fmt: skip
    from dsql_config.findings import blocking
    from dsql_config.migrate import migrate as judged
    from dsql_config.migrate import read_environment

    refuse_empty({"--preset": preset, "--modifier": modifier}, as_json=as_json)
    variables, misread = read_environment(env) if env else (environment(), ())
    migration = judged(variables, preset=preset, modifier=modifier)
    findings = (*misread, *migration.findings)
    if as_json:
        write_json({**migration.to_json(), "findings": findings_json(findings)})
    else:
        write_text(migration.to_text())
        show_findings(misread)
    if blocking(findings):
        raise typer.Exit(INPUT_IS_WRONG)
