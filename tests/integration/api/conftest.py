"""Fixtures: a line on a real database, a recorded incident, and an API over both."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from whenever import Instant

from tests.integration.api.live import Clock, FoldedSlot, Live, folded, live
from tests.integration.projections.line import Line, postgres_line


@pytest.fixture(scope="session")
def incident() -> tuple[str, list[FoldedSlot]]:
    """The cluster and the folded slots of a recorded incident."""
    return folded()


@pytest.fixture
async def line(pg_dsn: str) -> AsyncGenerator[Line]:
    """A log with views on a database of this test's own."""
    async with postgres_line(pg_dsn) as line:
        yield line


@pytest.fixture
def clock(incident: tuple[str, list[FoldedSlot]]) -> Clock:
    """The API's now: seven seconds after the incident's last slot."""
    return Clock(Instant.from_timestamp(incident[1][-1].slot + 7))


@pytest.fixture
async def api(
    line: Line, pg_dsn: str, clock: Clock, incident: tuple[str, list[FoldedSlot]]
) -> AsyncGenerator[Live]:
    """An API over the whole incident."""
    await line.tell([event for slot in incident[1] for event in slot.events])
    async with live(pg_dsn, now=clock) as running:
        yield running
