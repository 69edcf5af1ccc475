"""`copilot signals`: what is asked of a metrics backend."""

from __future__ import annotations

from typing import Annotated

import typer

from copilot.commands.options import AsJson
from copilot.terminal import show as show_records

app = typer.Typer(help="The signals that are asked of a metrics backend.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `show` a command of its own: a group of one would swallow the name."""


@app.command(epilog="Example: copilot signals show --dialect tally --interval 15s")
def show(
    dialect: Annotated[
        str, typer.Option(metavar="ID", help="Server dialect whose PromQL is shown.")
    ] = "otel_ms",
    sdk: Annotated[
        str, typer.Option(metavar="ID", help="SDK dialect whose PromQL is shown.")
    ] = "core_ms",
    dsql: Annotated[
        bool, typer.Option("--dsql", help="The DSQL persistence plugin reports, too.")
    ] = False,
    interval: Annotated[
        str, typer.Option(metavar="DURATION", help="Scrape interval; rates look back four of them.")
    ] = "10s",
    as_json: AsJson = False,
) -> None:
    """Show every signal with its unit, role and query in one dialect."""
    from copilot.times import duration_s
    from copilot_core.signals import SIGNALS, Installation, promql, rate_window_s

    installation = Installation(server=dialect, sdk=sdk, dsql=dsql)
    window_s = rate_window_s(duration_s(interval))
    show_records(
        (
            {
                "id": s.id, "name": s.name, "unit": s.unit, "role": s.role, "group": s.group,
                "decides": s.decides, "meaning": s.meaning,
                "promql": promql(s, installation, window_s),
            }
            for s in SIGNALS
        ),
        columns=("id", "name", "unit", "role", "group", "meaning"),
        as_json=as_json,
    )  # fmt: skip
