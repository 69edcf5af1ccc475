"""The in-memory twin keeps the laws of the log."""

from __future__ import annotations

import pytest

from copilot_eventlog.memory import MemoryLog
from tests.integration.eventlog.contract import LogContract


class TestMemoryLog(LogContract):
    """The contract, in memory."""

    @pytest.fixture
    def log(self) -> MemoryLog:
        return MemoryLog()

    @pytest.fixture
    def rival(self, log: MemoryLog) -> MemoryLog:
        return log
