"""A fresh line for each test: its own broker, because tests here stop brokers and count offsets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from copilot_streams.kafka import KafkaSettings
from tests.e2e.line import Line
from tests.infra.kafka import Kafka


@pytest.fixture
async def line(own_kafka: Kafka, pg_dsn: str, tmp_path: Path) -> AsyncIterator[Line]:
    """Topics with two partitions and a log with its schema; no worker runs yet."""
    async with Line.on(
        KafkaSettings(kafka_bootstrap=own_kafka.bootstrap), pg_dsn, tmp_path
    ) as made:
        yield made
