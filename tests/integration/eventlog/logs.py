"""Where the log of a contract is kept: the fixtures `log` and `rival`, one class for each place.

A test class derives from one of these and from a contract. `rival` is the same log as another
process sees it: on a database it has connections, and faults, of its own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import ClassVar

import pytest

from copilot_eventlog.memory import MemoryLog
from copilot_eventlog.postgres import PostgresLog
from tests.integration.eventlog.databases import dsql_log, postgres_log
from tests.integration.eventlog.dsql_mode import Faults


class InMemory:
    """In memory, where all share one object."""

    @pytest.fixture
    def log(self) -> MemoryLog:
        return MemoryLog()

    @pytest.fixture
    def rival(self, log: MemoryLog) -> MemoryLog:
        return log


class OnPostgres:
    """In PostgreSQL."""

    @pytest.fixture
    async def log(self, log_dsn: str) -> AsyncGenerator[PostgresLog]:
        async with postgres_log(log_dsn) as log:
            yield log

    @pytest.fixture
    async def rival(self, log_dsn: str, log: PostgresLog) -> AsyncGenerator[PostgresLog]:
        async with postgres_log(log_dsn) as rival:
            yield rival


class OnDsql:
    """On what refuses as Aurora DSQL does; `rate` is the part of transactions that fail."""

    rate: ClassVar[float] = 0.0
    seed: ClassVar[int] = 4
    rivals_seed: ClassVar[int] = 7
    writing_cte: ClassVar[bool] = True

    @pytest.fixture
    async def log(self, log_dsn: str) -> AsyncGenerator[PostgresLog]:
        faults = Faults(seed=self.seed, rate=self.rate)
        async with dsql_log(log_dsn, faults, writing_cte=self.writing_cte) as log:
            yield log

    @pytest.fixture
    async def rival(self, log_dsn: str, log: PostgresLog) -> AsyncGenerator[PostgresLog]:
        faults = Faults(seed=self.rivals_seed, rate=self.rate)
        async with dsql_log(log_dsn, faults, writing_cte=self.writing_cte) as rival:
            yield rival


class OnFailingDsql(OnDsql):
    """As `OnDsql`, where a third of all transactions fail or lose their answer."""

    rate: ClassVar[float] = 0.33
