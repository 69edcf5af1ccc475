"""`copilot explain`: an incident in words, each sentence with the events that prove it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from copilot.commands.options import AsJson, Cluster, Rules
from copilot.terminal import console, emit, run_async
from copilot_core.errors import Rejected

if TYPE_CHECKING:
    from copilot.explaining import Worded

NONE = "none"
"""`--model`: the words of the rules."""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Example: copilot explain --recording incident.jsonl.gz")(explain)


def _event_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as e:
        raise Rejected(
            f"{text!r} is not the id of an event", code="bad_event_id",
            todo="take it from the timeline; it looks like 6f1f0e0c-3b0a-5d57-9c43-7c2a52d1d0a1",
        ) from e  # fmt: skip


def explain(
    recording: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A recording made by `copilot record`.")
    ] = None,
    event: Annotated[
        UUID | None,
        typer.Option(
            parser=_event_id,
            metavar="ID",
            help="One transition or ranking, of the recording or of the log at COPILOT_LOG_DSN.",
        ),
    ] = None,
    cluster: Cluster = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Who words it: a model that Pydantic AI knows, or none, the rules alone.",
        ),
    ] = NONE,
    rules: Rules = None,
    as_json: AsJson = False,
) -> None:
    """Explain every transition of a recording, or one event of the log; nothing is recorded.

    Without a model the words are those of the rules. What a model writes is shown only as far as
    the log proves it. With --cluster an event of a large log is found at once.
    """
    run_async(_explain(recording, event, cluster, model, rules, as_json=as_json))


async def _explain(
    recording: Path | None,
    event: UUID | None,
    cluster: str | None,
    model: str,
    rules: Path | None,
    *,
    as_json: bool,
) -> None:
    found = await _worded(recording, event, cluster, rules)
    if model == NONE:
        for one in found:
            _print(one, as_json=as_json)
        return
    from copilot.modelled import Modelled

    modelled = Modelled(model)
    for one in found:
        _print(await modelled.words(one), as_json=as_json)


async def _worded(
    recording: Path | None, event: UUID | None, cluster: str | None, rules: Path | None
) -> list[Worded]:
    from copilot.connections import opened_log
    from copilot.evaluation import folded_recording
    from copilot.explaining import found, worded, worded_all, worded_from_log
    from copilot.rule_files import read_rules

    if recording is not None:
        events = folded_recording(recording, read_rules(rules))
        return list(worded_all(events) if event is None else worded(events, found(events, event)))
    if event is None:
        raise Rejected(
            "nothing to explain", code="usage", todo="give --recording FILE, --event ID or both"
        )
    async with opened_log() as log:
        return await worded_from_log(log, event, cluster=cluster)


def _print(one: Worded, *, as_json: bool) -> None:
    from copilot.explained_rows import rows

    if as_json:
        emit(one.as_record())
    else:
        console().print(*rows(one.event, event_id=str(one.subject.explains)), "", sep="\n")
