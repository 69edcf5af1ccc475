"""How fast the explainer process catches up, beside the words alone.

Fifty clusters, each with books that are full (400 events of health, 120 log samples): a recorded
incident over and over, shifted in time. The explainer finds all of it undone. The reference makes
the same words in this process, one after another, from books that are in memory: reading the log,
looking what is told already, and appending is the difference. How long a transition waits at 50 a
second is measured by `transition_to_served_ms`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import SecretStr

from bench.result import BenchResult
from copilot.embedded.child import tied_to_us
from copilot_core.events import HealthTransitioned, NewEvent, RecordedEvent
from copilot_core.fold import fold, initial
from copilot_core.rules import load_rules
from copilot_core.words.book import book_of
from copilot_eventlog import schema
from copilot_eventlog.direct import DirectShard
from copilot_eventlog.postgres import PostgresLog, open_log
from copilot_eventlog.replay import events
from copilot_eventlog.settings import EventLogSettings
from copilot_streams.recording import open_recording
from copilot_workflows.subjects import subjects_of, told_by_rules
from tests.infra.postgres import Postgres
from tests.integration.workflows.incidents import INCIDENT, RECORDINGS

EXPLAINER: Final = "copilot_workflows.explainer.main"
CLUSTERS: Final = 50
SHARDS: Final = 4
INCIDENTS: Final = 12
"""In a row; each is some fifty events of health, so most books are full."""
WITHIN_S: Final = 600


def run() -> Iterator[dict[str, Any]]:
    """Measure; yields `explainer_catch_up_per_s`."""
    one = _incidents()
    with Postgres() as postgres:
        dsn = postgres.dsn(postgres.create_database())
        ours = asyncio.run(_catch_up_per_s(dsn, one))
        alone = asyncio.run(_alone_per_s(dsn))
    yield BenchResult(
        "explainer_catch_up_per_s",
        round(ours, 1),
        "explanations/s",
        "the same words, one after another, books in memory",
        round(alone, 1),
    ).as_dict()


def _incidents() -> list[NewEvent]:
    """What a recorded incident leads to, so many times in a row."""
    with open_recording(RECORDINGS / f"{INCIDENT}.jsonl.gz") as recording:
        messages = list(recording)
    slots = [message.slot for message in messages]
    lasts_s = max(slots) - min(slots) + messages[0].interval_s
    state, rules, found = initial("bench"), load_rules(None), []
    for n in range(INCIDENTS):
        for message in messages:
            again = {"cluster": "bench", "slot": message.slot + n * lasts_s}
            folded = fold(state, message.model_copy(update=again), rules)
            state = folded.state
            found += folded.events
    return found


async def _catch_up_per_s(dsn: str, one: Sequence[NewEvent]) -> float:
    settings = EventLogSettings(log_dsn=SecretStr(dsn))
    log = await open_log(settings)
    try:
        await schema.apply(log.pool, settings.dialect)
        for n in range(CLUSTERS):
            await _append(log, n, one)
        wanted = sum([len(subjects_of(e)) async for e in _transitions(log)])
        process = _started(dsn)
        try:
            await _until_told(log, wanted)
        finally:
            process.kill()
            process.wait()
        told = [e.recorded_at async for e in events(log, DirectShard.EXPLAINER.value)]
    finally:
        await log.close()
    return len(told) / (told[-1] - told[0]).total("seconds")


def _started(dsn: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        tied_to_us([sys.executable, "-m", EXPLAINER]),
        env=os.environ | {"COPILOT_LOG_DSN": dsn, "COPILOT_LOG_LEVEL": "warning"},
    )


async def _append(log: PostgresLog, n: int, one: Sequence[NewEvent]) -> None:
    head = await log.take_over(n % SHARDS, writer="bench", source="bench")
    mine = [replace(e, stream=f"{e.stream.partition('/')[0]}/cluster-{n}") for e in one]
    for i in range(0, len(mine), 1000):
        head = await log.append(head, mine[i : i + 1000], source_offset=0)


async def _transitions(log: PostgresLog) -> AsyncIterator[RecordedEvent]:
    for shard in range(SHARDS):
        async for event in events(log, shard):
            if event.type == HealthTransitioned.__name__:
                yield event


async def _until_told(log: PostgresLog, wanted: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            head = await log.head(DirectShard.EXPLAINER.value)
            if head is not None and head.next_position >= wanted:
                return
            await asyncio.sleep(0.1)


async def _alone_per_s(dsn: str) -> float:
    log = await open_log(EventLogSettings(log_dsn=SecretStr(dsn)))
    try:
        recorded = [e async for e in events(log, 0) if e.cluster == "cluster-0"]
    finally:
        await log.close()
    explained = [e for e in recorded if e.type == HealthTransitioned.__name__]
    books = [book_of(recorded, cluster=e.cluster, explains=e.event_id) for e in explained]
    told, began = 0, time.perf_counter()
    for event, book in zip(explained, books, strict=True):
        for subject in subjects_of(event):
            told_by_rules(book, subject)
            told += 1
    return told / (time.perf_counter() - began)
