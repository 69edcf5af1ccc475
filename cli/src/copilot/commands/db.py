"""`copilot db`: the tables of the log."""

from __future__ import annotations

import typer

from copilot.commands.options import AsJson
from copilot.terminal import run_async, show
from copilot_core.errors import Rejected

app = typer.Typer(help="The tables of the log.", no_args_is_help=True)


@app.command(epilog="Example: copilot db apply")
def apply(as_json: AsJson = False) -> None:
    """Make the tables and indexes that are missing at COPILOT_LOG_DSN; never alter or drop one."""
    run_async(_compare(make=True, as_json=as_json))


@app.command(epilog="Example: copilot db check --json")
def check(as_json: AsJson = False) -> None:
    """Compare the tables and indexes at COPILOT_LOG_DSN with what this version needs.

    Exits with 2 when something is missing or different.
    """
    run_async(_compare(make=False, as_json=as_json))


async def _compare(*, make: bool, as_json: bool) -> None:
    from copilot.connections import log_settings, opened_log
    from copilot_eventlog import schema
    from copilot_eventlog.schema import ObjectState

    dialect = log_settings().dialect
    async with opened_log() as log:
        reports = await (schema.apply(log.pool, dialect) if make else schema.check(log.pool))
    show(
        ({"name": r.name, "state": r.state, "differences": r.differences} for r in reports),
        columns=("name", "state", "differences"),
        as_json=as_json,
    )
    wrong = [r for r in reports if r.state in (ObjectState.MISSING, ObjectState.DIFFERENT)]
    if wrong:
        raise Rejected(
            f"{len(wrong)} object(s) are not as this version needs them",
            where="COPILOT_LOG_DSN",
            todo="make what is missing with copilot db apply; what differs was changed by hand",
            code="schema",
            findings=tuple(
                f"{r.name}: {r.state} {'; '.join(r.differences)}".strip() for r in wrong
            ),
        )
