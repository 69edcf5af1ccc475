"""Once a second: how far behind, whether anything moves, and whose samples fail to come.

*Progress* of a worker is an append, or the proof that there is nothing to append: the broker
answers, every owned partition ends where the log ends, and nothing that was delivered waits. So a
worker whose lag grows while nothing is appended makes no progress, whatever the reason, and its
service ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faust.types import TP
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.samples import SAMPLES_TOPIC, Sample, encode
from copilot_streams.agents.consumer import LogApp
from copilot_streams.agents.health import HealthAgent, Host
from copilot_streams.clusters import ClustersFile
from copilot_streams.kafka import partition_of
from copilot_streams.watchdog import Watchdog
from copilot_streams.worker.metrics import WorkerMetrics

PERIOD_S: Final = 1.0
ANSWER_TIMEOUT_S: Final = 10.0

log_ = structlog.get_logger(__name__)


class Attendance:
    """Watches over one worker; see the module's docstring."""

    def __init__(
        self,
        app: LogApp,
        agent: HealthAgent,
        host: Host,
        metrics: WorkerMetrics,
        *,
        partitions: int,
        producer: AIOKafkaProducer,
        watchdog: Watchdog,
        clusters: ClustersFile | None,
        clock: Callable[[], Instant],
        rival_after_s: float,
    ) -> None:
        self._app = app
        self._agent = agent
        self._host = host
        self._metrics = metrics
        self._partitions = partitions
        self._producer = producer
        self._watchdog = watchdog
        self._clusters = clusters
        self._clock = clock
        self._rival_after_s = rival_after_s

    async def run(self) -> None:
        """Attend until cancelled.

        Raises `Fenced` when a rival writes to one of our shards, `Defect` when the topic lost what
        the log has of it.
        """
        while True:
            await asyncio.sleep(PERIOD_S)
            self._agent.check_rivals(after_s=self._rival_after_s)
            if self._agent.generation is None or self._app.rebalancing:
                continue
            self._reload()
            lags = await self._lags()
            if lags is None:
                continue
            if self._agent.idle() and not any(lags.values()) and not self._agent.fenced_since:
                self._host.progress()
            await self._fill_silence([shard for shard, lag in lags.items() if lag == 0])

    async def _lags(self) -> dict[int, int] | None:
        """Messages behind, by owned shard; None when the broker does not say.

        All partitions are asked for: a worker that owns none also has to know whether Kafka lives.
        """
        tps = [TP(SAMPLES_TOPIC, partition) for partition in range(self._partitions)]
        expected = dict(self._agent.wanted())
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                ends = await self._app.consumer.highwaters(*tps)
        except (KafkaError, TimeoutError) as e:
            self._host.set_ready("kafka", False, why=f"{type(e).__name__}: {e}")
            return None
        self._host.set_ready("kafka", True)
        by_partition = {tp.partition: end for tp, end in ends.items()}
        for shard, offset in expected.items():
            self._agent.check_end(shard, end=by_partition[shard], expected=offset)
        lags = {shard: max(0, by_partition[shard] - offset) for shard, offset in expected.items()}
        for shard, lag in lags.items():
            self._metrics.lag.labels(str(shard)).set(lag)
        return lags

    def _reload(self) -> None:
        """Follow the clusters file: who is taken out of it is no longer waited for."""
        try:
            if self._clusters is None or not self._clusters.changed():
                return
        except Rejected as e:
            log_.warning("clusters file is wrong, the former one stays", what=e.what, where=e.where)
            return
        self._watchdog.expected = intervals_of(self._clusters)
        log_.info("clusters file read again", clusters=len(self._clusters.current))

    async def _fill_silence(self, shards: list[int]) -> None:
        """Send what the watchdog finds overdue in shards that are caught up."""
        now = self._clock()
        for shard in shards:
            writer = self._agent.writers.get(shard)
            if writer is None:
                continue

            # A cluster of another partition only has its past here: its new owner watches it.
            def mine(cluster: str, shard: int = shard) -> bool:
                return partition_of(cluster, self._partitions) == shard

            for sample in self._watchdog.overdue(writer.states, now, mine=mine):
                await self._send(sample)

    async def _send(self, sample: Sample) -> None:
        log_.warning("no sample came", cluster=sample.cluster, slot=sample.slot)
        try:
            await self._producer.send_and_wait(
                SAMPLES_TOPIC, value=encode(sample), key=sample.cluster.encode()
            )
        except KafkaError as e:  # the next overdue slot closes this one as well
            log_.warning("silent slot not sent", cluster=sample.cluster, what=str(e))
        else:
            self._metrics.filled.inc()


def intervals_of(clusters: ClustersFile) -> dict[str, int]:
    """Who should report, and how many seconds apart."""
    return {cluster.id: cluster.interval_s for cluster in clusters.current}
