"""The log keeps its laws on a database that refuses what Aurora DSQL refuses, and fails like it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from copilot_eventlog.postgres import PostgresLog
from tests.integration.eventlog.contract import LogContract
from tests.integration.eventlog.databases import dsql_log
from tests.integration.eventlog.dsql_mode import Faults


class TestQuietDsql(LogContract):
    """The contract, where DSQL's refusals apply and nothing fails."""

    @pytest.fixture
    async def log(self, log_dsn: str) -> AsyncGenerator[PostgresLog]:
        async with dsql_log(log_dsn) as log:
            yield log

    @pytest.fixture
    async def rival(self, log_dsn: str, log: PostgresLog) -> AsyncGenerator[PostgresLog]:
        async with dsql_log(log_dsn) as rival:
            yield rival


class TestFailingDsql(LogContract):
    """The contract, where a third of all transactions fail or lose their answer."""

    @pytest.fixture
    async def log(self, log_dsn: str) -> AsyncGenerator[PostgresLog]:
        async with dsql_log(log_dsn, Faults(seed=4, rate=0.33)) as log:
            yield log

    @pytest.fixture
    async def rival(self, log_dsn: str, log: PostgresLog) -> AsyncGenerator[PostgresLog]:
        async with dsql_log(log_dsn, Faults(seed=7, rate=0.33)) as rival:
            yield rival


class TestDsqlWithoutWritingCtes(LogContract):
    """The contract, where statements that write inside WITH are refused, and much fails."""

    @pytest.fixture
    async def log(self, log_dsn: str) -> AsyncGenerator[PostgresLog]:
        async with dsql_log(log_dsn, Faults(seed=5, rate=0.2), writing_cte=False) as log:
            yield log

    @pytest.fixture
    async def rival(self, log_dsn: str, log: PostgresLog) -> AsyncGenerator[PostgresLog]:
        async with dsql_log(log_dsn, Faults(seed=6, rate=0.2), writing_cte=False) as rival:
            yield rival
