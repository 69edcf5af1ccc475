"""What the benchmarks of the line share: the real servers, samples, and processes on them."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from copilot.embedded.child import tied_to_us
from copilot_core.samples import SAMPLES_TOPIC, Sample, encode
from copilot_core.signals import SIGNAL_NAMES
from copilot_eventlog import schema
from copilot_eventlog.postgres import PostgresLog, open_log
from copilot_eventlog.settings import EventLogSettings
from copilot_streams.kafka import KafkaSettings, ensure_topics, topics_of_the_line
from tests.infra.components import kafka_files
from tests.infra.kafka import Kafka
from tests.infra.postgres import Postgres

FIRST_SLOT: Final = 1_780_000_020
INTERVAL_S: Final = 30
WORKER: Final = "copilot_streams.worker.main"


def sample(cluster: str, number: int) -> Sample:
    """The n-th sample of a cluster that works, with noise: few events besides the sample itself."""
    dice = random.Random(f"{cluster}/{number}")
    return Sample(
        cluster=cluster,
        slot=FIRST_SLOT + number * INTERVAL_S,
        interval_s=INTERVAL_S,
        source="bench",
        readings=tuple(round(8 + dice.random(), 3) for _ in SIGNAL_NAMES),
    )


def samples(clusters: int, slots: int, *, after: int = 0) -> list[Sample]:
    """Samples of many clusters, slot by slot."""
    names = [f"cluster-{n}" for n in range(clusters)]
    return [sample(name, after + slot) for slot in range(slots) for name in names]


@dataclass
class Servers:
    """A broker with the line's topics, and a log with its schema."""

    kafka: KafkaSettings
    log_settings: EventLogSettings
    log: PostgresLog
    folder: Path

    def process(self, module: str, name: str, **env: object) -> subprocess.Popen[bytes]:
        """A process of the line on these servers; its output goes to a file of its name."""
        settings = {
            "kafka_bootstrap": self.kafka.kafka_bootstrap,
            "log_dsn": self.log_settings.log_dsn.get_secret_value(),
            "worker_id": name,
            "watchdog_lateness_s": 1_000_000_000,  # the samples here are of the past
            "log_level": "warning",
            **env,
        }
        with (self.folder / f"{name}.log").open("ab") as output:
            return subprocess.Popen(
                tied_to_us([sys.executable, "-m", module]),
                env=os.environ | {f"COPILOT_{k.upper()}": str(v) for k, v in settings.items()},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def fill(self, messages: Sequence[Sample]) -> None:
        """Put messages on the samples topic as fast as it goes."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka.kafka_bootstrap, linger_ms=5)
        await producer.start()
        try:
            sent = [
                await producer.send(SAMPLES_TOPIC, encode(m), key=m.cluster.encode())
                for m in messages
            ]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def dealt_with(self, partitions: int) -> int:
        """How many messages of the topic are in the log."""
        heads = [await self.log.head(shard) for shard in range(partitions)]
        return sum(head.source_offset + 1 for head in heads if head)

    async def until_dealt_with(self, count: int, *, partitions: int, within_s: float) -> None:
        """Wait until that many messages are in the log."""
        async with asyncio.timeout(within_s):
            while await self.dealt_with(partitions) < count:  # noqa: ASYNC110 - another process's
                await asyncio.sleep(0.1)


@asynccontextmanager
async def servers(*, partitions: int) -> AsyncGenerator[Servers]:
    """Start a broker and a database, both durable and both new."""
    with (
        TemporaryDirectory(prefix="copilot-bench-") as name,
        Kafka(kafka_files(), Path(name) / "kafka") as kafka,
        Postgres() as postgres,
    ):
        settings = KafkaSettings(kafka_bootstrap=kafka.bootstrap)
        await ensure_topics(settings, topics_of_the_line(partitions))
        log_settings = EventLogSettings(log_dsn=SecretStr(postgres.dsn(postgres.create_database())))
        log = await open_log(log_settings)
        try:
            await schema.apply(log.pool, log_settings.dialect)
            yield Servers(settings, log_settings, log, Path(name))
        finally:
            await log.close()
