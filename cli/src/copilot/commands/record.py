"""`copilot record`: history of a cluster into a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from whenever import Instant

from copilot.commands.options import ScrapeInterval, cluster_id
from copilot.terminal import note, run_async
from copilot.times import duration_s, instant

if TYPE_CHECKING:
    from copilot.sources import Past


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(
        epilog="Example: copilot record --prometheus http://localhost:9090 --cluster orders"
        " --from 2026-11-22T17:04:30Z --to 2026-11-22T17:22:00Z --out incident.jsonl.gz"
    )(record)


def record(
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus or AMP workspace to read.")
    ],
    cluster: Annotated[
        str, typer.Option(parser=cluster_id, metavar="ID", help="Id of the cluster.")
    ],
    from_: Annotated[
        Instant,
        typer.Option(
            "--from", parser=instant, metavar="TIME", help="First slot: RFC 3339 or Unix seconds."
        ),
    ],
    to: Annotated[
        Instant,
        typer.Option(
            "--to", parser=instant, metavar="TIME", help="Last slot: RFC 3339 or Unix seconds."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Where the recording goes; written whole or not at all."),
    ],
    loki: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Loki to count log patterns in; left out, none are recorded."
        ),
    ] = None,
    loki_selector: Annotated[
        str,
        typer.Option(metavar="LOGQL", help="Stream selector of the cluster's logs in Loki."),
    ] = '{service=~".+"}',
    loki_service_label: Annotated[
        str, typer.Option(metavar="LABEL", help="Label that names the service of a log line.")
    ] = "service",
    step: Annotated[
        int,
        typer.Option(
            parser=duration_s, metavar="DURATION", show_default="30s", help="Length of a slot."
        ),
    ] = 30,
    scrape_interval: ScrapeInterval = 15,
) -> None:
    """Read the history of a cluster into a recording, with range queries, in bounded memory.

    The same signal table is asked as by the scraper: a recording holds what it would have seen.
    """
    from copilot.sources import Logs, Past

    logs = Logs(loki, loki_selector, loki_service_label) if loki else None
    past = Past(prometheus, cluster, from_, to, step, scrape_interval, logs)
    run_async(_record(past, out))


async def _record(past: Past, out: Path) -> None:
    from copilot.sources import record_past

    header = await record_past(past, out)
    slots = (header.to - header.from_) // header.interval_s + 1
    note(f"copilot: {slots} slots of {past.cluster} written to {out}")
