"""Which life of which topic an offset counts in.

A topic that was deleted and made again starts at offset 0 while the log remembers a higher one, and
a seek beyond the end is silent: without a name for the topic's life the worker would go blind. The
name is `<topic>@<cluster id>/<topic id>`, both given by the broker. The topic id came with version
10 of Metadata, which aiokafka does not speak; the request below is version 12, which every broker
since Kafka 2.8 answers. A broker that gives no such ids (an embedded one) gets its name from
`COPILOT_KAFKA_INCARNATION`.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from copilot_core.errors import Unavailable
from copilot_streams.kafka import KafkaSettings, broker_away

NO_TOPIC_ID: Final = UUID(int=0)


class _Uuid(AbstractType[UUID]):
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_BROKER = (
    ("node_id", Int32),
    ("host", CompactString()),
    ("port", Int32),
    ("rack", CompactString()),
    ("tags", TaggedFields),
)
_PARTITION = (
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", CompactArray(Int32)),
    ("isr", CompactArray(Int32)),
    ("offline", CompactArray(Int32)),
    ("tags", TaggedFields),
)
_TOPIC = (
    ("error_code", Int16),
    ("name", CompactString()),
    ("topic_id", _Uuid),
    ("is_internal", Boolean),
    ("partitions", CompactArray(*_PARTITION)),
    ("operations", Int32),
    ("tags", TaggedFields),
)


class _MetadataResponse12(Response):
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(*_BROKER)),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        ("topics", CompactArray(*_TOPIC)),
        ("tags", TaggedFields),
    )


class _MetadataRequest12(RequestStruct):
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse12
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString()), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicMetadata(Request[_MetadataRequest12]):
    API_KEY = 3

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_MetadataRequest12]) -> _MetadataRequest12:
        return request_struct_class([(NO_TOPIC_ID, self._topic, {})], False, False, {})


@dataclass(frozen=True, slots=True)
class TopicLife:
    """One life of a topic: its name in the head, how many partitions, and whether to trust its end.

    A broker that is named by hand is one that reports its end offsets too low or forgets them.
    """

    source: str
    partitions: int
    trust_end_offsets: bool


async def topic_life(settings: KafkaSettings, topic: str) -> TopicLife:
    """Ask the broker for the present life of a topic.

    Raises `Unavailable` when no broker answers or the topic does not exist.
    """
    client = AIOKafkaClient(**settings.client_options())
    try:
        await client.bootstrap()
        await client.set_topics([topic])
        partitions = client.cluster.partitions_for_topic(topic)
        if not partitions:
            raise Unavailable(
                f"topic {topic} does not exist",
                where=settings.kafka_bootstrap,
                todo="create the topics of the line before its processes start",
            )
        name = settings.kafka_incarnation or await _name_by_broker(client, topic)
    except KafkaError as e:
        raise broker_away(settings, e) from e
    finally:
        await client.close()
    return TopicLife(f"{topic}@{name}", len(partitions), not settings.kafka_incarnation)


async def _name_by_broker(client: AIOKafkaClient, topic: str) -> str:
    try:
        answer = await client.send(client.get_random_node(), _TopicMetadata(topic))
    except NotImplementedError as e:  # raised by aiokafka when the broker knows no version of ours
        raise Unavailable(
            "this broker gives topics no id (older than Kafka 2.8, or embedded)",
            where=topic,
            todo="set COPILOT_KAFKA_INCARNATION to a name that changes when the topic is made anew",
        ) from e
    _, _, cluster_id, _, topics, _ = (answer.get_item(n) for n in answer.SCHEMA.names)
    return f"{cluster_id}/{topics[0][2]}"
