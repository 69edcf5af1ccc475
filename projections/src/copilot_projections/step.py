"""One step of one build of a view: a batch of events, its rows and its checkpoint, or nothing.

Theory of operation. A step is one transaction. It moves the checkpoint first, and only from where
it was read: when two projectors run, the second one's move changes no row, it raises `Conflict`,
and nothing of its batch is written. So doubles are harmless, and rows and checkpoint cannot part:

    move checkpoint  ->  load rows  ->  View.apply  ->  upsert, delete, prune  ->  commit

A commit whose answer was lost is tried again, finds the checkpoint moved, and ends as `Conflict`
too: the caller re-reads the checkpoint and goes on behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from copilot_core.errors import Conflict, Defect, Rejected
from copilot_core.events import RecordedEvent
from copilot_eventlog import units
from copilot_eventlog.failures import TransactionTooLarge
from copilot_projections.shape import Row, Rows, Table, View, columns_of
from copilot_projections.statements import of_build, statement

MAX_CHANGES: Final = 2_900
"""Rows changed by one transaction; DSQL refuses more than 3,000, the checkpoint is one of them."""

DAMAGED: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
"""What a build answers whose tables somebody dropped or changed."""


@dataclass(frozen=True, slots=True)
class BuildWriter:
    """Writes one build of a view. `owner` names this process in the checkpoints."""

    pool: asyncpg.Pool
    view: View
    build: str
    owner: str

    @property
    def where(self) -> str:
        """How errors name this build."""
        return f"view {self.view.name}, build {self.build}"

    async def checkpoints(self, shards: Sequence[int]) -> dict[int, int]:
        """Where the build stands in each shard; a shard that is new to it begins at -1."""
        binds = (self.view.reader, self.build)

        async def read(con: units.Connection) -> dict[int, int]:
            return {
                r["shard"]: r["pos"]
                for r in await con.fetch(statement("builds", "positions"), *binds)
            }

        async def begin(con: units.Connection) -> None:
            for shard in missing:
                await con.execute(statement("builds", "first_checkpoint"), *binds, shard)

        stands = await units.run(self.pool, read, where=self.where)
        missing = [shard for shard in shards if shard not in stands]
        if missing:
            await units.run_transaction(self.pool, begin, where=self.where)
            stands = await units.run(self.pool, read, where=self.where)
        return stands

    async def write(
        self, shard: int, *, after: int, events: Sequence[RecordedEvent], position: int
    ) -> None:
        """Take `events` in and move the checkpoint of a shard from `after` to `position`.

        Raises `Conflict` when the checkpoint is no longer at `after`, `Rejected` when an event
        cannot be read or stored, `TransactionTooLarge` when the batch changes too many rows,
        `Unavailable` when the database is away, `Defect` when the build's tables are damaged.
        """
        wanted = [event for event in events if event.type in self.view.takes]

        async def step(con: units.Connection) -> None:
            await self._move(con, shard, after=after, position=position)
            if wanted:
                await self._take(con, wanted)

        where = f"{self.where}, shard {shard}@{position}"
        try:
            await units.run_transaction(self.pool, step, where=where)
        except Defect as e:
            if not isinstance(e.__cause__, DAMAGED):
                raise
            todo = f"copilot views rebuild {self.view.name} --flip"
            raise Defect(e.what, where=where, todo=todo) from e

    async def _move(self, con: units.Connection, shard: int, *, after: int, position: int) -> None:
        done = await con.execute(
            statement("builds", "move_checkpoint"),
            self.view.reader, self.build, shard, after, position, self.owner,
        )  # fmt: skip
        if done != "UPDATE 1":
            raise Conflict(
                f"the checkpoint is no longer at {after}",
                where=f"{self.where}, shard {shard}",
                todo="another projector works on this build, or our own commit was not answered",
            )

    async def _take(self, con: units.Connection, events: Sequence[RecordedEvent]) -> None:
        rows = Rows()
        for table in self.view.tables:
            await self._load(con, table, rows, events)
        self.view.apply(rows, events)
        if rows.changes() > MAX_CHANGES:
            raise TransactionTooLarge(
                f"{len(events)} events change {rows.changes()} rows, more than {MAX_CHANGES}",
                where=self.where,
                todo="halve the batch",
            )
        try:
            for table in self.view.tables:
                await self._store(con, table, rows)
            for table in self.view.tables:  # last: what is forgotten may depend on another table
                await self._prune(con, table, rows)
        except (asyncpg.DataError, ValueError) as e:
            # A value that the database cannot hold (a NUL in a text, refused by the server; a
            # number out of range, refused by asyncpg as a ValueError) came with an event and will
            # come again: the event is to blame, not the database.
            raise Rejected(f"cannot be stored: {e}", where=self.where, code="not_storable") from e

    async def _load(
        self, con: units.Connection, table: Table[Row], rows: Rows, events: Sequence[RecordedEvent]
    ) -> None:
        clusters = sorted(table.loads(rows, events)) if table.loads else []
        if clusters:
            sql = of_build(self.view.name, f"load_{table.name}", self.build)
            rows.load(table, [table.row(*record) for record in await con.fetch(sql, clusters)])

    async def _store(self, con: units.Connection, table: Table[Any], rows: Rows) -> None:
        name, written = table.name, rows.written(table)
        if written:
            sql = of_build(self.view.name, f"upsert_{name}", self.build)
            await con.execute(sql, *columns_of(table, written))
        if gone := rows.deleted.get(name):
            sql = of_build(self.view.name, f"delete_{name}", self.build)
            await con.execute(sql, *map(list, zip(*sorted(gone), strict=True)))

    async def _prune(self, con: units.Connection, table: Table[Any], rows: Rows) -> None:
        if limits := rows.pruned.get(table.name):
            sql = of_build(self.view.name, f"prune_{table.name}", self.build)
            await con.executemany(sql, sorted(limits.items()))
