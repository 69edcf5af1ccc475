"""Recorded events to the public topic: in order, at least once, from where it stood.

Theory of operation. For each shard: read behind the checkpoint, publish, wait for Kafka's
acknowledgement, move the checkpoint. Per partition of the public topic only one batch is on its
way, and the next is sent after it was acknowledged; so whatever fails, no event is ever published
before the one in front of it; a stream that several shards hold is put in order by
`copilot_streams.relay.order`. A crash repeats what was published since the checkpoint, with the
same event ids.

Two relays at once only double. Each publishes an unbroken run of the log that begins at a
checkpoint, and a checkpoint is saved when all before it are acknowledged; so the first time an
event appears, the events before it have appeared. Now and then a relay looks whether the stored
checkpoint has passed its own, and goes on from there.

`SampleRecorded` and `LogSampleRecorded` stay inside unless asked for: they are what was seen, one a
slot and cluster (3 MB per cluster and day), while alerting wants what was decided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from prometheus_client import CollectorRegistry, Counter, Gauge

from copilot_core.errors import Unavailable
from copilot_core.events import RecordedEvent
from copilot_core.samples import EVENTS_TOPIC
from copilot_eventlog.places import Places
from copilot_eventlog.protocol import EventLog
from copilot_streams.kafka import partition_of
from copilot_streams.relay.message import headers_of, value_of
from copilot_streams.relay.order import StreamOrder

READER: Final = "relay"
BUILD: Final = "1"
PAGE: Final = 500
INSIDE: Final = frozenset({"SampleRecorded", "LogSampleRecorded"})


class Publisher:
    """Publishes shard by shard; remembers how far it is in each."""

    def __init__(
        self,
        log: EventLog,
        producer: AIOKafkaProducer,
        registry: CollectorRegistry,
        *,
        samples: bool,
        partitions: int,
    ) -> None:
        self._log = log
        self._producer = producer
        self._partitions = partitions
        self._inside = frozenset() if samples else INSIDE
        self._places = Places(log, reader=READER, build=BUILD)
        self._order = StreamOrder(log)
        self._published = Counter(
            "copilot_relay_events_total", "Events published, by type", ["type"], registry=registry
        )
        self._lag = Gauge(
            "copilot_relay_lag_events",
            "Events recorded but not dealt with",
            ["shard"],
            registry=registry,
        )

    async def refresh(self) -> None:
        """Look for new shards, for a checkpoint that another relay moved, and for the lag."""
        for shard, behind in (await self._places.refresh(await self._log.shards())).items():
            self._lag.labels(str(shard)).set(behind)

    async def step(self) -> int:
        """Publish one page of every shard; returns how many events were dealt with.

        Raises `Unavailable` when the log or Kafka is away; what is published then may be repeated.
        """
        return sum(await asyncio.gather(*map(self._step, self._places.positions)))

    async def _step(self, shard: int) -> int:
        positions = self._places.positions
        read = await self._log.read(shard, after=positions[shard], limit=PAGE)
        page = await self._order.ready(read, positions)
        if not page:
            return 0
        await self._publish([event for event in page if event.type not in self._inside])
        self._order.published(page)
        await self._places.move(shard, page[-1].position)
        return len(page)

    async def _publish(self, events: Iterable[RecordedEvent]) -> None:
        by_partition: dict[int, list[RecordedEvent]] = {}
        for event in events:
            by_partition.setdefault(partition_of(event.cluster, self._partitions), []).append(event)
        try:
            await asyncio.gather(*(self._run(p, run) for p, run in by_partition.items()))
        except KafkaError as e:
            raise Unavailable(
                f"events not taken: {type(e).__name__}: {e}",
                where=EVENTS_TOPIC,
                todo="check the broker; publishing goes on from the checkpoint",
            ) from e

    async def _run(self, partition: int, events: list[RecordedEvent]) -> None:
        """Publish events to one partition, batch after acknowledged batch."""
        batch = self._producer.create_batch()
        for event in events:
            if not _add(batch, event):
                await self._send(batch, partition)
                batch = self._producer.create_batch()
                _add(batch, event)
        await self._send(batch, partition)
        for event in events:
            self._published.labels(event.type).inc()

    async def _send(self, batch: BatchBuilder, partition: int) -> None:
        batch.close()
        acknowledged = await self._producer.send_batch(batch, EVENTS_TOPIC, partition=partition)
        await acknowledged


def _add(batch: BatchBuilder, event: RecordedEvent) -> bool:
    """Put an event into a batch; False when it is full. An empty batch takes any event."""
    added = batch.append(
        timestamp=None,
        key=event.cluster.encode(),
        value=value_of(event),
        headers=headers_of(event),
    )
    return added is not None
