"""How fast a recorded log is read back, beside the `eventsourcing` library.

Both read the same 50,000 payloads of 1 kB page by page behind a position, make their own event
objects with the whole envelope, and parse the JSON inside with the same parser. Rounds alternate;
the figure is the median.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Final

import orjson
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder

from bench.eventlog_append import event_of, recorder_of
from bench.result import BenchResult
from copilot_eventlog import replay, schema
from copilot_eventlog.connect import open_pool
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.settings import EventLogSettings
from copilot_eventlog.statements import Dialect
from tests.infra.postgres import Postgres

ROUNDS: Final = 5
EVENTS: Final = 50_000
BATCH: Final = 500


def run() -> Iterator[dict[str, Any]]:
    """Measure; yields `replay_vs_eventsourcing`."""
    with Postgres() as server:
        our_dsn = server.dsn(server.create_database())
        asyncio.run(fill(our_dsn))
        recorder = recorder_of(server.dsn(server.create_database()))
        fill_recorder(recorder)
        ours, library = [], []
        for _ in range(ROUNDS):
            ours.append(asyncio.run(read(our_dsn)))
            library.append(read_recorder(recorder))
        recorder.datastore.close()
    yield BenchResult.of_rounds(
        "replay_vs_eventsourcing",
        "events/s",
        ours=ours,
        reference=f"eventsourcing select_notifications, pages of {replay.PAGE}, orjson",
        theirs=library,
    ).as_dict()


async def fill(dsn: str) -> None:
    """Append the events."""
    log = await _log(dsn)
    await schema.apply(log.pool, Dialect.POSTGRES)
    head = await log.take_over(0, writer="bench", source="bench")
    for first in range(1, EVENTS, BATCH):
        batch = [event_of(0, version) for version in range(first, first + BATCH)]
        head = await log.append(head, batch, source_offset=first)
    await log.close()


async def read(dsn: str) -> float:
    """Events per second through `replay.pages`, payloads parsed."""
    log = await _log(dsn)
    count = 0
    begun = time.perf_counter()
    async for page in replay.pages(log, 0):
        for event in page:
            orjson.loads(event.payload)
        count += len(page)
    took_s = time.perf_counter() - begun
    await log.close()
    return count / took_s


def fill_recorder(recorder: PostgresApplicationRecorder) -> None:
    """Give the library the same events."""
    for first in range(1, EVENTS, BATCH):
        events = [event_of(0, version) for version in range(first, first + BATCH)]
        recorder.insert_events([StoredEvent(e.event_id, 1, e.type, e.payload) for e in events])


def read_recorder(recorder: PostgresApplicationRecorder) -> float:
    """Events per second through the library's notifications, payloads parsed."""
    count, start = 0, 1
    begun = time.perf_counter()
    while page := recorder.select_notifications(start, replay.PAGE):
        for notification in page:
            orjson.loads(notification.state)
        count += len(page)
        start = page[-1].id + 1
    return count / (time.perf_counter() - begun)


async def _log(dsn: str) -> PostgresLog:
    return PostgresLog(await open_pool(EventLogSettings.model_validate({"log_dsn": dsn})))
