"""Status: everything that is believed of a cluster now, and why.

The row keeps the payloads it is told of (last sample with its verdict, last transition, last
change of sight, last ranking of causes); `full_status.compose` turns them into the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from copilot_core.events import (
    CausesRanked,
    HealthTransitioned,
    RecordedEvent,
    SampleRecorded,
    SightLost,
    SightRegained,
    decode,
)
from copilot_projections.full_status import FullStatus, compose
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Rows, Table, View, every_cluster


@dataclass(frozen=True, slots=True)
class StatusRow:
    """Payloads of the events that speak for a cluster now; empty text where there was none yet."""

    cluster: str
    shard: int
    position: int
    first_slot: int
    sample: str
    sample_version: int
    transition: str
    transition_version: int
    sight: str
    sight_type: str
    sight_version: int
    ranking: str
    ranking_version: int


STATUS = Table("status", StatusRow, key=("cluster",), loads=every_cluster)
_SIGHT = (SightLost.__name__, SightRegained.__name__)


def _text(event: RecordedEvent) -> str:
    event.decoded()  # what the answer is composed from later must be readable
    return event.payload.decode()


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Fold a batch: the last event of each kind replaces the former one."""
    last: dict[tuple[str, str], RecordedEvent] = {}
    for event in events:
        if rows.get(STATUS, event.cluster) is None:
            slot = event.occurred_at.timestamp()
            rows.put(
                STATUS,
                StatusRow(
                    event.cluster, event.shard, event.position, slot, "", 0, "", 0, "", "", 0, "", 0
                ),
            )
        kind = "sight" if event.type in _SIGHT else event.type
        last[event.cluster, kind] = event
    for (cluster, kind), event in last.items():
        row = rows.get(STATUS, cluster)
        assert row is not None
        row = replace(row, shard=event.shard, position=max(event.position, row.position))
        match kind:
            case SampleRecorded.__name__:
                row = replace(row, sample=_text(event), sample_version=event.schema_version)
            case HealthTransitioned.__name__:
                row = replace(row, transition=_text(event), transition_version=event.schema_version)
            case CausesRanked.__name__:
                row = replace(row, ranking=_text(event), ranking_version=event.schema_version)
            case _:
                row = replace(
                    row,
                    sight=_text(event),
                    sight_type=event.type,
                    sight_version=event.schema_version,
                )
        rows.put(STATUS, row)


VIEW = View(
    "status",
    2,
    (STATUS,),
    takes=frozenset(
        {SampleRecorded.__name__, HealthTransitioned.__name__, CausesRanked.__name__, *_SIGHT}
    ),
    apply=apply,
)


def _from_row(row: StatusRow) -> FullStatus | None:
    if not row.sample:
        return None
    sample = decode(SampleRecorded.__name__, row.sample_version, row.sample)
    assert isinstance(sample, SampleRecorded)
    transition = (
        decode(HealthTransitioned.__name__, row.transition_version, row.transition)
        if row.transition
        else None
    )
    assert transition is None or isinstance(transition, HealthTransitioned)
    sight = decode(row.sight_type, row.sight_version, row.sight) if row.sight else None
    assert sight is None or isinstance(sight, (SightLost, SightRegained))
    ranked = (
        decode(CausesRanked.__name__, row.ranking_version, row.ranking) if row.ranking else None
    )
    assert ranked is None or isinstance(ranked, CausesRanked)
    return compose(
        sample,
        transition,
        sight,
        ranked,
        cluster=row.cluster,
        first_slot=row.first_slot,
        shard=row.shard,
        position=row.position,
    )


async def current(views: ViewReader, cluster: str) -> FullStatus | None:
    """The full status of a cluster after its newest sample, or None when there is no sample yet."""
    found = await views.fetch(VIEW, "current", cluster)
    return _from_row(StatusRow(**found[0])) if found else None
