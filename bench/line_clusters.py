"""What 200 clusters cost beside one: memory, and CPU at a sample per 30 s each.

Time is compressed: the samples of an hour are consumed as a backlog, and the CPU seconds of the
worker per sample give the share of one core that true time would take. That share is an upper
estimate of the work and leaves out what an idle worker uses; the idle share is measured apart, by
the worker's own CPU over some quiet seconds, and added.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import psutil

from bench.line_parts import INTERVAL_S, WORKER, samples, servers
from bench.result import BenchResult

PARTITIONS: Final = 2
SLOTS: Final = 120
"""An hour at 30 s."""
QUIET_S: Final = 10.0
MANY: Final = 200


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one worker: resident memory, CPU per sample, and the share of a core it uses idle."""

    rss_mb: float
    cpu_ms_per_sample: float
    idle_cpu_pct: float

    def cpu_pct(self, clusters: int) -> float:
        """Percent of one core at one sample per cluster and 30 s."""
        return self.idle_cpu_pct + clusters / INTERVAL_S * self.cpu_ms_per_sample / 10


def run() -> Iterator[dict[str, Any]]:
    """Measure; yields `clusters_200` twice: percent of a core, and MB."""
    one, many = (asyncio.run(_cost(clusters)) for clusters in (1, MANY))
    detail = f"{many.cpu_ms_per_sample:.2f} ms a sample, {many.idle_cpu_pct:.1f} % idle"
    yield BenchResult(
        "clusters_200",
        round(many.cpu_pct(MANY), 2),
        f"% of a core ({detail})",
        "with 1 cluster",
        round(one.cpu_pct(1), 2),
    ).as_dict()
    yield BenchResult(
        "clusters_200", round(many.rss_mb, 1), "MB resident", "with 1 cluster", round(one.rss_mb, 1)
    ).as_dict()


async def _cost(clusters: int) -> Cost:
    async with servers(partitions=PARTITIONS) as there:
        process = there.process(WORKER, "worker")
        try:
            worker = psutil.Process(process.pid)
            warm = samples(clusters, 2)
            await there.fill(warm)
            await there.until_dealt_with(len(warm), partitions=PARTITIONS, within_s=90)
            before = _cpu_s(worker)
            hour = samples(clusters, SLOTS, after=2)
            await there.fill(hour)
            total = len(warm) + len(hour)
            await there.until_dealt_with(total, partitions=PARTITIONS, within_s=300)
            busy = _cpu_s(worker) - before
            before = _cpu_s(worker)
            await asyncio.sleep(QUIET_S)
            idle_pct = 100 * (_cpu_s(worker) - before) / QUIET_S
            return Cost(worker.memory_info().rss / 1e6, 1000 * busy / len(hour), idle_pct)
        finally:
            process.kill()
            process.wait()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
