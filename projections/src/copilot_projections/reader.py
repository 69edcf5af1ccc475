"""The reader of views: finds the live build of a view and asks its tables.

Which build is live is looked up in `es_projection` and remembered for `LIVE_FOR_S`, so a flip is
seen everywhere within that time. A build whose tables are gone (flipped away from, then dropped) is
looked up once more before that is called an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import asyncpg

from copilot_core.errors import Defect, Unavailable
from copilot_eventlog import units
from copilot_projections.shape import Answer, View
from copilot_projections.statements import of_build, statement

LIVE_FOR_S: Final = 1.0
"""How long the name of a live build is believed."""


class ViewPosition(Answer):
    """How far the live build of a view has come in one shard; -1 before the first event."""

    view: str
    build: str
    shard: int
    position: int


class ViewReader:
    """Asks the live builds of views over a pool of connections.

    `clock` is a monotonic clock in seconds. Every method raises `Unavailable` when the store does
    not answer, or when a view has no build that this program can read.
    """

    def __init__(self, pool: asyncpg.Pool, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._live: dict[str, tuple[str, float]] = {}

    async def live_build(self, view: View) -> str:
        """The id of the build of a view that is shown now."""
        known = self._live.get(view.name)
        if known and self._clock() < known[1]:
            return known[0]
        found = await self._rows(statement("builds", "live"), view.name, where=f"view {view.name}")
        if not found:
            raise Unavailable(
                f"view {view.name} has no live build",
                where="es_projection",
                todo="start copilot run projector; it makes the first build",
            )
        build: str = found[0]["build"]
        if not view.reads(build):
            raise Unavailable(
                f"view {view.name}: build {build} is shown, this program reads shape {view.shape}",
                where="es_projection",
                todo=f"run the program that made the build, or copilot views rebuild {view.name}",
            )
        self._live[view.name] = (build, self._clock() + LIVE_FOR_S)
        return build

    async def fetch(self, view: View, name: str, *binds: Any) -> list[asyncpg.Record]:
        """The rows of statement `sql/<view>/<name>.sql` from the live build."""
        where = f"view {view.name}: {name}"
        try:
            return await self._rows(
                of_build(view.name, name, await self.live_build(view)), *binds, where=where
            )
        except Defect as e:
            if not isinstance(e.__cause__, asyncpg.UndefinedTableError):
                raise
            self._live.pop(view.name, None)
            return await self._rows(
                of_build(view.name, name, await self.live_build(view)), *binds, where=where
            )

    async def positions(self, view: View) -> list[ViewPosition]:
        """How far the live build of a view has come, per shard, in order of shards."""
        build = await self.live_build(view)
        found = await self._rows(
            statement("builds", "positions"), view.reader, build, where=f"view {view.name}"
        )
        return [
            ViewPosition(view=view.name, build=build, shard=row["shard"], position=row["pos"])
            for row in found
        ]

    async def _rows(self, sql: str, *binds: Any, where: str) -> list[asyncpg.Record]:
        async def read(con: units.Connection) -> list[asyncpg.Record]:
            return await con.fetch(sql, *binds)

        return await units.run(self._pool, read, where=where)
