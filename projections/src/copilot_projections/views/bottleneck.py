"""Bottleneck: who limited progress, from when to when, and why that was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from whenever import Instant

from copilot_core.events import BottleneckChanged, RecordedEvent
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Answer, At, Rows, Table, View, at, ms


@dataclass(frozen=True, slots=True)
class BottleneckRow:
    """One change of the bottleneck; `reasons` is a JSON list of sentences."""

    cluster: str
    slot: int
    was: str
    became: str
    reasons: str


CHANGES = Table("bottleneck", BottleneckRow, key=("cluster", "slot"))


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Add one row per change; a slot changes at most once."""
    for recorded in events:
        change = recorded.decoded()
        assert isinstance(change, BottleneckChanged)
        rows.put(
            CHANGES,
            BottleneckRow(
                recorded.cluster,
                change.slot,
                change.from_,
                change.to,
                orjson.dumps(change.reasons).decode(),
            ),
        )


VIEW = View("bottleneck", 1, (CHANGES,), takes=frozenset({BottleneckChanged.__name__}), apply=apply)


class BottleneckStretch(Answer):
    """A stretch of time with one bottleneck; `until` is None while it lasts."""

    cluster: str
    bottleneck: str
    was: str
    since: At
    since_ms: int
    until: At | None
    until_ms: int | None
    reasons: tuple[str, ...]


async def stretches(
    views: ViewReader, cluster: str, *, until: Instant | None = None, limit: int = 100
) -> list[BottleneckStretch]:
    """Stretches newest first, those that began before `until`. The first one is the current one.

    Empty for a cluster whose bottleneck was never told.
    """
    end = until.timestamp() if until else 2**62
    rows = [
        BottleneckRow(**record)
        for record in await views.fetch(VIEW, "changes", cluster, end, limit)
    ]
    ends: list[int | None] = [None, *(row.slot for row in rows)]
    return [
        BottleneckStretch(
            cluster=row.cluster,
            bottleneck=row.became,
            was=row.was,
            since=at(row.slot),
            since_ms=ms(row.slot),
            until=None if end is None else at(end),
            until_ms=None if end is None else ms(end),
            reasons=tuple(orjson.loads(row.reasons)),
        )
        for row, end in zip(rows, ends, strict=False)
    ]
