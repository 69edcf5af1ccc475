"""Arguments and options that several commands share, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document, for scripts.")]

Modifier = Annotated[
    str | None,
    typer.Option("--modifier", metavar="NAME", help="Kind of workload on top of the preset."),
]

Inputs = Annotated[
    Path | None,
    typer.Option(
        "--inputs", metavar="FILE",
        help="Answers as YAML, or variables as a file whose name ends in .env.",
    ),
]  # fmt: skip

Sets = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="One answer or override; wins over --inputs. Can be repeated.",
    ),
]  # fmt: skip

ServerVersion = Annotated[
    str | None,
    typer.Option(
        "--server-version", metavar="V",
        help="Temporal server, as minor or patch (1.32, 1.32.1).  [default: the newest known]",
    ),
]  # fmt: skip
