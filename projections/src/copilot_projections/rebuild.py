"""Rebuild: a view again from the first event, beside the live one, and proof that they are equal.

Theory of operation. A rebuild never touches what is shown. It fills a new build up to where the
live one stands, makes the indexes, and compares the two *at the same positions*:

    1. in one snapshot of the database: positions, row counts and digests of the live build
    2. the new build takes in events up to exactly those positions; nobody else moves it
    3. row counts and digests of the new build

So the comparison is exact although the projector keeps writing the live build meanwhile. Then the
new build catches up with the log and waits for `flip`. The former build is kept for `roll_back`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import asyncpg
import orjson

from copilot_core.errors import Rejected
from copilot_eventlog import units
from copilot_eventlog.protocol import EventLog
from copilot_eventlog.statements import Dialect
from copilot_projections.builds import BuildStatus, flip, list_builds, make_indexes, new_build
from copilot_projections.follower import Follower, ends_of
from copilot_projections.shape import Table, View
from copilot_projections.statements import statement

ROWS_PER_READ: Final = 500

REBUILD_BATCH_EVENTS: Final = 20_000
"""Events of one step: of many events of a cluster a view often keeps one row, so that long batches
write each row once instead of many times. About 60 MB of memory; a view that keeps a row per
event is held to what one transaction takes."""


@dataclass(frozen=True, slots=True)
class TableDigest:
    """All rows of one table: how many, and a digest over them in order of the key."""

    table: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class BuildDigest:
    """A build at certain positions of the log."""

    build: str
    positions: dict[int, int]
    tables: tuple[TableDigest, ...]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild made. `live` is None when no build of the same shape was there to compare."""

    view: str
    build: str
    events: int
    dead_letters: int
    live: BuildDigest | None
    new: BuildDigest

    @property
    def differences(self) -> tuple[str, ...]:
        """What differs between the live build and the new one, one sentence per table."""
        if self.live is None:
            return ()
        return tuple(
            f"{old.table}: {old.rows} rows live, {new.rows} rebuilt"
            if old.rows != new.rows
            else f"{old.table}: {old.rows} rows in both, not the same ones"
            for old, new in zip(self.live.tables, self.new.tables, strict=True)
            if old != new
        )


async def digest_build(pool: asyncpg.Pool, view: View, build: str) -> BuildDigest:
    """Positions, row counts and digests of a build, all of one snapshot of the database."""

    async def read(con: units.Connection) -> BuildDigest:
        found = await con.fetch(statement("builds", "positions"), view.reader, build)
        tables = tuple([await _digest_table(con, table, build) for table in view.tables])
        return BuildDigest(build, {r["shard"]: r["pos"] for r in found}, tables)

    return await units.run_transaction(pool, read, where=f"view {view.name}: digest of {build}")


async def _digest_table(con: units.Connection, table: Table, build: str) -> TableDigest:
    # Column and key names come from the table's definition, so this one statement serves them all.
    sql = (
        statement("builds", "rows")
        .replace("all_columns", ", ".join(table.columns))
        .replace("table__build", f"{table.name}__{build}")
        .replace("key_columns", ", ".join(table.key))
    )
    digest, rows = hashlib.sha256(), 0
    async for record in con.cursor(sql, prefetch=ROWS_PER_READ):
        digest.update(orjson.dumps(list(record.values())) + b"\n")
        rows += 1
    return TableDigest(table.name, rows, digest.hexdigest())


async def rebuild(
    log: EventLog,
    pool: asyncpg.Pool,
    view: View,
    *,
    dialect: Dialect,
    owner: str,
) -> Rebuilt:
    """Make another build of a view from the whole log, and compare it with the live one.

    The new build is left caught up, and not shown: see `flip`. Raises `Conflict` when somebody
    else starts a build at the same moment.
    """
    build = await new_build(pool, view, dialect=dialect)
    follower = Follower(
        log, pool, view=view, build=build, owner=owner, batch_events=REBUILD_BATCH_EVENTS
    )
    live = await _live_of_this_shape(pool, view)
    await follower.catch_up(await positions_of(pool, view, live) if live else await ends_of(log))
    await make_indexes(pool, view, build, dialect=dialect)
    shown = await digest_build(pool, view, live) if live else None
    if shown:
        await follower.catch_up(shown.positions)
    new = await digest_build(pool, view, build)
    await follower.catch_up(await ends_of(log))
    return Rebuilt(view.name, build, follower.events, follower.dead_letters, shown, new)


async def positions_of(pool: asyncpg.Pool, view: View, build: str) -> dict[int, int]:
    """How far a build has come, by shard."""

    async def read(con: units.Connection) -> dict[int, int]:
        found = await con.fetch(statement("builds", "positions"), view.reader, build)
        return {r["shard"]: r["pos"] for r in found}

    return await units.run(pool, read, where=f"view {view.name}: positions of {build}")


async def _live_of_this_shape(pool: asyncpg.Pool, view: View) -> str | None:
    for build in await list_builds(pool):
        if build.view == view.name and build.status is BuildStatus.LIVE and view.reads(build.build):
            return build.build
    return None


async def roll_back(log: EventLog, pool: asyncpg.Pool, view: View, *, owner: str) -> str:
    """Show the build that was shown before, after it has caught up; returns its id.

    Raises `Rejected` when none is kept that this program can write.
    """
    kept = [
        build.build
        for build in await list_builds(pool)
        if build.view == view.name and build.status is BuildStatus.KEPT and view.reads(build.build)
    ]
    if not kept:
        raise Rejected(
            f"view {view.name} has no former build of shape {view.shape}",
            code="unknown_build",
            where="es_projection",
            todo="see copilot views list",
        )
    build = kept[-1]
    follower = Follower(log, pool, view=view, build=build, owner=owner)
    await follower.catch_up(await ends_of(log))
    await flip(pool, view, build)
    return build
