"""`copilot views`: the builds of the read models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from copilot.commands.options import AsJson
from copilot.terminal import emit, note, run_async, show, show_table
from copilot_core.errors import Conflict, Rejected

if TYPE_CHECKING:
    from copilot_projections.shape import View

app = typer.Typer(
    help="Read models: rebuilt beside the one that is shown, then flipped.", no_args_is_help=True
)

ViewName = Annotated[str, typer.Argument(metavar="VIEW", help="Name of the read model.")]
BuildId = Annotated[str, typer.Argument(metavar="BUILD", help="Id of a build, see `views list`.")]


@app.command("list", epilog="Example: copilot views list")
def list_(as_json: AsJson = False) -> None:
    """List every build of every read model: building, live, kept or dropped."""
    run_async(_list(as_json=as_json))


@app.command(epilog="Example: copilot views rebuild incidents --flip")
def rebuild(
    view: ViewName,
    flip: Annotated[
        bool, typer.Option("--flip", help="Show the new build, unless it differs from the old.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Build a read model again from the first event, and compare it with the one that is shown.

    Exits with 3 when the two differ; the new build stays, and nothing else changed.
    """
    run_async(_rebuild(_view(view), flip=flip, as_json=as_json))


@app.command(epilog="Example: copilot views flip incidents 1_2")
def flip(view: ViewName, build: BuildId) -> None:
    """Show another build of a read model. The former one is kept for `views rollback`."""
    run_async(_flip(_view(view), build))


@app.command(epilog="Example: copilot views rollback incidents")
def rollback(view: ViewName) -> None:
    """Show the build that was shown before, after it has caught up with the log."""
    run_async(_rollback(_view(view)))


@app.command(epilog="Example: copilot views drop incidents 1_1")
def drop(view: ViewName, build: BuildId) -> None:
    """Drop the tables of a build that is not shown. The log can always give it back."""
    run_async(_drop(_view(view), build))


def _view(name: str) -> View:
    from copilot_projections.views import VIEWS

    if name not in VIEWS:
        raise Rejected(
            f"there is no read model {name!r}", code="unknown_view",
            todo=f"use one of: {', '.join(VIEWS)}",
        )  # fmt: skip
    return VIEWS[name]


async def _list(*, as_json: bool) -> None:
    from copilot.connections import opened_log
    from copilot.times import rfc3339
    from copilot_projections.builds import list_builds

    async with opened_log() as log:
        builds = await list_builds(log.pool)
    show(
        (
            {
                "view": b.view,
                "build": b.build,
                "status": b.status,
                "changed_at": rfc3339(b.changed_at),
            }
            for b in builds
        ),
        columns=("view", "build", "status", "changed_at"),
        as_json=as_json,
    )


async def _rebuild(view: View, *, flip: bool, as_json: bool) -> None:
    from copilot.connections import log_settings, opened_log
    from copilot_projections import builds
    from copilot_projections import rebuild as rebuilding

    async with opened_log() as log:
        made = await rebuilding.rebuild(
            log, log.pool, view, dialect=log_settings().dialect, owner="copilot views rebuild"
        )
        shown = flip and not made.differences
        if shown:
            await builds.flip(log.pool, view, made.build)
    record = {
        "view": made.view,
        "build": made.build,
        "events": made.events,
        "dead_letters": made.dead_letters,
        "compared_with": made.live.build if made.live else None,
        "differences": list(made.differences),
        "shown": shown,
    }
    if as_json:
        emit(record)
    else:
        show_table(("what", "found"), record.items())
    if made.differences:
        raise Conflict(
            "the new build differs from the one that is shown: " + "; ".join(made.differences),
            where=f"view {made.view}",
            todo=f"copilot views flip {made.view} {made.build} shows the new one all the same",
        )


async def _flip(view: View, build: str) -> None:
    from copilot.connections import opened_log
    from copilot_projections import builds

    async with opened_log() as log:
        before = await builds.flip(log.pool, view, build)
    note(f"copilot: {view.name} shows build {build}; before: {before or 'the same'}")


async def _rollback(view: View) -> None:
    from copilot.connections import opened_log
    from copilot_projections.rebuild import roll_back

    async with opened_log() as log:
        build = await roll_back(log, log.pool, view, owner="copilot views rollback")
    note(f"copilot: {view.name} shows build {build} again")


async def _drop(view: View, build: str) -> None:
    from copilot.connections import opened_log
    from copilot_projections import builds

    async with opened_log() as log:
        await builds.drop(log.pool, view, build)
    note(f"copilot: build {build} of {view.name} is dropped")
