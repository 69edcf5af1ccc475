"""What the scraper process measures of itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Meters:
    """The scraper's own metrics, registered once per process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.slots = Counter(
            "copilot_scraper_slots_total",
            "Slots scraped, by kind of sample",
            ["cluster", "kind"],
            registry=registry,
        )
        self.skipped = Counter(
            "copilot_scraper_slots_skipped_total",
            "Slots for which this process was too late",
            ["cluster", "kind"],
            registry=registry,
        )
        self.missing = Counter(
            "copilot_scraper_readings_missing_total",
            "Readings without a number, by reason",
            ["cluster", "reason"],
            registry=registry,
        )
        self.failures = Counter(
            "copilot_scraper_query_failures_total",
            "Queries without an answer, by cause",
            ["cluster", "cause"],
            registry=registry,
        )
        self.scrape_seconds = Histogram(
            "copilot_scraper_scrape_seconds",
            "Time to scrape one slot",
            ["kind"],
            buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30),
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "copilot_scraper_slot_lag_seconds",
            "Time from the begin of the last delivered slot to its delivery",
            ["cluster"],
            registry=registry,
        )
        self.delivered = Counter(
            "copilot_scraper_delivered_total", "Messages that Kafka has", registry=registry
        )
        self.produce_errors = Counter(
            "copilot_scraper_produce_errors_total",
            "Deliveries that failed and are tried again",
            ["error"],
            registry=registry,
        )
        self.dropped = Counter(
            "copilot_scraper_dropped_total",
            "Messages dropped because Kafka was away too long",
            ["cluster"],
            registry=registry,
        )
        self.buffered = Gauge(
            "copilot_scraper_buffered", "Messages waiting for Kafka", registry=registry
        )
        self.clusters = Gauge(
            "copilot_scraper_clusters", "Clusters that are watched", registry=registry
        )
        self.reloads_refused = Counter(
            "copilot_scraper_reloads_refused_total",
            "Changes of the clusters file that were refused",
            registry=registry,
        )
