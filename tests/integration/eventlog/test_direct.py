"""Direct appends and the log of explanations, on every log."""

from __future__ import annotations

from tests.integration.eventlog.direct_contract import DirectContract
from tests.integration.eventlog.logs import InMemory, OnFailingDsql, OnPostgres


class TestInMemory(InMemory, DirectContract):
    """The contract, in memory."""


class TestOnPostgres(OnPostgres, DirectContract):
    """The contract, in PostgreSQL; the rival has connections of its own."""


class TestOnFailingDsql(OnFailingDsql, DirectContract):
    """The contract, where a third of all transactions fail or lose their answer."""
