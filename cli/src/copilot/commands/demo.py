"""`copilot demo`: a recorded incident through the whole line, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from copilot.commands.options import AsJson
from copilot.terminal import run_async


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Example: copilot demo --speed 30")(demo)


def demo(
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep the API up until interrupted.")
    ] = False,
    speed: Annotated[
        float,
        typer.Option(metavar="N", min=0, help="N times as fast as it happened; 0: no pauses."),
    ] = 100,
    recording: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Another recording than the bundled incident."),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the API; 0 takes a free one.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Play a real incident through scraper, Kafka protocol, worker, log, read models and API.

    Needs nothing but this package: database and broker are embedded, and gone afterwards. Exits
    with 3 when folding the log again does not give the identical digest.
    """
    from copilot.demo import BUNDLED
    from copilot.demo.main import Wish
    from copilot.demo.main import demo as play

    wish = Wish(recording or BUNDLED, speed, serve=serve, as_json=as_json, port=port)
    run_async(play(wish))
