"""`copilot log`: the append-only log, read, checked and folded again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copilot.commands.options import AsJson, Cluster, From, Rules, To, cluster_id
from copilot.terminal import console, emit, note, run_async, show_table
from copilot_core.errors import Conflict, Defect

if TYPE_CHECKING:
    from whenever import Instant

    from copilot_core.events import RecordedEvent

app = typer.Typer(help="The append-only log at COPILOT_LOG_DSN.", no_args_is_help=True)

Everything = Annotated[
    bool, typer.Option("--all", help="Also what was seen in every slot, not only decisions.")
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="Events at most.")]


@app.command(epilog="Example: copilot log tail --follow --json")
def tail(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for more until interrupted.")
    ] = False,
    limit: Limit = 20,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Print the latest events of all clusters, in the order of each shard."""
    run_async(_tail(follow=follow, limit=limit, everything=everything, as_json=as_json))


@app.command(epilog="Example: copilot log show --cluster orders --from 2026-11-22T17:00:00Z")
def show(
    cluster: Annotated[
        str, typer.Option(parser=cluster_id, metavar="ID", help="Id of the cluster.")
    ],
    from_: From = None,
    to: To = None,
    limit: Limit = 1000,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Print what was decided about one cluster, and why, in event time."""
    run_async(_show(cluster, from_, to, limit=limit, everything=everything, as_json=as_json))


@app.command(epilog="Example: copilot log verify")
def verify(as_json: AsJson = False) -> None:
    """Read the whole log: positions, versions, ids, payloads, heads. Exits with 70 on a fault."""
    run_async(_verify(as_json=as_json))


@app.command(epilog="Example: copilot log refold --json")
def refold(
    rules: Rules = None,
    clusters: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Clusters file whose rule overlays the workers use."),
    ] = None,
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Fold what was seen again, from the log alone, and compare the digests.

    Exits with 3 when they differ: the log was decided with other rules, or by another version.
    With --cluster only the events about that cluster are looked at.
    """
    run_async(_refold(rules, clusters, cluster, as_json=as_json))


@app.command(epilog="Example: copilot log export --out log.jsonl.gz")
def export(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Written whole or not at all.")],
    cluster: Cluster = None,
) -> None:
    """Write every event with its envelope into a file: gzip, one JSON object a line."""
    run_async(_export(out, cluster))


async def _tail(*, follow: bool, limit: int, everything: bool, as_json: bool) -> None:
    from copilot.connections import opened_log
    from copilot.log_reading import followed, latest

    async with opened_log() as log:
        events, positions = await latest(log, limit=limit, everything=everything)
        _print(events, as_json=as_json)
        if follow:
            async for event in followed(log, positions, everything=everything):
                _print([event], as_json=as_json)


async def _show(
    cluster: str,
    from_: Instant | None,
    to: Instant | None,
    *,
    limit: int,
    everything: bool,
    as_json: bool,
) -> None:
    from copilot.connections import opened_log
    from copilot.log_reading import about

    async with opened_log() as log:
        shown = 0
        async for event in about(log, cluster, from_=from_, to=to, everything=everything):
            _print([event], as_json=as_json)
            shown += 1
            if shown == limit:
                break


async def _verify(*, as_json: bool) -> None:
    from copilot.connections import opened_log
    from copilot.log_audit import verify

    async with opened_log() as log:
        audit = await verify(log)
    record = {
        "shards": audit.shards,
        "streams": audit.streams,
        "events": audit.events,
        "digest": audit.digest,
    }
    if as_json:
        emit({"type": "Audit", **record, "findings": audit.findings})
    else:
        show_table(("what", "found"), record.items())
    if audit.findings:
        raise Defect(
            f"{len(audit.findings)} fault(s): " + "; ".join(audit.findings[:5]),
            where="the log at COPILOT_LOG_DSN",
            todo="stop the workers and compare with a backup: the log must never change",
        )


async def _refold(
    rules: Path | None, clusters: Path | None, cluster: str | None, *, as_json: bool
) -> None:
    from copilot.connections import opened_log
    from copilot.log_audit import refold
    from copilot_streams.clusters import load_clusters
    from copilot_streams.worker.rulebook import Rulebook

    book = Rulebook(rules, load_clusters(clusters) if clusters else ())
    async with opened_log() as log:
        found = await refold(log, book.of, cluster=cluster)
    if as_json:
        emit(found.as_record())
    else:
        show_table(("what", "found"), found.as_record().items())
    if not found.agrees:
        raise Conflict(
            "folding the log again gives other events",
            where=f"digest {found.digest}, folded again {found.refold_digest}",
            todo=f"it was decided with the rules {', '.join(sorted(found.rules))}, these are "
            f"{book.default.digest}: give --rules and --clusters as the workers have them",
        )


async def _export(out: Path, cluster: str | None) -> None:
    from copilot.connections import opened_log
    from copilot.log_reading import write_export

    async with opened_log() as log:
        count = await write_export(log, out, cluster=cluster)
    note(f"copilot: {count} events written to {out}")


def _print(events: list[RecordedEvent], *, as_json: bool) -> None:
    from copilot.timeline import as_record, as_rows

    out = console()
    for event in events:
        if as_json:
            emit(as_record(event))
        else:
            out.print(*as_rows(event), sep="\n")
