"""Services: forward progress and pressure of each service of a cluster, and what dominates.

Every verdict names the services; a row is written when one of them differs from before, so the
table costs next to nothing while nothing changes. Dominant signal and artifacts come with the
`ServiceHealthChanged` event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from copilot_core.events import Evidence, RecordedEvent, SampleRecorded, ServiceHealthChanged
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Answer, At, Rows, Table, View, at, every_cluster, ms


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One service; `artifacts` is a JSON list of signals that look bad and are expected."""

    cluster: str
    service: str
    progress: str
    pressure: str
    since_slot: int
    evidence: str
    dominant_signal: str
    artifacts: str


SERVICES = Table("services", ServiceRow, key=("cluster", "service"), loads=every_cluster)


def _judged(
    rows: Rows, cluster: str, service: str, *, progress: str, pressure: str, slot: int
) -> ServiceRow:
    row = rows.get(SERVICES, cluster, service)
    if row is None:
        return ServiceRow(cluster, service, progress, pressure, slot, Evidence.BLIND, "", "[]")
    if (row.progress, row.pressure) == (progress, pressure):
        return row
    return replace(row, progress=progress, pressure=pressure, since_slot=slot)


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Fold a batch in order."""
    for recorded in events:
        cluster = recorded.cluster
        match recorded.decoded():
            case SampleRecorded() as sample:
                for service, (progress, pressure) in sample.verdict.services.items():
                    row = _judged(
                        rows,
                        cluster,
                        service,
                        progress=progress,
                        pressure=pressure,
                        slot=sample.slot,
                    )
                    rows.put(SERVICES, replace(row, evidence=sample.verdict.evidence))
            case ServiceHealthChanged() as change:
                row = _judged(
                    rows,
                    cluster,
                    change.service,
                    progress=change.progress,
                    pressure=change.pressure,
                    slot=change.slot,
                )
                rows.put(
                    SERVICES,
                    replace(
                        row,
                        evidence=change.evidence,
                        dominant_signal=change.dominant_signal or "",
                        artifacts=orjson.dumps(change.artifacts).decode(),
                    ),
                )


VIEW = View(
    "services",
    1,
    (SERVICES,),
    takes=frozenset({SampleRecorded.__name__, ServiceHealthChanged.__name__}),
    apply=apply,
)


class ServiceHealth(Answer):
    """Health of one service; `since` is when progress or pressure last changed."""

    cluster: str
    service: str
    progress: str
    pressure: str
    since: At
    since_ms: int
    evidence: Evidence
    dominant_signal: str | None
    artifacts: tuple[str, ...]


async def of_cluster(views: ViewReader, cluster: str) -> list[ServiceHealth]:
    """The services of a cluster by name; empty for a cluster without a verdict."""
    rows = [ServiceRow(**record) for record in await views.fetch(VIEW, "of_cluster", cluster)]
    return [
        ServiceHealth(
            cluster=row.cluster,
            service=row.service,
            progress=row.progress,
            pressure=row.pressure,
            since=at(row.since_slot),
            since_ms=ms(row.since_slot),
            evidence=Evidence(row.evidence),
            dominant_signal=row.dominant_signal or None,
            artifacts=tuple(orjson.loads(row.artifacts)),
        )
        for row in rows
    ]
