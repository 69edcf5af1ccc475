"""The worker on real Kafka and PostgreSQL."""

from __future__ import annotations

from tests.e2e.line import Line, samples

CLUSTERS = ("emea", "apac", "amer", "test-1")


async def test_what_is_sent_is_in_the_log(line: Line) -> None:
    """Samples of four clusters over two partitions give exactly the events of the fold."""
    await line.send(samples(CLUSTERS, slots=30))
    worker = line.start_worker()
    await line.log_holds_everything()
    assert worker.stop() == 0
