"""What the read models make of real incidents, without any database."""

from __future__ import annotations

import pytest

from copilot_core.events import EVENT_TYPES, CausesRanked, Evidence, SampleRecorded, Status
from copilot_projections.shape import Rows
from copilot_projections.views import (
    VIEWS,
    bottleneck,
    causes,
    clusters,
    incidents,
    services,
    signals,
    status,
    timeline,
)
from tests.unit.projections.recorded import book_of
from tests.unit.projections.story import Book

NAMES = ("o1-workers-stopped", "o2-db-latency", "o3-idle", "o7-metrics-lost", "t1-slots-exhausted")


def rows_of(view: str, book: Book) -> Rows:
    """A view after all events of a book."""
    rows = Rows()
    VIEWS[view].apply(rows, [e for e in book.recorded if e.type in VIEWS[view].takes])
    return rows


def last_sample(book: Book) -> SampleRecorded:
    """The newest sample of a book."""
    samples = [e for e in book.recorded if e.type == SampleRecorded.__name__]
    decoded = samples[-1].decoded()
    assert isinstance(decoded, SampleRecorded)
    return decoded


@pytest.mark.parametrize("name", NAMES)
def test_clusters_and_status_end_as_the_last_verdict_says(name: str) -> None:
    """Nothing but the last verdict decides what is shown now."""
    book = book_of(name)
    sample = last_sample(book)
    (cluster,) = rows_of("clusters", book).all(clusters.CLUSTERS)
    assert (cluster.status, cluster.evidence) == (sample.verdict.status, sample.verdict.evidence)
    assert cluster.last_slot == sample.slot
    (now,) = rows_of("status", book).all(status.STATUS)
    assert SampleRecorded.model_validate_json(now.sample) == sample


@pytest.mark.parametrize("name", NAMES)
def test_timeline_tells_all_but_the_samples(name: str) -> None:
    """Every event that is more than a sample is one entry, with words for people."""
    book = book_of(name)
    entries = rows_of("timeline", book).all(timeline.ENTRIES)
    told = [e for e in book.recorded if e.type not in ("SampleRecorded", "LogSampleRecorded")]
    assert sorted(e.event_id for e in entries) == sorted(str(e.event_id) for e in told)
    assert all(e.summary for e in entries)
    assert set(EVENT_TYPES) - {"SampleRecorded", "LogSampleRecorded"} == timeline.TYPES


@pytest.mark.parametrize("name", NAMES)
def test_signals_keep_every_reading(name: str) -> None:
    """Tail and blocks together give back the readings of every sample, bit for bit."""
    book = book_of(name)
    rows = rows_of("signals", book)
    kept = {s.slot: s.readings for b in rows.all(signals.BLOCKS) for s in signals.slots_of(b)}
    kept |= {row.slot: signals.readings_of(row) for row in rows.all(signals.TAIL)}
    recorded = [e.decoded() for e in book.recorded if e.type == SampleRecorded.__name__]
    assert kept == {s.slot: s.readings for s in recorded if isinstance(s, SampleRecorded)}


@pytest.mark.parametrize("name", NAMES)
def test_services_and_bottleneck_end_as_the_last_verdict_says(name: str) -> None:
    """The rows of the services, and the last change of the bottleneck, are the verdict's."""
    book = book_of(name)
    verdict = last_sample(book).verdict
    found = rows_of("services", book).all(services.SERVICES)
    assert {s.service: (s.progress, s.pressure) for s in found} == verdict.services
    changes = rows_of("bottleneck", book).all(bottleneck.CHANGES)
    assert changes[-1].became == verdict.bottleneck


@pytest.mark.parametrize("name", NAMES)
def test_causes_and_status_keep_the_rankings_of_the_fold(name: str) -> None:
    """One row per ranking, as it was recorded; the status has the last one."""
    book = book_of(name)
    ranked = [e for e in book.recorded if e.type == CausesRanked.__name__]
    found = rows_of("causes", book).all(causes.RANKINGS)
    assert [(r.event_id, r.data) for r in found] == [
        (str(e.event_id), e.payload.decode()) for e in ranked
    ]
    (now,) = rows_of("status", book).all(status.STATUS)
    assert now.ranking == (ranked[-1].payload.decode() if ranked else "")


@pytest.mark.parametrize("name", ["o1-workers-stopped", "o2-db-latency"])
def test_loss_of_progress_is_an_incident_that_was_critical(name: str) -> None:
    """The recorded loss of progress is told as one incident at its worst, with its gates."""
    found = rows_of("incidents", book_of(name)).all(incidents.INCIDENTS)
    worst = [row for row in found if row.worst == Status.CRITICAL]
    assert len(worst) == 1
    assert worst[0].gates != "[]"
    assert worst[0].transitions >= 2


def test_idle_cluster_has_no_critical_incident() -> None:
    """Nothing happened in the idle recording, and nothing critical is told of it."""
    found = rows_of("incidents", book_of("o3-idle")).all(incidents.INCIDENTS)
    assert [row for row in found if row.worst == Status.CRITICAL] == []


def test_lost_metrics_show_as_blind_never_as_numbers() -> None:
    """While the metrics were cut off, the series are missing with a reason, in every slot."""
    book = book_of("o7-metrics-lost")
    blind = [
        e.decoded()
        for e in book.recorded
        if e.type == SampleRecorded.__name__ and Evidence.BLIND in e.payload.decode()
    ]
    slots = [s for s in blind if isinstance(s, SampleRecorded) and s.verdict.evidence == "blind"]
    assert slots
    rows = rows_of("signals", book)
    kept = {s.slot: s.readings for b in rows.all(signals.BLOCKS) for s in signals.slots_of(b)}
    kept |= {row.slot: signals.readings_of(row) for row in rows.all(signals.TAIL)}
    for sample in slots:
        pulses = kept[sample.slot][:3]
        assert all(isinstance(value, str) for value in pulses)
