"""Reading a shard with a page ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from copilot_core.errors import Unavailable
from copilot_core.events import RecordedEvent
from copilot_eventlog import replay
from copilot_eventlog.memory import MemoryLog
from copilot_eventlog.postgres import PostgresLog
from tests.integration.eventlog.contract import SOURCE, events
from tests.integration.eventlog.databases import postgres_log


@pytest.fixture
async def log(log_dsn: str) -> AsyncGenerator[PostgresLog]:
    async with postgres_log(log_dsn) as log:
        head = await log.take_over(0, writer="w", source=SOURCE)
        await log.append(head, events(1, 25), source_offset=25)
        yield log


@pytest.mark.parametrize("size", [1, 4, 25, 100])
@pytest.mark.parametrize(("after", "to"), [(-1, None), (-1, 24), (3, 17), (17, 17), (24, None)])
async def test_pages_cover_exactly_what_was_asked(
    log: PostgresLog, size: int, after: int, to: int | None
) -> None:
    """Whatever the page size, each position behind `after` up to `to` comes once, in order."""
    pages = [page async for page in replay.pages(log, 0, after=after, to=to, size=size)]
    seen = [event.position for page in pages for event in page]
    assert seen == list(range(after + 1, (24 if to is None else to) + 1))
    assert all(0 < len(page) <= size for page in pages)


async def test_leaving_early_leaves_nothing_behind(log: PostgresLog) -> None:
    """A reader that leaves in the middle ends the read ahead, and the log works on."""
    async with aclosing(replay.pages(log, 0, size=2)) as pages:
        async for _ in pages:
            break
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(await log.read(0)) == 25


class Flaky(MemoryLog):
    """A log whose database goes away after the first page."""

    async def read(self, shard: int, *, after: int = -1, limit: int = 1000) -> list[RecordedEvent]:
        if after >= 0:
            raise Unavailable("gone")
        return await super().read(shard, after=after, limit=limit)


async def test_a_failing_read_reaches_the_reader() -> None:
    """The page that was read is handed out; the failure of the next one is raised after it."""
    log = Flaky()
    head = await log.take_over(0, writer="w", source=SOURCE)
    await log.append(head, events(1, 5), source_offset=5)
    seen: list[int] = []

    async def read() -> None:
        async for page in replay.pages(log, 0, size=3):
            seen.extend(event.version for event in page)

    with pytest.raises(Unavailable):
        await read()
    assert seen == [1, 2, 3]
