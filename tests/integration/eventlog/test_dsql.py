"""The log keeps its laws on a database that refuses what Aurora DSQL refuses, and fails like it."""

from __future__ import annotations

from typing import ClassVar

from tests.integration.eventlog.contract import LogContract
from tests.integration.eventlog.logs import OnDsql, OnFailingDsql


class TestQuietDsql(OnDsql, LogContract):
    """The contract, where DSQL's refusals apply and nothing fails."""


class TestFailingDsql(OnFailingDsql, LogContract):
    """The contract, where a third of all transactions fail or lose their answer."""


class TestDsqlWithoutWritingCtes(OnDsql, LogContract):
    """The contract, where statements that write inside WITH are refused, and much fails."""

    rate: ClassVar[float] = 0.2
    seed: ClassVar[int] = 5
    rivals_seed: ClassVar[int] = 6
    writing_cte: ClassVar[bool] = False
