"""Builds: every read model has one live build, and others on their way in or out.

Theory of operation. A build is a set of tables `view_<table>__<build>` with checkpoints of its own.
Its id is `<shape>_<number>`. What it is stands in `es_projection`:

    building  ->  live  ->  kept  ->  dropped
       |           ^_________|  roll back
       |______________________________^  a rebuild given up

Readers and projectors follow whichever build is live, so a flip is one small transaction, and so is
the way back. Nothing is ever rebuilt in place, and nothing is dropped unless it is asked for.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

import asyncpg
from whenever import Instant

from copilot_core.errors import Conflict, Rejected
from copilot_eventlog import units
from copilot_eventlog.statements import Dialect, render
from copilot_projections.shape import View
from copilot_projections.statements import of_build, statement


class BuildStatus(StrEnum):
    """What a build is."""

    BUILDING = "building"
    LIVE = "live"
    KEPT = "kept"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Build:
    """One build of a view, as `es_projection` has it."""

    view: str
    build: str
    status: BuildStatus
    changed_at: Instant

    @property
    def number(self) -> int:
        """The number in its id."""
        return int(self.build.partition("_")[2])


async def list_builds(pool: asyncpg.Pool) -> list[Build]:
    """Every build there is or was, by view, in the order in which they last changed."""

    async def read(con: units.Connection) -> list[Build]:
        return await _list(con)

    return await units.run(pool, read, where="es_projection")


async def live_builds(pool: asyncpg.Pool) -> dict[str, str]:
    """The live build of each view that has one."""
    return {b.view: b.build for b in await list_builds(pool) if b.status is BuildStatus.LIVE}


async def _list(con: units.Connection) -> list[Build]:
    found = await con.fetch(statement("builds", "list"))
    return [
        Build(
            view=r["projection"],
            build=r["build"],
            status=BuildStatus(r["status"]),
            changed_at=Instant(r["updated_at"]),  # asyncpg knows no other time
        )
        for r in found
    ]


async def first_build(pool: asyncpg.Pool, view: View, *, dialect: Dialect) -> str:
    """Make the first build of a view and show it, unless one is shown by now; returns its id.

    Two processes may do this at once and end with the same build. Raises `Conflict` when they
    collide on the way: then the other one is about to finish.
    """
    mine = [b for b in await list_builds(pool) if b.view == view.name and view.reads(b.build)]
    shown = [b.build for b in mine if b.status is BuildStatus.LIVE]
    if shown:
        return shown[0]
    unfinished = [b.build for b in mine if b.status is BuildStatus.BUILDING]
    build = unfinished[0] if unfinished else _next_id(view, mine)
    if not unfinished:
        await _add(pool, view, build)
    await make_tables(pool, view, build, dialect=dialect)
    await make_indexes(pool, view, build, dialect=dialect)
    await flip(pool, view, build)
    return build


async def new_build(pool: asyncpg.Pool, view: View, *, dialect: Dialect) -> str:
    """Make empty tables for another build of a view; returns its id.

    Raises `Conflict` when somebody else is starting one at the same moment.
    """
    build = _next_id(view, [b for b in await list_builds(pool) if b.view == view.name])
    await _add(pool, view, build)
    await make_tables(pool, view, build, dialect=dialect)
    return build


def _next_id(view: View, builds: list[Build]) -> str:
    return f"{view.shape}_{1 + max((b.number for b in builds), default=0)}"


async def _add(pool: asyncpg.Pool, view: View, build: str) -> None:
    # The time is the receipt: after a lost answer it tells our own row from that of a rival.
    at = Instant.now().round("microsecond", mode="floor")

    async def add(con: units.Connection) -> None:
        binds = (view.name, build, BuildStatus.BUILDING, at.to_stdlib())
        await con.execute(statement("builds", "add"), *binds)
        if (view.name, build, at) not in {
            (b.view, b.build, b.changed_at) for b in await _list(con)
        }:
            raise Conflict(
                f"somebody else has just begun build {build}",
                where=f"view {view.name}",
                todo="see copilot views list, then try again",
            )

    await units.run_transaction(pool, add, where=f"view {view.name}: new build {build}")


async def make_tables(pool: asyncpg.Pool, view: View, build: str, *, dialect: Dialect) -> None:
    """Create the tables of a build, those that are not there yet."""
    for table in view.tables:
        await _ddl(pool, of_build(view.name, f"create_{table.name}", build), dialect)


async def make_indexes(pool: asyncpg.Pool, view: View, build: str, *, dialect: Dialect) -> None:
    """Create the secondary indexes of a build, those that are not there yet.

    On DSQL this only starts them; queries are right without them, only slower.
    """
    for index in view.indexes:
        await _ddl(pool, of_build(view.name, index, build), dialect)


async def _ddl(pool: asyncpg.Pool, sql: str, dialect: Dialect) -> None:
    async def run(con: units.Connection) -> None:
        # Another process may make it between the look of IF NOT EXISTS and the making.
        with suppress(
            asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError
        ):
            await con.execute(render(sql, dialect))

    await units.run(pool, run, where=sql.splitlines()[0])


async def flip(pool: asyncpg.Pool, view: View, build: str) -> str | None:
    """Show another build; returns the one shown before, which is kept.

    Raises `Rejected` for a build that is not there any more, `Conflict` when somebody else flipped.
    """

    async def unit(con: units.Connection) -> str | None:
        builds = {b.build: b for b in await _list(con) if b.view == view.name}
        target = builds.get(build)
        if target is None or target.status is BuildStatus.DROPPED:
            raise Rejected(
                f"view {view.name} has no build {build}",
                code="unknown_build",
                where="es_projection",
                todo="see copilot views list",
            )
        if target.status is BuildStatus.LIVE:
            return None
        live = next((b for b in builds.values() if b.status is BuildStatus.LIVE), None)
        if live:
            await _change(con, live, BuildStatus.KEPT)
        await _change(con, target, BuildStatus.LIVE)
        return live.build if live else None

    return await units.run_transaction(pool, unit, where=f"view {view.name}: show build {build}")


async def _change(con: units.Connection, build: Build, to: BuildStatus) -> None:
    done = await con.execute(
        statement("builds", "set_status"), build.view, build.build, build.status, to
    )
    if done != "UPDATE 1":
        raise Conflict(f"build {build.build} of view {build.view} is no longer {build.status}")


async def drop(pool: asyncpg.Pool, view: View, build: str) -> None:
    """Drop the tables of a build that is not shown; safe to repeat.

    Raises `Rejected` for the live build and for one that was never there.
    """

    async def mark(con: units.Connection) -> None:
        found = [b for b in await _list(con) if (b.view, b.build) == (view.name, build)]
        if not found or found[0].status is BuildStatus.LIVE:
            raise Rejected(
                f"build {build} of view {view.name} is shown" if found else f"no build {build}",
                code="live_build" if found else "unknown_build",
                where=f"view {view.name}",
                todo="flip to another build first" if found else "see copilot views list",
            )
        if found[0].status is not BuildStatus.DROPPED:
            await _change(con, found[0], BuildStatus.DROPPED)
        await con.execute(statement("builds", "drop_checkpoints"), view.reader, build)

    await units.run_transaction(pool, mark, where=f"view {view.name}: drop build {build}")
    for table in view.tables:
        sql = statement("builds", "drop_table").replace("table__build", f"{table.name}__{build}")
        await _ddl(pool, sql, Dialect.POSTGRES)
