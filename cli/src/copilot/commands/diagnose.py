"""`copilot diagnose`: which causes would the rules have found?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copilot.commands.options import AsJson, Rules
from copilot.terminal import console, emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from copilot.diagnosing import Trouble


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Example: copilot diagnose --recording incident.jsonl.gz --json")(diagnose)


def diagnose(
    recording: Annotated[
        Path, typer.Option(metavar="FILE", help="A recording made by `copilot record`.")
    ],
    rules: Rules = None,
    as_json: AsJson = False,
) -> None:
    """Fold a recording and rank the causes of what is seen in it, without model, log or broker.

    Prints a ranking with its evidence at each transition and whenever the ranking changes, and last
    what each incident came to.
    """
    from copilot.diagnosing import troubles
    from copilot.evaluation import folded_recording
    from copilot.rule_files import read_rules
    from copilot.timeline import as_record, as_rows

    events = folded_recording(recording, read_rules(rules))
    out = console()
    for event in events:
        if event.type != "CausesRanked":
            continue
        if as_json:
            emit(as_record(event))
        else:
            out.print(*as_rows(event), sep="\n")
    found = troubles(events)
    if as_json:
        incidents = [trouble.as_record() for trouble in found]
        emit({"type": "Summary", "events": len(events), "incidents": incidents})
    else:
        out.print(*_told(found), sep="\n")


def _told(found: Sequence[Trouble]) -> list[str]:
    if not found:
        return ["no incident"]
    lines = []
    for trouble in found:
        record = trouble.as_record()
        causes = trouble.ranking.causes if trouble.ranking else ()
        named = ", ".join(f"{c.component} {c.kind} {c.score:g}" for c in causes)
        lines.append(
            f"incident from {record['since']} to {record['until'] or 'the end of the recording'}: "
            f"{named or 'no cause found'}"
        )
    return lines
