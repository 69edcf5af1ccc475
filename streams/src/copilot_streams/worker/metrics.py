"""What the worker says about itself, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from copilot_streams.worker.shard import ShardWriter, Written

_LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_BATCH = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)


class WorkerMetrics:
    """Counters and gauges of one worker process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "copilot_worker_messages_total",
            "Messages dealt with, by outcome",
            ["outcome"],
            registry=registry,
        )
        self.events = Counter(
            "copilot_worker_events_total", "Events appended, by type", ["type"], registry=registry
        )
        self.batch = Histogram(
            "copilot_worker_append_events", "Events per append", buckets=_BATCH, registry=registry
        )
        self.latency = Histogram(
            "copilot_worker_sample_to_event_seconds",
            "From the message's time in Kafka to its events being in the log",
            buckets=_LATENCY_S,
            registry=registry,
        )
        self.lag = Gauge(
            "copilot_worker_lag_messages",
            "Messages not yet in the log",
            ["shard"],
            registry=registry,
        )
        self.epoch = Gauge(
            "copilot_worker_epoch", "Epoch of each owned shard", ["shard"], registry=registry
        )
        self.clusters = Gauge(
            "copilot_worker_clusters", "Clusters with a state in memory", registry=registry
        )
        self.takeovers = Counter(
            "copilot_worker_takeovers_total", "Shards taken over", registry=registry
        )
        self.fenced = Counter(
            "copilot_worker_fenced_total", "Shards lost to another writer", registry=registry
        )
        self.lost_messages = Counter(
            "copilot_worker_lost_messages_total",
            "Messages deleted by retention before they were read",
            registry=registry,
        )
        self.filled = Counter(
            "copilot_worker_silent_slots_total",
            "Slots that the watchdog filled as all-missing",
            registry=registry,
        )

    def owned(self, writers: Mapping[int, ShardWriter]) -> None:
        """Note which shards are owned from now on."""
        self.epoch.clear()
        self.lag.clear()
        for shard, writer in writers.items():
            self.epoch.labels(str(shard)).set(writer.head.epoch)
        self.takeovers.inc(len(writers))
        self._count_clusters(writers.values())

    def written(self, writer: ShardWriter, appends: Iterable[Written], *, now_ms: int) -> None:
        """Note what was appended, at Unix time `now_ms`."""
        for written in appends:
            self.batch.observe(len(written.events))
            for outcome, count in written.outcomes.items():
                self.messages.labels(outcome).inc(count)
            self.messages.labels("refused").inc(len(written.refused))
            for event in written.events:
                self.events.labels(event.type).inc()
            for message in written.messages:
                self.latency.observe(max(0, now_ms - message.sent_at_ms) / 1000)

    def _count_clusters(self, writers: Iterable[ShardWriter]) -> None:
        self.clusters.set(sum(len(writer.states) for writer in writers))
