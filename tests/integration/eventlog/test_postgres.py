"""PostgreSQL keeps the laws of the log."""

from __future__ import annotations

from tests.integration.eventlog.contract import LogContract
from tests.integration.eventlog.logs import OnPostgres


class TestPostgresLog(OnPostgres, LogContract):
    """The contract, in PostgreSQL; the rival has connections of its own."""
