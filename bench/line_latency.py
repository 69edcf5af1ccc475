"""From handing a sample to Kafka until its events are in the log, at a steady trickle.

200 clusters at 30 s cadence are 7 samples a second; this sends 20. The end is the database's clock
at the append (`recorded_at`), the begin this process's clock before `send`: both on one machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from statistics import median, quantiles
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from bench.line_parts import WORKER, Servers, sample, servers
from bench.result import BenchResult
from copilot_core.samples import SAMPLES_TOPIC, encode

PARTITIONS: Final = 2
SAMPLES_PER_S: Final = 20
SECONDS: Final = 20
WARM_UP: Final = 40


def run() -> Iterator[dict[str, Any]]:
    """Measure; yields `sample_to_event_ms`: p99, with p50 beside it."""
    waits = asyncio.run(_waits_ms())[WARM_UP:]
    yield BenchResult(
        "sample_to_event_ms",
        round(quantiles(waits, n=100)[98], 1),
        "ms (p99)",
        "p50 of the same run",
        round(median(waits), 1),
    ).as_dict()


async def _waits_ms() -> list[float]:
    async with servers(partitions=PARTITIONS) as there:
        process = there.process(WORKER, "worker")
        try:
            await _taken_over(there)
            sent = await _send(there)
            await there.until_dealt_with(len(sent), partitions=PARTITIONS, within_s=60)
        finally:
            process.kill()
            process.wait()
        recorded = await _recorded_ms(there)
    return [recorded[place] - at for place, at in sent.items()]


async def _taken_over(there: Servers) -> None:
    async with asyncio.timeout(60):
        while len(await there.log.shards()) < PARTITIONS:  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.1)
    await asyncio.sleep(1)


async def _send(there: Servers) -> dict[tuple[int, int], float]:
    """Send a trickle; when each message was sent, by partition and offset."""
    sent: dict[tuple[int, int], float] = {}
    producer = AIOKafkaProducer(bootstrap_servers=there.kafka.kafka_bootstrap)
    await producer.start()
    try:
        for number in range(SAMPLES_PER_S * SECONDS):
            message = sample(f"cluster-{number % 20}", number // 20)
            now_ms = time.time_ns() / 1e6
            place = await producer.send_and_wait(
                SAMPLES_TOPIC, encode(message), key=message.cluster.encode()
            )
            sent[place.partition, place.offset] = now_ms
            await asyncio.sleep(1 / SAMPLES_PER_S)
    finally:
        await producer.stop()
    return sent


async def _recorded_ms(there: Servers) -> dict[tuple[int, int], float]:
    rows = await there.log.pool.fetch(
        "SELECT shard, source_offset, extract(epoch FROM min(recorded_at)) * 1000 AS at"
        " FROM es_event GROUP BY shard, source_offset"
    )
    return {(row["shard"], row["source_offset"]): float(row["at"]) for row in rows}
