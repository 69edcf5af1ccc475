"""Reading a shard from one position to another, as fast as the log gives it.

Theory of operation. While the caller works on a page, the database already prepares the next one:
the read is sent before the page is handed out. So a replay costs the longer of the two, not their
sum, and holds two pages at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from copilot_core.events import RecordedEvent
from copilot_eventlog.protocol import EventLog

PAGE: Final = 1000
"""Events read at a time: about 1 MB."""


async def pages(
    log: EventLog, shard: int, *, after: int = -1, to: int | None = None, size: int = PAGE
) -> AsyncGenerator[list[RecordedEvent]]:
    """Pages of at most `size` events of a shard behind position `after`, in order.

    Ends at position `to`, or where the log ends. Close it (`contextlib.aclosing`) when leaving
    early. Raises as `EventLog.read`.
    """
    page, ahead = await _read(log, shard, after, to, size), None
    try:
        while page:
            ahead = asyncio.create_task(_read(log, shard, page[-1].position, to, size))
            await asyncio.sleep(0)  # lets the task send its statement before the caller computes
            yield page
            page = await ahead
    finally:
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)


async def events(
    log: EventLog, shard: int, *, after: int = -1, to: int | None = None
) -> AsyncGenerator[RecordedEvent]:
    """The same, event by event."""
    async with aclosing(pages(log, shard, after=after, to=to)) as read:
        async for page in read:
            for event in page:
                yield event


async def _read(
    log: EventLog, shard: int, after: int, to: int | None, size: int
) -> list[RecordedEvent]:
    if to is None:
        return await log.read(shard, after=after, limit=size)
    if after >= to:
        return []
    page = await log.read(shard, after=after, limit=min(size, to - after))
    while page and page[-1].position > to:  # only where positions are missing
        page.pop()
    return page
