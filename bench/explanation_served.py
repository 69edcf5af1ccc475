"""`transition_to_served_ms`: from a transition in the log to its words in the read model.

Explainer and projector run as the processes they are in production, over one database. A recorded
incident is played for fifty clusters over and over, out of phase, so that transitions are appended
at 50 a second. A transition's words are served when the view `explanations`, which the API asks,
has read the explainer's shard up to them; the view's checkpoint is looked at every 10 ms. The
reference is the same transitions up to the append of their words, by the database's own clock: what
lies between is the projector.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from pydantic import SecretStr

from copilot.embedded.child import tied_to_us
from copilot_core.errors import Unavailable
from copilot_core.events import HealthTransitioned, NewEvent, RecordedEvent, TransitionExplained
from copilot_core.fold import fold, initial
from copilot_core.rules import RulePack
from copilot_eventlog import replay, schema
from copilot_eventlog.direct import DirectShard
from copilot_eventlog.postgres import PostgresLog, open_log
from copilot_eventlog.settings import EventLogSettings
from copilot_projections.reader import ViewReader
from copilot_projections.views import explanations
from copilot_streams.recording import open_recording
from tests.infra.postgres import Postgres

RECORDING: Final = (
    Path(__file__).parents[1] / "tests" / "data" / "recordings" / "n04-database-refused.jsonl.gz"
)
PROCESSES: Final = ("copilot_workflows.explainer.main", "copilot_projections.main")
CLUSTERS: Final = 50
PER_S: Final = 50
BEFORE: Final = 2
"""Incidents of each cluster that are over when it begins."""
INCIDENTS: Final = 8
WARM_UP: Final = 200
"""Transitions not counted: the processes have just started."""
LOOK_S: Final = 0.01

Page = tuple[NewEvent, ...]


def run() -> Iterator[Mapping[str, Any]]:
    """One figure: milliseconds at the 99th percentile."""
    served, recorded = asyncio.run(_measured(_pages()))
    yield {
        "name": "transition_to_served_ms",
        "value": round(_p99(served), 1),
        "unit": f"ms (p99) at {PER_S} transitions/s",
        "reference": "the same up to the append of the words, p99 in ms",
        "reference_value": round(_p99(recorded), 1),
    }


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]


def _pages() -> list[Page]:
    """What the fold makes of the incident, message by message, so many times in a row."""
    with open_recording(RECORDING) as recording:
        messages = list(recording)
    lasts_s = messages[-1].slot - messages[0].slot + messages[0].interval_s
    state, pages = initial("bench"), []
    for n in range(INCIDENTS):
        for message in messages:
            slot = message.slot + n * lasts_s
            done = fold(
                state,
                message.model_copy(update={"cluster": "bench", "slot": slot}),
                RulePack.default(),
            )
            state = done.state
            pages.append(done.events)
    return pages


class _Writer:
    """The worker of all clusters: each is a few pages ahead of the one before it."""

    def __init__(self, log: PostgresLog, pages: list[Page]) -> None:
        self._log = log
        self._pages = pages
        self._period = len(pages) // INCIDENTS

    def first(self, cluster: int) -> int:
        """The page with which the present of a cluster begins."""
        return BEFORE * self._period + cluster * self._period // CLUSTERS

    async def append(self, first: int, last: int, clusters: range) -> None:
        """Append pages `first` to `last`, counted from the present of each cluster."""
        events = [
            replace(event, stream=f"{event.stream.partition('/')[0]}/cluster-{n}")
            for n in clusters
            for page in self._pages[max(0, self.first(n) + first) : self.first(n) + last]
            for event in page
        ]
        head = await self._log.take_over(0, writer="bench", source="bench")
        for i in range(0, len(events), 1000):
            head = await self._log.append(head, events[i : i + 1000], source_offset=0)

    async def play(self) -> None:
        """Append page by page of all clusters, at so many transitions a second."""
        ticks = (INCIDENTS - BEFORE - 1) * self._period
        turned = sum(e.type == HealthTransitioned.__name__ for p in self._pages for e in p)
        pause_s = turned / len(self._pages) * CLUSTERS / PER_S
        began = time.monotonic()
        for tick in range(ticks):
            await self.append(tick, tick + 1, range(CLUSTERS))
            await asyncio.sleep(max(0.0, began + (tick + 1) * pause_s - time.monotonic()))


async def _measured(pages: list[Page]) -> tuple[list[float], list[float]]:
    """Milliseconds until words were served, and until they were recorded."""
    with Postgres() as server:
        dsn = server.dsn(server.create_database())
        settings = EventLogSettings(log_dsn=SecretStr(dsn))
        log = await open_log(settings)
        await schema.apply(log.pool, settings.dialect)
        writer, views = _Writer(log, pages), ViewReader(log.pool)
        for n in range(CLUSTERS):
            await writer.append(-len(pages), 0, range(n, n + 1))
        with _processes(dsn):
            await _until_served(views, log, await _count(log))
            begins = await _count(log)
            seen: list[tuple[int, float]] = []
            looking = asyncio.create_task(_look(views, seen))
            await writer.play()
            await _until_served(views, log, await _count(log))
            await asyncio.sleep(50 * LOOK_S)  # one more look
            looking.cancel()
        turned = {e.event_id: e for e in await _of_type(log, 0, HealthTransitioned.__name__)}
        told = await _of_type(log, DirectShard.EXPLAINER.value, TransitionExplained.__name__)
        await log.close()
    served, recorded = [], []
    for event in told[begins + WARM_UP :]:
        explained = event.decoded()
        assert isinstance(explained, TransitionExplained)
        at = turned[explained.explains].recorded_at
        found = seen[bisect_left(seen, event.position, key=lambda one: one[0])]
        served.append(1000 * (found[1] - at.timestamp(unit="millisecond") / 1000))
        recorded.append((event.recorded_at - at).total("milliseconds"))
    return served, recorded


@contextmanager
def _processes(dsn: str) -> Generator[None]:
    env = os.environ | {"COPILOT_LOG_DSN": dsn, "COPILOT_LOG_LEVEL": "error"}
    children = [
        subprocess.Popen(tied_to_us([sys.executable, "-m", module]), env=env)
        for module in PROCESSES
    ]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


async def _look(views: ViewReader, seen: list[tuple[int, float]]) -> None:
    """Note when the view has come further in the explainer's shard."""
    while True:
        position = await _position(views)
        if not seen or position > seen[-1][0]:
            seen.append((position, time.time()))
        await asyncio.sleep(LOOK_S)


async def _position(views: ViewReader) -> int:
    """How far the view has read the explainer's shard; -1 before its first event."""
    with suppress(Unavailable):  # the projector has not made the view yet
        for place in await views.positions(explanations.VIEW):
            if place.shard == DirectShard.EXPLAINER.value:
                return place.position
    return -1


async def _of_type(log: PostgresLog, shard: int, type_: str) -> list[RecordedEvent]:
    return [event async for event in replay.events(log, shard) if event.type == type_]


async def _count(log: PostgresLog) -> int:
    """Transitions in the log."""
    return len(await _of_type(log, 0, HealthTransitioned.__name__))


async def _until_served(views: ViewReader, log: PostgresLog, count: int) -> None:
    """Wait until so many transitions are explained, and the view has all of them."""
    shard, kind = DirectShard.EXPLAINER.value, TransitionExplained.__name__
    async with asyncio.timeout(300):
        while len(told := await _of_type(log, shard, kind)) < count:  # noqa: ASYNC110 - another's
            await asyncio.sleep(0.2)
        while await _position(views) < told[-1].position:  # noqa: ASYNC110 - another's
            await asyncio.sleep(LOOK_S)
