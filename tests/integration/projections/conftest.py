"""The line that every test of the read models stands on: on PostgreSQL and in DSQL mode."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.integration.eventlog.dsql_mode import Faults
from tests.integration.projections.line import Line, dsql_line, postgres_line


@pytest.fixture(params=["postgres", "dsql"])
async def line(request: pytest.FixtureRequest, pg_dsn: str) -> AsyncGenerator[Line]:
    """A log with views, once on PostgreSQL and once where every tenth transaction fails."""
    if request.param == "postgres":
        async with postgres_line(pg_dsn) as line:
            yield line
    else:
        async with dsql_line(pg_dsn, Faults(seed=11, rate=0.1)) as line:
            yield line


@pytest.fixture
async def plain_line(pg_dsn: str) -> AsyncGenerator[Line]:
    """The same on PostgreSQL alone, for what asks the same statements many times."""
    async with postgres_line(pg_dsn) as line:
        yield line
