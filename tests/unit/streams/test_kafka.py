"""Kafka settings, and which partition a key belongs to."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import DefaultPartitioner
from pydantic import SecretStr, ValidationError

from copilot_streams.kafka import KafkaSettings, SaslMechanism, Security, partition_of


@pytest.mark.parametrize("key", ["emea", "apac", "amer", "cluster-1", "prod.eu-1"])
@pytest.mark.parametrize("partitions", [1, 4, 12])
def test_keys_go_where_every_kafka_client_puts_them(key: str, partitions: int) -> None:
    """The partition is that of the default partitioner, which all clients share."""
    ids = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key.encode(), ids, ids)


def test_sasl_without_a_user_is_refused() -> None:
    """A security protocol that needs a user names the variable that is missing."""
    with pytest.raises(ValidationError, match="COPILOT_KAFKA_USERNAME"):
        KafkaSettings(kafka_bootstrap="b:9092", kafka_security=Security.SASL_SSL)


def test_both_clients_get_the_same_security() -> None:
    """User, password, mechanism and TLS reach aiokafka and Faust alike."""
    settings = KafkaSettings(
        kafka_bootstrap="b1:9092, b2:9092",
        kafka_security=Security.SASL_SSL,
        kafka_sasl_mechanism=SaslMechanism.SCRAM_SHA_256,
        kafka_username="copilot",
        kafka_password=SecretStr("secret"),
    )
    plain = settings.client_options()
    assert plain["security_protocol"] == "SASL_SSL"
    assert plain["sasl_plain_password"] == "secret"
    assert plain["ssl_context"].check_hostname
    faust = settings.faust_options()
    assert faust["broker"] == "kafka://b1:9092;kafka://b2:9092"
    assert faust["broker_credentials"].username == "copilot"
    assert faust["broker_credentials"].mechanism.value == "SCRAM-SHA-256"
    assert faust["broker_credentials"].ssl_context.check_hostname


def test_a_password_is_never_shown() -> None:
    """Printing the settings does not print the secret."""
    settings = KafkaSettings(kafka_bootstrap="b:9092", kafka_password=SecretStr("hunter2"))
    assert "hunter2" not in repr(settings)
