"""Metrics as they are shown: values of labels pass the guard."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from copilot_service.http import GuardedRegistry


def test_labels_are_guarded_and_figures_are_not_touched() -> None:
    """A secret in a label is not shown; everything else reads as without the guard."""
    registry = CollectorRegistry()
    counter = Counter("asked", "questions", ["host", "cluster"], registry=registry)
    counter.labels("postgres://me:hunter2@db/log", "orders").inc(7)
    seconds = Histogram("took_seconds", "time", ["route"], registry=registry)
    seconds.labels("/v1/clusters/{cluster}/log-patterns/excerpts").observe(0.25)
    shown = generate_latest(GuardedRegistry(registry)).decode()
    usual = generate_latest(registry).decode()
    assert "hunter2" not in shown
    assert shown == usual.replace("postgres://me:hunter2@db/log", "[dsn]")
    assert 'asked_total{cluster="orders",host="[dsn]"} 7.0' in shown
