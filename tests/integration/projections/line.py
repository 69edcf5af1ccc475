"""A log with views behind it, on a real database: what the tests of the read models stand on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from copilot_core.events import NewEvent
from copilot_eventlog import units
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.statements import Dialect
from copilot_projections.builds import first_build, live_builds
from copilot_projections.follower import Follower, OnPoison, ends_of
from copilot_projections.reader import ViewReader
from copilot_projections.shape import View
from copilot_projections.views import VIEWS
from tests.integration.eventlog.databases import dsql_log, postgres_log
from tests.integration.eventlog.dsql_mode import Faults


@dataclass(frozen=True, slots=True)
class Line:
    """A log, the dialect of its database, and a reader of the views in it."""

    log: PostgresLog
    dialect: Dialect
    views: ViewReader

    async def append(self, events: Sequence[NewEvent], *, shard: int = 0) -> None:
        """Append events to a shard, as its writer would."""
        head = await self.log.take_over(shard, writer="test", source="test")
        for i in range(0, len(events), 500):
            head = await self.log.append(head, events[i : i + 500], source_offset=i)

    async def follower(
        self,
        view: View,
        *,
        owner: str = "test",
        on_poison: OnPoison = OnPoison.CONTINUE,
        batch_events: int = 500,
    ) -> Follower:
        """Who keeps the live build of a view up; the first build is made when there is none."""
        build = (await live_builds(self.log.pool)).get(view.name)
        if build is None:
            build = await first_build(self.log.pool, view, dialect=self.dialect)
        return Follower(
            self.log,
            self.log.pool,
            view=view,
            build=build,
            owner=owner,
            on_poison=on_poison,
            batch_events=batch_events,
        )

    async def project(self, views: Iterable[View] = tuple(VIEWS.values())) -> None:
        """Bring views up to the end of the log."""
        ends = await ends_of(self.log)
        for view in views:
            await (await self.follower(view)).catch_up(ends)

    async def execute(self, sql: str) -> None:
        """Change something behind the views' back."""

        async def unit(con: units.Connection) -> None:
            await con.execute(sql)

        await units.run(self.log.pool, unit, where=sql)

    async def fetch(self, sql: str) -> list[asyncpg.Record]:
        """Look at something behind the views' back."""

        async def unit(con: units.Connection) -> list[asyncpg.Record]:
            return await con.fetch(sql)

        return await units.run(self.log.pool, unit, where=sql)

    async def tell(self, events: Sequence[NewEvent], *views: View) -> ViewReader:
        """Append events, bring views up to them, and give the reader to ask."""
        await self.append(events)
        await self.project(views or tuple(VIEWS.values()))
        return self.views


@asynccontextmanager
async def postgres_line(dsn: str) -> AsyncGenerator[Line]:
    """A line on plain PostgreSQL."""
    async with postgres_log(dsn) as log:
        yield Line(log, Dialect.POSTGRES, ViewReader(log.pool))


@asynccontextmanager
async def dsql_line(dsn: str, faults: Faults | None = None) -> AsyncGenerator[Line]:
    """A line on a database that refuses and fails as DSQL does."""
    async with dsql_log(dsn, faults) as log:
        yield Line(log, Dialect.DSQL, ViewReader(log.pool))
