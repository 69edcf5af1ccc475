"""Options that commands share, and the many of `compile`, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _folder(text: str) -> Path:
    """A folder by name; an empty name would be the current folder, which nobody asked for."""
    if not text.strip():
        raise typer.BadParameter("is empty: name a folder, the current one is '.'")
    return Path(text)


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
        default_factory=list,
        show_default=False,
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

Out = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        parser=_folder,
        help="Folder for the files. Those of an earlier run are replaced, those of others stay.",
    ),
]

Sdks = Annotated[
    list[str],
    typer.Option(
        "--sdk",
        default_factory=list,
        show_default=False,
        metavar="NAME",
        help="SDK to write for; can be repeated.  [default: all]",
    ),
]

Platforms = Annotated[
    list[str],
    typer.Option(
        "--platform",
        default_factory=list,
        show_default=False,
        metavar="NAME",
        help="Platform to write for; can be repeated.  [default: all]",
    ),
]

Cluster = Annotated[
    str | None, typer.Option("--cluster", metavar="ID", help="Cluster that --emit tells of.")
]

Emit = Annotated[bool, typer.Option("--emit", help="Record the change in the event log.")]

Author = Annotated[
    str | None,
    typer.Option("--author", metavar="NAME", help="Who changes it.  [default: your user name]"),
]

Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why it is changed.")]
