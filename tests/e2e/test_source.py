"""What the worker does when the topic is not the one it knows, or no longer has what it needs."""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from copilot_core.samples import SAMPLES_TOPIC
from copilot_streams.incarnation import topic_life
from copilot_streams.kafka import ensure_topics, topics_of_the_line
from tests.e2e.line import FIRST_SLOT, INTERVAL_S, Line, eventually, sample, samples

CLUSTERS = ("emea", "apac", "amer", "test-1")


async def test_a_topic_made_anew_is_read_from_its_beginning(line: Line) -> None:
    """Deleted and made again, the topic has another id: offsets count anew, held samples wait on.

    The new topic soon has more messages than the old one had, so offsets alone would not tell.
    """
    await line.send(samples(CLUSTERS, slots=3))
    await line.send([sample("emea", FIRST_SLOT + 4 * INTERVAL_S)])  # waits for slot 3
    worker = line.start_worker()

    async def all_dealt_with() -> bool:
        heads = [h for shard in (0, 1) if (h := await line.log.head(shard))]
        return any(h.carry for h in heads) and sum(h.source_offset + 1 for h in heads) == sent

    sent = 3 * len(CLUSTERS) + 1
    await eventually(all_dealt_with)
    before = await topic_life(line.kafka, SAMPLES_TOPIC)
    worker.stop()
    await _delete_topic(line)
    await ensure_topics(line.kafka, topics_of_the_line(line.partitions))
    after = await topic_life(line.kafka, SAMPLES_TOPIC)
    assert before.source != after.source
    await line.send([sample("emea", FIRST_SLOT + 3 * INTERVAL_S)])
    await line.send(samples(["emea"], slots=10, after=5))
    await line.send(samples(["apac", "amer", "test-1"], slots=12, after=3))
    worker.start()
    await line.log_holds_everything()
    assert "new source" in worker.said()


async def _delete_topic(line: Line) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=line.kafka.kafka_bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([SAMPLES_TOPIC])

        async def gone() -> bool:
            return SAMPLES_TOPIC not in await admin.list_topics()

        await eventually(gone)
    finally:
        await admin.close()
    await asyncio.sleep(1)  # the name is free a moment after it left the listing


async def test_messages_lost_by_retention_are_recorded_and_left_behind(line: Line) -> None:
    """What retention deleted while no worker ran is a dead letter; the worker goes on after it."""
    await line.send(samples(["emea"], slots=5))
    worker = line.start_worker()
    await line.log_holds_everything()
    worker.stop()
    await line.send(samples(["emea"], slots=10, after=5))
    shard = line.shard_of("emea")
    admin = AIOKafkaAdminClient(bootstrap_servers=line.kafka.kafka_bootstrap)
    await admin.start()
    gone = {TopicPartition(SAMPLES_TOPIC, shard): RecordsToDelete(before_offset=12)}
    await admin.delete_records(gone)
    await admin.close()
    del line.sent[5:12]
    worker.start()
    await line.log_holds_everything()
    (letter,) = await line.log.dead_letters()
    assert letter.code == "lost_by_retention"
    assert letter.reason.startswith("offsets 5 to 11 ")


async def test_a_broker_that_lost_messages_is_refused(line: Line) -> None:
    """The log knows offset 100, the same topic ends at 5: going on would be blind, so it exits."""
    await line.send(samples(["emea"], slots=5))
    life = await topic_life(line.kafka, SAMPLES_TOPIC)
    shard = line.shard_of("emea")
    head = await line.log.take_over(shard, writer="before", source=life.source)
    await line.log.append(head, (), source_offset=100)
    worker = line.start_worker()
    assert await worker.ended() == 70
    assert "the broker lost messages" in worker.said()
    assert "COPILOT_KAFKA_INCARNATION" in worker.said()


async def test_a_topic_made_anew_under_a_running_worker_is_noticed(line: Line) -> None:
    """The topic is replaced while the worker runs: it exits, and its next life reads it anew."""
    await line.send(samples(CLUSTERS, slots=10))
    worker = line.start_worker()
    await line.log_holds_everything()
    await _delete_topic(line)
    await ensure_topics(line.kafka, topics_of_the_line(line.partitions))
    assert await worker.ended() == 70
    assert "it was made anew" in worker.said()
    worker.start()
    await line.send(samples(CLUSTERS, slots=5, after=10))
    await line.log_holds_everything()


async def test_a_named_incarnation_starts_over(line: Line) -> None:
    """The way out of a broker that lost messages: a new name for its life, and it is read anew."""
    await line.send(samples(["emea"], slots=5))
    life = await topic_life(line.kafka, SAMPLES_TOPIC)
    head = await line.log.take_over(line.shard_of("emea"), writer="before", source=life.source)
    await line.log.append(head, (), source_offset=100)
    line.start_worker(kafka_incarnation="after-the-loss")
    await line.log_holds_everything()


async def test_a_missing_topic_is_named(line: Line) -> None:
    """A worker without its topic would sit idle for ever; it exits 75 and says which one."""
    await _delete_topic(line)
    worker = line.start_worker()
    assert await worker.ended() == 75
    assert f"topic {SAMPLES_TOPIC} does not exist" in worker.said()
