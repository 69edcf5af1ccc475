"""The database of the log's tests, for these tests, too."""

from __future__ import annotations

from tests.integration.eventlog.conftest import log_dsn, module_database

__all__ = ["log_dsn", "module_database"]
