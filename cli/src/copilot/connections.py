"""The log that the environment names, opened for one command."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from copilot_eventlog.postgres import PostgresLog, open_log
from copilot_eventlog.settings import EventLogSettings
from copilot_service import read_settings


def log_settings() -> EventLogSettings:
    """Where the log is; raises `Rejected` naming a wrong or missing variable."""
    return read_settings(EventLogSettings)


@asynccontextmanager
async def opened_log() -> AsyncGenerator[PostgresLog]:
    """The log at `COPILOT_LOG_DSN`; closed when the block ends.

    Raises as `log_settings` does; the log's own methods raise `Unavailable`.
    """
    log = await open_log(log_settings())
    try:
        yield log
    finally:
        await log.close()
