"""Clusters: one line per watched cluster, the front page of everything.

The last sample's verdict gives status, evidence and band; the transition and sight events say since
when. A cluster appears with its first event and never goes away. Age is for the reader to compute:
a view has no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from copilot_core.events import (
    Band,
    Evidence,
    HealthTransitioned,
    RecordedEvent,
    SampleRecorded,
    SightLost,
    SightRegained,
    Status,
)
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Answer, At, Rows, Table, View, at, every_cluster, ms


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A cluster after its last recorded sample; slots are Unix seconds."""

    cluster: str
    shard: int
    position: int
    status: str
    since_slot: int
    evidence: str
    evidence_since_slot: int
    worst: str
    band: str
    bottleneck: str
    last_slot: int
    interval_s: int
    source: str
    rules_digest: str


CLUSTERS = Table("clusters", ClusterRow, key=("cluster",), loads=every_cluster)


def _unseen(event: RecordedEvent) -> ClusterRow:
    slot = event.occurred_at.timestamp()
    return ClusterRow(
        cluster=event.cluster,
        shard=event.shard,
        position=event.position,
        status=Status.UNKNOWN,
        since_slot=slot,
        evidence=Evidence.BLIND,
        evidence_since_slot=slot,
        worst=Status.UNKNOWN,
        band=Band.STARTER,
        bottleneck="unknown",
        last_slot=slot,
        interval_s=0,
        source="",
        rules_digest="",
    )


def _known(rows: Rows, cluster: str) -> ClusterRow:
    row = rows.get(CLUSTERS, cluster)
    assert row is not None
    return row


def _changed(row: ClusterRow, event: RecordedEvent) -> ClusterRow:
    slot = event.occurred_at.timestamp()
    if event.type == HealthTransitioned.__name__:
        return replace(row, since_slot=slot)
    return replace(row, evidence_since_slot=slot)


def _seen(row: ClusterRow, event: RecordedEvent) -> ClusterRow:
    sample = event.decoded()
    assert isinstance(sample, SampleRecorded)
    verdict = sample.verdict
    return replace(
        row,
        shard=event.shard,
        position=event.position,
        status=verdict.status,
        evidence=verdict.evidence,
        worst=verdict.worst,
        band=verdict.band,
        bottleneck=verdict.bottleneck,
        last_slot=sample.slot,
        interval_s=sample.interval_s,
        source=sample.source,
        rules_digest=verdict.rules_digest,
    )


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Fold a batch: of the samples of a cluster only the last one counts, so only it is decoded."""
    last: dict[str, RecordedEvent] = {}
    for event in events:
        cluster = event.cluster
        if cluster not in last and rows.get(CLUSTERS, cluster) is None:
            rows.put(CLUSTERS, _unseen(event))
        if event.type == SampleRecorded.__name__:
            last[cluster] = event
        else:
            rows.put(CLUSTERS, _changed(_known(rows, cluster), event))
    for cluster, event in last.items():
        rows.put(CLUSTERS, _seen(_known(rows, cluster), event))


VIEW = View(
    "clusters",
    1,
    (CLUSTERS,),
    takes=frozenset(
        c.__name__ for c in (SampleRecorded, HealthTransitioned, SightLost, SightRegained)
    ),
    apply=apply,
)


class ClusterSummary(Answer):
    """One watched cluster. `since` is when the status was last changed, `last_slot` the newest
    slot folded; `worst` is what the unseen could have made of the status."""

    cluster: str
    status: Status
    since: At
    since_ms: int
    evidence: Evidence
    evidence_since: At
    evidence_since_ms: int
    worst: Status
    band: Band
    bottleneck: str
    last_slot: At
    last_slot_ms: int
    interval_s: int
    source: str
    rules_digest: str
    shard: int
    position: int


def _summary(row: ClusterRow) -> ClusterSummary:
    return ClusterSummary(
        cluster=row.cluster,
        status=Status(row.status),
        since=at(row.since_slot),
        since_ms=ms(row.since_slot),
        evidence=Evidence(row.evidence),
        evidence_since=at(row.evidence_since_slot),
        evidence_since_ms=ms(row.evidence_since_slot),
        worst=Status(row.worst),
        band=Band(row.band),
        bottleneck=row.bottleneck,
        last_slot=at(row.last_slot),
        last_slot_ms=ms(row.last_slot),
        interval_s=row.interval_s,
        source=row.source,
        rules_digest=row.rules_digest,
        shard=row.shard,
        position=row.position,
    )


async def page(views: ViewReader, *, after: str = "", limit: int = 500) -> list[ClusterSummary]:
    """Clusters by id, at most `limit`, behind the id `after`.

    Raises `Unavailable` when the store is away or the view has no live build; so do all queries.
    """
    found = await views.fetch(VIEW, "page", after, limit)
    return [_summary(ClusterRow(**record)) for record in found]


async def one(views: ViewReader, cluster: str) -> ClusterSummary | None:
    """One cluster, or None when the log has never heard of it."""
    found = await views.fetch(VIEW, "one", cluster)
    return _summary(ClusterRow(**found[0])) if found else None
