"""The same processes on the embedded broker: only addresses and two settings differ."""

from __future__ import annotations

from pathlib import Path

from copilot.embedded.broker import EmbeddedBroker
from copilot_streams.kafka import topics_of_the_line
from tests.e2e.line import Line, samples
from tests.e2e.test_relay import RELAY, assert_in_order, header, public_events, published

CLUSTERS = ("emea", "apac", "amer", "test-1")
PARTITIONS = 2


async def test_worker_and_relay_run_on_the_embedded_broker(pg_dsn: str, tmp_path: Path) -> None:
    """A kill -9 and a restart of the broker itself: the log is the fold's, the relay complete."""
    topics = {topic.name: topic.partitions for topic in topics_of_the_line(PARTITIONS)}
    async with (
        EmbeddedBroker(topics) as broker,
        Line.on(broker.settings, pg_dsn, tmp_path, partitions=PARTITIONS) as line,
    ):
        worker = line.start_worker()
        line.start_worker("relay", module=RELAY)
        await line.send(samples(CLUSTERS, slots=10))
        await line.log_holds_everything()
        worker.kill()
        await line.send(samples(CLUSTERS, slots=5, after=10))
        worker.start()
        await line.log_holds_everything()
        expected = await public_events(line)
        records = await published(line, len(expected))
        assert {header(r, "event-id") for r in records} == {str(e.event_id) for e in expected}
        assert_in_order(records)
        sent = line.sent

    async with (
        EmbeddedBroker(topics) as broker,
        Line.on(broker.settings, pg_dsn, tmp_path, partitions=PARTITIONS) as line,
    ):
        line.sent = list(sent)
        worker = line.start_worker("after")
        await line.send(samples(CLUSTERS, slots=5, after=15))
        await line.log_holds_everything()
        assert "new source" in worker.said()
