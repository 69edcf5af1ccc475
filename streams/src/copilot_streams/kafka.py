"""How every part of the line reaches Kafka: one set of settings, two clients' spellings.

The scrapers, the watchdog, the relay and the dead letters use aiokafka directly; the worker uses it
through Faust. Topics are made by `ensure_topics` and never by a broker's auto-creation, which
would create a mistyped name silently.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.partitioner import murmur2
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from copilot_core.errors import Unavailable
from copilot_core.samples import DEAD_LETTER_TOPIC, EVENTS_TOPIC, SAMPLES_TOPIC

WEEK_MS: Final = 7 * 24 * 3600 * 1000


class Security(StrEnum):
    """How a connection is protected."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How a client proves who it is."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class KafkaSettings(BaseSettings):
    """Where Kafka is and how to get in; mixed into the settings of each process that needs it."""

    model_config = SettingsConfigDict(
        env_prefix="COPILOT_", frozen=True, extra="ignore", populate_by_name=True
    )

    kafka_bootstrap: str = Field(description="comma-separated host:port of the brokers")
    kafka_security: Security = Field(Security.PLAINTEXT, description="protocol of the connection")
    kafka_sasl_mechanism: SaslMechanism = Field(
        SaslMechanism.SCRAM_SHA_512, description="used when kafka_security is SASL_*"
    )
    kafka_username: str = Field("", description="SASL user")
    kafka_password: SecretStr = Field(SecretStr(""), description="SASL password")
    kafka_ca_file: str = Field("", description="PEM file of the CA; empty: the system's")
    kafka_incarnation: str = Field(
        "",
        description="name of this life of the broker; only for one that forgets its offsets when "
        "it restarts and so needs a new name each time",
    )
    kafka_idempotent: bool = Field(
        True, description="idempotent producers; off only for a broker that cannot"
    )

    @model_validator(mode="after")
    def _sasl_has_a_user(self) -> KafkaSettings:
        if self.kafka_security.startswith("SASL") and not self.kafka_username:
            raise ValueError("COPILOT_KAFKA_USERNAME is needed with SASL")
        return self

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context, or None for a connection without TLS."""
        if not self.kafka_security.endswith("SSL"):
            return None
        return ssl.create_default_context(cafile=self.kafka_ca_file or None)

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments for any aiokafka client."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap,
            "security_protocol": self.kafka_security.value,
        }
        if (context := self.ssl_context()) is not None:
            options["ssl_context"] = context
        if self.kafka_security.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.kafka_sasl_mechanism.value,
                "sasl_plain_username": self.kafka_username,
                "sasl_plain_password": self.kafka_password.get_secret_value(),
            }
        return options

    def faust_options(self) -> dict[str, Any]:
        """Keyword arguments for `faust.App` with the same meaning."""
        servers = (server.strip() for server in self.kafka_bootstrap.split(","))
        options: dict[str, Any] = {"broker": ";".join(f"kafka://{server}" for server in servers)}
        context = self.ssl_context()
        if self.kafka_security.startswith("SASL"):
            options["broker_credentials"] = faust.SASLCredentials(
                username=self.kafka_username,
                password=self.kafka_password.get_secret_value(),
                mechanism=self.kafka_sasl_mechanism.value,
                ssl_context=context,
            )
        elif context is not None:
            options["broker_credentials"] = faust.SSLCredentials(context=context)
        return options


def partition_of(key: str, partitions: int) -> int:
    """The partition that every Kafka client's default partitioner gives a key."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


@asynccontextmanager
async def producing(settings: KafkaSettings) -> AsyncGenerator[AIOKafkaProducer]:
    """A started producer: all replicas must have a message before it counts as sent.

    Raises `Unavailable` when no broker answers.
    """
    producer = AIOKafkaProducer(
        **settings.client_options(),
        acks="all",
        enable_idempotence=settings.kafka_idempotent,
        request_timeout_ms=15_000,
    )
    try:
        await producer.start()
    except KafkaError as e:
        await producer.stop()
        raise broker_away(settings, e) from e
    try:
        yield producer
    finally:
        await producer.stop()


def broker_away(settings: KafkaSettings, error: Exception) -> Unavailable:
    """The error that says: no broker answers, and which ones were asked."""
    return Unavailable(
        f"Kafka does not answer: {type(error).__name__}: {error}",
        where=f"COPILOT_KAFKA_BOOTSTRAP={settings.kafka_bootstrap}",
        todo="check the address, the network and the credentials",
    )


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic that the line needs.

    `config` leaves out compaction on purpose: the worker's gap check needs dense offsets.
    """

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=lambda: {"retention.ms": str(WEEK_MS)})


def topics_of_the_line(partitions: int) -> tuple[TopicSpec, ...]:
    """The three topics; a partition of the samples is a shard of the log."""
    return (
        TopicSpec(SAMPLES_TOPIC, partitions),
        TopicSpec(DEAD_LETTER_TOPIC, 1),
        TopicSpec(EVENTS_TOPIC, partitions),
    )


async def ensure_topics(
    settings: KafkaSettings, topics: Sequence[TopicSpec], *, replication: int = 1
) -> None:
    """Create the topics that do not exist; those that do are left as they are.

    Raises `Unavailable` when no broker answers or one refuses.
    """
    admin = AIOKafkaAdminClient(**settings.client_options())
    try:
        await admin.start()
        answer = await admin.create_topics(
            [
                NewTopic(
                    name=topic.name,
                    num_partitions=topic.partitions,
                    replication_factor=replication,
                    topic_configs=topic.config,
                )
                for topic in topics
            ]
        )
    except KafkaError as e:
        raise broker_away(settings, e) from e
    finally:
        await admin.close()
    for refused in answer.to_object()["topic_errors"]:
        error = for_code(refused["error_code"])
        if refused["error_code"] and error is not TopicAlreadyExistsError:
            raise Unavailable(
                f"topic {refused['topic']} cannot be created: {error.__name__}",
                where=settings.kafka_bootstrap,
                todo="create it by hand or give this user the right to",
            )
