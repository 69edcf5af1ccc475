"""`copilot evaluate`: what would the rules have said?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copilot.commands.options import (
    AsJson,
    Cluster,
    From,
    Prometheus,
    Rules,
    ScrapeInterval,
    To,
)
from copilot.terminal import console, emit, note, run_async
from copilot.times import duration_s
from copilot_core.errors import Rejected

if TYPE_CHECKING:
    from whenever import Instant

    from copilot_core.rules import RulePack
    from copilot_core.samples import Input


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Example: copilot evaluate --recording incident.jsonl.gz --json")(evaluate)


def evaluate(
    recording: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A recording made by `copilot record`.")
    ] = None,
    prometheus: Prometheus = None,
    from_: From = None,
    to: To = None,
    cluster: Cluster = None,
    rules: Rules = None,
    interval: Annotated[
        int | None,
        typer.Option(
            parser=duration_s,
            metavar="DURATION",
            help="Length of a slot; 30s unless a recording says.",
        ),
    ] = None,
    scrape_interval: ScrapeInterval = 15,
    everything: Annotated[
        bool, typer.Option("--all", help="Also print what was seen in every slot.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fold a recording, or the history in a Prometheus, without any broker or database.

    Prints every decision with its reasons, and a summary. Its `events` counts all events of the
    fold, the per-slot records included, which are only printed with --all.
    """
    from copilot.rule_files import read_rules

    pack = read_rules(rules)
    if recording is not None:
        name, messages = _recorded(recording, cluster, prometheus, interval)
    else:
        name, messages = _read(prometheus, from_, to, cluster, interval, scrape_interval)
    run_async(_evaluate(name, messages, pack, everything=everything, as_json=as_json))


def _recorded(
    path: Path, cluster: str | None, prometheus: str | None, interval_s: int | None
) -> tuple[str, AsyncIterator[Input]]:
    from copilot.sources import messages_from_recording
    from copilot_streams.recording import open_recording

    if prometheus is not None:
        raise Rejected("both --recording and --prometheus", code="usage", todo="give one of them")
    with open_recording(path) as opened:
        header = opened.header
    if interval_s not in (None, header.interval_s):
        raise Rejected(
            f"slots of {header.interval_s} s in the recording, --interval asks for {interval_s} s",
            where=str(path), code="usage", todo="leave --interval out, or record again with --step",
        )  # fmt: skip
    if cluster not in (None, header.cluster):
        note(f"copilot: {path} is about {header.cluster}; evaluated under the name {cluster}")
    return cluster or header.cluster, messages_from_recording(path, cluster)


def _read(
    prometheus: str | None, from_: Instant | None, to: Instant | None, cluster: str | None,
    interval_s: int | None, scrape_interval_s: int,
) -> tuple[str, AsyncIterator[Input]]:  # fmt: skip
    from copilot.sources import Past, messages_from_prometheus

    if prometheus is None or from_ is None or to is None or cluster is None:
        raise Rejected(
            "nothing to evaluate", code="usage",
            todo="give --recording FILE, or --prometheus URL with --cluster, --from and --to",
        )  # fmt: skip
    past = Past(prometheus, cluster, from_, to, interval_s or 30, scrape_interval_s)
    return cluster, messages_from_prometheus(past)


async def _evaluate(
    cluster: str,
    messages: AsyncIterator[Input],
    rules: RulePack,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    from copilot.evaluation import Evaluation
    from copilot.timeline import OBSERVATIONS, as_record, as_rows, summary_rows

    evaluation = Evaluation(cluster, rules)
    out = console()
    async for message in messages:
        for event in evaluation.feed(message):
            if event.type in OBSERVATIONS and not everything:
                continue
            if as_json:
                emit(as_record(event))
            else:
                out.print(*as_rows(event), sep="\n")
    summary = evaluation.summary()
    if as_json:
        emit(summary.as_record())
    else:
        out.print(*summary_rows(summary), sep="\n")
