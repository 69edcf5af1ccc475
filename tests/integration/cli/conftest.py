"""A real database holding a real incident, and the command to look at it with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from copilot.all_in_one import make_tables
from copilot_core.events import NewEvent
from copilot_core.fold import fold, initial
from copilot_core.rules import RulePack
from copilot_eventlog.postgres import open_log
from copilot_eventlog.settings import EventLogSettings
from copilot_streams.recording import open_recording
from tests.unit.cli.conftest import copilot

__all__ = ["copilot"]

INCIDENT = Path("tests/data/recordings/o1-workers-stopped.jsonl.gz")


def settings_of(dsn: str) -> EventLogSettings:
    """The settings of a log at an address."""
    return EventLogSettings(log_dsn=SecretStr(dsn))


def decided() -> list[NewEvent]:
    """Every event of the incident."""
    with open_recording(INCIDENT) as recording:
        state, events = initial(recording.header.cluster), list[NewEvent]()
        for message in recording:
            folded = fold(state, message, RulePack.default())
            state = folded.state
            events.extend(folded.events)
    return events


async def write(dsn: str, events: list[NewEvent]) -> None:
    """Make the tables and append the events, in appends that a worker would make."""
    await make_tables(settings_of(dsn))
    log = await open_log(settings_of(dsn))
    try:
        head = await log.take_over(0, writer="test", source="test")
        for offset in range(0, len(events), 50):
            batch = events[offset : offset + 50]
            head = await log.append(head, batch, source_offset=head.source_offset + 1)
    finally:
        await log.close()


@pytest.fixture
def empty_log(pg_dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty database, also as `COPILOT_LOG_DSN`."""
    monkeypatch.setenv("COPILOT_LOG_DSN", pg_dsn)
    return pg_dsn


@pytest.fixture
def filled_log(empty_log: str) -> list[NewEvent]:
    """The events that the log at `COPILOT_LOG_DSN` holds."""
    events = decided()
    asyncio.run(write(empty_log, events))
    return events
