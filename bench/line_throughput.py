"""The Faust line on real Kafka beside a bare aiokafka consumer that does the same fold and append.

Each consumes the same backlog with a process of its own into a log of its own. What counts is the
time between the first and the last event in the log, by the database's clock: starting up counts
for nobody. Rounds alternate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final

from bench.line_parts import WORKER, Servers, samples, servers
from bench.result import BenchResult

PARTITIONS: Final = 2
CLUSTERS: Final = 20
SLOTS: Final = 300
ROUNDS: Final = 3
LIMIT_S: Final = 120.0
BARE: Final = "bench.bare_consumer"


def run() -> Iterator[dict[str, Any]]:
    """Measure; yields `line_vs_aiokafka`."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        ours.append(asyncio.run(_per_s(WORKER)))
        theirs.append(asyncio.run(_per_s(BARE)))
    yield BenchResult.of_rounds(
        "line_vs_aiokafka",
        "samples/s",
        ours=ours,
        reference="bare aiokafka batch consumer, same fold and append",
        theirs=theirs,
    ).as_dict()


async def _per_s(module: str) -> float:
    async with servers(partitions=PARTITIONS) as there:
        backlog = samples(CLUSTERS, SLOTS)
        await there.fill(backlog)
        process = there.process(module, "consumer")
        try:
            await there.until_dealt_with(len(backlog), partitions=PARTITIONS, within_s=LIMIT_S)
        finally:
            process.kill()
            process.wait()
        return await _rate(there)


async def _rate(there: Servers) -> float:
    """Messages per second between the first and the last append."""
    first, last, count = await there.log.pool.fetchrow(
        """
        WITH appends AS (
            SELECT recorded_at, count(DISTINCT (shard, source_offset)) AS messages
            FROM es_event GROUP BY recorded_at
        )
        SELECT min(recorded_at), max(recorded_at),
               sum(messages) FILTER (WHERE recorded_at > (SELECT min(recorded_at) FROM appends))
        FROM appends
        """
    )
    return float(count) / (last - first).total_seconds()
