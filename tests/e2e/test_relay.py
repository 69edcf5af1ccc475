"""The relay on real Kafka and PostgreSQL: in order, at least once, from where it stood."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from copilot_core.events import (
    RecordedEvent,
    TransitionExplained,
    decode,
    event_id,
    new_event,
)
from copilot_core.samples import EVENTS_TOPIC
from copilot_eventlog import config_log
from copilot_eventlog.direct import DirectShard, DirectWriter
from copilot_streams.relay.publisher import INSIDE
from tests.e2e.line import Line, samples
from tests.infra.kafka import Kafka
from tests.integration.eventlog.config_contract import changed
from tests.unit.projections.explaining import explaining
from tests.unit.projections.story import NOON

RELAY = "copilot_streams.relay.main"
CLUSTERS = ("emea", "apac", "amer", "test-1")


async def published(line: Line, wanted: int, *, within_s: float = 60) -> list[ConsumerRecord]:
    """What is on the public topic, once at least `wanted` different events are there."""
    consumer = AIOKafkaConsumer(
        EVENTS_TOPIC, bootstrap_servers=line.kafka.kafka_bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    records: list[ConsumerRecord] = []
    try:
        async with asyncio.timeout(within_s):
            while len({header(r, "event-id") for r in records}) < wanted:
                page = await consumer.getmany(timeout_ms=500)
                records += [record for run in page.values() for record in run]
    finally:
        await consumer.stop()
    return records


def header(record: ConsumerRecord, name: str) -> str:
    """One header of a message."""
    return dict(record.headers)[name].decode()


def assert_in_order(records: Sequence[ConsumerRecord]) -> None:
    """Of each stream, the first time an event appears, those before it have appeared."""
    seen: dict[str, list[int]] = {}
    for record in records:
        versions = seen.setdefault(header(record, "stream"), [])
        if (version := int(header(record, "version"))) not in versions:
            versions.append(version)
    assert all(versions == sorted(versions) for versions in seen.values())


async def public_events(line: Line) -> list[RecordedEvent]:
    """The recorded events that the relay publishes by default."""
    events = (await line.recorded()).values()
    return [e for stream in events for e in stream if e.type not in INSIDE]


async def test_every_decided_event_is_published_once_in_order(line: Line) -> None:
    """The public topic holds every event but the samples, keyed, with headers and JSON value."""
    await line.send(samples(CLUSTERS, slots=20))
    line.start_worker()
    line.start_worker("relay", module=RELAY)
    await line.log_holds_everything()
    expected = await public_events(line)
    records = await published(line, len(expected))
    assert len(records) == len(expected)
    assert_in_order(records)
    by_id = {header(r, "event-id"): r for r in records}
    for event in expected:
        record = by_id[str(event.event_id)]
        value = orjson.loads(record.value or b"")
        assert record.key == event.cluster.encode()
        assert value["data"] == orjson.loads(event.payload)
        assert value["event_id"] == str(event_id(event.stream, event.version))
        assert (value["shard"], value["position"]) == (event.shard, event.position)
        assert header(record, "type") == value["type"] == event.type


async def test_killed_and_restarted_it_doubles_but_never_loses_or_reorders(
    line: Line, own_kafka: Kafka
) -> None:
    """kill -9 of the relay, then of the broker, under load: every event is there, in order."""
    worker = line.start_worker()
    await worker.says("shards taken over")
    relay = line.start_worker("relay", module=RELAY, relay_samples=True)
    for n in range(3):
        await line.send(samples(CLUSTERS, slots=10, after=10 * n))
        relay.kill()
        relay.start()
    await relay.says('"condition": "publishing", "why": "", "event": "ready"')
    await asyncio.to_thread(own_kafka.kill)
    await asyncio.to_thread(own_kafka.start)
    await line.send(samples(CLUSTERS, slots=5, after=30))
    await line.log_holds_everything()
    events = [event for stream in (await line.recorded()).values() for event in stream]
    records = await published(line, len(events))
    assert {header(r, "event-id") for r in records} == {str(e.event_id) for e in events}
    assert_in_order(records)


async def test_two_relays_only_double(line: Line) -> None:
    """Two relays on one log: the first appearances of all events are complete and in order."""
    line.start_worker()
    for name in ("relay-1", "relay-2"):
        line.start_worker(name, module=RELAY)
    await line.send(samples(CLUSTERS, slots=20))
    await line.log_holds_everything()
    expected = await public_events(line)
    records = await published(line, len(expected))
    assert {header(r, "event-id") for r in records} == {str(e.event_id) for e in expected}
    assert_in_order(records)


async def test_changes_of_configuration_are_published_like_every_event(line: Line) -> None:
    """What a deployment emits reaches the public topic beside what the fold decides, each stream
    in order, from a shard that belongs to no partition."""
    relay = line.start_worker("relay", module=RELAY)
    line.start_worker()
    emitted: list[RecordedEvent] = []
    for version in (1, 2):
        for cluster in CLUSTERS:
            event = changed(version)
            emitted.append(
                await config_log.append(line.log, cluster, event, version=version, writer="test")
            )
        await line.send(samples(CLUSTERS, slots=10, after=10 * version))
    await line.log_holds_everything()
    expected = [*await public_events(line), *emitted]
    records = await published(line, len(expected))
    assert len(records) == len(expected)
    assert_in_order(records)
    values = {header(r, "event-id"): orjson.loads(r.value or b"") for r in records}
    for event in emitted:
        value = values[str(event.event_id)]
        assert (value["cluster"], value["stream"]) == (event.cluster, f"config/{event.cluster}")
        assert (value["shard"], value["version"]) == (config_log.CONFIG_SHARD, event.version)
        assert value["causation"] is None
        assert value["data"] == orjson.loads(event.payload)
    assert relay.exit_code is None


async def test_words_are_published_like_every_event(line: Line) -> None:
    """Explanations by rule and a model's better ones reach the public topic whole, each once and in
    order of their stream, although two writers have a shard each and the relay comes late."""
    rules = DirectWriter(line.log, DirectShard.EXPLAINER, writer="test")
    models = DirectWriter(line.log, DirectShard.EXPLANATIONS, writer="test")
    written: list[RecordedEvent] = []
    for version in range(1, 7):
        writer, model = (rules, None) if version % 3 else (models, "stub")
        for cluster in CLUSTERS:
            explains = event_id(f"health/{cluster}", version)
            told = explaining(TransitionExplained, NOON, explains, model=model)
            written.append(await writer.append(new_event(told, cluster=cluster, version=version)))
    relay = line.start_worker("relay", module=RELAY)
    records = await published(line, len(written))
    assert len(records) == len(written)
    assert_in_order(records)
    values = {header(r, "event-id"): orjson.loads(r.value or b"") for r in records}
    for event in written:
        value = values[str(event.event_id)]
        assert (value["type"], value["cluster"]) == ("TransitionExplained", event.cluster)
        assert (value["stream"], value["shard"]) == (f"explanation/{event.cluster}", event.shard)
        assert value["data"] == orjson.loads(event.payload)
        assert decode(event.type, value["schema_version"], orjson.dumps(value["data"])) == (
            event.decoded()
        )
    assert relay.exit_code is None
