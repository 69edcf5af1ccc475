"""The reference for the Faust line: aiokafka's batch consumer around the same fold and append.

No group protocol hooks, no seek to the log, no watchdog: take the shards over, get messages by the
batch, write them, commit. A process of its own, as the worker is.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiokafka import AIOKafkaConsumer
from pydantic_settings import SettingsConfigDict
from whenever import Instant

from copilot_core.rules import RulePack
from copilot_core.samples import SAMPLES_TOPIC
from copilot_eventlog.postgres import open_log
from copilot_eventlog.settings import EventLogSettings
from copilot_service import read_settings
from copilot_streams.incarnation import topic_life
from copilot_streams.kafka import KafkaSettings
from copilot_streams.worker.shard import Message, Parts, Refused, ShardWriter

BATCH: Final = 500


class _Settings(KafkaSettings, EventLogSettings):
    model_config = SettingsConfigDict(env_prefix="COPILOT_", frozen=True, extra="ignore")


async def _refuse(refused: Refused) -> None:
    raise refused.error


async def main() -> None:
    """Consume until killed."""
    settings = read_settings(_Settings)
    log = await open_log(settings)
    life = await topic_life(settings, SAMPLES_TOPIC)
    parts = Parts(
        log=log,
        topic=SAMPLES_TOPIC,
        source=life.source,
        writer="bare",
        rules_of=lambda _: RulePack.default(),
        refuse=_refuse,
        clock=Instant.now,
    )
    writers = [await ShardWriter.take_over(parts, shard) for shard in range(life.partitions)]
    consumer = AIOKafkaConsumer(
        SAMPLES_TOPIC,
        bootstrap_servers=settings.kafka_bootstrap,
        group_id="bare",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    while True:
        pages = await consumer.getmany(timeout_ms=200, max_records=BATCH)
        await asyncio.gather(
            *(
                writers[tp.partition].write([Message(r.offset, r.key, r.value) for r in records])
                for tp, records in pages.items()
            )
        )
        await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main())
