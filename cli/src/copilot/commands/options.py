"""Options that several commands share, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from whenever import Instant

from copilot.times import duration_s, instant
from copilot_core.errors import Rejected


def cluster_id(text: str) -> str:
    """Check an id of a cluster; raises `Rejected` (code `bad_cluster`)."""
    from copilot_core.samples import CLUSTER_ID

    if CLUSTER_ID.fullmatch(text):
        return text
    raise Rejected(
        f"{text!r} is not the id of a cluster", code="bad_cluster",
        todo="use lower-case letters, digits, dots, underscores and hyphens; 63 at most",
    )  # fmt: skip


AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, for scripts.")]

Cluster = Annotated[
    str | None,
    typer.Option("--cluster", parser=cluster_id, metavar="ID", help="Id of the watched cluster."),
]

From = Annotated[
    Instant | None,
    typer.Option("--from", parser=instant, metavar="TIME", help="Begin: RFC 3339 or Unix seconds."),
]
To = Annotated[
    Instant | None,
    typer.Option("--to", parser=instant, metavar="TIME", help="End: RFC 3339 or Unix seconds."),
]
At = Annotated[
    Instant | None,
    typer.Option(
        "--at", parser=instant, metavar="TIME", help="A past instant: RFC 3339 or Unix seconds."
    ),
]

Rules = Annotated[
    Path | None,
    typer.Option("--rules", metavar="FILE", help="TOML overlay over the built-in rule tables."),
]
Prometheus = Annotated[
    str | None,
    typer.Option("--prometheus", metavar="URL", help="Prometheus or AMP workspace to read."),
]

ScrapeInterval = Annotated[
    int,
    typer.Option(
        parser=duration_s,
        metavar="DURATION",
        show_default="15s",
        help="How often that Prometheus scrapes; rates look back four times as long, at least 1m.",
    ),
]
