"""Timeline: everything that changed, in order, each entry with its reasons.

One entry per event that is more than a sample. `data` is the event itself, so nothing that a
reason names is lost; the columns beside it are what a table or an annotation wants to show.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import Field
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.events import (
    BandChanged,
    BottleneckChanged,
    CausesRanked,
    ConfigChanged,
    DeploymentRecorded,
    HealthTransitioned,
    IncidentReviewed,
    LogPatternSurged,
    ModelCallReserved,
    ModelCallSettled,
    RecordedEvent,
    SampleDropped,
    ServiceHealthChanged,
    SightLost,
    SightRegained,
    StateAssessed,
    TransitionExplained,
)
from copilot_projections import telling
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Answer, At, Rows, Table, View, at, ms
from copilot_projections.shown import shown


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One entry; `version` is the event's version in its stream, `data` its payload."""

    cluster: str
    slot: int
    shard: int
    position: int
    stream: str
    version: int
    event_id: str
    type: str
    schema_version: int
    was: str
    became: str
    summary: str
    reasons: str
    data: str


ENTRIES = Table("timeline", TimelineRow, key=("cluster", "slot", "shard", "position"))


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Add one entry per event; entries are never changed."""
    for recorded in events:
        told = telling.of(recorded.decoded())
        if told is None:
            continue
        rows.put(
            ENTRIES,
            TimelineRow(
                cluster=recorded.cluster,
                slot=recorded.occurred_at.timestamp(),
                shard=recorded.shard,
                position=recorded.position,
                stream=recorded.stream,
                version=recorded.version,
                event_id=str(recorded.event_id),
                type=recorded.type,
                schema_version=recorded.schema_version,
                was=told.was,
                became=told.became,
                summary=told.summary,
                reasons=orjson.dumps(list(filter(None, told.reasons))).decode(),
                data=recorded.payload.decode(),
            ),
        )


TYPES = frozenset(
    c.__name__
    for c in (
        HealthTransitioned,
        SightLost,
        SightRegained,
        BandChanged,
        BottleneckChanged,
        ServiceHealthChanged,
        LogPatternSurged,
        DeploymentRecorded,
        SampleDropped,
        CausesRanked,
        TransitionExplained,
        IncidentReviewed,
        StateAssessed,
        ModelCallReserved,
        ModelCallSettled,
        ConfigChanged,
    )
)
"""The event types that make an entry."""

USUAL = TYPES - {ModelCallReserved.__name__, ModelCallSettled.__name__}
"""The types that are told unless others are asked for: what happened, not what its words cost."""

_FOREIGN = frozenset(
    c.__name__ for c in (ConfigChanged, TransitionExplained, IncidentReviewed, StateAssessed)
)
"""The types whose summary has words that others chose."""

VIEW = View("timeline", 1, (ENTRIES,), takes=TYPES, apply=apply, indexes=("index_slot",))


class TimelineEntry(Answer):
    """One change. `from` and `to` are empty where a type has no such thing; `cursor` pages on."""

    at: At
    at_ms: int
    cluster: str
    type: str
    from_: str = Field(alias="from")
    to: str
    summary: str
    reasons: tuple[str, ...]
    event_id: str
    shard: int
    position: int
    cursor: str
    data: dict[str, Any]


class TimelinePage(Answer):
    """Entries, newest first; `next_before` is the cursor of the page behind, None at the end."""

    entries: tuple[TimelineEntry, ...]
    next_before: str | None


_NEWEST = (2**62, 2**31 - 1, 2**62)


def _parsed(cursor: str | None) -> tuple[int, int, int]:
    if cursor is None:
        return _NEWEST
    parts = cursor.split(".")
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
        raise Rejected(
            f"{cursor[:80]!r} is no timeline cursor",
            where="before",
            todo="use next_before of the page before",
        )
    slot, shard, position = map(int, parts)
    return slot, shard, position


def _entry(row: TimelineRow) -> TimelineEntry:
    told = shown if row.type in _FOREIGN else str
    return TimelineEntry(
        at=at(row.slot),
        at_ms=ms(row.slot),
        cluster=row.cluster,
        type=row.type,
        from_=row.was,
        to=row.became,
        summary=told(row.summary),
        reasons=tuple(map(told, orjson.loads(row.reasons))),
        event_id=row.event_id,
        shard=row.shard,
        position=row.position,
        cursor=f"{row.slot}.{row.shard}.{row.position}",
        data=orjson.loads(row.data),
    )


async def page(
    views: ViewReader,
    *,
    cluster: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    types: Collection[str] = USUAL,
    before: str | None = None,
    limit: int = 200,
) -> TimelinePage:
    """Entries newest first, of one cluster or of all, with `since` <= at < `until`.

    `before` is the cursor of a former page. Raises `Rejected` for a cursor that is none.
    """
    span = (since.timestamp() if since else 0, until.timestamp() if until else _NEWEST[0])
    bounds = (*span, sorted(types), *_parsed(before), limit + 1)
    if cluster is None:
        found = await views.fetch(VIEW, "page_of_all", *bounds)
    else:
        found = await views.fetch(VIEW, "page_of_cluster", cluster, *bounds)
    entries = tuple(_entry(TimelineRow(**record)) for record in found[:limit])
    return TimelinePage(
        entries=entries, next_before=entries[-1].cursor if len(found) > limit else None
    )


async def last_before(
    views: ViewReader, cluster: str, types: Collection[str], slot: int
) -> TimelineRow | None:
    """The newest entry of one of `types` about a cluster at or before a slot."""
    found = await views.fetch(VIEW, "last_before", cluster, sorted(types), slot)
    return TimelineRow(**found[0]) if found else None
