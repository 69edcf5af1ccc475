"""The embedded broker carries the line's traffic, and its starts can be told apart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition

from copilot.embedded.broker import EmbeddedBroker
from copilot_streams.incarnation import topic_life
from copilot_streams.kafka import producing

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOPICS = {"samples": 4, "dead": 1, "events": 4}


async def _read(
    broker: EmbeddedBroker, topic: str, *, group: str | None, count: int
) -> list[tuple[int, bytes]]:
    """`count` messages of a topic as (partition, value)."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        group_id=group,
        group_instance_id="worker-1" if group else None,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            messages = [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
    return [(message.partition, message.value or b"") for message in messages]


def _by_partition(messages: Sequence[tuple[int, bytes]]) -> dict[int, list[bytes]]:
    return {
        partition: [value for at, value in messages if at == partition]
        for partition, _ in sorted(messages)
    }


async def test_every_message_arrives_once_and_in_order() -> None:
    """A group member and a reader without a group both get all messages, in order."""
    async with EmbeddedBroker(_TOPICS) as broker:
        sent = [(n % 4, b"%d" % n) for n in range(200)]
        async with producing(broker.settings) as producer:
            for partition, value in sent:
                await producer.send_and_wait("samples", value, partition=partition)
        grouped = await _read(broker, "samples", group="worker", count=200)
        alone = await _read(broker, "samples", group=None, count=200)
    assert _by_partition(grouped) == _by_partition(alone) == _by_partition(sent)


async def test_topics_have_the_partitions_asked_for() -> None:
    """Each topic is there from the start with its number of partitions."""
    async with EmbeddedBroker(_TOPICS) as broker:
        lives = [await topic_life(broker.settings, topic) for topic in _TOPICS]
    assert [life.partitions for life in lives] == list(_TOPICS.values())


async def test_offsets_of_two_starts_cannot_be_confused() -> None:
    """A restart forgets everything and says so: the topic's life has another name."""
    broker = EmbeddedBroker({"samples": 1})
    lives: list[str] = []
    for _ in range(2):
        async with broker:
            lives.append((await topic_life(broker.settings, "samples")).source)
            consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap)
            await consumer.start()
            partition = TopicPartition("samples", 0)
            assert await consumer.end_offsets([partition]) == {partition: 0}
            await consumer.stop()
            async with producing(broker.settings) as producer:
                await producer.send_and_wait("samples", b"x", partition=0)
    assert len(set(lives)) == 2
