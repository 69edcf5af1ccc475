"""PostgreSQL keeps the laws of the log."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from copilot_eventlog.postgres import PostgresLog
from tests.integration.eventlog.contract import LogContract
from tests.integration.eventlog.databases import postgres_log


class TestPostgresLog(LogContract):
    """The contract, in PostgreSQL; the rival has connections of its own."""

    @pytest.fixture
    async def log(self, log_dsn: str) -> AsyncGenerator[PostgresLog]:
        async with postgres_log(log_dsn) as log:
            yield log

    @pytest.fixture
    async def rival(self, log_dsn: str, log: PostgresLog) -> AsyncGenerator[PostgresLog]:
        async with postgres_log(log_dsn) as rival:
            yield rival
