"""Logs on a test's database: as PostgreSQL, or as what looks like Aurora DSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from copilot_eventlog import schema
from copilot_eventlog.connect import open_pool
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.settings import EventLogSettings
from copilot_eventlog.statements import Dialect
from tests.integration.eventlog.dsql_mode import Faults, connection_class


@asynccontextmanager
async def postgres_log(dsn: str, **settings: Any) -> AsyncGenerator[PostgresLog]:
    """A log on an empty or used database, its tables made."""
    pool = await open_pool(EventLogSettings(log_dsn=dsn, **settings))
    async with _closing(pool):
        await schema.apply(pool, Dialect.POSTGRES)
        yield PostgresLog(pool)


@asynccontextmanager
async def dsql_log(
    dsn: str, faults: Faults | None = None, *, writing_cte: bool = True
) -> AsyncGenerator[PostgresLog]:
    """A log on a database in DSQL mode. The faults begin when the tables are made."""
    await _made_in_dsql_mode(dsn)
    cls = connection_class(faults or Faults(), writing_cte=writing_cte)
    pool = await open_pool(EventLogSettings(log_dsn=dsn), connection_class=cls)
    async with _closing(pool):
        yield PostgresLog(pool)


async def _made_in_dsql_mode(dsn: str) -> None:
    cls = connection_class(Faults())
    pool = await open_pool(EventLogSettings(log_dsn=dsn), connection_class=cls)
    async with _closing(pool):
        await schema.apply(pool, Dialect.DSQL)


@asynccontextmanager
async def _closing(pool: asyncpg.Pool) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        pool.terminate()
