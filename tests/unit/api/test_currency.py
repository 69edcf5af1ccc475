"""How current an answer is: an old "happy, fresh" never looks like the present."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from whenever import Instant

from copilot_api.currency import ClusterLine
from copilot_core.events import Band, Evidence, Status
from copilot_projections.views.clusters import ClusterSummary

SLOT = Instant.from_utc(2026, 8, 21, 3, 7)


def a_line(*, interval_s: int = 30, evidence: Evidence = Evidence.FRESH) -> ClusterSummary:
    """A happy cluster whose newest slot is 03:07."""
    ms = SLOT.timestamp(unit="millisecond")
    return ClusterSummary(
        cluster="prod", status=Status.HAPPY, since=SLOT, since_ms=ms,
        evidence=evidence, evidence_since=SLOT, evidence_since_ms=ms, worst=Status.HAPPY,
        band=Band.STARTER, bottleneck="healthy", last_slot=SLOT, last_slot_ms=ms,
        interval_s=interval_s, source="prometheus", rules_digest="d", shard=0, position=7,
    )  # fmt: skip


@given(interval_s=st.integers(5, 3600), age_s=st.integers(-300, 100_000))
def test_two_intervals_are_current_and_no_second_more(interval_s: int, age_s: int) -> None:
    """Current up to two of the cluster's own intervals; beyond that evidence is blind, in words
    too. The recorded evidence and the status stay as they are."""
    line = ClusterLine.of(
        a_line(interval_s=interval_s),
        asked_at=SLOT.add(seconds=age_s), read_at=SLOT.add(seconds=age_s), stale=False,
    )  # fmt: skip
    assert line.current == (age_s <= 2 * interval_s)
    assert line.evidence == (Evidence.FRESH if line.current else Evidence.BLIND)
    assert line.currency.startswith("NOT CURRENT") == (not line.current)
    assert (line.slot_age_s, line.evidence_recorded, line.status) == (
        age_s, Evidence.FRESH, Status.HAPPY,
    )  # fmt: skip


def test_age_never_improves_evidence() -> None:
    """A current slot with partial evidence stays partial: age only takes sight away."""
    line = ClusterLine.of(
        a_line(evidence=Evidence.PARTIAL), asked_at=SLOT, read_at=SLOT, stale=False
    )
    assert (line.evidence, line.current) == (Evidence.PARTIAL, True)


def test_a_stale_answer_says_how_old_it_is() -> None:
    """An answer from memory is stale, dated by when it was read, in numbers and in words."""
    line = ClusterLine.of(
        a_line(), asked_at=SLOT.add(seconds=95), read_at=SLOT.add(seconds=5), stale=True
    )
    assert (line.stale, line.age_s, line.current) == (True, 90.0, False)
    assert "read 90 s ago" in line.currency
    assert line.read_at == "2026-08-21T03:07:05Z"


def test_a_cluster_without_a_sample_is_never_current() -> None:
    """Known by name only: no interval, so nothing to be current by."""
    line = ClusterLine.of(a_line(interval_s=0), asked_at=SLOT, read_at=SLOT, stale=False)
    assert (line.current, line.evidence) == (False, Evidence.BLIND)
    assert "no sample" in line.currency
