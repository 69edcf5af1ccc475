"""kill -9 of the worker until the next sample is in the log, folded from the right state.

Real Kafka, a static id; a supervisor starts the process again at once, and samples are waiting.
Measured with 10⁴ and with 10⁶ events in the log: recovery reads the newest snapshots and what came
after them, so the size of the log should not matter. The older events are a real one's bytes under
the names of other clusters, written by one statement, with the snapshots that such clusters have.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any, Final

from bench.line_parts import WORKER, Servers, samples, servers
from bench.result import BenchResult
from copilot_core.fold import fold, initial
from copilot_core.rules import RulePack
from copilot_streams.worker.states import snapshot_of

PARTITIONS: Final = 1
CLUSTERS: Final = 20
WARM_SLOTS: Final = 30
KILLS: Final = 5
OLD_CLUSTERS: Final = 100
SMALL: Final = 10_000
LARGE: Final = 1_000_000

_FILL: Final = """
INSERT INTO es_event (shard, pos, stream_id, version, event_id, type, schema_version, source_offset,
                      occurred_at, recorded_at, meta, payload)
SELECT 0, n, 'health/old-' || n % 100, 1 + n / 100, gen_random_uuid(), 'SampleRecorded', 1, NULL,
       now(), now(), NULL, $2
FROM generate_series(0, $1::bigint - 1) AS n
"""


def run() -> Iterator[dict[str, Any]]:
    """Measure; yields `recovery_s`: the median at 10⁶ events, with that at 10⁴ beside it."""
    small, large = (asyncio.run(_recovery_s(events)) for events in (SMALL, LARGE))
    yield BenchResult(
        "recovery_s",
        round(median(large), 2),
        "s (median of 5, 10⁶ events)",
        "the same with 10⁴ events",
        round(median(small), 2),
    ).as_dict()


async def _recovery_s(events: int) -> list[float]:
    async with servers(partitions=PARTITIONS) as there:
        await _fill(there, events)
        await there.fill(samples(CLUSTERS, WARM_SLOTS))
        process = there.process(WORKER, "worker")
        await there.until_dealt_with(CLUSTERS * WARM_SLOTS, partitions=PARTITIONS, within_s=90)
        took: list[float] = []
        for number in range(KILLS):
            process.kill()
            process.wait()
            killed = time.perf_counter()
            process = there.process(WORKER, "worker")
            await there.fill(samples(CLUSTERS, 1, after=WARM_SLOTS + number))
            already = CLUSTERS * (WARM_SLOTS + number)
            await there.until_dealt_with(already + 1, partitions=PARTITIONS, within_s=60)
            took.append(time.perf_counter() - killed)
            await there.until_dealt_with(already + CLUSTERS, partitions=PARTITIONS, within_s=60)
        process.kill()
        process.wait()
        return took


async def _fill(there: Servers, events: int) -> None:
    """Put `events` older events into the shard and its head behind them."""
    (old,) = samples(1, 1)
    recorded = fold(initial(old.cluster), old, RulePack.default()).events[0]
    await there.log.take_over(0, writer="bench", source="bench")
    for number in range(OLD_CLUSTERS):
        state = replace(initial(f"old-{number}"), health_version=events // OLD_CLUSTERS)
        await there.log.save_snapshot(snapshot_of(replace(state, last_slot=old.slot)))
    async with there.log.pool.acquire() as con:
        await con.execute(_FILL, events, recorded.payload.decode(), timeout=300)
        await con.execute("UPDATE es_head SET next_pos = $1 WHERE shard = 0", events)
        await con.execute("ANALYZE es_event", timeout=120)
