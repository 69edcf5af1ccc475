"""Causes: which causes explained what was seen, from when to when.

One row per ranking; a ranking is in force until the next one. The row keeps the event's payload,
`copilot_projections.rankings` turns it into the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whenever import Instant

from copilot_core.events import CausesRanked, RecordedEvent, decode
from copilot_projections.rankings import Ranking, ranking
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Rows, Table, View


@dataclass(frozen=True, slots=True)
class RankingRow:
    """One ranking; `likeliest` is its first cause (`component/kind`), empty when it has none;
    `data` is the event's payload."""

    cluster: str
    slot: int
    shard: int
    position: int
    event_id: str
    schema_version: int
    likeliest: str
    data: str


RANKINGS = Table("causes", RankingRow, key=("cluster", "slot"))


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Add one row per ranking; a slot has one at most."""
    for recorded in events:
        event = recorded.decoded()
        assert isinstance(event, CausesRanked)
        first = event.causes[0] if event.causes else None
        rows.put(
            RANKINGS,
            RankingRow(
                cluster=recorded.cluster,
                slot=event.slot,
                shard=recorded.shard,
                position=recorded.position,
                event_id=str(recorded.event_id),
                schema_version=recorded.schema_version,
                likeliest=f"{first.component}/{first.kind}" if first else "",
                data=recorded.payload.decode(),
            ),
        )


VIEW = View("causes", 1, (RANKINGS,), takes=frozenset({CausesRanked.__name__}), apply=apply)


async def rankings(
    views: ViewReader,
    cluster: str,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    limit: int = 100,
) -> list[Ranking]:
    """Rankings newest first, those made from `since` on and before `until`. The first one is in
    force at `until`, or now.

    Empty for a cluster whose causes were never ranked.
    """
    begin = since.timestamp() if since else 0
    end = until.timestamp() if until else 2**62
    found = await views.fetch(VIEW, "rankings", cluster, begin, end, limit)
    rows = [RankingRow(**record) for record in found]
    ends: list[int | None] = [None, *(row.slot for row in rows)]
    return [_answer(row, end) for row, end in zip(rows, ends, strict=False)]


async def final(views: ViewReader, cluster: str, *, since: int, to: int) -> Ranking | None:
    """The last ranking from slot `since` to slot `to` that names a cause: what an incident comes
    to; None when no cause was named."""
    found = await views.fetch(VIEW, "last_named", cluster, since, to)
    return _answer(RankingRow(**found[0]), None) if found else None


def _answer(row: RankingRow, until_slot: int | None) -> Ranking:
    event = decode(CausesRanked.__name__, row.schema_version, row.data)
    assert isinstance(event, CausesRanked)
    return ranking(
        event,
        cluster=row.cluster,
        until_slot=until_slot,
        event_id=row.event_id,
        shard=row.shard,
        position=row.position,
    )
