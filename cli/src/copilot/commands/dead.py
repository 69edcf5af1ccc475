"""`copilot dead`: what was refused, and putting it back on its way."""

from __future__ import annotations

from typing import Annotated

import typer

from copilot.commands.options import AsJson
from copilot.terminal import run_async, show

app = typer.Typer(help="Dead letters: what was refused, and why.", no_args_is_help=True)


@app.command("list", epilog="Example: copilot dead list --json")
def list_(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Letters at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what was refused and not put back: samples, and events that a view could not take."""
    run_async(_list(limit, as_json=as_json))


@app.command(epilog="Example: copilot dead redrive --code from_the_future")
def redrive(
    code: Annotated[
        list[str] | None, typer.Option(help="Only letters with this reason code; may be repeated.")
    ] = None,
    letter: Annotated[
        list[str] | None,
        typer.Option("--id", help="Only the letter with this id; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put refused messages back on the samples topic, where this version can read them now.

    One that would be refused again stays. A message that was folded meanwhile has no effect.
    """
    run_async(_redrive(frozenset(code or ()), frozenset(letter or ()), as_json=as_json))


async def _list(limit: int, *, as_json: bool) -> None:
    from copilot.connections import opened_log
    from copilot.times import rfc3339

    async with opened_log() as log:
        letters = await log.dead_letters(limit=limit)
    show(
        (
            {
                "id": one.id,
                "source": one.source,
                "code": one.code,
                "reason": one.reason,
                "at": rfc3339(one.at),
                "bytes": len(one.body),
            }
            for one in letters
        ),
        columns=("id", "source", "code", "reason", "at", "bytes"),
        as_json=as_json,
    )


async def _redrive(codes: frozenset[str], ids: frozenset[str], *, as_json: bool) -> None:
    from copilot.connections import opened_log
    from copilot_service import read_settings
    from copilot_streams import dead_letters
    from copilot_streams.kafka import KafkaSettings, producing

    async with opened_log() as log, producing(read_settings(KafkaSettings)) as producer:
        results = [r async for r in dead_letters.redrive(log, producer, codes=codes, ids=ids)]
    show(
        (
            {
                "id": r.letter.id,
                "result": "sent" if r.refusal is None else "kept",
                "code": r.letter.code,
                "reason": "" if r.refusal is None else r.refusal.what,
            }
            for r in results
        ),
        columns=("id", "result", "code", "reason"),
        as_json=as_json,
    )
