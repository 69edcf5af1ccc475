"""The explainer process behind a worker: how long a transition waits for its words, and how fast it
catches up.

Fifty clusters, each with a book that is full (400 events of health, 120 log samples): a recorded
incident over and over, shifted in time, out of phase from cluster to cluster. Behind that history
transitions are appended at 50 a second. Waits are between the database's clock at both appends.

The catch-up is one process that finds everything undone, beside the same words made in this process
from books that are in memory: reading, proving nothing twice and appending is the difference.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from statistics import median, quantiles
from typing import Any, Final

from pydantic import SecretStr

from bench.result import BenchResult
from copilot.embedded.child import tied_to_us
from copilot_core.book import book_of
from copilot_core.events import HealthTransitioned, NewEvent, RecordedEvent
from copilot_core.fold import fold, initial
from copilot_core.rules import load_rules
from copilot_eventlog import schema
from copilot_eventlog.direct import DirectShard
from copilot_eventlog.explanation_log import Explained
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
HISTORY: Final = 9
"""Incidents before; with fifty events of health each, a book is full."""
LIVE: Final = 6
PER_S: Final = 50
WARM_UP_S: Final = 3
"""Not counted: the process has just started."""

Page = Sequence[NewEvent]


def run() -> Iterator[dict[str, Any]]:
    """Measure; yields `transition_to_explained_ms` (p99) and `explainer_catch_up_per_s`."""
    pages = _incidents(HISTORY + LIVE)
    waits = asyncio.run(_waits_ms(pages))
    yield BenchResult(
        "transition_to_explained_ms",
        round(quantiles(waits, n=100)[98], 1),
        f"ms (p99) at {PER_S} transitions/s",
        "p50 of the same run",
        round(median(waits), 1),
    ).as_dict()
    ours, alone = asyncio.run(_catch_up_per_s(pages))
    yield BenchResult(
        "explainer_catch_up_per_s",
        round(ours, 1),
        "transitions/s",
        "the words alone, books in memory",
        round(alone, 1),
    ).as_dict()


def _incidents(count: int) -> list[Page]:
    """What a recorded incident leads to, so many times in a row, message by message."""
    with open_recording(RECORDINGS / f"{INCIDENT}.jsonl.gz") as recording:
        messages = list(recording)
    slots = [m.slot for m in messages]
    lasts_s = max(slots) - min(slots) + messages[0].interval_s
    state, rules, pages = initial("bench"), load_rules(None), []
    for n in range(count):
        for message in messages:
            folded = fold(
                state,
                message.model_copy(update={"cluster": "bench", "slot": message.slot + n * lasts_s}),
                rules,
            )
            state = folded.state
            pages.append(folded.events)
    return pages


def _of_cluster(page: Page, n: int) -> list[NewEvent]:
    return [replace(e, stream=f"{e.stream.partition('/')[0]}/cluster-{n}") for e in page]


@dataclass
class _Line:
    """A log and the streams of all clusters on their way into it."""

    log: PostgresLog
    dsn: str
    pages: list[Page]

    def begins(self, n: int) -> int:
        """Where the present of a cluster begins: out of phase with its neighbours."""
        period = len(self.pages) // (HISTORY + LIVE)
        return HISTORY * period + n * period // CLUSTERS

    async def append(self, upto: dict[int, tuple[int, int]]) -> None:
        """Append pages `first` to `last` of clusters, in one transaction per shard."""
        for shard in range(SHARDS):
            batch = [
                event
                for n, (first, last) in upto.items()
                if n % SHARDS == shard
                for page in self.pages[first:last]
                for event in _of_cluster(page, n)
            ]
            head = await self.log.take_over(shard, writer="bench", source="bench")
            for i in range(0, len(batch), 1000):
                head = await self.log.append(head, batch[i : i + 1000], source_offset=0)

    async def transitions(self) -> dict[object, RecordedEvent]:
        """Every transition in the log by its id."""
        found: dict[object, RecordedEvent] = {}
        for shard in range(SHARDS):
            async for event in events(self.log, shard):
                if event.type == HealthTransitioned.__name__:
                    found[event.event_id] = event
        return found

    async def explained(self) -> dict[object, RecordedEvent]:
        """Every explanation of a transition in the log, by what it explains."""
        found: dict[object, RecordedEvent] = {}
        async for event in events(self.log, DirectShard.EXPLAINER.value):
            told = event.decoded()
            if isinstance(told, Explained) and event.type == "TransitionExplained":
                found[told.explains] = event
        return found

    async def until_explained(self, there: dict[object, RecordedEvent]) -> None:
        """Wait until the explainer's shard holds an explanation for everything that needs one."""
        wanted = sum(len(subjects_of(event)) for event in there.values())
        async with asyncio.timeout(300):
            while (await self._told()) < wanted:  # noqa: ASYNC110 - another process's
                await asyncio.sleep(0.1)

    async def _told(self) -> int:
        head = await self.log.head(DirectShard.EXPLAINER.value)
        return head.next_position if head else 0


@asynccontextmanager
async def _line(pages: list[Page]) -> AsyncGenerator[_Line]:
    with Postgres() as postgres:
        dsn = postgres.dsn(postgres.create_database())
        settings = EventLogSettings(log_dsn=SecretStr(dsn))
        log = await open_log(settings)
        try:
            await schema.apply(log.pool, settings.dialect)
            line = _Line(log, dsn, pages)
            for n in range(CLUSTERS):
                await line.append({n: (0, line.begins(n))})
            yield line
        finally:
            await log.close()


def _explainer(line: _Line) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        tied_to_us([sys.executable, "-m", EXPLAINER]),
        env=os.environ | {"COPILOT_LOG_DSN": line.dsn, "COPILOT_LOG_LEVEL": "warning"},
    )


async def _waits_ms(pages: list[Page]) -> list[float]:
    async with _line(pages) as line:
        before = await line.transitions()
        process = _explainer(line)
        try:
            await line.until_explained(before)
            ticks = (LIVE - 1) * len(pages) // (HISTORY + LIVE)
            after = (
                sum(e.type == HealthTransitioned.__name__ for page in pages[-ticks:] for e in page)
                * CLUSTERS
            )
            every_s = after / PER_S / ticks
            began = time.monotonic()
            for tick in range(ticks):
                await line.append(
                    {n: (line.begins(n) + tick, line.begins(n) + tick + 1) for n in range(CLUSTERS)}
                )
                await asyncio.sleep(max(0.0, began + (tick + 1) * every_s - time.monotonic()))
            there = await line.transitions()
            await line.until_explained(there)
        finally:
            process.kill()
            process.wait()
        told = await line.explained()
    live = sorted((e for i, e in there.items() if i not in before), key=lambda e: e.recorded_at)
    counted = live[WARM_UP_S * PER_S :]
    return [(told[e.event_id].recorded_at - e.recorded_at).total("milliseconds") for e in counted]


async def _catch_up_per_s(pages: list[Page]) -> tuple[float, float]:
    async with _line(pages) as line:
        there = await line.transitions()
        process = _explainer(line)
        try:
            await line.until_explained(there)
        finally:
            process.kill()
            process.wait()
        at = sorted(e.recorded_at for e in (await line.explained()).values())
        one = [e async for e in events(line.log, 0) if e.cluster == "cluster-0"]
    spent = (at[-1] - at[0]).total("seconds")
    return len(at) / spent, _alone_per_s(one)


def _alone_per_s(recorded: list[RecordedEvent]) -> float:
    explained = [e for e in recorded if e.type == HealthTransitioned.__name__]
    books = [book_of(recorded, cluster=e.cluster, explains=e.event_id) for e in explained]
    began = time.perf_counter()
    for event, book in zip(explained, books, strict=True):
        for subject in subjects_of(event):
            told_by_rules(book, subject)
    return len(explained) / (time.perf_counter() - began)
