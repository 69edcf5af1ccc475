"""The in-memory twin keeps the laws of the log."""

from __future__ import annotations

from tests.integration.eventlog.contract import LogContract
from tests.integration.eventlog.logs import InMemory


class TestMemoryLog(InMemory, LogContract):
    """The contract, in memory."""
