"""The Kafka broker of the tests does what crash tests count on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.infra.process import ServerFailed

if TYPE_CHECKING:
    from tests.infra.kafka import Kafka


async def _produce(kafka: Kafka, topic: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def _read(kafka: Kafka, topic: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_kill_keeps_acknowledged_messages_and_the_address(own_kafka: Kafka) -> None:
    """After `kill -9` and a start every acknowledged message is there, at the same address."""
    address = own_kafka.bootstrap
    await own_kafka.create_topics({"kept": 1})
    await _produce(own_kafka, "kept", [b"1", b"2", b"3"])

    own_kafka.kill()
    assert not own_kafka.running
    await asyncio.to_thread(own_kafka.start)

    assert own_kafka.bootstrap == address
    await _produce(own_kafka, "kept", [b"4"])
    assert await _read(own_kafka, "kept", 4) == [b"1", b"2", b"3", b"4"]


async def test_a_frozen_broker_answers_nothing_until_it_goes_on(own_kafka: Kafka) -> None:
    """`pause` makes requests time out with the connection open; `resume` lets them through."""
    await own_kafka.create_topics({"frozen": 1})
    producer = AIOKafkaProducer(bootstrap_servers=own_kafka.bootstrap, request_timeout_ms=1_000)
    await producer.start()
    try:
        await producer.send_and_wait("frozen", b"before", partition=0)
        own_kafka.pause()
        with pytest.raises(KafkaError):
            await producer.send_and_wait("frozen", b"lost", partition=0)
        own_kafka.resume()
        await producer.send_and_wait("frozen", b"through", partition=0)
    finally:
        await producer.stop()


async def test_topics_are_only_made_on_purpose(kafka: Kafka, topic_suffix: str) -> None:
    """A topic nobody created does not appear by asking for it; one made twice is refused."""
    made = f"made{topic_suffix}"
    await kafka.create_topics({made: 3})
    with pytest.raises(ServerFailed):
        await kafka.create_topics({made: 3})

    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap)
    await consumer.start()
    try:
        assert consumer.partitions_for_topic(f"absent{topic_suffix}") is None
        # A broker learns of a new topic from the controller a moment after the creator does.
        async with asyncio.timeout(10):
            while made not in (topics := await consumer.topics()):
                await asyncio.sleep(0.05)
    finally:
        await consumer.stop()
    assert f"absent{topic_suffix}" not in topics
